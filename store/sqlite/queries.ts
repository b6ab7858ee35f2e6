/**
 * Every statement of the engine. Columns are named as the port's rows name them, so that rows need no mapping.
 * The conditions of partial indexes (`status = 'pending'` …) are literals on purpose: bound, the planner could not use the index.
 */

const EXECUTION = `id, tenant_id AS tenantId, workflow_id AS workflowId, workflow_version AS workflowVersion, revision, labels,
  parent_id AS parentId, depth, deadline_at_ms AS deadlineAtMs, created_at_ms AS createdAtMs, status, seq, steps, error,
  local_work AS localWork, owner, updated_at_ms AS updatedAtMs, completed_at_ms AS completedAtMs, snapshot_seq AS snapshotSeq`;

const EVENT = `seq, type, node_id AS nodeId, data, at_ms AS atMs, actor_id AS actorId, actor_type AS actorType, request`;

const WORK_ITEM = `w.id, w.tenant_id AS tenantId, w.execution_id AS executionId, e.workflow_id AS workflowId,
  e.workflow_version AS workflowVersion, w.node_id AS nodeId, w.activation, w.attempt, w.max_attempts AS maxAttempts, w.queue,
  w.payload, w.timeout_ms AS timeoutMs, w.created_at_ms AS createdAtMs, w.status, w.worker_id AS workerId, w.fence,
  w.lease_expires_at_ms AS leaseExpiresAtMs, w.deadline_at_ms AS deadlineAtMs, w.claimed_at_ms AS claimedAtMs`;
const WORK_ITEMS = 'work_items w JOIN executions e ON e.id = w.execution_id';

const TOKEN = `id, tenant_id AS tenantId, name, role, hash, created_at_ms AS createdAtMs, expires_at_ms AS expiresAtMs,
  revoked_at_ms AS revokedAtMs`;

const WORKFLOW = 'w.workflow_id AS workflowId, w.version, w.revision, r.source, w.registered_at_ms AS registeredAtMs';
const WORKFLOWS = 'workflows w JOIN revisions r ON r.tenant_id = w.tenant_id AND r.hash = w.revision';

// Executions

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

// Events

/**
 * Appends a run of events that share time, actor and request: one call into the database with each shared value bound once
 * (a third less than a row at a time). OR FAIL spares the statement journal: the transaction is undone as a whole anyway.
 */
export function appendEvents(rows: number): string {
  const each = Array.from({ length: rows }, () => '(?, ?, ?, ?)').join(', ');
  return `INSERT OR FAIL INTO events (execution_id, tenant_id, at_ms, actor_id, actor_type, request, seq, type, node_id, data)
    SELECT run.*, event.* FROM (SELECT ?, ?, ?, ?, ?, ?) AS run CROSS JOIN (VALUES ${each}) AS event`;
}

export function listEvents(by: { readonly type: boolean; readonly nodeId: boolean }): string {
  const filters = [by.type ? ' AND type = @type' : '', by.nodeId ? ' AND node_id = @nodeId' : ''];
  return `SELECT ${EVENT} FROM events WHERE execution_id = @executionId AND seq > @after${filters.join('')} ORDER BY seq LIMIT @limit`;
}

// Timers and the inbox

export const SET_TIMER = `INSERT INTO timers (execution_id, id, tenant_id, node_id, at_ms, armed_seq) VALUES (?, ?, ?, ?, ?, ?)
  ON CONFLICT (execution_id, id) DO UPDATE SET node_id = excluded.node_id, at_ms = excluded.at_ms, armed_seq = excluded.armed_seq`;
export const CLEAR_TIMER = 'DELETE FROM timers WHERE execution_id = ? AND id = ?';
export const FIRE_TIMER = 'DELETE FROM timers WHERE execution_id = ? AND id = ? AND armed_seq = ?';

export const SEND = 'INSERT INTO inbox (tenant_id, to_execution_id, message) VALUES (?, ?, ?)';
export const CONSUME = 'DELETE FROM inbox WHERE id = ?';
export const INBOX = 'SELECT id, to_execution_id AS toExecutionId, message FROM inbox WHERE id > ? ORDER BY id LIMIT ?';

// Work items

export const PUT_WORK = `INSERT INTO work_items (id, tenant_id, execution_id, node_id, activation, attempt, max_attempts, queue, timeout_ms,
  created_at_ms, status, payload) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'pending', ?)`;
export const SETTLE_WORK = `UPDATE work_items SET status = ?, settled_at_ms = ?, payload = '{}'
  WHERE id = ? AND execution_id = ? AND settled_at_ms IS NULL`;
