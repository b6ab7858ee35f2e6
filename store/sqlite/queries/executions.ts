/** Executions: rows, checkpoints, lists. Columns are aliased to the fields of the port's rows. */

const EXECUTION = `id, tenant_id AS tenantId, workflow_id AS workflowId, workflow_version AS workflowVersion,
  (SELECT r.hash FROM log_revisions r WHERE r.number = revision) AS revision, labels,
  parent_id AS parentId, depth, deadline_at_ms AS deadlineAtMs, created_at_ms AS createdAtMs, status, seq, steps, error,
  local_work AS localWork, owner, updated_at_ms AS updatedAtMs, completed_at_ms AS completedAtMs`;

export const EXECUTION_BY_ID = `SELECT ${EXECUTION} FROM executions WHERE id = ?`;
export const TENANT_EXECUTION = `SELECT ${EXECUTION} FROM executions WHERE id = ? AND tenant_id = ?`;
export const WITH_LOCAL_WORK = `SELECT ${EXECUTION} FROM executions WHERE local_work > 0 AND id > ? ORDER BY id LIMIT ?`;
/** The newest at or before a sequence. */
export const CHECKPOINT = `SELECT snapshot AS text, seq, digest FROM checkpoints WHERE execution_id = ? AND seq <= ?
  ORDER BY seq DESC LIMIT 1`;

/** All checkpoints, in pages. */
export const CHECKPOINTS = `SELECT execution_id AS executionId, tenant_id AS tenantId, snapshot AS text, seq, digest FROM checkpoints
  WHERE (execution_id, seq) > (?, ?) ORDER BY execution_id, seq LIMIT ?`;

/** What a commit must know to write the head, and to choose the cheapest statement for it. */
export const HEAD = 'SELECT log_id AS logId, status, local_work AS localWork, owner FROM executions WHERE id = ?';
/** Entries of an execution that was removed by hand keep their number. */
export const INSERT_EXECUTION = `INSERT INTO executions (log_id, id, tenant_id, workflow_id, workflow_version, revision, labels, parent_id, depth,
  deadline_at_ms, created_at_ms, status, seq, steps, error, local_work, owner, updated_at_ms, completed_at_ms)
  VALUES (max(0, coalesce((SELECT max(log_id) FROM executions), 0), coalesce((SELECT max(log_id) FROM log_entries), 0)) + 1,
  ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`;
const MOVED = 'WHERE log_id = ? AND id = ? AND tenant_id = ? AND seq = ?';
/** The common step, which changes no indexed column: status, local work and owner stay as they are. */
export const UPDATE_UNINDEXED = `UPDATE executions SET seq = ?, steps = ?, error = ?, updated_at_ms = ? ${MOVED}
  AND status = ? AND local_work = ? AND owner IS ?`;
export const UPDATE_EXECUTION = `UPDATE executions SET status = ?, seq = ?, steps = ?, error = ?, local_work = ?, owner = ?, updated_at_ms = ?,
  completed_at_ms = ?, deadline_at_ms = iif(? IS NULL, deadline_at_ms, NULL) ${MOVED}`;
/** Before the step that continues an ended execution: a step that ends it again clears the deadline again. */
export const SET_DEADLINE = 'UPDATE executions SET deadline_at_ms = ? WHERE id = ? AND tenant_id = ? AND seq = ?';
export const DELETE_CHECKPOINTS = 'DELETE FROM checkpoints WHERE execution_id = ? AND seq >= ?';
export const INSERT_CHECKPOINT =
  'INSERT INTO checkpoints (execution_id, seq, tenant_id, digest, snapshot) VALUES (?, ?, ?, ?, ?)';

export const CREATE_LABELS = `INSERT INTO execution_labels (tenant_id, key, execution_id, value)
  SELECT ?, key, ?, value FROM json_each(?) WHERE value IS NOT NULL`;

/** Whether a list begins with the newest or the oldest ids. */
export type Order = 'newest' | 'oldest';

