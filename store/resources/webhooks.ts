import type { ActionContext } from '../port/control.ts';
import { StoreError } from '../port/errors.ts';
import type { GlobalEventLog } from '../port/resources/event-log.ts';
import {
  type DeliveryAttempt,
  type DeliveryRow,
  type DeliveryStatus,
  type NewWebhook,
  type Recipient,
  type WebhookChange,
  type WebhookRow,
  type WebhookStore,
  webhookData,
} from '../port/resources/webhooks.ts';
import type { ResourceDatabase } from './database.ts';
import * as sql from './queries/webhooks.ts';
import { all, get, type Query, run, runEach, runTogether, type Script } from './script.ts';

/** Sorts after every id. */
const AFTER_ALL = '~';

/** Deliveries are scheduled under the lock of their webhook: of two processes, the second sees what the first has done. */
export class Webhooks implements WebhookStore {
  readonly #db: ResourceDatabase;
  readonly #log: Pick<GlobalEventLog, 'end'>;

  constructor(db: ResourceDatabase, log: Pick<GlobalEventLog, 'end'>) {
    this.#db = db;
    this.#log = log;
  }

  /** The end of the log is read before the transaction begins: in PostgreSQL, it waits for the transactions in progress. */
  async create(webhook: NewWebhook, most: number, context: ActionContext): Promise<WebhookRow> {
    const position = await this.#log.end();
    return this.#db.act(context, function* () {
      const { tenantId, atMs } = context;
      if (((yield* get(sql.COUNT_WEBHOOKS, { tenantId }))?.count ?? 0) >= most)
        throw new StoreError('too_many_webhooks', `the tenant has ${most} webhooks, and may have no more`);
      if (!isTrue(yield* get(sql.ANY_WEBHOOK))) yield* run(sql.SET_WEBHOOK_CURSOR, { position });
      yield* run(sql.INSERT_WEBHOOK, { ...webhook, tenantId, events: JSON.stringify(webhook.events), atMs });
      const result = yield* lockWebhook(webhook.id, tenantId);
      return { event: { type: 'webhook_created', data: webhookData(webhook) }, result };
    });
  }

  get(tenantId: string, id: string): Promise<WebhookRow | null> {
    return this.#db.tenant(tenantId).get(sql.WEBHOOK_BY_ID, { tenantId, id });
  }

  list(tenantId: string): Promise<readonly WebhookRow[]> {
    return this.#db.tenant(tenantId).all(sql.WEBHOOKS, { tenantId });
  }

  update(
    id: string,
    change: WebhookChange,
    type: 'webhook_updated' | 'webhook_disabled',
    context: ActionContext,
  ): Promise<WebhookRow> {
    return this.#db.act(context, function* () {
      const webhook = { ...(yield* lockWebhook(id, context.tenantId)), ...change };
      yield* run(sql.UPDATE_WEBHOOK, { ...webhook, events: JSON.stringify(webhook.events), updatedAtMs: context.atMs });
      const result = yield* lockWebhook(id, context.tenantId);
      return { event: { type, data: webhookData(webhook, change) }, result };
    });
  }

  remove(id: string, context: ActionContext): Promise<void> {
    return this.#db.act(context, function* () {
      const webhook = yield* lockWebhook(id, context.tenantId);
      yield* run(sql.MARK_DELETED, { id, atMs: context.atMs, enabled: false });
      return { event: { type: 'webhook_deleted', data: webhookData(webhook) } };
    });
  }

  recordTest(id: string, { delivered }: { readonly delivered: boolean }, context: ActionContext): Promise<void> {
    return this.#db.act(context, function* () {
      yield* lockWebhook(id, context.tenantId);
      return { event: { type: 'webhook_tested', data: JSON.stringify({ webhook_id: id, delivered }) } };
    });
  }

  deliveries(
    webhookId: string,
    page: { readonly status?: DeliveryStatus; readonly before?: string; readonly limit: number },
  ): Promise<readonly DeliveryRow[]> {
    const statement = page.status === undefined ? sql.DELIVERIES : sql.DELIVERIES_OF_STATUS;
    return this.#db.runtime.all(statement, { ...page, before: page.before ?? AFTER_ALL, webhookId });
  }

  delivery(webhookId: string, id: string): Promise<DeliveryRow | null> {
    return this.#db.runtime.get(sql.DELIVERY_BY_ID, { webhookId, id });
  }

  replay(webhookId: string, id: string, context: ActionContext): Promise<boolean> {
    return this.#db.act(context, function* () {
      yield* lockWebhook(webhookId, context.tenantId);
      const result = (yield* reopen(webhookId, [id], context.atMs)) > 0;
      const data = JSON.stringify({ webhook_id: webhookId, delivery_id: id });
      return { event: result ? { type: 'webhook_replayed', data } : null, result };
    });
  }

  replayFailed(webhookId: string, limit: number, context: ActionContext): Promise<number> {
    return this.#db.act(context, function* () {
      const { tenantId, atMs } = context;
      yield* lockWebhook(webhookId, tenantId);
      const failed = yield* all(sql.FAILED_BEFORE, { webhookId, atMs, limit });
      const result = yield* reopen(
        webhookId,
        failed.map(({ id }) => id),
        atMs,
      );
      const data = JSON.stringify({ webhook_id: webhookId, deliveries: result });
      return { event: result === 0 ? null : { type: 'webhook_replayed', data }, result };
    });
  }

  async exists(): Promise<boolean> {
    return isTrue(await this.#db.runtime.get(sql.ANY_WEBHOOK));
  }

  async cursor(): Promise<string | null> {
    return (await this.#db.runtime.get(sql.WEBHOOK_CURSOR))?.position ?? null;
  }

  enabled(tenantId: string): Promise<readonly WebhookRow[]> {
    return this.#db.tenant(tenantId).all(sql.ENABLED_WEBHOOKS, { tenantId });
  }

  enqueue({ from, to, deliveries, nowMs }: Parameters<WebhookStore['enqueue']>[0]): Promise<boolean> {
    return this.#db.transaction(function* () {
      if ((yield* run(sql.MOVE_WEBHOOK_CURSOR, { from, to })) === 0) return false;
      yield* lockWebhooks(deliveries);
      yield* runEach(
        sql.INSERT_DELIVERY,
        deliveries.map((delivery) => ({ ...delivery, nowMs })),
      );
      return true;
    });
  }

  async withReadyDeliveries(page: { readonly after: string; readonly limit: number }): Promise<readonly string[]> {
    return (await this.#db.runtime.all(sql.WEBHOOKS_WITH_READY_DELIVERIES, page)).map(({ id }) => id);
  }

  recipient(webhookId: string): Promise<Recipient | null> {
    return this.#db.runtime.get(sql.RECIPIENT, { id: webhookId });
  }

  readyDeliveries(webhookId: string, limit: number): Promise<readonly DeliveryRow[]> {
    return this.#db.runtime.all(sql.READY_DELIVERIES, { webhookId, limit });
  }

  async recordAttempts(attempts: readonly DeliveryAttempt[]): Promise<void> {
    if (attempts.length === 0) return;
    await this.#db.transaction(function* () {
      yield* lockWebhooks(attempts);
      yield* runTogether(attempts.flatMap(queriesOf));
    });
  }

  sweep({ deliveredMs, failedMs }: { readonly deliveredMs: number; readonly failedMs: number }, limit: number): Promise<number> {
    return this.#db.transaction(function* () {
      let removed = yield* sweepDeleted(limit);
      removed += yield* run(sql.SWEEP_SETTLED, { status: 'delivered', beforeMs: deliveredMs, limit: limit - removed });
      removed += yield* run(sql.SWEEP_SETTLED, { status: 'failed', beforeMs: failedMs, limit: limit - removed });
      return removed;
    });
  }
}

