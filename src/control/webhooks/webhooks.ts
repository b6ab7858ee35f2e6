import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import type { ActionContext } from '../../../store/port/control.ts';
import type {
  DeliveryRow,
  DeliveryStatus,
  NewWebhook,
  WebhookChange,
  WebhookRow,
} from '../../../store/port/resources/webhooks.ts';
import { Slots } from '../../runtime/activities/local/slots.ts';
import { RuntimeError, truncated } from '../../runtime/errors.ts';
import type { ControlDeps, SingletonService } from '../service.ts';
import type { Tenants } from '../tenants.ts';
import { Deliverer } from './deliverer.ts';
import { DeliveryCleanup } from './delivery-cleanup.ts';
import { Matcher } from './matcher.ts';
import { type AttemptResult, Sender } from './sender.ts';
import { newSecret } from './signature.ts';

/** Every webhook is matched against every event of its tenant. */
const MAX_WEBHOOKS_PER_TENANT = 100;
/** How long messages are also signed with the previous secret after a rotation. */
const SECRET_OVERLAP_MS = 24 * 3_600_000;
const REPLAY_BATCH_SIZE = 200;
/** Concurrent tests of one tenant; `Slots` derives the total of all tenants. */
const MAX_TESTS_PER_TENANT = 16;

export type WebhookDefinition = Pick<NewWebhook, 'url' | 'events' | 'workflowId' | 'description' | 'enabled'>;

/** Manages webhooks and delivers events to them: at least once, in order per execution, without delaying commits. */
export class Webhooks implements SingletonService {
  readonly #deps: ControlDeps;
  readonly #sender: Sender;
  readonly #deliverer: Deliverer;
  readonly #matcher: Matcher;
  readonly #cleanup: DeliveryCleanup;
  readonly #unsubscribe: () => void;
  readonly #closing = new AbortController();
  readonly #tests = new Slots<never>(MAX_TESTS_PER_TENANT);