export const SETTLE_CLAIMED_WORK = `UPDATE work_items SET status = ?, settled_at_ms = ?, payload = '{}'
  WHERE id = ? AND execution_id = ? AND status = 'claimed' AND fence = ?`;
export const CANCEL_WORK = `UPDATE work_items SET status = 'cancelled', settled_at_ms = ?, payload = '{}'
  WHERE execution_id = ? AND node_id = ? AND activation = ? AND settled_at_ms IS NULL`;
export const PENDING_WORK = `SELECT position, created_at_ms AS createdAtMs FROM work_items
  WHERE tenant_id = ? AND queue = ? AND status = 'pending' ORDER BY created_at_ms, position LIMIT ?`;
export const CLAIM_WORK = `UPDATE work_items SET status = 'claimed', worker_id = @workerId, fence = fence + 1,
  lease_expires_at_ms = @leaseExpiresAtMs, deadline_at_ms = @nowMs + timeout_ms, claimed_at_ms = @nowMs WHERE position = @position`;
export const WORK_BY_POSITION = `SELECT ${WORK_ITEM} FROM ${WORK_ITEMS} WHERE w.position = ?`;
export const WORK_BY_ID = `SELECT ${WORK_ITEM} FROM ${WORK_ITEMS} WHERE w.id = ? AND w.tenant_id = ?`;
/** Without the hint the planner prefers the index on ids, which leads through all items that ever were. */
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
  SELECT min(at_ms) AS at_ms FROM timers
  UNION ALL SELECT min(lease_expires_at_ms) FROM work_items WHERE status = 'claimed'
  UNION ALL SELECT min(deadline_at_ms) FROM work_items WHERE status = 'claimed' AND deadline_at_ms IS NOT NULL
  UNION ALL SELECT min(deadline_at_ms) FROM executions WHERE deadline_at_ms IS NOT NULL)`;

// Workers

export const SEEN = `INSERT INTO workers (tenant_id, kind, id, queues, first_seen_at_ms, last_seen_at_ms, claimed_total, stopped_at_ms)
  VALUES (@tenantId, @kind, @id, @queues, @atMs, @atMs, @claimed, NULL)
  ON CONFLICT (tenant_id, kind, id) DO UPDATE SET queues = excluded.queues, last_seen_at_ms = max(last_seen_at_ms, excluded.last_seen_at_ms),
    claimed_total = claimed_total + excluded.claimed_total, stopped_at_ms = NULL`;
export const STOPPED = `INSERT INTO workers (tenant_id, kind, id, queues, first_seen_at_ms, last_seen_at_ms, claimed_total, stopped_at_ms)
  VALUES ('', 'runtime', @id, '[]', @atMs, @atMs, 0, @atMs)
  ON CONFLICT (tenant_id, kind, id) DO UPDATE SET stopped_at_ms = excluded.stopped_at_ms`;
export const STOPPED_CLEANLY = `SELECT 1 FROM workers WHERE tenant_id = '' AND kind = 'runtime' AND id = ? AND stopped_at_ms IS NOT NULL`;
export const WORKERS = `SELECT id, kind, queues, first_seen_at_ms AS firstSeenAtMs, last_seen_at_ms AS lastSeenAtMs,
    claimed_total AS claimedTotal,
    iif(kind = 'external',
      (SELECT count(*) FROM work_items i WHERE i.tenant_id = w.tenant_id AND i.worker_id = w.id AND i.status = 'claimed'),
      (SELECT count(*) FROM executions e WHERE e.local_work > 0 AND e.owner = w.id)) AS inFlight
  FROM workers w
  WHERE tenant_id IN ('', @tenantId) AND last_seen_at_ms >= @sinceMs AND stopped_at_ms IS NULL ORDER BY tenant_id, kind, id`;

// Control plane

export const NEXT_CONTROL_SEQ = 'SELECT coalesce(max(seq), 0) + 1 FROM control_events WHERE tenant_id = ?';
export const APPEND_CONTROL_EVENT = `INSERT INTO control_events (tenant_id, seq, type, at_ms, actor_id, actor_type, request, data)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?)`;
export const CONTROL_EVENTS = `SELECT seq, type, NULL AS nodeId, data, at_ms AS atMs, actor_id AS actorId, actor_type AS actorType, request
  FROM control_events WHERE tenant_id = ? AND seq BETWEEN ? AND ? ORDER BY seq`;

export const PUT_REVISION = `INSERT INTO revisions (tenant_id, hash, source, created_at_ms) VALUES (?, ?, ?, ?)
  ON CONFLICT (tenant_id, hash) DO NOTHING`;
export const REVISION = 'SELECT source FROM revisions WHERE tenant_id = ? AND hash = ?';
export const PUT_WORKFLOW = `INSERT INTO workflows (tenant_id, workflow_id, version, revision, registration, registered_at_ms)
  VALUES (?, ?, ?, ?, ?, ?)
  ON CONFLICT (tenant_id, workflow_id, version) DO UPDATE
    SET revision = excluded.revision, registration = excluded.registration, registered_at_ms = excluded.registered_at_ms`;
export const WORKFLOW_VERSION = `SELECT ${WORKFLOW} FROM ${WORKFLOWS} WHERE w.tenant_id = ? AND w.workflow_id = ? AND w.version = ?`;
export const LATEST_WORKFLOW = `SELECT ${WORKFLOW} FROM ${WORKFLOWS}
  WHERE w.tenant_id = ? AND w.workflow_id = ? ORDER BY w.registration DESC LIMIT 1`;
export const REVISION_OF_VERSION = 'SELECT revision FROM workflows WHERE tenant_id = ? AND workflow_id = ? AND version = ?';
export const LATEST_REVISION = `SELECT revision FROM workflows
  WHERE tenant_id = ? AND workflow_id = ? ORDER BY registration DESC LIMIT 1`;
export const WORKFLOW_VERSIONS = `SELECT ${WORKFLOW} FROM ${WORKFLOWS}
  WHERE w.tenant_id = ? AND w.workflow_id = ? ORDER BY w.registration DESC`;
export const LATEST_WORKFLOWS = `SELECT ${WORKFLOW} FROM ${WORKFLOWS}
  WHERE w.tenant_id = @tenantId AND w.registration =
    (SELECT max(l.registration) FROM workflows l WHERE l.tenant_id = w.tenant_id AND l.workflow_id = w.workflow_id)
  ORDER BY w.workflow_id LIMIT @limit OFFSET @offset`;

export const CREATE_TOKEN = `INSERT INTO tokens (id, tenant_id, name, role, hash, created_at_ms, expires_at_ms, revoked_at_ms)
  VALUES (@id, @tenantId, @name, @role, @hash, @createdAtMs, @expiresAtMs, @revokedAtMs)`;
export const REVOKE_TOKEN = 'UPDATE tokens SET revoked_at_ms = coalesce(revoked_at_ms, ?) WHERE id = ? AND tenant_id = ?';
export const TOKEN_BY_HASH = `SELECT ${TOKEN} FROM tokens WHERE hash = ?`;
export const TOKENS = `SELECT ${TOKEN} FROM tokens WHERE tenant_id = ? ORDER BY created_at_ms, id`;
export const TENANT = 'SELECT id, name, status FROM tenants WHERE id = ?';

export const REMEMBER = `INSERT INTO idempotency (tenant_id, scope, key, request_hash, status, response, created_at_ms)
  VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (tenant_id, scope, key) DO NOTHING`;
export const REMEMBERED = `SELECT tenant_id AS tenantId, scope, key, request_hash AS requestHash, status, response, created_at_ms AS createdAtMs
  FROM idempotency WHERE tenant_id = ? AND scope = ? AND key = ?`;

// Audit

export const CHAIN_ID = 'SELECT id FROM audit_chain';
export const CHAIN_TAIL = 'SELECT block, hash FROM audit_blocks ORDER BY block DESC LIMIT 1';
export const CLOSE_BLOCK = 'INSERT INTO audit_blocks (block, at_ms, writer, streams, hash, signature) VALUES (?, ?, ?, ?, ?, ?)';
export const BLOCKS = `SELECT block, at_ms AS atMs, writer, streams, hash, signature FROM audit_blocks
  WHERE block > ? ORDER BY block LIMIT ?`;
export const EVENT_RANGE = `SELECT ${EVENT} FROM events WHERE execution_id = ? AND tenant_id = ? AND seq BETWEEN ? AND ? ORDER BY seq`;
export const COUNT_AUDITED = 'SELECT (SELECT count(*) FROM events) + (SELECT count(*) FROM control_events)';

// The right to run

export const HOLDER = 'SELECT runtime_id AS runtimeId, pid, started_at_ms AS startedAtMs FROM runtime_holder';
export const SET_HOLDER = `INSERT INTO runtime_holder (id, runtime_id, pid, started_at_ms) VALUES (1, ?, ?, ?)
  ON CONFLICT (id) DO UPDATE SET runtime_id = excluded.runtime_id, pid = excluded.pid, started_at_ms = excluded.started_at_ms`;
