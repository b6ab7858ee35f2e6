/** Counts for the administrator. Counting reads whole tables. */

export const SCHEMA_VERSION = 'SELECT max(version) FROM schema_migrations';
export const FIRST_MIGRATION = 'SELECT name FROM schema_migrations WHERE version = 1';
export const IS_MIGRATED = "SELECT 1 FROM sqlite_schema WHERE name = 'schema_migrations'";
export const COUNT_BY_STATUS = 'SELECT status, count(*) AS executions FROM executions GROUP BY status';
export const COUNT_EVENTS = 'SELECT coalesce(sum(events), 0) FROM log_entries INDEXED BY log_entries_by_time';
export const COUNT_CONTENT = `SELECT (SELECT count(*) FROM workflows) AS workflows, (SELECT count(*) FROM timers) AS timers,
  (SELECT count(*) FROM work_items WHERE settled_at_ms IS NULL) AS workItems`;
