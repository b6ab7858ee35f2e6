import type { ActionContext } from '../../port/control.ts';
import type {
  DeliveryAttempt,
  DeliveryRow,
  DeliveryStatus,
  NewWebhook,
  WebhookChange,
  WebhookStore,
} from '../../port/resources/webhooks.ts';
import type { Connections, Queries } from '../connections.ts';
import type { ControlLog } from '../control-log.ts';
import { jsonText } from '../json-text.ts';
import * as sql from '../queries/webhooks.ts';
import { first } from '../runtime-reads.ts';
import type { PostgresLog } from './log.ts';
import { heldWebhook, WebhookTable } from './webhook-table.ts';

/** Sorts after every id. */
const LAST_ID = '~';

type Matched = Parameters<WebhookStore['enqueue']>[0];

/** Turns are given under the lock of their webhook: of two processes, the second sees what the first has done. */
export class PostgresWebhooks implements WebhookStore {
  readonly #connections: Connections;
  readonly #controlLog: ControlLog;
  readonly #log: PostgresLog;
  readonly #table: WebhookTable;

  constructor(connections: Connections, controlLog: ControlLog, log: PostgresLog) {
    this.#connections = connections;
    this.#controlLog = controlLog;
    this.#log = log;
    this.#table = new WebhookTable(connections, controlLog);
  }

  /** The end of the log is asked before the transaction begins, which it would wait for. */
  async create(webhook: NewWebhook, most: number, context: ActionContext) {
    return this.#table.create(webhook, most, context, await this.#log.end());
  }

  get(tenantId: string, id: string) {
    return this.#table.get(tenantId, id);
  }

  list(tenantId: string) {
    return this.#table.list(tenantId);
  }

  update(id: string, change: WebhookChange, type: 'webhook_updated' | 'webhook_disabled', context: ActionContext) {
    return this.#table.update(id, change, type, context);
  }

  remove(id: string, context: ActionContext) {
    return this.#table.remove(id, context);
  }

  recordTest(id: string, outcome: { readonly delivered: boolean }, context: ActionContext) {
    return this.#table.tested(id, outcome, context);
  }

  deliveries(
    webhookId: string,
    page: { readonly status?: DeliveryStatus; readonly before?: string; readonly limit: number },
  ): Promise<readonly DeliveryRow[]> {
    const { status, before = LAST_ID, limit } = page;
    return status === undefined
      ? this.#connections.query<DeliveryRow>(sql.DELIVERIES, [webhookId, before, limit])
      : this.#connections.query<DeliveryRow>(sql.DELIVERIES_OF_STATUS, [webhookId, before, limit, status]);
  }

