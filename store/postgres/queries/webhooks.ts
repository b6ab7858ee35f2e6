import { sql } from '../connections.ts';

/** Webhooks and what is to be delivered to them. */

const WEBHOOK = `w.id, w.tenant_id AS "tenantId", w.url, w.events, w.workflow_id AS "workflowId", w.description, w.enabled,
  w.disabled_reason AS "disabledReason", w.secret, w.previous_secret AS "previousSecret", w.previous_until_ms AS "previousUntilMs",
  w.created_at_ms AS "createdAtMs", w.updated_at_ms AS "updatedAtMs", w.last_delivered_at_ms AS "lastDeliveredAtMs",
  w.last_failed_at_ms AS "lastFailedAtMs", w.last_failure AS "lastFailure", w.failures`;
const DELIVERY = `d.id, d.webhook_id AS "webhookId", d.tenant_id AS "tenantId", d.execution_id AS "executionId", d.seq, d.type, d.status,
  d.attempts, d.next_attempt_at_ms AS "nextAttemptAtMs", d.last_attempt_at_ms AS "lastAttemptAtMs", d.last_status AS "lastStatus",
  d.last_error AS "lastError", d.created_at_ms AS "createdAtMs", d.settled_at_ms AS "settledAtMs"`;

// Webhooks

export const CREATE_WEBHOOK =
  sql(`INSERT INTO webhooks (id, tenant_id, url, events, workflow_id, description, enabled, secret, created_at_ms, updated_at_ms)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)`);
export const WEBHOOK_BY_ID = sql(
  `SELECT ${WEBHOOK} FROM webhooks w WHERE w.id = $1 AND w.tenant_id = $2 AND w.deleted_at_ms IS NULL`,
);
/** Holds it: nobody else changes it, or the turns of its deliveries. */
export const HOLD_WEBHOOK = sql(`SELECT ${WEBHOOK} FROM webhooks w
  WHERE w.id = $1 AND w.tenant_id = $2 AND w.deleted_at_ms IS NULL FOR UPDATE`);
/** Several, always in one order, so that no two wait for each other. */
export const HOLD_WEBHOOKS = sql('SELECT id FROM webhooks WHERE id = ANY($1) ORDER BY id FOR UPDATE');
export const WEBHOOKS = sql(`SELECT ${WEBHOOK} FROM webhooks w WHERE w.tenant_id = $1 AND w.deleted_at_ms IS NULL ORDER BY w.id`);
export const LISTENERS = sql(`SELECT ${WEBHOOK} FROM webhooks w
  WHERE w.tenant_id = $1 AND w.deleted_at_ms IS NULL AND w.enabled ORDER BY w.id`);
export const COUNT_WEBHOOKS = sql('SELECT count(*) AS count FROM webhooks WHERE tenant_id = $1 AND deleted_at_ms IS NULL');
export const ANY_WEBHOOK = sql('SELECT EXISTS (SELECT 1 FROM webhooks WHERE deleted_at_ms IS NULL) AS "any"');
export const CHANGE_WEBHOOK = sql(`UPDATE webhooks SET url = $2, events = $3, workflow_id = $4, description = $5, enabled = $6,
  disabled_reason = $7, secret = $8, previous_secret = $9, previous_until_ms = $10, updated_at_ms = $11 WHERE id = $1`);
export const DELETE_WEBHOOK = sql('UPDATE webhooks SET deleted_at_ms = $1, enabled = false WHERE id = $2');
export const DELETED_WEBHOOKS = sql('SELECT id FROM webhooks WHERE deleted_at_ms IS NOT NULL ORDER BY id LIMIT $1');
export const FORGET_WEBHOOK = sql(`DELETE FROM webhooks w WHERE w.id = $1
  AND NOT EXISTS (SELECT 1 FROM webhook_deliveries d WHERE d.webhook_id = w.id) RETURNING w.id`);
export const RECIPIENT = sql(`SELECT ${WEBHOOK}, t.status AS "tenantStatus" FROM webhooks w JOIN tenants t ON t.id = w.tenant_id
  WHERE w.id = $1 AND w.deleted_at_ms IS NULL`);
export const WENT_WELL = sql('UPDATE webhooks SET last_delivered_at_ms = $1, failures = 0 WHERE id = $2');
export const WENT_WRONG = sql(
  'UPDATE webhooks SET last_failed_at_ms = $1, last_failure = $2, failures = failures + 1 WHERE id = $3',
);

// The cursor

export const WEBHOOK_CURSOR = sql('SELECT position FROM webhook_cursor WHERE id = 1');
export const SET_WEBHOOK_CURSOR = sql(`INSERT INTO webhook_cursor (id, position) VALUES (1, $1)
  ON CONFLICT (id) DO UPDATE SET position = excluded.position`);
