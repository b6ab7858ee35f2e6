-- Lists of executions by label, and bulk jobs over them.

-- A list by several conditions steps through one index for each, all in order of id (lists/walk.ts). So an index holds its condition and
-- the id.
DROP INDEX executions_by_status;
CREATE INDEX executions_by_status ON executions (tenant_id, status, id);
CREATE INDEX executions_by_version ON executions (tenant_id, workflow_id, workflow_version, id);

-- The labels of `executions.labels` once more, to find executions by them.
CREATE TABLE execution_labels (
  tenant_id    text NOT NULL,
  key          text NOT NULL,
  execution_id text NOT NULL COLLATE "C",
  value        text NOT NULL,
  PRIMARY KEY (tenant_id, key, execution_id)
);
CREATE INDEX execution_labels_by_value ON execution_labels (tenant_id, key, value, execution_id);

INSERT INTO execution_labels (tenant_id, key, execution_id, value)
  SELECT e.tenant_id, l.key, e.id, l.value FROM executions e CROSS JOIN LATERAL json_each_text(e.labels::json) l
  WHERE e.labels <> '{}' AND l.value IS NOT NULL;

-- One action on every execution that matches a filter. Ids sort by time, like those of executions: the job is about those before it.
CREATE TABLE jobs (
  id              text    NOT NULL COLLATE "C" PRIMARY KEY,
  tenant_id       text    NOT NULL,
  action          text    NOT NULL,
  filter          text    NOT NULL,
  reason          text,
  -- Who asked for it, in whose name it acts.
  actor_id        text    NOT NULL,
  actor_type      text    NOT NULL,
  request         text,
  created_at_ms   bigint  NOT NULL,
  updated_at_ms   bigint  NOT NULL,
  completed_at_ms bigint,
  status          text    NOT NULL CHECK (status IN ('running', 'completed', 'cancelled', 'failed')),
  -- Null until they are counted.
  matched         bigint,
  succeeded       bigint  NOT NULL,
  skipped         bigint  NOT NULL,
  failed          bigint  NOT NULL,
  -- JSON: the first few.
  errors          text    NOT NULL,
  -- The last execution it has come to; null before the first.
  position        text
);
CREATE INDEX jobs_by_tenant ON jobs (tenant_id, id);
CREATE INDEX jobs_running ON jobs (tenant_id, id) WHERE status = 'running';
