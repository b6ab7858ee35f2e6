-- What was registered under each version of a workflow, and by whom. Content that is registered again changes its row.
CREATE TABLE workflow_revisions (
  tenant_id              text    NOT NULL,
  workflow_id            text    NOT NULL COLLATE "C",
  version                text    NOT NULL,
  revision               text    NOT NULL,
  first_registered_at_ms bigint  NOT NULL,
  first_registered_by    text    NOT NULL,
  -- The last time: sequence of the control event, time and actor.
  registration           integer NOT NULL,
  registered_at_ms       bigint  NOT NULL,
  registered_by          text    NOT NULL,
  PRIMARY KEY (tenant_id, workflow_id, revision, version)
);
CREATE INDEX workflow_revisions_latest ON workflow_revisions (tenant_id, workflow_id, registration);

INSERT INTO workflow_revisions
  SELECT tenant_id, workflow_id, version, revision,
    (array_agg(at_ms ORDER BY seq))[1], (array_agg(actor_id ORDER BY seq))[1],
    max(seq), (array_agg(at_ms ORDER BY seq DESC))[1], (array_agg(actor_id ORDER BY seq DESC))[1]
  FROM (
    SELECT tenant_id, seq, at_ms, actor_id, data::json ->> 'workflow_id' AS workflow_id, data::json ->> 'version' AS version,
      data::json ->> 'revision' AS revision
    FROM control_events WHERE type = 'workflow_registered') AS registered
  GROUP BY tenant_id, workflow_id, version, revision;
