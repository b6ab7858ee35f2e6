-- Reading the audit log: what its filters and pages need; what retention removed. The order of commits.

-- Positions are given in the order of writing, by all processes, and some of them are lost. A transaction may become visible after one
-- with higher positions: `jamjet_settled` tells up to where nothing can come any more.
ALTER TABLE events ADD COLUMN position bigint GENERATED ALWAYS AS IDENTITY;
CREATE UNIQUE INDEX events_by_position ON events (position);
-- The number of a block among those of all chains; `block` is its number in its own.
ALTER TABLE audit_blocks ADD COLUMN position bigint GENERATED ALWAYS AS IDENTITY;
CREATE UNIQUE INDEX audit_blocks_by_position ON audit_blocks (position);
-- In the chain of an SQLite file that was copied here, which all its writers shared: whose commit the block seals. Null = the chain's own writer.
ALTER TABLE audit_blocks ADD COLUMN sealed_by text;

-- A writer's transaction begins with a lock that names its connection (WRITES in queries/positions.ts), before it takes a position.

-- The last positions that were taken, once every transaction that may have taken one of them has ended: what a later statement does not
-- see up to there will never be. Waits for the transactions under way now, one by one, and not for later ones.
CREATE FUNCTION jamjet_settled(OUT event bigint, OUT block bigint) LANGUAGE plpgsql AS $$
DECLARE
  writer integer;
BEGIN
  SELECT CASE WHEN is_called THEN last_value ELSE 0 END INTO event FROM events_position_seq;
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

-- A tenant's log by time. What filters and totals ask for stands in the index.
CREATE INDEX events_by_time ON events (tenant_id, at_ms, position) INCLUDE (type, actor_id);
CREATE INDEX control_events_by_time ON control_events (tenant_id, at_ms, seq) INCLUDE (type, actor_id);

-- Which executions retention has removed, and in which control event that is on record: their digests stay in the audit
-- blocks, and verification asks here why there are no rows to them. It believes only the control event, which is sealed.
CREATE TABLE removed_executions (
  execution_id text    NOT NULL COLLATE "C" PRIMARY KEY,
  tenant_id    text    NOT NULL,
  last_seq     integer NOT NULL,
  control_seq  integer NOT NULL
);

-- What retention looks for: ended executions by their end, and what is theirs in other tables.
CREATE INDEX executions_by_end ON executions (tenant_id, completed_at_ms, id) WHERE completed_at_ms IS NOT NULL;
CREATE INDEX work_items_by_execution ON work_items (execution_id);
CREATE INDEX inbox_by_execution ON inbox (to_execution_id);
-- The execution that a remembered request began.
ALTER TABLE idempotency ADD COLUMN execution_id text COLLATE "C";
CREATE INDEX idempotency_by_execution ON idempotency (tenant_id, execution_id) WHERE execution_id IS NOT NULL;
