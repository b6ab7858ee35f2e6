/** The log of all executions, in commit order. */

export const LOG_EPOCH = 'SELECT coalesce(max(epoch), 0) FROM log_cuts';
export const LAST_ROW = 'SELECT coalesce(max(rowid), 0) FROM events';
/** The lowest row at which the log was cut after an epoch; null = it was not. */
export const LOWEST_CUT = 'SELECT min(last_row_id) FROM log_cuts WHERE epoch > ?';
/** The number of rows in a slice, and the last of them. */
export const SLICE_END = `SELECT count(*) AS rows, max(row_id) AS last
  FROM (SELECT rowid AS row_id FROM events WHERE rowid > ? ORDER BY rowid LIMIT ?)`;

const ENTRIES = `SELECT e.rowid AS rowId, e.tenant_id AS tenantId, e.execution_id AS executionId, x.workflow_id AS workflowId, e.seq, e.type,
  e.node_id AS nodeId, e.at_ms AS atMs
  FROM events e CROSS JOIN executions x ON x.id = e.execution_id WHERE e.rowid > @after AND e.rowid <= @last`;
export const LOG_ENTRIES = `${ENTRIES} ORDER BY e.rowid`;
/** The plus makes the planner read the rows of the slice: with the index by tenant it would sort the tenant's whole log. */
export const TENANT_LOG_ENTRIES = `${ENTRIES} AND +e.tenant_id = @tenantId ORDER BY e.rowid`;

export const LOG_KEY = 'SELECT key FROM log_key WHERE id = 1';
