import { sql } from '../connections.ts';

/**
 * Work items, and what is due. The conditions of partial indexes (`status = 'pending'` …) are literals: with bound values, the planner could not use
 * the index.
 */

const WORK_ITEM = `w.id, w.tenant_id AS "tenantId", w.execution_id AS "executionId", e.workflow_id AS "workflowId",
  e.workflow_version AS "workflowVersion", w.node_id AS "nodeId", w.activation, w.attempt, w.item, w.max_attempts AS "maxAttempts", w.queue, w.tool,
  w.payload, w.timeout_ms AS "timeoutMs", w.created_at_ms AS "createdAtMs", w.status, w.worker_id AS "workerId", w.fence,
  w.lease_expires_at_ms AS "leaseExpiresAtMs", w.deadline_at_ms AS "deadlineAtMs", w.claimed_at_ms AS "claimedAtMs"`;
const WORK_ITEMS = 'work_items w JOIN executions e ON e.id = w.execution_id';

// Work items

/** Claims the items of `oldest`. Executions are looked up one by one: a plain join could be planned to read all of them. */
const CLAIM_OLDEST = `w AS (
    UPDATE work_items i SET status = 'claimed', worker_id = $4, fence = i.fence + 1, lease_expires_at_ms = $5::bigint,
      deadline_at_ms = $6::bigint + i.timeout_ms, claimed_at_ms = $6::bigint
    FROM oldest WHERE i.position = oldest.position RETURNING i.*
  )
  SELECT ${WORK_ITEM} FROM w
    CROSS JOIN LATERAL (SELECT workflow_id, workflow_version FROM executions WHERE id = w.execution_id LIMIT 1) AS e
  ORDER BY w.created_at_ms, w.position`;
/** The index yields the oldest items of each queue; skips items that another claim has locked. */
export const CLAIM_WORK = sql(`WITH oldest AS (
    SELECT item.position FROM unnest($2::text[]) AS queue_name CROSS JOIN LATERAL (
      SELECT position, created_at_ms FROM work_items WHERE tenant_id = $1 AND queue = queue_name AND status = 'pending'
      ORDER BY created_at_ms, position LIMIT $3 FOR UPDATE SKIP LOCKED) AS item
    ORDER BY item.created_at_ms, item.position LIMIT $3
  ), ${CLAIM_OLDEST}`);
/** The same, for items of some tools. */
export const CLAIM_WORK_OF_TOOLS = sql(`WITH oldest AS (
    SELECT item.position FROM unnest($2::text[]) AS queue_name CROSS JOIN unnest($7::text[]) AS tool_name CROSS JOIN LATERAL (
      SELECT position, created_at_ms FROM work_items
      WHERE tenant_id = $1 AND queue = queue_name AND tool = tool_name AND status = 'pending'
      ORDER BY created_at_ms, position LIMIT $3 FOR UPDATE SKIP LOCKED) AS item
    ORDER BY item.created_at_ms, item.position LIMIT $3
  ), ${CLAIM_OLDEST}`);
/** Steps from one pair of queue and tool to the next: the index has them in order. */
export const WAITING_WORK = sql(`WITH RECURSIVE pairs AS (
    (SELECT queue, tool FROM work_items WHERE tenant_id = $1 AND status = 'pending' ORDER BY queue, tool LIMIT 1)
    UNION ALL
    SELECT next.queue, next.tool FROM pairs p CROSS JOIN LATERAL (
      SELECT queue, tool FROM work_items WHERE tenant_id = $1 AND status = 'pending' AND (queue, tool) > (p.queue, p.tool)
      ORDER BY queue, tool LIMIT 1) AS next
  )
  SELECT p.queue, p.tool, counted.waiting, counted."oldestAtMs" FROM pairs p CROSS JOIN LATERAL (
    SELECT count(*) AS waiting, min(created_at_ms) AS "oldestAtMs" FROM (
      SELECT created_at_ms FROM work_items
      WHERE tenant_id = $1 AND queue = p.queue AND tool = p.tool AND status = 'pending' ORDER BY created_at_ms LIMIT $2) AS oldest
  ) AS counted
  WHERE counted.waiting > 0 LIMIT $3`);
export const WORK_BY_ID = sql(`SELECT ${WORK_ITEM} FROM ${WORK_ITEMS} WHERE w.id = $1 AND w.tenant_id = $2`);
export const UNCLAIMED_WORK = sql(`SELECT ${WORK_ITEM} FROM work_items w JOIN executions e ON e.id = w.execution_id
  WHERE w.queue = $1 AND w.status = 'pending' AND w.id > $2 ORDER BY w.id LIMIT $3`);
/** The fence comes from workers and may exceed the range of the column. */
export const RENEW_LEASE = sql(`UPDATE work_items SET lease_expires_at_ms = $1
  WHERE id = $2 AND tenant_id = $3 AND status = 'claimed' AND worker_id = $4 AND fence = $5::bigint RETURNING id`);

// What is due

export const DUE_TIMERS =
  sql(`SELECT 'timer' AS kind, execution_id AS "executionId", id AS "timerId", armed_seq AS "armedSeq", at_ms AS "atMs"
  FROM timers WHERE at_ms <= $1 ORDER BY at_ms LIMIT $2`);
export const DUE_LEASES = sql(`SELECT ${WORK_ITEM} FROM ${WORK_ITEMS}
  WHERE w.status = 'claimed' AND w.lease_expires_at_ms <= $1 ORDER BY w.lease_expires_at_ms LIMIT $2`);
export const DUE_DEADLINES = sql(`SELECT ${WORK_ITEM} FROM ${WORK_ITEMS}
  WHERE w.status = 'claimed' AND w.deadline_at_ms IS NOT NULL AND w.deadline_at_ms <= $1 ORDER BY w.deadline_at_ms LIMIT $2`);
export const DUE_WORKFLOW_TIMEOUTS = sql(`SELECT 'workflow_timeout' AS kind, id AS "executionId", deadline_at_ms AS "atMs"
  FROM executions WHERE deadline_at_ms IS NOT NULL AND deadline_at_ms <= $1 ORDER BY deadline_at_ms LIMIT $2`);
export const NEXT_DUE = sql(`SELECT min(at_ms) AS "atMs" FROM (
  SELECT min(at_ms) AS at_ms FROM timers WHERE at_ms > $1
  UNION ALL SELECT min(lease_expires_at_ms) FROM work_items WHERE status = 'claimed' AND lease_expires_at_ms > $1
  UNION ALL SELECT min(deadline_at_ms) FROM work_items
    WHERE status = 'claimed' AND deadline_at_ms IS NOT NULL AND deadline_at_ms > $1
  UNION ALL SELECT min(deadline_at_ms) FROM executions WHERE deadline_at_ms IS NOT NULL AND deadline_at_ms > $1) AS due`);
