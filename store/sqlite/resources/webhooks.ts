import type { Database, Statement } from 'better-sqlite3';
import type { ActionContext } from '../../port/control.ts';
import type {
  DeliveryAttempt,
  DeliveryRow,
  DeliveryStatus,
  NewDelivery,
  NewWebhook,
  WebhookChange,
  WebhookStore,
} from '../../port/resources/webhooks.ts';
import type { ControlLog } from '../control-log.ts';
import { guarded } from '../errors.ts';
import * as sql from '../queries/webhooks.ts';
import type { Transactions } from '../transactions.ts';
import type { SqliteLog } from './log.ts';
import { WebhookTable } from './webhook-table.ts';

/** Sorts after every id. */
const LAST_ID = '~';

type Page = { readonly webhookId: string; readonly status?: DeliveryStatus; readonly before: string; readonly limit: number };
type Key = { readonly id: string; readonly executionId: string };
type Cursor = Parameters<WebhookStore['enqueue']>[0];

export class SqliteWebhooks implements WebhookStore {
  readonly #transactions: Transactions;
  readonly #controlLog: ControlLog;
  readonly #log: SqliteLog;
  readonly #table: WebhookTable;
  readonly #cursor: Statement<[], string>;
  readonly #setCursor: Statement<[string]>;
  readonly #add: Statement<[NewDelivery & { readonly nowMs: number }]>;
  readonly #list: Statement<[Page], DeliveryRow>;
  readonly #ofStatus: Statement<[Page], DeliveryRow>;
  readonly #byId: Statement<[string, string], DeliveryRow>;
  readonly #turns: Statement<[string, number], DeliveryRow>;
  readonly #waiting: Statement<[string, number], string>;
  readonly #attempted: Statement;
  readonly #nextTurn: Statement;
  readonly #wentWell: Statement<[number, string]>;
  readonly #wentWrong: Statement<[number, string | null, string]>;
  readonly #replay: Statement;
  readonly #failedBefore: Statement<[string, number, number], Key>;
  readonly #deleted: Statement<[], string>;
  readonly #sweepWebhook: Statement;
  readonly #forgetWebhook: Statement<[string]>;
  readonly #settledBefore: Statement<[string, number, number], { readonly webhookId: string; readonly id: string }>;
  readonly #forget: Statement<[string, string]>;

  constructor(db: Database, transactions: Transactions, controlLog: ControlLog, log: SqliteLog) {
    this.#transactions = transactions;
    this.#controlLog = controlLog;
    this.#log = log;
    this.#table = new WebhookTable(db, controlLog);
    this.#cursor = db.prepare<[], string>(sql.WEBHOOK_CURSOR).pluck();
    this.#setCursor = db.prepare(sql.SET_WEBHOOK_CURSOR);
    this.#add = db.prepare(sql.ADD_DELIVERY);
    this.#list = db.prepare(sql.DELIVERIES);
    this.#ofStatus = db.prepare(sql.DELIVERIES_OF_STATUS);
    this.#byId = db.prepare(sql.DELIVERY_BY_ID);
    this.#turns = db.prepare(sql.TURNS);
    this.#waiting = db.prepare<[string, number], string>(sql.WAITING_WEBHOOKS).pluck();
    this.#attempted = db.prepare(sql.ATTEMPTED);
    this.#nextTurn = db.prepare(sql.NEXT_TURN);
    this.#wentWell = db.prepare(sql.WENT_WELL);
    this.#wentWrong = db.prepare(sql.WENT_WRONG);
    this.#replay = db.prepare(sql.REPLAY);
    this.#failedBefore = db.prepare(sql.FAILED_BEFORE);
    this.#deleted = db.prepare<[], string>(sql.DELETED_WEBHOOK).pluck();
    this.#sweepWebhook = db.prepare(sql.SWEEP_WEBHOOK);
    this.#forgetWebhook = db.prepare(sql.FORGET_WEBHOOK);
    this.#settledBefore = db.prepare(sql.SETTLED_BEFORE);
    this.#forget = db.prepare(sql.FORGET_DELIVERY);
  }

