-- Approvals of all executions, so that those that wait for a decision are found without reading executions. Written with the commit that
-- asks, decides or withdraws; what was asked and decided is in the log.
CREATE TABLE approvals (
  execution_id     text    NOT NULL COLLATE "C",
  -- Of the event that asked.
  seq              integer NOT NULL,
  tenant_id        text    NOT NULL,
  workflow_id      text    NOT NULL,
  node_id          text    NOT NULL,
  activation       integer NOT NULL,
  requested_at_ms  bigint  NOT NULL,
  -- Null = the node waits for any time.
  expires_at_ms    bigint,
  -- Null = not decided.
  decided_at_ms    bigint,
  -- Of the event with the decision.
  decided_seq      integer,
  PRIMARY KEY (execution_id, seq)
);
CREATE INDEX approvals_pending ON approvals (tenant_id, requested_at_ms, execution_id, seq) WHERE decided_at_ms IS NULL;
CREATE INDEX approvals_pending_by_workflow ON approvals (tenant_id, workflow_id, requested_at_ms, execution_id, seq)
  WHERE decided_at_ms IS NULL;
CREATE INDEX approvals_decided ON approvals (tenant_id, decided_at_ms, execution_id, seq) WHERE decided_at_ms IS NOT NULL;
CREATE INDEX approvals_decided_by_workflow ON approvals (tenant_id, workflow_id, decided_at_ms, execution_id, seq)
  WHERE decided_at_ms IS NOT NULL;

-- Executions of earlier releases whose open approvals the next runtime enters.
CREATE TABLE unlisted_approvals (
  execution_id text NOT NULL COLLATE "C" PRIMARY KEY,
  tenant_id    text NOT NULL
);
INSERT INTO unlisted_approvals (execution_id, tenant_id)
  SELECT id, tenant_id FROM executions WHERE completed_at_ms IS NULL;