  constructor(deps: ControlDeps, tenants: Pick<Tenants, 'onChange'>) {
    this.#deps = deps;
    // Every test in flight adds a listener.
    setMaxListeners(0, this.#closing.signal);
    this.#sender = new Sender(deps);
    this.#deliverer = new Deliverer({ deps, sender: this.#sender, onGone: (webhook) => this.#disable(webhook) });
    this.#matcher = new Matcher(deps, (webhookId) => this.#deliverer.wake(webhookId));
    this.#cleanup = new DeliveryCleanup(deps);
    this.#unsubscribe = tenants.onChange((tenantId) => void this.#tenantChanged(tenantId));
  }

  async start(): Promise<void> {
    await this.#deliverer.start();
    await this.#matcher.start();
    this.#cleanup.start();
  }

  async standBy(): Promise<void> {
    this.#cleanup.standBy();
    await Promise.all([this.#matcher.standBy(), this.#deliverer.standBy()]);
  }

  /** Call when another process has changed a webhook or requested deliveries again. */
  changed(): void {
    void Promise.all([this.#matcher.changed(), this.#deliverer.changed()]).catch(this.#deps.onError);
  }

  async close(): Promise<void> {
    this.#unsubscribe();
    this.#closing.abort();
    await Promise.all([this.#matcher.close(), this.#deliverer.close(), this.#cleanup.close()]);
  }

  /** Resolves with the webhook and its secret. Rejects with `bad_request` for an unusable URL, or with `too_many_webhooks`. */
  async create(definition: WebhookDefinition, context: ActionContext): Promise<WebhookRow> {
    checkUrl(definition.url);
    await this.#matcher.catchUp();
    const webhook = { ...definition, id: randomUUID(), tenantId: context.tenantId, secret: newSecret() };
    const row = await this.#deps.store.webhooks.create(webhook, MAX_WEBHOOKS_PER_TENANT, context);
    await this.#matcher.changed();
    return row;
  }

  /** Rejects with `not_found`, like all methods that name a webhook (or with the store's `unknown_webhook` if it is removed concurrently). */
  async get(tenantId: string, id: string): Promise<WebhookRow> {
    const webhook = await this.#deps.store.webhooks.get(tenantId, id);
    if (webhook === null) throw webhookNotFound(id);
    return webhook;
  }

  list(tenantId: string): Promise<readonly WebhookRow[]> {
    return this.#deps.store.webhooks.list(tenantId);
  }

  /** Absent fields stay unchanged. After `rotateSecret`, messages are also signed with the previous secret for a day. */
  async update(
    id: string,
    definition: Partial<WebhookDefinition>,
    { rotateSecret }: { readonly rotateSecret: boolean },
    context: ActionContext,
  ): Promise<WebhookRow> {
    if (definition.url !== undefined) checkUrl(definition.url);
    const { secret } = await this.get(context.tenantId, id);
    const rotated = { secret: newSecret(), previousSecret: secret, previousUntilMs: context.atMs + SECRET_OVERLAP_MS };
    const change: WebhookChange = {
      ...definition,
      ...(definition.enabled === true ? { disabledReason: null } : {}),
      ...(rotateSecret ? rotated : {}),
    };
    const row = await this.#deps.store.webhooks.update(id, change, 'webhook_updated', context);
    this.#deliverer.forget(id);
    return row;
  }

  async remove(id: string, context: ActionContext): Promise<void> {
    await this.get(context.tenantId, id);
    await this.#deps.store.webhooks.remove(id, context);
    this.#deliverer.forget(id);
    await this.#matcher.changed();
    this.#cleanup.request();
  }

  /** Newest first. `before` is exclusive. */
  async deliveries(
    tenantId: string,
    id: string,
    page: { readonly status?: DeliveryStatus; readonly before?: string; readonly limit: number },
  ): Promise<readonly DeliveryRow[]> {
    await this.get(tenantId, id);
    return this.#deps.store.webhooks.deliveries(id, page);
  }

  /** Makes a delivery due again at once. Rejects with `not_found`, or with `conflict` if it is still pending. */
  async replay(id: string, deliveryId: string, context: ActionContext): Promise<DeliveryRow> {
    const { webhooks } = this.#deps.store;
    await this.get(context.tenantId, id);
    if ((await webhooks.delivery(id, deliveryId)) === null) throw deliveryNotFound(deliveryId);
    if (!(await webhooks.replay(id, deliveryId, context))) {
      throw new RuntimeError('conflict', `delivery ${deliveryId} is still pending`);
    }
    const delivery = await webhooks.delivery(id, deliveryId);
    this.#deliverer.wake(id);
    if (delivery === null) throw deliveryNotFound(deliveryId);
    return delivery;
  }

  /** Makes all failed deliveries due again. Resolves with their number. */
  async replayFailed(id: string, context: ActionContext): Promise<number> {
    await this.get(context.tenantId, id);
    let replayed = 0;
    for (let count = REPLAY_BATCH_SIZE; count === REPLAY_BATCH_SIZE; ) {
      count = await this.#deps.store.webhooks.replayFailed(id, REPLAY_BATCH_SIZE, context);
      replayed += count;
      await setImmediate();
    }
    this.#deliverer.wake(id);
    return replayed;
  }

  /** Sends one ping and resolves with its result. Rejects with `overloaded` if too many tests of the tenant are in flight. */
  async test(id: string, context: ActionContext): Promise<AttemptResult> {
    const webhook = await this.get(context.tenantId, id);
    const { tenantId } = context;
    if (!this.#tests.take(tenantId, id)) {
      const running = this.#tests.runningOf(tenantId);
      throw new RuntimeError('overloaded', `${running} webhook tests of tenant ${tenantId} are already running`, {
        retryAfterMs: 1_000,
      });
    }
    try {
      const answer = await this.#sender.ping(webhook, randomUUID(), this.#closing.signal);
      await this.#deps.store.webhooks.recordTest(id, answer, context);
      return answer;
    } finally {
      this.#tests.free(tenantId, id);
    }
  }

  /** Wakes the webhooks of a tenant that may have been reactivated. */
  async #tenantChanged(tenantId: string | null): Promise<void> {
    try {
      if (tenantId === null) return await this.#deliverer.changed();
      for (const { id } of await this.#deps.store.webhooks.enabled(tenantId)) this.#deliverer.wake(id);
    } catch (error) {
      this.#deps.onError(error);
    }
  }

  async #disable({ id, tenantId }: WebhookRow): Promise<void> {
    const { store, runtime, clock } = this.#deps;
    const change = { enabled: false, disabledReason: 'the endpoint answered 410 Gone' };
    const context = { tenantId, atMs: clock.nowMs(), actorId: runtime.id, actorType: 'system', request: null } as const;
    await store.webhooks.update(id, change, 'webhook_disabled', context);
  }
}

function webhookNotFound(id: string): RuntimeError {
  return new RuntimeError('not_found', `webhook ${truncated(id)} not found`);
}

function deliveryNotFound(id: string): RuntimeError {
  return new RuntimeError('not_found', `delivery ${truncated(id)} not found`);
}

function checkUrl(text: string): void {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new RuntimeError('bad_request', 'url must be an http:// or https:// URL');
  if (url.username !== '' || url.password !== '') {
    throw new RuntimeError(
      'bad_request',
      'url must not contain a user name or password: receivers authenticate messages by the signature',
    );
  }
}
