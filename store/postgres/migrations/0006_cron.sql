-- Workflows that are started by the clock. `next_run_at_ms` is null while a job is paused, and once its schedule has no more times.
CREATE TABLE cron_jobs (
  id                text    NOT NULL COLLATE "C" PRIMARY KEY,
  tenant_id         text    NOT NULL,
  name              text    NOT NULL COLLATE "C",
  expression        text    NOT NULL,
  timezone          text    NOT NULL,
  workflow_id       text    NOT NULL,
  -- Null = whatever is the latest version when it runs.
  workflow_version  text,
  missed            text    NOT NULL CHECK (missed IN ('skip', 'catch_up')),
  overlap           text    NOT NULL CHECK (overlap IN ('allow', 'skip', 'cancel_running')),
  enabled           boolean NOT NULL,
  next_run_at_ms    bigint,
  last_run_at_ms    bigint,
  last_execution_id text,
  last_error        text,
  created_at_ms     bigint  NOT NULL,
  -- Large ones are kept out of the row by the database itself: looking for due jobs never reads them.
  input             text    NOT NULL,
  UNIQUE (tenant_id, name)
);
CREATE INDEX cron_jobs_due ON cron_jobs (next_run_at_ms, id) WHERE next_run_at_ms IS NOT NULL;
