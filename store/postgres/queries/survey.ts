import { sql } from '../connections.ts';

/** Counts for the administrator. Counting reads whole tables. */

export const DATABASE = sql(`SELECT to_regclass('schema_migrations') IS NOT NULL AS migrated,
  pg_database_size(current_database()) AS size`);
/** `first`: the name of the first migration. */
export const SCHEMA_VERSION = sql(
  `SELECT coalesce((SELECT max(version) FROM schema_migrations), 0) AS version,
    (SELECT name FROM schema_migrations WHERE version = 1) AS first`,
);
export const COUNT_BY_STATUS = sql('SELECT status, count(*) AS executions FROM executions GROUP BY status');
export const COUNT_CONTENT =
  sql(`SELECT (SELECT coalesce(sum(events), 0) FROM log_entries) AS events, (SELECT count(*) FROM workflows) AS workflows,
  (SELECT count(*) FROM timers) AS timers, (SELECT count(*) FROM work_items WHERE settled_at_ms IS NULL) AS "workItems"`);
/** Runtimes with a heartbeat since then that have not stopped. */
export const RUNNING = sql(`SELECT id, first_seen_at_ms AS "startedAtMs" FROM workers
  WHERE tenant_id = '' AND kind = 'runtime' AND stopped_at_ms IS NULL AND last_seen_at_ms >= $1 ORDER BY id`);