export const MOVE_WEBHOOK_CURSOR = sql('UPDATE webhook_cursor SET position = $2 WHERE id = 1 AND position = $1 RETURNING id');

// Deliveries

/** Of each execution the first gets its turn now, unless an earlier delivery waits. */
export const ADD_DELIVERIES =
  sql(`INSERT INTO webhook_deliveries (webhook_id, id, tenant_id, execution_id, seq, type, status, attempts,
  next_attempt_at_ms, created_at_ms)
  SELECT n.webhook_id, n.id, w.tenant_id, n.execution_id, n.seq, n.type, 'pending', 0,
    CASE WHEN n.place > min(n.place) OVER (PARTITION BY n.webhook_id, n.execution_id) OR EXISTS (SELECT 1 FROM webhook_deliveries p
      WHERE p.webhook_id = n.webhook_id AND p.execution_id = n.execution_id AND p.status = 'pending') THEN NULL ELSE $2::bigint END,
    $2::bigint
  FROM json_to_recordset($1) AS n (place integer, webhook_id text, id text, execution_id text, seq integer, type text)
  JOIN webhooks w ON w.id = n.webhook_id AND w.deleted_at_ms IS NULL`);
export const DELIVERIES = sql(`SELECT ${DELIVERY} FROM webhook_deliveries d
  WHERE d.webhook_id = $1 AND d.id < $2 ORDER BY d.id DESC LIMIT $3`);
export const DELIVERIES_OF_STATUS = sql(`SELECT ${DELIVERY} FROM webhook_deliveries d
  WHERE d.webhook_id = $1 AND d.id < $2 AND d.status = $4 ORDER BY d.id DESC LIMIT $3`);
export const DELIVERY_BY_ID = sql(`SELECT ${DELIVERY} FROM webhook_deliveries d WHERE d.webhook_id = $1 AND d.id = $2`);
export const TURNS = sql(`SELECT ${DELIVERY} FROM webhook_deliveries d
  WHERE d.webhook_id = $1 AND d.next_attempt_at_ms IS NOT NULL ORDER BY d.next_attempt_at_ms LIMIT $2`);
export const WAITING_WEBHOOKS = sql(`SELECT w.id FROM webhooks w WHERE w.id > $1 AND w.deleted_at_ms IS NULL AND w.enabled
  AND EXISTS (SELECT 1 FROM webhook_deliveries d WHERE d.webhook_id = w.id AND d.next_attempt_at_ms IS NOT NULL) ORDER BY w.id LIMIT $2`);
export const ATTEMPTED = sql(`UPDATE webhook_deliveries SET status = $3, attempts = attempts + 1, next_attempt_at_ms = $4,
  last_attempt_at_ms = $5, last_status = $6, last_error = $7, settled_at_ms = $8 WHERE webhook_id = $1 AND id = $2 AND status = 'pending'`);
/** The oldest that waits for its turn, unless another has it. */
export const NEXT_TURN = sql(`UPDATE webhook_deliveries SET next_attempt_at_ms = $3 WHERE webhook_id = $1
  AND id = (SELECT d.id FROM webhook_deliveries d
    WHERE d.webhook_id = $1 AND d.execution_id = $2 AND d.status = 'pending' ORDER BY d.seq LIMIT 1)
  AND NOT EXISTS (SELECT 1 FROM webhook_deliveries d
    WHERE d.webhook_id = $1 AND d.execution_id = $2 AND d.status = 'pending' AND d.next_attempt_at_ms IS NOT NULL)`);
/** Webhook, ids, now: back among those that wait; `NEXT_TURN` gives the turns. */
export const REPLAY =
  sql(`UPDATE webhook_deliveries SET status = 'pending', attempts = 0, settled_at_ms = NULL, next_attempt_at_ms = NULL
  WHERE webhook_id = $1 AND id = ANY($2) AND status <> 'pending' RETURNING execution_id AS "executionId"`);
export const FAILED_BEFORE = sql(`SELECT id FROM webhook_deliveries
  WHERE webhook_id = $1 AND status = 'failed' AND settled_at_ms <= $2 ORDER BY id LIMIT $3`);
export const SWEEP_WEBHOOK = sql(`DELETE FROM webhook_deliveries WHERE webhook_id = $1 AND id IN
  (SELECT d.id FROM webhook_deliveries d WHERE d.webhook_id = $1 ORDER BY d.id LIMIT $2) RETURNING id`);
export const SWEEP_SETTLED = sql(`DELETE FROM webhook_deliveries w USING (SELECT webhook_id, id FROM webhook_deliveries
    WHERE status = $1 AND settled_at_ms IS NOT NULL AND settled_at_ms < $2 ORDER BY settled_at_ms LIMIT $3 FOR UPDATE SKIP LOCKED) AS old
  WHERE w.webhook_id = old.webhook_id AND w.id = old.id RETURNING w.id`);
