/** Webhooks and what is to be delivered to them. */

const WEBHOOK = `w.id, w.tenant_id AS tenantId, w.url, w.events, w.workflow_id AS workflowId, w.description, w.enabled,
  w.disabled_reason AS disabledReason, w.secret, w.previous_secret AS previousSecret, w.previous_until_ms AS previousUntilMs,
  w.created_at_ms AS createdAtMs, w.updated_at_ms AS updatedAtMs, w.last_delivered_at_ms AS lastDeliveredAtMs,
  w.last_failed_at_ms AS lastFailedAtMs, w.last_failure AS lastFailure, w.failures`;
const DELIVERY = `d.id, d.webhook_id AS webhookId, d.tenant_id AS tenantId, d.execution_id AS executionId, d.seq, d.type, d.status, d.attempts,
  d.next_attempt_at_ms AS nextAttemptAtMs, d.last_attempt_at_ms AS lastAttemptAtMs, d.last_status AS lastStatus, d.last_error AS lastError,
  d.created_at_ms AS createdAtMs, d.settled_at_ms AS settledAtMs`;

// Webhooks

export const CREATE_WEBHOOK = `INSERT INTO webhooks (id, tenant_id, url, events, workflow_id, description, enabled, secret, created_at_ms, updated_at_ms)
  VALUES (@id, @tenantId, @url, @events, @workflowId, @description, @enabled, @secret, @atMs, @atMs)`;
export const WEBHOOK_BY_ID = `SELECT ${WEBHOOK} FROM webhooks w WHERE w.id = ? AND w.tenant_id = ? AND w.deleted_at_ms IS NULL`;
export const WEBHOOKS = `SELECT ${WEBHOOK} FROM webhooks w WHERE w.tenant_id = ? AND w.deleted_at_ms IS NULL ORDER BY w.id`;
export const LISTENERS = `SELECT ${WEBHOOK} FROM webhooks w
  WHERE w.tenant_id = ? AND w.deleted_at_ms IS NULL AND w.enabled = 1 ORDER BY w.id`;
export const COUNT_WEBHOOKS = 'SELECT count(*) FROM webhooks WHERE tenant_id = ? AND deleted_at_ms IS NULL';
export const ANY_WEBHOOK = 'SELECT EXISTS (SELECT 1 FROM webhooks INDEXED BY webhooks_by_tenant WHERE deleted_at_ms IS NULL)';
export const CHANGE_WEBHOOK = `UPDATE webhooks SET url = @url, events = @events, workflow_id = @workflowId, description = @description,
  enabled = @enabled, disabled_reason = @disabledReason, secret = @secret, previous_secret = @previousSecret,
  previous_until_ms = @previousUntilMs, updated_at_ms = @updatedAtMs WHERE id = @id`;
export const DELETE_WEBHOOK = `UPDATE webhooks SET deleted_at_ms = @atMs, enabled = 0
  WHERE id = @id AND tenant_id = @tenantId AND deleted_at_ms IS NULL`;
export const DELETED_WEBHOOK = 'SELECT id FROM webhooks WHERE deleted_at_ms IS NOT NULL ORDER BY id LIMIT 1';
export const FORGET_WEBHOOK = 'DELETE FROM webhooks WHERE id = ?';
export const RECIPIENT = `SELECT ${WEBHOOK}, t.status AS tenantStatus FROM webhooks w JOIN tenants t ON t.id = w.tenant_id
  WHERE w.id = ? AND w.deleted_at_ms IS NULL`;
export const WENT_WELL = 'UPDATE webhooks SET last_delivered_at_ms = ?, failures = 0 WHERE id = ?';
export const WENT_WRONG = 'UPDATE webhooks SET last_failed_at_ms = ?, last_failure = ?, failures = failures + 1 WHERE id = ?';

// The cursor

export const WEBHOOK_CURSOR = 'SELECT position FROM webhook_cursor WHERE id = 1';
export const SET_WEBHOOK_CURSOR = `INSERT INTO webhook_cursor (id, position) VALUES (1, ?)
  ON CONFLICT (id) DO UPDATE SET position = excluded.position`;

