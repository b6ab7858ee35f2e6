-- Approvals of all executions, so that those that wait for a decision are found without reading executions. Written with the commit that
-- asks, decides or withdraws; what was asked and decided is in the log.
CREATE TABLE approvals (
  execution_id     TEXT    NOT NULL,
  -- Of the event that asked.
  seq              INTEGER NOT NULL,
  tenant_id        TEXT    NOT NULL,
  workflow_id      TEXT    NOT NULL,
  node_id          TEXT    NOT NULL,
  activation       INTEGER NOT NULL,
  requested_at_ms  INTEGER NOT NULL,
  -- Null = the node waits for any time.
  expires_at_ms    INTEGER,
  -- Null = not decided.
  decided_at_ms    INTEGER,
  -- Of the event with the decision.
  decided_seq      INTEGER,
  PRIMARY KEY (execution_id, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX approvals_pending ON approvals (tenant_id, requested_at_ms, execution_id, seq) WHERE decided_at_ms IS NULL;
CREATE INDEX approvals_pending_by_workflow ON approvals (tenant_id, workflow_id, requested_at_ms, execution_id, seq)
  WHERE decided_at_ms IS NULL;
CREATE INDEX approvals_decided ON approvals (tenant_id, decided_at_ms, execution_id, seq) WHERE decided_at_ms IS NOT NULL;
CREATE INDEX approvals_decided_by_workflow ON approvals (tenant_id, workflow_id, decided_at_ms, execution_id, seq)
  WHERE decided_at_ms IS NOT NULL;

-- Executions of earlier releases whose open approvals the next runtime enters.
CREATE TABLE unlisted_approvals (
  execution_id TEXT NOT NULL PRIMARY KEY,
  tenant_id    TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO unlisted_approvals (execution_id, tenant_id)
  SELECT id, tenant_id FROM executions WHERE completed_at_ms IS NULL;
