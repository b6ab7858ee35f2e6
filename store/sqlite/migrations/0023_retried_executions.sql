-- The executions that a bulk job has retried, to tell what has become of them. Removed with the execution.
CREATE TABLE retried_executions (
  job_id       TEXT NOT NULL,
  execution_id TEXT NOT NULL,
  tenant_id    TEXT NOT NULL,
  PRIMARY KEY (job_id, execution_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX retried_executions_by_execution ON retried_executions (execution_id);
