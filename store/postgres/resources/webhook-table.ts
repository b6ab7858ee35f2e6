import type { ActionContext } from '../../port/control.ts';
import { StoreError } from '../../port/errors.ts';
import {
  type NewWebhook,
  type Recipient,
  type WebhookChange,
  type WebhookRow,
  webhookData,
} from '../../port/resources/webhooks.ts';
import type { Connections, Queries } from '../connections.ts';
import type { ControlLog } from '../control-log.ts';
import * as sql from '../queries/webhooks.ts';

/** As it is held. */
type Stored = Omit<WebhookRow, 'events'> & { readonly events: string };

/** The webhooks themselves. */
export class WebhookTable {
  readonly #connections: Connections;
  readonly #log: ControlLog;

  constructor(connections: Connections, log: ControlLog) {
    this.#connections = connections;
    this.#log = log;
  }

  /** The first of all begins at `cursor`. */
  async create(webhook: NewWebhook, most: number, context: ActionContext, cursor: string): Promise<WebhookRow> {
    const { tenantId, atMs } = context;
    await this.#log.act(context, async (queries) => {
      const [known] = await queries.query<{ count: number }>(sql.COUNT_WEBHOOKS, [tenantId]);
      if ((known?.count ?? 0) >= most) {
        throw new StoreError('too_many_webhooks', `the tenant has ${most} webhooks, and may have no more`);
      }
      if (!(await isAny(queries))) await queries.query(sql.SET_WEBHOOK_CURSOR, [cursor]);
      const { id, url, events, workflowId, description, enabled, secret } = webhook;
      const row = [id, tenantId, url, JSON.stringify(events), workflowId, description, enabled, secret, atMs];
      await queries.query(sql.CREATE_WEBHOOK, row);
      return { type: 'webhook_created', data: webhookData(webhook) };
    });
    return this.#known(tenantId, webhook.id);
  }

  async get(tenantId: string, id: string): Promise<WebhookRow | null> {
    const [row] = await this.#connections.asTenant<Stored>(tenantId, sql.WEBHOOK_BY_ID, [id, tenantId]);
    return row === undefined ? null : webhookOf(row);
  }

  async list(tenantId: string): Promise<readonly WebhookRow[]> {
    return (await this.#connections.asTenant<Stored>(tenantId, sql.WEBHOOKS, [tenantId])).map(webhookOf);
  }

  async listeners(tenantId: string): Promise<readonly WebhookRow[]> {
    return (await this.#connections.asTenant<Stored>(tenantId, sql.LISTENERS, [tenantId])).map(webhookOf);
  }

  any(): Promise<boolean> {
    return isAny(this.#connections);
  }

  async update(id: string, change: WebhookChange, type: string, context: ActionContext): Promise<WebhookRow> {
    await this.#log.act(context, async (queries) => {
      const webhook = { ...(await heldWebhook(queries, id, context)), ...change };
      const { url, events, workflowId, description, enabled, disabledReason, secret, previousSecret, previousUntilMs } = webhook;
      const changed = [url, JSON.stringify(events), workflowId, description, enabled, disabledReason, secret];
      await queries.query(sql.CHANGE_WEBHOOK, [id, ...changed, previousSecret, previousUntilMs, context.atMs]);
      return { type, data: webhookData(webhook, change) };
    });
    return this.#known(context.tenantId, id);
  }

  remove(id: string, context: ActionContext): Promise<void> {
    return this.#log.act(context, async (queries) => {
      const webhook = await heldWebhook(queries, id, context);
      await queries.query(sql.DELETE_WEBHOOK, [context.atMs, id]);
      return { type: 'webhook_deleted', data: webhookData(webhook) };
    });
  }

  tested(id: string, { delivered }: { readonly delivered: boolean }, context: ActionContext): Promise<void> {
    return this.#log.act(context, async (queries) => {
      await heldWebhook(queries, id, context);
      return { type: 'webhook_tested', data: JSON.stringify({ webhook_id: id, delivered }) };
    });
  }

  async recipient(id: string): Promise<Recipient | null> {
    const [row] = await this.#connections.query<Stored & Pick<Recipient, 'tenantStatus'>>(sql.RECIPIENT, [id]);
    if (row === undefined) return null;
    const { tenantStatus, ...stored } = row;
    return { webhook: webhookOf(stored), tenantStatus };
  }

  async #known(tenantId: string, id: string): Promise<WebhookRow> {
    const webhook = await this.get(tenantId, id);
    if (webhook === null) throw unknown(id);
    return webhook;
  }
}

/** Throws `unknown_webhook`. Until the transaction ends, nobody else changes it or the turns of its deliveries. */
export async function heldWebhook(queries: Queries, id: string, { tenantId }: ActionContext): Promise<WebhookRow> {
  const [row] = await queries.query<Stored>(sql.HOLD_WEBHOOK, [id, tenantId]);
  if (row === undefined) throw unknown(id);
  return webhookOf(row);
}

async function isAny(queries: Pick<Queries, 'query'>): Promise<boolean> {
  const [row] = await queries.query<{ any: boolean }>(sql.ANY_WEBHOOK);
  return row?.any === true;
}

function unknown(id: string): StoreError {
  return new StoreError('unknown_webhook', `webhook ${id}`);
}

function webhookOf(row: Stored): WebhookRow {
  return { ...row, events: JSON.parse(row.events) as string[] };
}