export const INDEX_SCANS = {
  tenant: { table: 'executions INDEXED BY executions_by_tenant', id: 'id', condition: '' },
  status: { table: 'executions INDEXED BY executions_by_status', id: 'id', condition: ' AND status = @value' },
  workflow: { table: 'executions INDEXED BY executions_by_workflow', id: 'id', condition: ' AND workflow_id = @value' },
  parent: { table: 'executions INDEXED BY executions_by_parent', id: 'id', condition: ' AND parent_id = @value' },
  label: { table: 'execution_labels', id: 'execution_id', condition: ' AND key = @key' },
  labelValue: {
    table: 'execution_labels INDEXED BY execution_labels_by_value',
    id: 'execution_id',
    condition: ' AND key = @key AND value = @value',
  },
} as const;

/** Lists executions of a tenant in order of id, along one range of one index. */
export type IndexScan = keyof typeof INDEX_SCANS;

/** Ids along an index, from `@at` on. */
export function scanIds(scan: IndexScan, order: Order): string {
  const { table, id, condition } = INDEX_SCANS[scan];
  const [beyond, direction] = order === 'newest' ? ['<=', 'DESC'] : ['>=', 'ASC'];
  return `SELECT ${id} FROM ${table} WHERE tenant_id = @tenantId${condition} AND ${id} ${beyond} @at
  ORDER BY ${id} ${direction} LIMIT @limit OFFSET @offset`;
}

/** The conditions along which executions are counted, the sparsest first. */
export type CountedScan = Exclude<IndexScan, 'status' | 'tenant'>;

/** The status of each match from `@at` to before `@end`, along one index; the other conditions are checked for each, if not null. */
export function statusesAlong(scan: CountedScan): string {
  const { table, id, condition } = INDEX_SCANS[scan];
  const [alias, from] =
    id === 'id'
      ? ['e', table.replace('executions', 'executions e')]
      : ['l', `${table.replace('execution_labels', 'execution_labels l')} CROSS JOIN executions e ON e.id = l.execution_id`];
  return `SELECT e.status FROM ${from}
  WHERE ${alias}.tenant_id = @tenantId${condition} AND ${alias}.${id} >= @at AND ${alias}.${id} < @end
  AND (@workflowId IS NULL OR e.workflow_id = @workflowId) AND (@version IS NULL OR e.workflow_version = @version)
  AND (@labels IS NULL OR NOT EXISTS (SELECT 1 FROM json_each(@labels) other WHERE NOT EXISTS (
    SELECT 1 FROM execution_labels o WHERE o.tenant_id = @tenantId AND o.key = other.value ->> 'key' AND o.execution_id = e.id
    AND o.value = coalesce(other.value ->> 'value', o.value))))`;
}

/** Numbers of executions by status from `@at` to before `@end`. The index has the statuses in order: the next one is found by one seek. */
export const COUNT_STATUSES = `WITH RECURSIVE statuses (status) AS (
    SELECT min(status) FROM executions INDEXED BY executions_by_status WHERE tenant_id = @tenantId
    UNION ALL
    SELECT (SELECT min(n.status) FROM executions n INDEXED BY executions_by_status WHERE n.tenant_id = @tenantId AND n.status > s.status)
    FROM statuses s WHERE s.status IS NOT NULL
  )
  SELECT s.status, (SELECT count(*) FROM executions e INDEXED BY executions_by_status
    WHERE e.tenant_id = @tenantId AND e.status = s.status AND e.id >= @at AND e.id < @end) AS count
  FROM statuses s WHERE s.status IS NOT NULL AND (@statuses IS NULL OR s.status IN (SELECT value FROM json_each(@statuses)))`;

/** Executions of one version of a workflow, from `@at` to `@end`, both inclusive. */
export function scanIdsOfVersion(order: Order): string {
  const [least, most, direction] = order === 'newest' ? ['@end', '@at', 'DESC'] : ['@at', '@end', 'ASC'];
  return `SELECT id FROM executions INDEXED BY executions_by_workflow
  WHERE tenant_id = @tenantId AND workflow_id = @value AND id BETWEEN ${least} AND ${most} AND workflow_version = @version
  ORDER BY id ${direction}`;
}

/** Parameters: tenant, workflow, key. */
export const KEY_HOLDER = 'SELECT execution_id FROM execution_keys WHERE tenant_id = ? AND workflow_id = ? AND key = ?';