  async delivery(webhookId: string, id: string) {
    return first(await this.#connections.query<DeliveryRow>(sql.DELIVERY_BY_ID, [webhookId, id]));
  }

  async replay(webhookId: string, id: string, context: ActionContext) {
    let replayed = false;
    await this.#controlLog.act(context, async (queries) => {
      await heldWebhook(queries, webhookId, context);
      replayed = (await putBack(queries, webhookId, [id], context.atMs)) > 0;
      const data = JSON.stringify({ webhook_id: webhookId, delivery_id: id });
      return replayed ? { type: 'webhook_replayed', data } : null;
    });
    return replayed;
  }

  async replayFailed(webhookId: string, limit: number, context: ActionContext) {
    let count = 0;
    await this.#controlLog.act(context, async (queries) => {
      await heldWebhook(queries, webhookId, context);
      const failed = await queries.query<{ id: string }>(sql.FAILED_BEFORE, [webhookId, context.atMs, limit]);
      const ids = failed.map(({ id }) => id);
      count = await putBack(queries, webhookId, ids, context.atMs);
      return count === 0
        ? null
        : { type: 'webhook_replayed', data: JSON.stringify({ webhook_id: webhookId, deliveries: count }) };
    });
    return count;
  }

  exists() {
    return this.#table.any();
  }

  async cursor() {
    const [row] = await this.#connections.query<{ position: string }>(sql.WEBHOOK_CURSOR);
    return row?.position ?? null;
  }

  enabled(tenantId: string) {
    return this.#table.listeners(tenantId);
  }

  enqueue({ from, to, deliveries, nowMs }: Matched) {
    return this.#connections.transaction(async (queries) => {
      if ((await queries.query(sql.MOVE_WEBHOOK_CURSOR, [from, to])).length === 0) return false;
      if (deliveries.length === 0) return true;
      await hold(queries, deliveries);
      const rows = deliveries.map(({ webhookId, id, executionId, seq, type }, place) => {
        return { place, webhook_id: webhookId, id, execution_id: executionId, seq, type };
      });
      await queries.query(sql.ADD_DELIVERIES, [jsonText(rows), nowMs]);
      return true;
    });
  }

  async withReadyDeliveries({ after, limit }: { readonly after: string; readonly limit: number }) {
    const rows = await this.#connections.query<{ id: string }>(sql.WAITING_WEBHOOKS, [after, limit]);
    return rows.map(({ id }) => id);
  }

  recipient(webhookId: string) {
    return this.#table.recipient(webhookId);
  }

  readyDeliveries(webhookId: string, limit: number): Promise<readonly DeliveryRow[]> {
    return this.#connections.query<DeliveryRow>(sql.TURNS, [webhookId, limit]);
  }

  async recordAttempts(outcomes: readonly DeliveryAttempt[]): Promise<void> {
    if (outcomes.length === 0) return;
    await this.#connections.transaction(async (queries) => {
      await hold(queries, outcomes);
      await Promise.all(outcomes.flatMap((outcome) => settle(queries, outcome)));
    });
  }

  sweep({ deliveredMs, failedMs }: { readonly deliveredMs: number; readonly failedMs: number }, limit: number) {
    return this.#connections.transaction(async (queries) => {
      let removed = await sweepDeleted(queries, limit);
      for (const [status, beforeMs] of [
        ['delivered', deliveredMs],
        ['failed', failedMs],
      ] as const) {
        if (removed < limit) removed += (await queries.query(sql.SWEEP_SETTLED, [status, beforeMs, limit - removed])).length;
      }
      return removed;
    });
  }
}

async function hold(queries: Queries, ofThem: readonly { readonly webhookId: string }[]): Promise<void> {
  await queries.query(sql.HOLD_WEBHOOKS, [[...new Set(ofThem.map(({ webhookId }) => webhookId))]]);
}

/** Sent in one go; they are carried out in this order. */
function settle(queries: Queries, outcome: DeliveryAttempt): readonly Promise<unknown>[] {
  const { webhookId, deliveryId, executionId, atMs, status, httpStatus, error, nextAttemptAtMs } = outcome;
  const settledAtMs = status === 'pending' ? null : atMs;
  const attempted = [webhookId, deliveryId, status, nextAttemptAtMs, atMs, httpStatus, error, settledAtMs];
  return [
    queries.query(sql.ATTEMPTED, attempted),
    ...(settledAtMs === null ? [] : [queries.query(sql.NEXT_TURN, [webhookId, executionId, atMs])]),
    status === 'delivered'
      ? queries.query(sql.WENT_WELL, [atMs, webhookId])
      : queries.query(sql.WENT_WRONG, [atMs, error, webhookId]),
  ];
}

async function putBack(queries: Queries, webhookId: string, ids: readonly string[], atMs: number): Promise<number> {
  const back = await queries.query<{ executionId: string }>(sql.REPLAY, [webhookId, ids]);
  const executions = new Set(back.map(({ executionId }) => executionId));
  await Promise.all([...executions].map((executionId) => queries.query(sql.NEXT_TURN, [webhookId, executionId, atMs])));
  return back.length;
}

async function sweepDeleted(queries: Queries, limit: number): Promise<number> {
  let removed = 0;
  for (const { id } of await queries.query<{ id: string }>(sql.DELETED_WEBHOOKS, [limit])) {
    if (removed >= limit) break;
    await queries.query(sql.HOLD_WEBHOOKS, [[id]]);
    removed += (await queries.query(sql.SWEEP_WEBHOOK, [id, limit - removed])).length;
    if (removed < limit) removed += (await queries.query(sql.FORGET_WEBHOOK, [id])).length;
  }
  return removed;
}
