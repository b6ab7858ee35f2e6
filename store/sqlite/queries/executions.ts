/** Executions: heads, checkpoints, lists. Columns are named as the port's rows name them, so that rows need no mapping. */

const EXECUTION = `id, tenant_id AS tenantId, workflow_id AS workflowId, workflow_version AS workflowVersion, revision, labels,
  parent_id AS parentId, depth, deadline_at_ms AS deadlineAtMs, created_at_ms AS createdAtMs, status, seq, steps, error,
  local_work AS localWork, owner, updated_at_ms AS updatedAtMs, completed_at_ms AS completedAtMs, snapshot_seq AS snapshotSeq`;

export const EXECUTION_BY_ID = `SELECT ${EXECUTION} FROM executions WHERE id = ?`;
export const TENANT_EXECUTION = `SELECT ${EXECUTION} FROM executions WHERE id = ? AND tenant_id = ?`;
export const WITH_LOCAL_WORK = `SELECT ${EXECUTION} FROM executions WHERE local_work > 0 AND id > ? ORDER BY id LIMIT ?`;
export const CHECKPOINT = `SELECT coalesce(e.snapshot, c.snapshot) AS text, e.snapshot_seq AS seq
  FROM executions e LEFT JOIN checkpoints c ON c.execution_id = e.id WHERE e.id = ?`;

export const CREATE_EXECUTION = `INSERT INTO executions (id, tenant_id, workflow_id, workflow_version, revision, labels, parent_id, depth,
  deadline_at_ms, created_at_ms, status, seq, steps, error, local_work, owner, updated_at_ms, completed_at_ms, snapshot_seq, snapshot)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`;
/** The common step, which changes no indexed column: the row must be live, as busy as before, and keep its checkpoint inside. */
export const ADVANCE = `UPDATE executions SET seq = ?, steps = ?, error = ?, updated_at_ms = ?, snapshot_seq = ?, snapshot = ?
  WHERE id = ? AND tenant_id = ? AND seq = ? AND status = ? AND local_work = ? AND owner IS ? AND snapshot IS NOT NULL`;
const MOVED = `status = ?, seq = ?, steps = ?, error = ?, local_work = ?, owner = ?, updated_at_ms = ?, completed_at_ms = ?,
  deadline_at_ms = iif(? IS NULL, deadline_at_ms, NULL)`;
/** Any other step of a row that keeps its checkpoint inside. */
export const MOVE = `UPDATE executions SET ${MOVED}, snapshot_seq = ?, snapshot = ?
  WHERE id = ? AND tenant_id = ? AND seq = ? AND snapshot IS NOT NULL`;
/** A step that leaves the checkpoint as it is, wherever it is. */
export const MOVE_HEAD = `UPDATE executions SET ${MOVED} WHERE id = ? AND tenant_id = ? AND seq = ?`;
export const PUT_INLINE_CHECKPOINT = 'UPDATE executions SET snapshot_seq = ?, snapshot = ? WHERE id = ?';
export const PUT_LARGE_CHECKPOINT = `INSERT INTO checkpoints (execution_id, tenant_id, snapshot) VALUES (?, ?, ?)
  ON CONFLICT (execution_id) DO UPDATE SET snapshot = excluded.snapshot`;
export const DROP_LARGE_CHECKPOINT = 'DELETE FROM checkpoints WHERE execution_id = ?';

/**
 * Newest first. Each combination of filters is a statement of its own, so that each finds its index; the page is cut from the
 * index alone, so that rows which are skipped are not read.
 */
export function listExecutions(by: {
  readonly status: boolean;
  readonly workflowId: boolean;
  readonly parentId: boolean;
}): string {
  const filters = [
    by.status ? ' AND status = @status' : '',
    by.workflowId ? ' AND workflow_id = @workflowId' : '',
    by.parentId ? ' AND parent_id = @parentId' : '',
  ];
  const page = `SELECT id FROM executions WHERE tenant_id = @tenantId${filters.join('')} ORDER BY id DESC LIMIT @limit OFFSET @offset`;
  return `SELECT ${EXECUTION} FROM executions WHERE id IN (${page}) ORDER BY id DESC`;
}
