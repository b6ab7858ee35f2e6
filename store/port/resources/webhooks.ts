import type { ActionContext } from '../control.ts';
import type { TenantRow } from './tenants.ts';

export interface WebhookRow {
  readonly id: string;
  readonly tenantId: string;
  readonly url: string;
  /** Types of events in snake_case; `*` alone = all. */
  readonly events: readonly string[];
  /** Null = executions of any workflow. */
  readonly workflowId: string | null;
  readonly description: string | null;
  readonly enabled: boolean;
  /** Why the runtime disabled it; null when it did not. */
  readonly disabledReason: string | null;
  readonly secret: string;
  /** Signs deliveries beside the new secret until `previousUntilMs`. */
  readonly previousSecret: string | null;
  readonly previousUntilMs: number | null;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  readonly lastDeliveredAtMs: number | null;
  readonly lastFailedAtMs: number | null;
  readonly lastFailure: string | null;
  /** Failed attempts since the last successful one. */
  readonly failures: number;
}

export type NewWebhook = Pick<
  WebhookRow,
  'id' | 'tenantId' | 'url' | 'events' | 'workflowId' | 'description' | 'enabled' | 'secret'
>;

/** Absent fields stay as they are. */
export type WebhookChange = Partial<
  Pick<
    WebhookRow,
    | 'url'
    | 'events'
    | 'workflowId'
    | 'description'
    | 'enabled'
    | 'disabledReason'
    | 'secret'
    | 'previousSecret'
    | 'previousUntilMs'
  >
>;

export const DELIVERY_STATUSES = ['pending', 'delivered', 'failed'] as const;
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number];

/** One event for one webhook. */
export interface DeliveryRow {
  /** Sorts by creation time. */
  readonly id: string;
  readonly webhookId: string;
  readonly tenantId: string;
  readonly executionId: string;
  readonly seq: number;
  /** snake_case. */
  readonly type: string;
  readonly status: DeliveryStatus;
  /** Attempts since it was created or replayed. */
  readonly attempts: number;
  /** Null when the delivery is settled, or waits for an earlier delivery of its execution. */
  readonly nextAttemptAtMs: number | null;
  readonly lastAttemptAtMs: number | null;
  /** HTTP status; null when there was no response. */
  readonly lastStatus: number | null;
  readonly lastError: string | null;
  readonly createdAtMs: number;
  readonly settledAtMs: number | null;
}

export type NewDelivery = Pick<DeliveryRow, 'id' | 'webhookId' | 'executionId' | 'seq' | 'type'>;

/** The result of an attempt. */
export interface DeliveryAttempt {
  readonly webhookId: string;
  readonly deliveryId: string;
  readonly executionId: string;
  readonly atMs: number;
  readonly status: DeliveryStatus;
  readonly httpStatus: number | null;
  /** Null when the attempt succeeded. */
  readonly error: string | null;
  /** Time of the next attempt; null when the delivery is settled. */
  readonly nextAttemptAtMs: number | null;
}

/** What the sender needs to know. */
export interface Recipient {
  readonly webhook: WebhookRow;
  readonly tenantStatus: TenantRow['status'];
}

/**
 * Webhooks and their deliveries. The deliveries of one execution to one webhook are attempted one after the other, in the order of the log; a
 * replayed delivery follows the one that is being attempted.
 */
export interface WebhookStore {
  /**
   * Creates a webhook for the tenant of the context. Logged. Deliveries begin with the next commit. Rejects with `too_many_webhooks` when the
   * tenant has `most` already.
   */
  create(webhook: NewWebhook, most: number, context: ActionContext): Promise<WebhookRow>;
  get(tenantId: string, id: string): Promise<WebhookRow | null>;
  /** Oldest first. */
  list(tenantId: string): Promise<readonly WebhookRow[]>;
  /** Logged as `type`, for the tenant of the context. Rejects with `unknown_webhook`, as do `remove`, `replay` and `recordTest`. */
  update(
    id: string,
    change: WebhookChange,
    type: 'webhook_updated' | 'webhook_disabled',
    context: ActionContext,
  ): Promise<WebhookRow>;
  /** Its deliveries are hidden at once; `sweep` deletes them later. Logged. */
  remove(id: string, context: ActionContext): Promise<void>;
  /** Logs that a test event was sent. */
  recordTest(id: string, outcome: { readonly delivered: boolean }, context: ActionContext): Promise<void>;

  /** Newest first, `before` (an id) exclusive. */
  deliveries(
    webhookId: string,
    page: { readonly status?: DeliveryStatus; readonly before?: string; readonly limit: number },
  ): Promise<readonly DeliveryRow[]>;
  delivery(webhookId: string, id: string): Promise<DeliveryRow | null>;
  /** Makes a settled delivery pending again; false when it is not settled. Logged. */
  replay(webhookId: string, id: string, context: ActionContext): Promise<boolean>;
  /**
   * Replays deliveries that failed before the time of the context, at most `limit`. Resolves to their number; fewer than `limit` = there are no more.
   * Logged unless there was none.
   */
  replayFailed(webhookId: string, limit: number, context: ActionContext): Promise<number>;

  // For the dispatcher, across tenants.
  /** Whether there is any webhook. */
  exists(): Promise<boolean>;
  /** The position up to which the log has been matched with webhooks; null before the first webhook. */
  cursor(): Promise<string | null>;
  /** The tenant's enabled webhooks. */
  enabled(tenantId: string): Promise<readonly WebhookRow[]>;
  /**
   * Adds deliveries, in the order of the log, and moves the cursor, in one transaction. False, and nothing is changed, unless the cursor is at
   * `from`. Skips webhooks that have been removed meanwhile.
   */
  enqueue(matched: {
    readonly from: string;
    readonly to: string;
    readonly deliveries: readonly NewDelivery[];
    readonly nowMs: number;
  }): Promise<boolean>;
  /** Ids of enabled webhooks with a delivery to attempt, `after` exclusive. */
  withReadyDeliveries(page: { readonly after: string; readonly limit: number }): Promise<readonly string[]>;
  recipient(webhookId: string): Promise<Recipient | null>;
  /** The deliveries to attempt next, one per execution, by the time of their next attempt, due or not. */
  readyDeliveries(webhookId: string, limit: number): Promise<readonly DeliveryRow[]>;
  /** Records the results of attempts and schedules the next deliveries of their executions, in one transaction. */
  recordAttempts(outcomes: readonly DeliveryAttempt[]): Promise<void>;
  /**
   * Deletes up to `limit` rows: deliveries of removed webhooks, and deliveries that succeeded, or failed, before the given times. Resolves to their
   * number; fewer than `limit` = none is left.
   */
  sweep(before: { readonly deliveredMs: number; readonly failedMs: number }, limit: number): Promise<number>;
}

/** The data for the audit log: the host alone, since the path or query of the URL may hold a secret. */
export function webhookData(webhook: NewWebhook, change: WebhookChange = {}): string {
  const { id, url, events, workflowId, enabled } = webhook;
  return JSON.stringify({
    webhook_id: id,
    host: new URL(url).host,
    events,
    workflow_id: workflowId,
    enabled,
    ...(change.secret === undefined ? {} : { secret_rotated: true }),
    ...(typeof change.disabledReason === 'string' ? { reason: change.disabledReason } : {}),
  });
}
