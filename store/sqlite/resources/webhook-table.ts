import type { Database, Statement } from 'better-sqlite3';
import type { ActionContext } from '../../port/control.ts';
import { StoreError } from '../../port/errors.ts';
import {
  type NewWebhook,
  type Recipient,
  type WebhookChange,
  type WebhookRow,
  webhookData,
} from '../../port/resources/webhooks.ts';
import type { ControlLog } from '../control-log.ts';
import * as sql from '../queries/webhooks.ts';

/** As SQLite holds it. */
type Stored = Omit<WebhookRow, 'events' | 'enabled'> & { readonly events: string; readonly enabled: number };

/** The webhooks themselves. */
export class WebhookTable {
  readonly #log: ControlLog;
  readonly #create: Statement;
  readonly #byId: Statement<[string, string], Stored>;
  readonly #all: Statement<[string], Stored>;
  readonly #listeners: Statement<[string], Stored>;
  readonly #count: Statement<[string], number>;
  readonly #any: Statement<[], number>;
  readonly #change: Statement;
  readonly #delete: Statement;
  readonly #recipient: Statement<[string], Stored & Pick<Recipient, 'tenantStatus'>>;

  constructor(db: Database, log: ControlLog) {
    this.#log = log;
    this.#create = db.prepare(sql.CREATE_WEBHOOK);
    this.#byId = db.prepare(sql.WEBHOOK_BY_ID);
    this.#all = db.prepare(sql.WEBHOOKS);
    this.#listeners = db.prepare(sql.LISTENERS);
    this.#count = db.prepare<[string], number>(sql.COUNT_WEBHOOKS).pluck();
    this.#any = db.prepare<[], number>(sql.ANY_WEBHOOK).pluck();
    this.#change = db.prepare(sql.CHANGE_WEBHOOK);
    this.#delete = db.prepare(sql.DELETE_WEBHOOK);
    this.#recipient = db.prepare(sql.RECIPIENT);
  }

  /** `first` is called when there is no other, in the same transaction. */
  create(webhook: NewWebhook, most: number, context: ActionContext, first: () => void): WebhookRow {
    const { tenantId, atMs } = context;
    this.#log.act(context, () => {
      if ((this.#count.get(tenantId) ?? 0) >= most) {
        throw new StoreError('too_many_webhooks', `the tenant has ${most} webhooks, and may have no more`);
      }
      if (!this.any()) first();
      this.#create.run({ ...webhook, tenantId, events: JSON.stringify(webhook.events), enabled: Number(webhook.enabled), atMs });
      return { type: 'webhook_created', data: webhookData(webhook) };
    });
    return this.known(tenantId, webhook.id);
  }

  get(tenantId: string, id: string): WebhookRow | null {
    const row = this.#byId.get(id, tenantId);
    return row === undefined ? null : webhookOf(row);
  }

  /** Throws `unknown_webhook`. */
  known(tenantId: string, id: string): WebhookRow {
    const webhook = this.get(tenantId, id);
    if (webhook === null) throw new StoreError('unknown_webhook', `webhook ${id}`);
    return webhook;
  }

  list(tenantId: string): readonly WebhookRow[] {
    return this.#all.all(tenantId).map(webhookOf);
  }

  listeners(tenantId: string): readonly WebhookRow[] {
    return this.#listeners.all(tenantId).map(webhookOf);
  }

  any(): boolean {
    return this.#any.get() === 1;
  }

  update(id: string, change: WebhookChange, type: string, context: ActionContext): WebhookRow {
    this.#log.act(context, () => {
      const webhook = { ...this.known(context.tenantId, id), ...change };
      const { events, enabled } = webhook;
      this.#change.run({ ...webhook, events: JSON.stringify(events), enabled: Number(enabled), updatedAtMs: context.atMs });
      return { type, data: webhookData(webhook, change) };
    });
    return this.known(context.tenantId, id);
  }

  remove(id: string, context: ActionContext): void {
    this.#log.act(context, () => {
      const webhook = this.known(context.tenantId, id);
      this.#delete.run({ id, tenantId: context.tenantId, atMs: context.atMs });
      return { type: 'webhook_deleted', data: webhookData(webhook) };
    });
  }

  tested(id: string, { delivered }: { readonly delivered: boolean }, context: ActionContext): void {
    this.#log.act(context, () => {
      this.known(context.tenantId, id);
      return { type: 'webhook_tested', data: JSON.stringify({ webhook_id: id, delivered }) };
    });
  }

  recipient(id: string): Recipient | null {
    const row = this.#recipient.get(id);
    if (row === undefined) return null;
    const { tenantStatus, ...stored } = row;
    return { webhook: webhookOf(stored), tenantStatus };
  }
}

function webhookOf(row: Stored): WebhookRow {
  return { ...row, events: JSON.parse(row.events) as string[], enabled: row.enabled === 1 };
}
