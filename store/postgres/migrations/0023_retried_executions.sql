-- The executions that a bulk job has retried, to tell what has become of them. Removed with the execution.
CREATE TABLE retried_executions (
  job_id       text NOT NULL COLLATE "C",
  execution_id text NOT NULL COLLATE "C",
  tenant_id    text NOT NULL,
  PRIMARY KEY (job_id, execution_id)
);
CREATE INDEX retried_executions_by_execution ON retried_executions (execution_id);