/** Throws `unknown_webhook`. */
function* lockWebhook(id: string, tenantId: string): Script<WebhookRow> {
  const webhook = yield* get(sql.LOCK_WEBHOOK, { id, tenantId });
  if (webhook === null) throw new StoreError('unknown_webhook', `webhook ${id} not found`);
  return webhook;
}

function* lockWebhooks(deliveries: readonly { readonly webhookId: string }[]): Script<void> {
  yield* all(sql.LOCK_WEBHOOKS, { ids: [...new Set(deliveries.map(({ webhookId }) => webhookId))] });
}

/** Once a delivery is settled, the next one of its execution is due. */
function queriesOf(attempt: DeliveryAttempt): readonly Query[] {
  const settledAtMs = attempt.status === 'pending' ? null : attempt.atMs;
  const values = { ...attempt, settledAtMs };
  return [
    { statement: sql.RECORD_ATTEMPT, values },
    ...(settledAtMs === null ? [] : [{ statement: sql.SCHEDULE_NEXT, values }]),
    { statement: attempt.status === 'delivered' ? sql.RECORD_SUCCESS : sql.RECORD_FAILURE, values },
  ];
}

/** Returns the number of deliveries that were settled and are pending again. */
function* reopen(webhookId: string, ids: readonly string[], atMs: number): Script<number> {
  const reopened = yield* all(sql.REOPEN_DELIVERIES, { webhookId, ids });
  const executions = new Set(reopened.map(({ executionId }) => executionId));
  yield* runEach(
    sql.SCHEDULE_NEXT,
    [...executions].map((executionId) => ({ webhookId, executionId, atMs })),
  );
  return reopened.length;
}

function* sweepDeleted(limit: number): Script<number> {
  let removed = 0;
  for (const { id } of yield* all(sql.DELETED_WEBHOOKS, { limit })) {
    if (removed >= limit) break;
    yield* all(sql.LOCK_WEBHOOKS, { ids: [id] });
    removed += yield* run(sql.SWEEP_WEBHOOK, { id, limit: limit - removed });
    if (removed < limit) removed += yield* run(sql.DELETE_WEBHOOK, { id });
  }
  return removed;
}

function isTrue(row: { readonly any: number | boolean } | null): boolean {
  return Boolean(row?.any);
}
