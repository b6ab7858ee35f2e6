/** Counts for the administrator. Counting reads whole tables. */

export const SCHEMA_VERSION = 'SELECT max(version) FROM schema_migrations';
export const IS_MIGRATED = "SELECT 1 FROM sqlite_schema WHERE name = 'schema_migrations'";
export const COUNT_BY_STATUS = 'SELECT status, count(*) AS executions FROM executions GROUP BY status';
export const COUNT_EVENTS = 'SELECT coalesce(sum(events), 0) FROM log_entries INDEXED BY log_entries_by_time';
export const COUNT_CONTENT = `SELECT (SELECT count(*) FROM workflows) AS workflows, (SELECT count(*) FROM timers) AS timers,
  (SELECT count(*) FROM work_items WHERE settled_at_ms IS NULL) AS workItems`;

// A database that is not migrated, or not converted to its end

export const COUNT_OLD_BY_STATUS = 'SELECT status, count(*) AS executions FROM old_executions GROUP BY status';
export const COUNT_OLD_EVENTS = 'SELECT count(*) FROM old_events';
export const COUNT_UNMIGRATED_EVENTS = 'SELECT count(*) FROM events';