  create(webhook: NewWebhook, most: number, context: ActionContext) {
    return guarded(() => this.#table.create(webhook, most, context, () => void this.#setCursor.run(this.#log.endNow())));
  }

  get(tenantId: string, id: string) {
    return guarded(() => this.#table.get(tenantId, id));
  }

  list(tenantId: string) {
    return guarded(() => this.#table.list(tenantId));
  }

  update(id: string, change: WebhookChange, type: 'webhook_updated' | 'webhook_disabled', context: ActionContext) {
    return guarded(() => this.#table.update(id, change, type, context));
  }

  remove(id: string, context: ActionContext) {
    return guarded(() => this.#table.remove(id, context));
  }

  recordTest(id: string, outcome: { readonly delivered: boolean }, context: ActionContext) {
    return guarded(() => this.#table.tested(id, outcome, context));
  }

  deliveries(webhookId: string, page: Omit<Partial<Page>, 'webhookId'> & { readonly limit: number }) {
    const { status, before = LAST_ID, limit } = page;
    return guarded(() =>
      status === undefined
        ? this.#list.all({ webhookId, before, limit })
        : this.#ofStatus.all({ webhookId, status, before, limit }),
    );
  }

  delivery(webhookId: string, id: string) {
    return guarded(() => this.#byId.get(webhookId, id) ?? null);
  }

  replay(webhookId: string, id: string, context: ActionContext) {
    return guarded(() => {
      let replayed = false;
      this.#controlLog.act(context, () => {
        this.#table.known(context.tenantId, webhookId);
        const executionId = this.#byId.get(webhookId, id)?.executionId;
        if (executionId === undefined) return null;
        replayed = this.#replay.run({ webhookId, id, executionId, atMs: context.atMs }).changes > 0;
        const data = JSON.stringify({ webhook_id: webhookId, delivery_id: id });
        return replayed ? { type: 'webhook_replayed', data } : null;
      });
      return replayed;
    });
  }

  replayFailed(webhookId: string, limit: number, context: ActionContext) {
    return guarded(() => {
      let count = 0;
      this.#controlLog.act(context, () => {
        this.#table.known(context.tenantId, webhookId);
        const failed = this.#failedBefore.all(webhookId, context.atMs, limit);
        for (const row of failed) this.#replay.run({ ...row, webhookId, atMs: context.atMs });
        count = failed.length;
        return count === 0
          ? null
          : { type: 'webhook_replayed', data: JSON.stringify({ webhook_id: webhookId, deliveries: count }) };
      });
      return count;
    });
  }

  exists() {
    return guarded(() => this.#table.any());
  }

  cursor() {
    return guarded(() => this.#cursor.get() ?? null);
  }

  enabled(tenantId: string) {
    return guarded(() => this.#table.listeners(tenantId));
  }

  enqueue({ from, to, deliveries, nowMs }: Cursor) {
    return guarded(() =>
      this.#transactions.write(() => {
        if (this.#cursor.get() !== from) return { commit: false, result: false };
        for (const delivery of deliveries) this.#add.run({ ...delivery, nowMs });
        this.#setCursor.run(to);
        return { commit: true, result: true };
      }),
    );
  }

  withReadyDeliveries({ after, limit }: { readonly after: string; readonly limit: number }) {
    return guarded(() => this.#waiting.all(after, limit));
  }

  recipient(webhookId: string) {
    return guarded(() => this.#table.recipient(webhookId));
  }

  readyDeliveries(webhookId: string, limit: number) {
    return guarded(() => this.#turns.all(webhookId, limit));
  }

  recordAttempts(outcomes: readonly DeliveryAttempt[]) {
    return guarded(() =>
      this.#transactions.write(() => {
        for (const outcome of outcomes) this.#settle(outcome);
        return { commit: true, result: undefined };
      }),
    );
  }

  #settle(outcome: DeliveryAttempt): void {
    const { webhookId, executionId, atMs, status, error } = outcome;
    const settledAtMs = status === 'pending' ? null : atMs;
    if (this.#attempted.run({ ...outcome, settledAtMs }).changes > 0 && settledAtMs !== null) {
      this.#nextTurn.run({ webhookId, executionId, atMs });
    }
    if (status === 'delivered') this.#wentWell.run(atMs, webhookId);
    else this.#wentWrong.run(atMs, error, webhookId);
  }

  sweep({ deliveredMs, failedMs }: { readonly deliveredMs: number; readonly failedMs: number }, limit: number) {
    return guarded(() =>
      this.#transactions.write(() => {
        let removed = this.#sweepDeleted(limit);
        for (const [status, beforeMs] of [
          ['delivered', deliveredMs],
          ['failed', failedMs],
        ] as const) {
          for (const { webhookId, id } of this.#settledBefore.all(status, beforeMs, limit - removed)) {
            removed += this.#forget.run(webhookId, id).changes;
          }
        }
        return { commit: removed > 0, result: removed };
      }),
    );
  }

  #sweepDeleted(limit: number): number {
    let removed = 0;
    while (removed < limit) {
      const webhookId = this.#deleted.get();
      if (webhookId === undefined) break;
      const { changes } = this.#sweepWebhook.run({ webhookId, limit: limit - removed });
      removed += changes;
      if (removed < limit) removed += this.#forgetWebhook.run(webhookId).changes;
    }
    return removed;
  }
}
