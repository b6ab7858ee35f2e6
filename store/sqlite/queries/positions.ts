/** The log of all executions, in the order of commits. */

export const LOG_EPOCH = 'SELECT coalesce(max(epoch), 0) FROM log_cuts';
export const LAST_ROW = 'SELECT coalesce(max(rowid), 0) FROM events';
/** Where the log was cut since an epoch, at its lowest; null = nowhere. */
export const LOWEST_CUT = 'SELECT min(last_row_id) FROM log_cuts WHERE epoch > ?';
/** How many rows a slice looks at, and which is the last of them. */
export const SLICE_END = `SELECT count(*) AS rows, max(row_id) AS last
  FROM (SELECT rowid AS row_id FROM events WHERE rowid > ? ORDER BY rowid LIMIT ?)`;

const ENTRIES = `SELECT e.rowid AS rowId, e.tenant_id AS tenantId, e.execution_id AS executionId, x.workflow_id AS workflowId, e.seq, e.type,
  e.node_id AS nodeId, e.at_ms AS atMs
  FROM events e CROSS JOIN executions x ON x.id = e.execution_id WHERE e.rowid > @after AND e.rowid <= @last`;
export const LOG_ENTRIES = `${ENTRIES} ORDER BY e.rowid`;
/** The plus keeps the planner to the rows of the slice: by the index of tenants it would sort all that the tenant ever did. */
export const TENANT_LOG_ENTRIES = `${ENTRIES} AND +e.tenant_id = @tenantId ORDER BY e.rowid`;

export const LOG_KEY = 'SELECT key FROM log_key WHERE id = 1';
