-- Snapshots are stored apart from the head, several per execution, and most executions have none: their log is short.

CREATE TABLE checkpoints (
  execution_id text    NOT NULL COLLATE "C",
  -- Of the event that the snapshot was taken after.
  seq          integer NOT NULL,
  tenant_id    text    NOT NULL,
  -- What the snapshot is sealed with. Null = it was stored by a release without seals.
  digest       text,
  snapshot     text    NOT NULL,
  PRIMARY KEY (execution_id, seq)
);

INSERT INTO checkpoints (execution_id, seq, tenant_id, digest, snapshot)
  SELECT id, snapshot_seq, tenant_id, snapshot_digest, snapshot FROM executions
  -- A log of a few events is replayed instead.
  WHERE snapshot IS NOT NULL AND (seq > 64 OR octet_length(snapshot) > 4096);

ALTER TABLE executions DROP COLUMN snapshot, DROP COLUMN snapshot_digest, DROP COLUMN snapshot_seq;
