-- Keys of live executions: a workflow has one live execution with a key at most. The row is removed when the execution ends.
CREATE TABLE execution_keys (
  tenant_id    text NOT NULL,
  workflow_id  text NOT NULL COLLATE "C",
  key          text NOT NULL COLLATE "C",
  execution_id text NOT NULL,
  PRIMARY KEY (tenant_id, workflow_id, key)
);
