-- The log as entries: what one commit appended to one execution is one row, and its events are one text. Rows name executions, tenants
-- and actors by number.

-- The rows of the old tables are moved in batches when the database is opened (conversion/), then the old tables are dropped. The
-- setting keeps foreign keys of other tables on the name `executions`, which the new table takes.
PRAGMA legacy_alter_table = ON;
DROP TRIGGER log_cut;
DROP TRIGGER execution_labels_go;
DROP INDEX events_by_time;
DROP INDEX events_by_agent;
DROP INDEX executions_by_tenant;
DROP INDEX executions_by_status;
DROP INDEX executions_by_workflow;
DROP INDEX executions_by_parent;
DROP INDEX executions_with_local_work;
DROP INDEX executions_by_deadline;
DROP INDEX executions_by_end;
ALTER TABLE events RENAME TO old_events;
ALTER TABLE executions RENAME TO old_executions;
ALTER TABLE audit_blocks RENAME TO old_audit_blocks;
PRAGMA legacy_alter_table = OFF;

CREATE TABLE log_tenants (
  number INTEGER PRIMARY KEY,
  id     TEXT    NOT NULL UNIQUE
) STRICT;

-- Agents have negative numbers, so that the index of what agents did contains nothing else.
CREATE TABLE log_actors (
  number       INTEGER PRIMARY KEY,
  id           TEXT    NOT NULL,
  type         TEXT    NOT NULL,
  -- The name, from the body of a request, for which the actor says it acts.
  on_behalf_of TEXT
) STRICT;
-- NULLs are distinct in a unique index, so a missing name is told from an empty one by a column of its own.
CREATE UNIQUE INDEX log_actors_by_name ON log_actors (id, type, on_behalf_of IS NULL, coalesce(on_behalf_of, ''));
CREATE INDEX log_actors_by_other_name ON log_actors (on_behalf_of) WHERE on_behalf_of IS NOT NULL;

-- Revisions of workflows by number: their hashes would be a third of a head.
CREATE TABLE log_revisions (
  number INTEGER PRIMARY KEY,
  hash   TEXT    NOT NULL UNIQUE
) STRICT;

-- The head of an execution. Its log is found by `log_id`, which is never used twice while there are entries of it.
CREATE TABLE executions (
  log_id           INTEGER PRIMARY KEY,
  id               TEXT    NOT NULL UNIQUE,
  tenant_id        TEXT    NOT NULL,
  workflow_id      TEXT    NOT NULL,
  workflow_version TEXT    NOT NULL,
  -- Of `log_revisions`.
  revision         INTEGER NOT NULL,
  labels           TEXT    NOT NULL,
  parent_id        TEXT,
  depth            INTEGER NOT NULL,
  deadline_at_ms   INTEGER,
  created_at_ms    INTEGER NOT NULL,
  status           TEXT    NOT NULL,
  seq              INTEGER NOT NULL,
  steps            INTEGER NOT NULL,
  error            TEXT,
  local_work       INTEGER NOT NULL,
  owner            TEXT,
  updated_at_ms    INTEGER NOT NULL,
  completed_at_ms  INTEGER
) STRICT;
-- A list by several conditions steps through one index for each, all in order of id (lists/leapfrog-join.ts). The version is filtered
-- along the index of its workflow.
CREATE INDEX executions_by_tenant ON executions (tenant_id, id);
CREATE INDEX executions_by_status ON executions (tenant_id, status, id);
CREATE INDEX executions_by_workflow ON executions (tenant_id, workflow_id, id, workflow_version);
CREATE INDEX executions_by_parent ON executions (tenant_id, parent_id, id) WHERE parent_id IS NOT NULL;
CREATE INDEX executions_with_local_work ON executions (id, owner) WHERE local_work > 0;
CREATE INDEX executions_by_deadline ON executions (deadline_at_ms) WHERE deadline_at_ms IS NOT NULL;
-- Executions that ended in the same millisecond are in order of `log_id`.
CREATE INDEX executions_by_end ON executions (tenant_id, completed_at_ms) WHERE completed_at_ms IS NOT NULL;

CREATE TRIGGER execution_labels_go AFTER DELETE ON executions WHEN OLD.labels <> '{}' BEGIN
  DELETE FROM execution_labels
    WHERE tenant_id = OLD.tenant_id AND key IN (SELECT l.key FROM json_each(OLD.labels) l) AND execution_id = OLD.id;
END;

-- Appended at the end of the table, in the order of commits. An entry of n events stands for n positions, of which its own is the last.
CREATE TABLE log_entries (
  position INTEGER PRIMARY KEY,
  -- Of `executions`. Negative: there is no such execution.
  log_id   INTEGER NOT NULL,
  -- Of the last event.
  seq      INTEGER NOT NULL,
  events   INTEGER NOT NULL,
  tenant   INTEGER NOT NULL,
  at_ms    INTEGER NOT NULL,
  actor    INTEGER NOT NULL,
  request  TEXT,
  -- The events (store/log/entry.ts): audit digests cover this text byte for byte.
  body     TEXT    NOT NULL,
  UNIQUE (log_id, seq)
) STRICT;
-- With the number of events, so that totals read the index alone.
CREATE INDEX log_entries_by_time ON log_entries (tenant, at_ms, events);
CREATE INDEX log_entries_by_agent ON log_entries (tenant, actor, at_ms) WHERE actor < 0;

-- SQLite reuses the positions of entries removed from the end; each cut tells the holder of a later position where to go on.
CREATE TRIGGER log_cut AFTER DELETE ON log_entries
  WHEN old.position > (SELECT coalesce(max(position), 0) FROM log_entries)
BEGIN
  INSERT INTO log_cuts (last_row_id) SELECT coalesce(max(position), 0) FROM log_entries;
END;

CREATE TABLE audit_blocks (
  block     INTEGER PRIMARY KEY,
  at_ms     INTEGER NOT NULL,
  writer    TEXT    NOT NULL,
  -- Packed (store/audit/digest.ts): the streams that the commit appended to, and their digests.
  streams   BLOB    NOT NULL,
  hash      TEXT    NOT NULL,
  -- HMAC-SHA256 of the hash; null when no key was set.
  signature TEXT
) STRICT;
