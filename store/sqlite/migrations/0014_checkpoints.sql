-- Snapshots are stored apart from the head, several per execution, and most executions have none: their log is short.

CREATE TABLE new_checkpoints (
  execution_id TEXT    NOT NULL,
  -- Of the event that the snapshot was taken after.
  seq          INTEGER NOT NULL,
  tenant_id    TEXT    NOT NULL,
  -- What the snapshot is sealed with. Null = it was stored by a release without seals.
  digest       TEXT,
  snapshot     TEXT    NOT NULL,
  PRIMARY KEY (execution_id, seq),
  FOREIGN KEY (execution_id) REFERENCES executions (id)
) STRICT;

INSERT INTO new_checkpoints (execution_id, seq, tenant_id, digest, snapshot)
  SELECT e.id, e.snapshot_seq, e.tenant_id, e.snapshot_digest, coalesce(e.snapshot, c.snapshot)
  FROM executions e LEFT JOIN checkpoints c ON c.execution_id = e.id
  -- A log of a few events is replayed instead.
  WHERE coalesce(e.snapshot, c.snapshot) IS NOT NULL AND (c.snapshot IS NOT NULL OR e.seq > 64) ORDER BY e.id;

DROP TABLE checkpoints;
ALTER TABLE new_checkpoints RENAME TO checkpoints;
-- The columns of the snapshot stay until migration 0015 replaces the table: dropping each would write the whole table again.