// Deliveries

/** Does an earlier delivery to the same webhook of the same execution wait? */
const HAS_TURN_BEFORE = `EXISTS (SELECT 1 FROM webhook_deliveries p
  WHERE p.webhook_id = @webhookId AND p.execution_id = @executionId AND p.status = 'pending')`;

export const ADD_DELIVERY = `INSERT INTO webhook_deliveries (webhook_id, id, tenant_id, execution_id, seq, type, status, attempts,
  next_attempt_at_ms, created_at_ms)
  SELECT w.id, @id, w.tenant_id, @executionId, @seq, @type, 'pending', 0, CASE WHEN ${HAS_TURN_BEFORE} THEN NULL ELSE @nowMs END, @nowMs
  FROM webhooks w WHERE w.id = @webhookId AND w.deleted_at_ms IS NULL`;
export const DELIVERIES = `SELECT ${DELIVERY} FROM webhook_deliveries d
  WHERE d.webhook_id = @webhookId AND d.id < @before ORDER BY d.id DESC LIMIT @limit`;
export const DELIVERIES_OF_STATUS = `SELECT ${DELIVERY} FROM webhook_deliveries d
  WHERE d.webhook_id = @webhookId AND d.status = @status AND d.id < @before ORDER BY d.id DESC LIMIT @limit`;
export const DELIVERY_BY_ID = `SELECT ${DELIVERY} FROM webhook_deliveries d WHERE d.webhook_id = ? AND d.id = ?`;
export const TURNS = `SELECT ${DELIVERY} FROM webhook_deliveries d
  WHERE d.webhook_id = ? AND d.next_attempt_at_ms IS NOT NULL ORDER BY d.next_attempt_at_ms LIMIT ?`;
export const WAITING_WEBHOOKS = `SELECT w.id FROM webhooks w WHERE w.id > ? AND w.deleted_at_ms IS NULL AND w.enabled = 1
  AND EXISTS (SELECT 1 FROM webhook_deliveries d WHERE d.webhook_id = w.id AND d.next_attempt_at_ms IS NOT NULL) ORDER BY w.id LIMIT ?`;
export const ATTEMPTED = `UPDATE webhook_deliveries SET status = @status, attempts = attempts + 1, next_attempt_at_ms = @nextAttemptAtMs,
  last_attempt_at_ms = @atMs, last_status = @httpStatus, last_error = @error, settled_at_ms = @settledAtMs
  WHERE webhook_id = @webhookId AND id = @deliveryId AND status = 'pending'`;
export const NEXT_TURN = `UPDATE webhook_deliveries SET next_attempt_at_ms = @atMs WHERE webhook_id = @webhookId AND id =
  (SELECT id FROM webhook_deliveries
    WHERE webhook_id = @webhookId AND execution_id = @executionId AND status = 'pending' ORDER BY seq LIMIT 1)`;
export const REPLAY = `UPDATE webhook_deliveries SET status = 'pending', attempts = 0, settled_at_ms = NULL,
  next_attempt_at_ms = CASE WHEN ${HAS_TURN_BEFORE} THEN NULL ELSE @atMs END
  WHERE webhook_id = @webhookId AND id = @id AND status <> 'pending'`;
export const FAILED_BEFORE = `SELECT id, execution_id AS executionId FROM webhook_deliveries
  WHERE webhook_id = ? AND status = 'failed' AND settled_at_ms <= ? ORDER BY id LIMIT ?`;
export const SWEEP_WEBHOOK = `DELETE FROM webhook_deliveries WHERE webhook_id = @webhookId AND id IN
  (SELECT id FROM webhook_deliveries WHERE webhook_id = @webhookId ORDER BY id LIMIT @limit)`;
export const SETTLED_BEFORE = `SELECT webhook_id AS webhookId, id FROM webhook_deliveries
  WHERE status = ? AND settled_at_ms IS NOT NULL AND settled_at_ms < ? ORDER BY settled_at_ms LIMIT ?`;
export const FORGET_DELIVERY = 'DELETE FROM webhook_deliveries WHERE webhook_id = ? AND id = ?';
