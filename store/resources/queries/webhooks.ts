import type { DeliveryRow, Recipient, WebhookRow } from '../../port/resources/webhooks.ts';
import { sql } from '../statement.ts';

/** Webhooks and their deliveries. */

type StoredWebhook = Omit<WebhookRow, 'events' | 'enabled'> & { readonly events: string; readonly enabled: number | boolean };

const webhookOf = (stored: StoredWebhook): WebhookRow => ({
  ...stored,
  events: JSON.parse(stored.events) as readonly string[],
  enabled: Boolean(stored.enabled),
});

const WEBHOOK = `w.id, w.tenant_id AS "tenantId", w.url, w.events, w.workflow_id AS "workflowId", w.description, w.enabled,
  w.disabled_reason AS "disabledReason", w.secret, w.previous_secret AS "previousSecret", w.previous_until_ms AS "previousUntilMs",
  w.created_at_ms AS "createdAtMs", w.updated_at_ms AS "updatedAtMs", w.last_delivered_at_ms AS "lastDeliveredAtMs",
  w.last_failed_at_ms AS "lastFailedAtMs", w.last_failure AS "lastFailure", w.failures`;
const DELIVERY = `d.id, d.webhook_id AS "webhookId", d.tenant_id AS "tenantId", d.execution_id AS "executionId", d.seq, d.type, d.status,
  d.attempts, d.next_attempt_at_ms AS "nextAttemptAtMs", d.last_attempt_at_ms AS "lastAttemptAtMs", d.last_status AS "lastStatus",
  d.last_error AS "lastError", d.created_at_ms AS "createdAtMs", d.settled_at_ms AS "settledAtMs"`;

// Webhooks

export const INSERT_WEBHOOK =
  sql(`INSERT INTO webhooks (id, tenant_id, url, events, workflow_id, description, enabled, secret, created_at_ms, updated_at_ms)
  VALUES (@id, @tenantId, @url, @events, @workflowId, @description, @enabled, @secret, @atMs, @atMs)`);
const BY_ID = `SELECT ${WEBHOOK} FROM webhooks w WHERE w.id = @id AND w.tenant_id = @tenantId AND w.deleted_at_ms IS NULL`;
export const WEBHOOK_BY_ID = sql(BY_ID, webhookOf);
/** While it is locked, no other transaction changes the webhook or the order of its deliveries. */
export const LOCK_WEBHOOK = sql(({ forUpdate }) => `${BY_ID} ${forUpdate}`, webhookOf);
/** Always in one order, so that no two transactions wait for each other. */
export const LOCK_WEBHOOKS = sql(
  ({ in: isIn, forUpdate }) => `SELECT id FROM webhooks WHERE id ${isIn('ids')} ORDER BY id ${forUpdate}`,
);
export const WEBHOOKS = sql(
  `SELECT ${WEBHOOK} FROM webhooks w WHERE w.tenant_id = @tenantId AND w.deleted_at_ms IS NULL ORDER BY w.id`,
  webhookOf,
);
export const ENABLED_WEBHOOKS = sql(
  `SELECT ${WEBHOOK} FROM webhooks w WHERE w.tenant_id = @tenantId AND w.deleted_at_ms IS NULL AND w.enabled ORDER BY w.id`,
  webhookOf,
);
export const COUNT_WEBHOOKS = sql<{ readonly count: number }>(
  'SELECT count(*) AS count FROM webhooks WHERE tenant_id = @tenantId AND deleted_at_ms IS NULL',
);
export const ANY_WEBHOOK = sql<{ readonly any: number | boolean }>(
  ({ indexedBy }) =>
    `SELECT EXISTS (SELECT 1 FROM webhooks ${indexedBy('webhooks_by_tenant')} WHERE deleted_at_ms IS NULL) AS "any"`,
);
export const UPDATE_WEBHOOK =
  sql(`UPDATE webhooks SET url = @url, events = @events, workflow_id = @workflowId, description = @description,
  enabled = @enabled, disabled_reason = @disabledReason, secret = @secret, previous_secret = @previousSecret,
  previous_until_ms = @previousUntilMs, updated_at_ms = @updatedAtMs WHERE id = @id`);
/** The row stays until its deliveries have been swept. */
export const MARK_DELETED = sql('UPDATE webhooks SET deleted_at_ms = @atMs, enabled = @enabled WHERE id = @id');
export const DELETED_WEBHOOKS = sql<{ readonly id: string }>(
  'SELECT id FROM webhooks WHERE deleted_at_ms IS NOT NULL ORDER BY id LIMIT @limit',
);
export const DELETE_WEBHOOK = sql(`DELETE FROM webhooks WHERE id = @id
  AND NOT EXISTS (SELECT 1 FROM webhook_deliveries d WHERE d.webhook_id = webhooks.id)`);
export const RECIPIENT = sql(
  `SELECT ${WEBHOOK}, t.status AS "tenantStatus" FROM webhooks w JOIN tenants t ON t.id = w.tenant_id
  WHERE w.id = @id AND w.deleted_at_ms IS NULL`,
  ({ tenantStatus, ...stored }: StoredWebhook & Pick<Recipient, 'tenantStatus'>): Recipient => ({
    webhook: webhookOf(stored),
    tenantStatus,
  }),
);
export const RECORD_SUCCESS = sql('UPDATE webhooks SET last_delivered_at_ms = @atMs, failures = 0 WHERE id = @webhookId');
export const RECORD_FAILURE = sql(
  'UPDATE webhooks SET last_failed_at_ms = @atMs, last_failure = @error, failures = failures + 1 WHERE id = @webhookId',
);

// The cursor

