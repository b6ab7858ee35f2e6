-- Keys of live executions: a workflow has one live execution with a key at most. The row is removed when the execution ends.
CREATE TABLE execution_keys (
  tenant_id    TEXT NOT NULL,
  workflow_id  TEXT NOT NULL,
  key          TEXT NOT NULL,
  execution_id TEXT NOT NULL,
  PRIMARY KEY (tenant_id, workflow_id, key)
) STRICT, WITHOUT ROWID;
