-- What was registered under each version of a workflow, and by whom. Content that is registered again changes its row.
CREATE TABLE workflow_revisions (
  tenant_id              TEXT    NOT NULL,
  workflow_id            TEXT    NOT NULL,
  version                TEXT    NOT NULL,
  revision               TEXT    NOT NULL,
  first_registered_at_ms INTEGER NOT NULL,
  first_registered_by    TEXT    NOT NULL,
  -- The last time: sequence of the control event, time and actor.
  registration           INTEGER NOT NULL,
  registered_at_ms       INTEGER NOT NULL,
  registered_by          TEXT    NOT NULL,
  PRIMARY KEY (tenant_id, workflow_id, revision, version)
) STRICT, WITHOUT ROWID;
CREATE INDEX workflow_revisions_latest ON workflow_revisions (tenant_id, workflow_id, registration);

INSERT INTO workflow_revisions
  SELECT tenant_id, json_extract(data, '$.workflow_id'), json_extract(data, '$.version'), json_extract(data, '$.revision'),
    at_ms, actor_id, seq, at_ms, actor_id
  FROM control_events WHERE type = 'workflow_registered' ORDER BY tenant_id, seq
  ON CONFLICT (tenant_id, workflow_id, revision, version) DO UPDATE SET registration = excluded.registration,
    registered_at_ms = excluded.registered_at_ms, registered_by = excluded.registered_by;
