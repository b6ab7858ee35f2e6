-- Workflows that are started by the clock. `next_run_at_ms` is null while a job is paused, and once its schedule has no more times.
CREATE TABLE cron_jobs (
  id                TEXT    NOT NULL PRIMARY KEY,
  tenant_id         TEXT    NOT NULL,
  name              TEXT    NOT NULL,
  expression        TEXT    NOT NULL,
  timezone          TEXT    NOT NULL,
  workflow_id       TEXT    NOT NULL,
  -- Null = whatever is the latest version when it runs.
  workflow_version  TEXT,
  missed            TEXT    NOT NULL CHECK (missed IN ('skip', 'catch_up')),
  overlap           TEXT    NOT NULL CHECK (overlap IN ('allow', 'skip', 'cancel_running')),
  enabled           INTEGER NOT NULL CHECK (enabled IN (0, 1)),
  next_run_at_ms    INTEGER,
  last_run_at_ms    INTEGER,
  last_execution_id TEXT,
  last_error        TEXT,
  created_at_ms     INTEGER NOT NULL,
  -- Last, so that looking for due jobs never reads it.
  input             TEXT    NOT NULL,
  UNIQUE (tenant_id, name)
) STRICT;
CREATE INDEX cron_jobs_due ON cron_jobs (next_run_at_ms, id) WHERE next_run_at_ms IS NOT NULL;
