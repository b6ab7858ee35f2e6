-- Lists of executions by label, and bulk jobs over them.

-- A list by several conditions steps through one index for each, all in order of id (lists/walk.ts). So an index holds its condition and
-- the id; the version is looked at along the index of its workflow.
DROP INDEX executions_by_status;
CREATE INDEX executions_by_status ON executions (tenant_id, status, id);
DROP INDEX executions_by_workflow;
CREATE INDEX executions_by_workflow ON executions (tenant_id, workflow_id, id, workflow_version);

-- The labels of `executions.labels` once more, to find executions by them. No foreign key: deleting an execution would look for
-- its labels by an index on its id, which nothing else needs; the trigger knows their keys.
CREATE TABLE execution_labels (
  tenant_id    TEXT NOT NULL,
  key          TEXT NOT NULL,
  execution_id TEXT NOT NULL,
  value        TEXT NOT NULL,
  PRIMARY KEY (tenant_id, key, execution_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX execution_labels_by_value ON execution_labels (tenant_id, key, value, execution_id);

INSERT INTO execution_labels (tenant_id, key, execution_id, value)
  SELECT e.tenant_id, l.key, e.id, l.value FROM executions e, json_each(e.labels) l WHERE e.labels <> '{}' AND l.value IS NOT NULL;

CREATE TRIGGER execution_labels_go AFTER DELETE ON executions WHEN OLD.labels <> '{}' BEGIN
  DELETE FROM execution_labels
    WHERE tenant_id = OLD.tenant_id AND key IN (SELECT l.key FROM json_each(OLD.labels) l) AND execution_id = OLD.id;
END;

-- One action on every execution that matches a filter. Ids sort by time, like those of executions: the job is about those before it.
CREATE TABLE jobs (
  id              TEXT    NOT NULL PRIMARY KEY,
  tenant_id       TEXT    NOT NULL,
  action          TEXT    NOT NULL,
  filter          TEXT    NOT NULL,
  reason          TEXT,
  -- Who asked for it, in whose name it acts.
  actor_id        TEXT    NOT NULL,
  actor_type      TEXT    NOT NULL,
  request         TEXT,
  created_at_ms   INTEGER NOT NULL,
  updated_at_ms   INTEGER NOT NULL,
  completed_at_ms INTEGER,
  status          TEXT    NOT NULL CHECK (status IN ('running', 'completed', 'cancelled', 'failed')),
  -- Null until they are counted.
  matched         INTEGER,
  succeeded       INTEGER NOT NULL,
  skipped         INTEGER NOT NULL,
  failed          INTEGER NOT NULL,
  -- JSON: the first few.
  errors          TEXT    NOT NULL,
  -- The last execution it has come to; null before the first.
  position        TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX jobs_by_tenant ON jobs (tenant_id, id);
CREATE INDEX jobs_running ON jobs (tenant_id, id) WHERE status = 'running';
