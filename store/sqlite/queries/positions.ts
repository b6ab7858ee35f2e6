/** The log of all executions, in commit order. */

export const LOG_EPOCH = 'SELECT coalesce(max(epoch), 0) FROM log_cuts';
export const LAST_POSITION = 'SELECT coalesce(max(position), 0) FROM log_entries';
/** The lowest position at which the log was cut after an epoch; null = it was not. */
export const LOWEST_CUT = 'SELECT min(last_row_id) FROM log_cuts WHERE epoch > ?';
/** Entries with positions after `@after`, of all tenants; with the texts only of `@tenant`, if there is one. */
export const ENTRIES_AFTER = `SELECT l.position, l.seq, l.events, l.at_ms AS atMs, l.actor, l.request,
  iif(@tenant IS NULL OR l.tenant = @tenant, l.body, NULL) AS body, l.tenant, x.id AS executionId, x.workflow_id AS workflowId
  FROM log_entries l LEFT JOIN executions x ON x.log_id = l.log_id WHERE l.position > @after ORDER BY l.position`;

export const LOG_KEY = 'SELECT key FROM log_key WHERE id = 1';
