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
  /** Why the runtime turned it off; null when it did not. */
  readonly disabledReason: string | null;
  readonly secret: string;
  /** Signs beside the new one until `previousUntilMs`. */
  readonly previousSecret: string | null;
  readonly previousUntilMs: number | null;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  readonly lastDeliveredAtMs: number | null;
  readonly lastFailedAtMs: number | null;
  readonly lastFailure: string | null;
  /** Attempts that failed since the last that did not. */
  readonly failures: number;
}

export type NewWebhook = Pick<
  WebhookRow,
  'id' | 'tenantId' | 'url' | 'events' | 'workflowId' | 'description' | 'enabled' | 'secret'
>;

/** What is absent stays as it is. */
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
  /** Sorts by the time it was made. */
  readonly id: string;
  readonly webhookId: string;
  readonly tenantId: string;
  readonly executionId: string;
  readonly seq: number;
  /** snake_case. */
  readonly type: string;
  readonly status: DeliveryStatus;
  /** Since it was made, or put back. */
  readonly attempts: number;
  /** Null when it is settled, or waits for an earlier one of its execution. */
  readonly nextAttemptAtMs: number | null;
  readonly lastAttemptAtMs: number | null;
  /** HTTP status; null when there was no answer. */
  readonly lastStatus: number | null;
  readonly lastError: string | null;
  readonly createdAtMs: number;
  readonly settledAtMs: number | null;
}

export type NewDelivery = Pick<DeliveryRow, 'id' | 'webhookId' | 'executionId' | 'seq' | 'type'>;

/** How an attempt ended. */
export interface DeliveryAttempt {
  readonly webhookId: string;
  readonly deliveryId: string;
  readonly executionId: string;
  readonly atMs: number;
  readonly status: DeliveryStatus;
  readonly httpStatus: number | null;
  /** Null when it was delivered. */
  readonly error: string | null;
  /** When it is tried again; null when it is settled. */
  readonly nextAttemptAtMs: number | null;
}

/** What the runtime must know to send. */
export interface Recipient {
  readonly webhook: WebhookRow;
  readonly tenantStatus: TenantRow['status'];
}

/**
 * Webhooks, and what is to be delivered to them. Per webhook and execution, deliveries have their turn one after the other, in the order
 * of the log; one that was put back has its turn after the one whose turn it is.
 */
export interface WebhookStore {
  /**
   * For the tenant of the context, and logged. The first of all webhooks is told of what is committed from now on. Rejects with
   * `too_many_webhooks` when the tenant has `most`.
   */
  create(webhook: NewWebhook, most: number, context: ActionContext): Promise<WebhookRow>;
  get(tenantId: string, id: string): Promise<WebhookRow | null>;
  /** Oldest first. */
  list(tenantId: string): Promise<readonly WebhookRow[]>;
  /** Logged as `type`, for the tenant of the context. Rejects with `unknown_webhook`; so do `remove`, `replay` and `tested`. */
  update(
    id: string,
    change: WebhookChange,
    type: 'webhook_updated' | 'webhook_disabled',
    context: ActionContext,
  ): Promise<WebhookRow>;
  /** Its deliveries are out of sight at once; `sweep` removes them. Logged. */
  remove(id: string, context: ActionContext): Promise<void>;
  /** Logs that an event was sent for a try. */
  recordTest(id: string, outcome: { readonly delivered: boolean }, context: ActionContext): Promise<void>;

  /** Newest first, `before` (an id) exclusive. */
  deliveries(
    webhookId: string,
    page: { readonly status?: DeliveryStatus; readonly before?: string; readonly limit: number },
  ): Promise<readonly DeliveryRow[]>;
  delivery(webhookId: string, id: string): Promise<DeliveryRow | null>;
  /** Puts a settled delivery back, to be attempted anew; false when it is not settled. Logged. */
  replay(webhookId: string, id: string, context: ActionContext): Promise<boolean>;
  /**
   * Puts back those that failed before the moment of the context, `limit` at most, and answers how many it were: fewer than that = there
   * are no more. Logged when there was one.
   */
  replayFailed(webhookId: string, limit: number, context: ActionContext): Promise<number>;

  // What the runtime itself does, across tenants.
  /** Is there any? */
  exists(): Promise<boolean>;
  /** How far the log has been matched; null before the first webhook. */
  cursor(): Promise<string | null>;
  /** The enabled webhooks of a tenant. */
  enabled(tenantId: string): Promise<readonly WebhookRow[]>;
  /**
   * Adds deliveries, in the order of the log, and moves the cursor, in one transaction. False, and nothing is done, unless the cursor
   * stands at `from`. A webhook that has been removed meanwhile gets none.
   */
  enqueue(matched: {
    readonly from: string;
    readonly to: string;
    readonly deliveries: readonly NewDelivery[];
    readonly nowMs: number;
  }): Promise<boolean>;
  /** Ids of webhooks that are enabled and have something to deliver, `after` exclusive. */
  withReadyDeliveries(page: { readonly after: string; readonly limit: number }): Promise<readonly string[]>;
  recipient(webhookId: string): Promise<Recipient | null>;
  /** Those whose turn it is, one per execution, by the time of their next attempt, due or not. */
  readyDeliveries(webhookId: string, limit: number): Promise<readonly DeliveryRow[]>;
  /** Writes down how attempts ended, and gives the next of their executions their turn, in one transaction. */
  recordAttempts(outcomes: readonly DeliveryAttempt[]): Promise<void>;
  /**
   * Removes up to `limit` rows of what nobody asks for any more: deliveries of removed webhooks, and what was delivered, or failed, before.
   * Answers how many; fewer than `limit` = all gone.
   */
  sweep(before: { readonly deliveredMs: number; readonly failedMs: number }, limit: number): Promise<number>;
}

/** What the audit log keeps: not the URL, whose path or query may hold a secret, but where it leads. The same for every engine. */
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