export const WEBHOOK_CURSOR = sql<{ readonly position: string }>('SELECT position FROM webhook_cursor WHERE id = 1');
export const SET_WEBHOOK_CURSOR = sql(`INSERT INTO webhook_cursor (id, position) VALUES (1, @position)
  ON CONFLICT (id) DO UPDATE SET position = excluded.position`);
export const MOVE_WEBHOOK_CURSOR = sql('UPDATE webhook_cursor SET position = @to WHERE id = 1 AND position = @from');

// Deliveries. Of the pending deliveries of one execution to one webhook, exactly one has a time for its next attempt; the others wait for it.

/** Due now, unless an earlier delivery to the webhook, of the same execution, is pending. */
export const INSERT_DELIVERY =
  sql(`INSERT INTO webhook_deliveries (webhook_id, id, tenant_id, execution_id, seq, type, status, attempts,
  next_attempt_at_ms, created_at_ms)
  SELECT w.id, @id, w.tenant_id, @executionId, @seq, @type, 'pending', 0,
    CASE WHEN EXISTS (SELECT 1 FROM webhook_deliveries p
      WHERE p.webhook_id = @webhookId AND p.execution_id = @executionId AND p.status = 'pending') THEN NULL ELSE CAST(@nowMs AS bigint) END,
    CAST(@nowMs AS bigint)
  FROM webhooks w WHERE w.id = @webhookId AND w.deleted_at_ms IS NULL`);
export const DELIVERIES = sql<DeliveryRow>(`SELECT ${DELIVERY} FROM webhook_deliveries d
  WHERE d.webhook_id = @webhookId AND d.id < @before ORDER BY d.id DESC LIMIT @limit`);
export const DELIVERIES_OF_STATUS = sql<DeliveryRow>(`SELECT ${DELIVERY} FROM webhook_deliveries d
  WHERE d.webhook_id = @webhookId AND d.status = @status AND d.id < @before ORDER BY d.id DESC LIMIT @limit`);
export const DELIVERY_BY_ID = sql<DeliveryRow>(
  `SELECT ${DELIVERY} FROM webhook_deliveries d WHERE d.webhook_id = @webhookId AND d.id = @id`,
);
/** At most one per execution. */
export const READY_DELIVERIES = sql<DeliveryRow>(`SELECT ${DELIVERY} FROM webhook_deliveries d
  WHERE d.webhook_id = @webhookId AND d.next_attempt_at_ms IS NOT NULL ORDER BY d.next_attempt_at_ms LIMIT @limit`);
export const WEBHOOKS_WITH_READY_DELIVERIES = sql<{ readonly id: string }>(`SELECT w.id FROM webhooks w
  WHERE w.id > @after AND w.deleted_at_ms IS NULL AND w.enabled
    AND EXISTS (SELECT 1 FROM webhook_deliveries d WHERE d.webhook_id = w.id AND d.next_attempt_at_ms IS NOT NULL)
  ORDER BY w.id LIMIT @limit`);
export const RECORD_ATTEMPT = sql(`UPDATE webhook_deliveries SET status = @status, attempts = attempts + 1,
  next_attempt_at_ms = @nextAttemptAtMs, last_attempt_at_ms = @atMs, last_status = @httpStatus, last_error = @error, settled_at_ms = @settledAtMs
  WHERE webhook_id = @webhookId AND id = @deliveryId AND status = 'pending'`);
/** Schedules the oldest pending delivery of the execution, unless one is scheduled. */
export const SCHEDULE_NEXT = sql(`UPDATE webhook_deliveries SET next_attempt_at_ms = @atMs WHERE webhook_id = @webhookId
  AND id = (SELECT d.id FROM webhook_deliveries d
    WHERE d.webhook_id = @webhookId AND d.execution_id = @executionId AND d.status = 'pending' ORDER BY d.seq LIMIT 1)
  AND NOT EXISTS (SELECT 1 FROM webhook_deliveries d
    WHERE d.webhook_id = @webhookId AND d.execution_id = @executionId AND d.status = 'pending' AND d.next_attempt_at_ms IS NOT NULL)`);
/** Makes settled deliveries pending again; `SCHEDULE_NEXT` then schedules one for each execution. */
export const REOPEN_DELIVERIES = sql<{ readonly executionId: string }>(
  ({
    in: isIn,
  }) => `UPDATE webhook_deliveries SET status = 'pending', attempts = 0, settled_at_ms = NULL, next_attempt_at_ms = NULL
  WHERE webhook_id = @webhookId AND id ${isIn('ids')} AND status <> 'pending' RETURNING execution_id AS "executionId"`,
);
export const FAILED_BEFORE = sql<{ readonly id: string }>(
  ({ indexedBy }) => `SELECT id FROM webhook_deliveries ${indexedBy('webhook_deliveries_by_status')}
  WHERE webhook_id = @webhookId AND status = 'failed' AND settled_at_ms <= @atMs ORDER BY id LIMIT @limit`,
);
export const SWEEP_WEBHOOK = sql(`DELETE FROM webhook_deliveries WHERE webhook_id = @id AND id IN
  (SELECT d.id FROM webhook_deliveries d WHERE d.webhook_id = @id ORDER BY d.id LIMIT @limit)`);
export const SWEEP_SETTLED = sql(
  ({ skipLocked }) => `DELETE FROM webhook_deliveries WHERE (webhook_id, id) IN (SELECT webhook_id, id FROM webhook_deliveries
    WHERE status = @status AND settled_at_ms IS NOT NULL AND settled_at_ms < @beforeMs ORDER BY settled_at_ms LIMIT @limit ${skipLocked})`,
);
