-- The log as entries: one row per execution and commit, which holds the events of the commit as one text. It used to have one row per
-- event. The rows of that table are moved after this migration, in batches (conversion/).

-- Revisions of workflows by number: their hashes would be a third of a head.
CREATE TABLE log_revisions (
  number integer NOT NULL GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  hash   text    NOT NULL UNIQUE
);
INSERT INTO log_revisions (hash) SELECT DISTINCT revision FROM executions ORDER BY revision;
CREATE FUNCTION jamjet_revision_number(text) RETURNS integer LANGUAGE sql STABLE AS 'SELECT number FROM log_revisions WHERE hash = $1';

-- A short number for the log of an execution; the number of its revision. Half of each page is left free, so that a batch that moves
-- every execution of a page finds room on it.
ALTER TABLE executions
  SET (fillfactor = 50),
  ADD COLUMN log_id bigint GENERATED ALWAYS AS IDENTITY,
  ALTER COLUMN revision TYPE integer USING jamjet_revision_number(revision);
DROP FUNCTION jamjet_revision_number(text);
CREATE UNIQUE INDEX executions_by_log ON executions (log_id);
-- Executions that ended in the same millisecond are in order of `log_id`.
DROP INDEX executions_by_end;
CREATE INDEX executions_by_end ON executions (tenant_id, completed_at_ms, log_id) WHERE completed_at_ms IS NOT NULL;
-- Without the owner, which nothing looks up, and which would have to be changed in all indexes.
DROP INDEX executions_with_local_work;
CREATE INDEX executions_with_local_work ON executions (id) WHERE local_work > 0;

-- Who acted, and on behalf of whom. Agents have negative numbers.
CREATE SEQUENCE log_actor_numbers AS integer;
CREATE TABLE log_actors (
  number       integer NOT NULL PRIMARY KEY,
  tenant_id    text    NOT NULL,
  -- A hash of the columns below, which may be too long for a key.
  key          text    NOT NULL,
  id           text    NOT NULL,
  type         text    NOT NULL,
  on_behalf_of text,
  UNIQUE (tenant_id, key)
);
CREATE INDEX log_actors_by_id ON log_actors (tenant_id, id);
CREATE INDEX log_actors_on_behalf_of ON log_actors (tenant_id, on_behalf_of) WHERE on_behalf_of IS NOT NULL;

-- An entry takes as many positions as it can have events. A transaction may become visible after one with higher positions:
-- `jamjet_settled` tells up to where nothing can come any more.
CREATE SEQUENCE log_positions INCREMENT BY 256 START WITH 256;

CREATE TABLE log_entries (
  -- Of the last event: an entry of n events takes the positions up to this one, from the n - 1st before it.
  position  bigint   NOT NULL PRIMARY KEY,
  -- Of the execution; negative for events that were converted and had none.
  log_id    bigint   NOT NULL,
  at_ms     bigint   NOT NULL,
  -- Of the last event.
  seq       integer  NOT NULL,
  actor     integer  NOT NULL,
  -- How many there are.
  events    smallint NOT NULL,
  tenant_id text     NOT NULL,
  -- One token per event, for filters (log/type-tokens.ts).
  types     text     NOT NULL,
  -- JSON, or `=`: the same as in the entry before, of the same log.
  request   text,
  -- The events (log/entry.ts). The audit chain seals this text.
  body      text     NOT NULL
);
CREATE UNIQUE INDEX log_entries_by_execution ON log_entries (log_id, seq);
-- A tenant's log by time. What filters and totals ask for stands in the index.
CREATE INDEX log_entries_by_time ON log_entries (tenant_id, at_ms) INCLUDE (actor, events, types);
-- What agents did themselves.
CREATE INDEX log_entries_by_agent ON log_entries (actor, at_ms) WHERE actor < 0;

DROP INDEX events_by_time, events_by_agent, events_on_behalf_of;
SELECT setval('log_positions', last_value) FROM events_position_seq WHERE is_called;
ALTER TABLE events RENAME TO old_events;
DO $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM old_events) THEN
    DROP TABLE old_events;
  END IF;
  -- Not every server is built with it.
  BEGIN
    ALTER TABLE log_entries ALTER COLUMN body SET COMPRESSION lz4;
  EXCEPTION WHEN feature_not_supported OR syntax_error THEN
    NULL;
  END;
END $$;

-- The last positions that were taken, once every transaction that may have taken one of them has ended: what a later statement does not
-- see up to there will never be. Waits for the transactions under way now, one by one, and not for later ones.
CREATE OR REPLACE FUNCTION jamjet_settled(OUT event bigint, OUT block bigint) LANGUAGE plpgsql AS $$
DECLARE
  writer integer;
BEGIN
  SELECT CASE WHEN is_called THEN last_value ELSE 0 END INTO event FROM log_positions;
  SELECT CASE WHEN is_called THEN last_value ELSE 0 END INTO block FROM audit_blocks_position_seq;
  FOR writer IN
    SELECT l.objid::bigint::integer FROM pg_locks l
    WHERE l.locktype = 'advisory' AND l.classid = 1247898954 AND l.objsubid = 2 AND l.granted AND l.mode = 'ExclusiveLock'
      AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
  LOOP
    PERFORM pg_advisory_lock_shared(1247898954, writer);
    PERFORM pg_advisory_unlock_shared(1247898954, writer);
  END LOOP;
END $$;

-- What a block seals, packed (audit/packed-streams.ts). Digests cannot be compressed, and the blocks of most commits are small enough for a row.
ALTER TABLE audit_blocks ALTER COLUMN streams TYPE bytea USING convert_to(streams, 'UTF8');
ALTER TABLE audit_blocks ALTER COLUMN streams SET STORAGE EXTERNAL, SET (toast_tuple_target = 8160);
