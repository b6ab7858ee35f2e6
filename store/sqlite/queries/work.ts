/**
 * Work items, and what is due. The conditions of partial indexes (`status = 'pending'` …) are literals: with bound values, the planner could not use
 * the index.
 */

const WORK_ITEM = `w.id, w.tenant_id AS tenantId, w.execution_id AS executionId, e.workflow_id AS workflowId,
  e.workflow_version AS workflowVersion, w.node_id AS nodeId, w.activation, w.attempt, w.item, w.max_attempts AS maxAttempts, w.queue, w.tool,
  w.payload, w.timeout_ms AS timeoutMs, w.created_at_ms AS createdAtMs, w.status, w.worker_id AS workerId, w.fence,
  w.lease_expires_at_ms AS leaseExpiresAtMs, w.deadline_at_ms AS deadlineAtMs, w.claimed_at_ms AS claimedAtMs`;
const WORK_ITEMS = 'work_items w JOIN executions e ON e.id = w.execution_id';

// Work items

export const PUT_WORK = `INSERT INTO work_items (id, tenant_id, execution_id, node_id, activation, attempt, item, max_attempts, queue, tool, timeout_ms,
  created_at_ms, status, payload)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'pending', ?)`;
export const SETTLE_WORK = `UPDATE work_items SET status = ?, settled_at_ms = ?, payload = '{}'
  WHERE id = ? AND execution_id = ? AND settled_at_ms IS NULL`;
export const SETTLE_CLAIMED_WORK = `UPDATE work_items SET status = ?, settled_at_ms = ?, payload = '{}'
  WHERE id = ? AND execution_id = ? AND status = 'claimed' AND fence = ?`;
export const HELD_WORK = `SELECT 1 FROM work_items WHERE id = ? AND execution_id = ? AND status = 'claimed' AND fence = ?`;
export const CANCEL_WORK = `UPDATE work_items SET status = 'cancelled', settled_at_ms = ?, payload = '{}'
  WHERE execution_id = ? AND node_id = ? AND activation = ? AND item IS ? AND settled_at_ms IS NULL`;
export const PENDING_WORK = `SELECT position, created_at_ms AS createdAtMs FROM work_items
  WHERE tenant_id = ? AND queue = ? AND status = 'pending' ORDER BY created_at_ms, position LIMIT ?`;
export const PENDING_WORK_OF_TOOL = `SELECT position, created_at_ms AS createdAtMs FROM work_items INDEXED BY work_items_by_tool
  WHERE tenant_id = ? AND queue = ? AND tool = ? AND status = 'pending' ORDER BY created_at_ms, position LIMIT ?`;
/** The oldest item of each of the tools, a JSON array. */
export const OLDEST_WORK_OF_TOOLS = `SELECT w.position, w.created_at_ms AS createdAtMs, w.tool FROM json_each(@tools) AS named
  CROSS JOIN work_items w ON w.position = (SELECT position FROM work_items INDEXED BY work_items_by_tool
    WHERE tenant_id = @tenantId AND queue = @queue AND tool = named.value AND status = 'pending' ORDER BY created_at_ms, position LIMIT 1)`;
export const NEXT_WAITING = `SELECT queue, tool FROM work_items INDEXED BY work_items_by_tool
  WHERE tenant_id = ? AND status = 'pending' AND (queue, tool) > (?, ?) ORDER BY queue, tool LIMIT 1`;
export const COUNT_WAITING = `SELECT count(*) AS waiting, min(created_at_ms) AS oldestAtMs FROM (
    SELECT created_at_ms FROM work_items INDEXED BY work_items_by_tool
    WHERE tenant_id = ? AND queue = ? AND tool = ? AND status = 'pending' ORDER BY created_at_ms LIMIT ?)`;
export const CLAIM_WORK = `UPDATE work_items SET status = 'claimed', worker_id = @workerId, fence = fence + 1,
  lease_expires_at_ms = @leaseExpiresAtMs, deadline_at_ms = @nowMs + timeout_ms, claimed_at_ms = @nowMs WHERE position = @position`;
export const WORK_BY_POSITION = `SELECT ${WORK_ITEM} FROM ${WORK_ITEMS} WHERE w.position = ?`;
export const WORK_BY_ID = `SELECT ${WORK_ITEM} FROM ${WORK_ITEMS} WHERE w.id = ? AND w.tenant_id = ?`;
/** Without the hint the planner would use the index by id, which contains all items ever created. */
export const UNCLAIMED_WORK = `SELECT ${WORK_ITEM} FROM work_items w INDEXED BY work_items_unclaimed JOIN executions e ON e.id = w.execution_id
  WHERE w.queue = ? AND w.status = 'pending' AND w.id > ? ORDER BY w.id LIMIT ?`;
export const RENEW_LEASE = `UPDATE work_items SET lease_expires_at_ms = @leaseExpiresAtMs
  WHERE id = @id AND tenant_id = @tenantId AND status = 'claimed' AND worker_id = @workerId AND fence = @fence`;

// What is due

export const DUE_TIMERS = `SELECT 'timer' AS kind, execution_id AS executionId, id AS timerId, armed_seq AS armedSeq, at_ms AS atMs
  FROM timers WHERE at_ms <= ? ORDER BY at_ms LIMIT ?`;
export const DUE_LEASES = `SELECT ${WORK_ITEM} FROM ${WORK_ITEMS}
  WHERE w.status = 'claimed' AND w.lease_expires_at_ms <= ? ORDER BY w.lease_expires_at_ms LIMIT ?`;
export const DUE_DEADLINES = `SELECT ${WORK_ITEM} FROM ${WORK_ITEMS}
  WHERE w.status = 'claimed' AND w.deadline_at_ms IS NOT NULL AND w.deadline_at_ms <= ? ORDER BY w.deadline_at_ms LIMIT ?`;
export const DUE_WORKFLOW_TIMEOUTS = `SELECT 'workflow_timeout' AS kind, id AS executionId, deadline_at_ms AS atMs
  FROM executions WHERE deadline_at_ms IS NOT NULL AND deadline_at_ms <= ? ORDER BY deadline_at_ms LIMIT ?`;
export const NEXT_DUE = `SELECT min(at_ms) FROM (
  SELECT min(at_ms) AS at_ms FROM timers WHERE at_ms > @afterMs
  UNION ALL SELECT min(lease_expires_at_ms) FROM work_items WHERE status = 'claimed' AND lease_expires_at_ms > @afterMs
  UNION ALL SELECT min(deadline_at_ms) FROM work_items
    WHERE status = 'claimed' AND deadline_at_ms IS NOT NULL AND deadline_at_ms > @afterMs
  UNION ALL SELECT min(deadline_at_ms) FROM executions WHERE deadline_at_ms IS NOT NULL AND deadline_at_ms > @afterMs)`;
