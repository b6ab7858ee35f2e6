-- Webhooks: who is told of which events, and what is still to be delivered.

CREATE TABLE webhooks (
  id                   TEXT    NOT NULL PRIMARY KEY,
  tenant_id            TEXT    NOT NULL,
  url                  TEXT    NOT NULL,
  -- JSON: types of events in snake_case, or ["*"].
  events               TEXT    NOT NULL,
  -- Null = executions of any workflow.
  workflow_id          TEXT,
  description          TEXT,
  enabled              INTEGER NOT NULL,
  disabled_reason      TEXT,
  -- A signature needs the secret itself.
  secret               TEXT    NOT NULL,
  -- Signs beside the new one until then.
  previous_secret      TEXT,
  previous_until_ms    INTEGER,
  created_at_ms        INTEGER NOT NULL,
  updated_at_ms        INTEGER NOT NULL,
  last_delivered_at_ms INTEGER,
  last_failed_at_ms    INTEGER,
  last_failure         TEXT,
  -- Attempts that failed since the last that did not.
  failures             INTEGER NOT NULL DEFAULT 0,
  -- Gone for everybody; the row stays until its deliveries have been removed.
  deleted_at_ms        INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX webhooks_by_tenant ON webhooks (tenant_id, id) WHERE deleted_at_ms IS NULL;
CREATE INDEX webhooks_deleted ON webhooks (id) WHERE deleted_at_ms IS NOT NULL;

-- How far events have been matched with webhooks: a position in the log.
CREATE TABLE webhook_cursor (
  id       INTEGER PRIMARY KEY CHECK (id = 1),
  position TEXT NOT NULL
) STRICT;

-- One event for one webhook. What is sent is made from the log then. Of the pending deliveries of one execution to one webhook,
-- exactly one has a time for its next attempt: the others wait for it.
CREATE TABLE webhook_deliveries (
  webhook_id         TEXT    NOT NULL,
  id                 TEXT    NOT NULL,
  tenant_id          TEXT    NOT NULL,
  execution_id       TEXT    NOT NULL,
  seq                INTEGER NOT NULL,
  type               TEXT    NOT NULL,
  status             TEXT    NOT NULL CHECK (status IN ('pending', 'delivered', 'failed')),
  attempts           INTEGER NOT NULL,
  next_attempt_at_ms INTEGER,
  last_attempt_at_ms INTEGER,
  -- HTTP status; null when there was no answer.
  last_status        INTEGER,
  last_error         TEXT,
  created_at_ms      INTEGER NOT NULL,
  settled_at_ms      INTEGER,
  PRIMARY KEY (webhook_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX webhook_deliveries_next ON webhook_deliveries (webhook_id, next_attempt_at_ms) WHERE next_attempt_at_ms IS NOT NULL;
CREATE INDEX webhook_deliveries_pending ON webhook_deliveries (webhook_id, execution_id, seq) WHERE status = 'pending';
CREATE INDEX webhook_deliveries_by_status ON webhook_deliveries (webhook_id, status, id);
CREATE INDEX webhook_deliveries_settled ON webhook_deliveries (status, settled_at_ms) WHERE settled_at_ms IS NOT NULL;

-- Positions in the log of all executions are row numbers of `events`, in the order of commits. SQLite gives the number of a removed
-- last row to the next one; each cut tells who stands beyond it to go on from there. An epoch is the number of the last cut.
CREATE TABLE log_cuts (
  epoch       INTEGER PRIMARY KEY AUTOINCREMENT,
  last_row_id INTEGER NOT NULL
) STRICT;
CREATE TRIGGER log_cut AFTER DELETE ON events
  WHEN old.rowid > (SELECT coalesce(max(rowid), 0) FROM events)
BEGIN
  INSERT INTO log_cuts (last_row_id) SELECT coalesce(max(rowid), 0) FROM events;
END;

-- Seals the positions that clients hold, so that they tell nothing of what other tenants do.
CREATE TABLE log_key (
  id  INTEGER PRIMARY KEY CHECK (id = 1),
  key BLOB NOT NULL
) STRICT;
INSERT INTO log_key (id, key) VALUES (1, randomblob(32));
