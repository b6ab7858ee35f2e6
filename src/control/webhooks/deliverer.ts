import { setMaxListeners } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import type { AttemptOutcome, DeliveryRow, WebhookRow } from '../../../store/resources/webhooks.ts';
import { Alarm } from '../../runtime/alarm.ts';
import { Slots } from '../../runtime/slots.ts';
import type { Parts, Single } from '../parts.ts';
import { Pump } from '../pump.ts';
import { backoffMs } from './backoff.ts';
import { Endpoints, MOST_AT_ONCE } from './endpoints.ts';
import type { Answer, Sender } from './sender.ts';

/** Attempts of one tenant under way at the same time; a third more are there for others, and as many again for those that have none. */
const SENDING_PER_TENANT = 48;
const WEBHOOKS_PER_PAGE = 100;

export interface DelivererOptions {
  readonly parts: Parts;
  readonly sender: Sender;
  /** The endpoint says that it is gone for good. */
  readonly gone: (webhook: WebhookRow) => Promise<void>;
}

/**
 * Attempts what is due: per webhook and execution one after the other, everything else side by side, within bounds: by tenant, and by how
 * quickly a webhook answers, so that one that does not delays itself alone. An attempt counts once
 * its outcome is written down: what was under way when the process ended is attempted again.
 */
export class Deliverer implements Single {
  readonly #options: DelivererOptions;
  readonly #fill: Pump;
  readonly #record: Pump;
  readonly #alarm: Alarm;
  readonly #closing = new AbortController();
  /** When each webhook has something to send, as far as is known; the one that has waited longest comes first. */
  readonly #dueAtMs = new Map<string, number>();
  /** Ids of deliveries under way, by webhook. */
  readonly #sending = new Map<string, Set<string>>();
  readonly #attempts = new Set<Promise<void>>();
  readonly #slots = new Slots<never>(SENDING_PER_TENANT);
  readonly #endpoints = new Endpoints();
  /** Tenants of webhooks that wait for a slot. */
  readonly #tenants = new Map<string, string>();
  /** Ids of deliveries whose outcome was written down while the turns were being read: what was read does not know it. */
  readonly #outdated = new Set<string>();
  #outcomes: readonly AttemptOutcome[] = [];
  #begun = false;

  constructor(options: DelivererOptions) {
    this.#options = options;
    // Every attempt under way listens.
    setMaxListeners(0, this.#closing.signal);
    this.#fill = new Pump(options.parts, () => this.#beginDue());
    this.#record = new Pump(options.parts, () => this.#writeDown());
    this.#alarm = new Alarm(options.parts.clock, () => this.#fill.ask());
  }

  begin(): Promise<void> {
    this.#begun = true;
    return this.changed();
  }

  /** Attempts under way end, and are written down. */
  async rest(): Promise<void> {
    this.#begun = false;
    this.#dueAtMs.clear();
    await this.#fill.idle();
  }

  /** Any webhook may have something to send. */
  async changed(): Promise<void> {
    if (!this.#begun) return;
    const { webhooks } = this.#options.parts.store;
    for (let after = ''; ; ) {
      const ids = await webhooks.waiting({ after, limit: WEBHOOKS_PER_PAGE });
      for (const id of ids) this.wake(id);
      const last = ids.at(-1);
      if (last === undefined) return;
      after = last;
    }
  }

  /** There may be something to send to the webhook. */
  wake(webhookId: string): void {
    if (!this.#begun) return;
    this.#dueAtMs.set(webhookId, 0);
    this.#fill.ask();
  }

  /** It leads elsewhere, or is gone: how it answered before does not count. */
  forget(webhookId: string): void {
    this.#endpoints.forget(webhookId);
    this.wake(webhookId);
  }

  async close(): Promise<void> {
    this.#alarm.stop();
    this.#closing.abort();
    await this.#fill.close();
    await Promise.all(this.#attempts);
    await this.#record.close();
    try {
      await this.#writeDown();
    } catch (error) {
      this.#options.parts.failed(error);
    }
  }

  async #beginDue(): Promise<void> {
    const nowMs = this.#options.parts.clock.nowMs();
    for (const [webhookId, atMs] of [...this.#dueAtMs]) {
      if (this.#closing.signal.aborted || !this.#begun) return;
      if (atMs <= nowMs && this.#mayBegin(webhookId)) await this.#beginFor(webhookId, nowMs);
    }
    // What waits for a slot is woken when an attempt ends.
    let next = Number.POSITIVE_INFINITY;
    for (const atMs of this.#dueAtMs.values()) if (atMs > nowMs && atMs < next) next = atMs;
    if (Number.isFinite(next)) this.#alarm.noLaterThan(next);
  }

  /** Is there a slot, for one that has waited for it? */
  #mayBegin(webhookId: string): boolean {
    const tenantId = this.#tenants.get(webhookId);
    if (tenantId === undefined) return true;
    if (!this.#slots.take(tenantId, webhookId)) return false;
    this.#slots.free(tenantId, webhookId);
    return true;
  }

  async #beginFor(webhookId: string, nowMs: number): Promise<void> {
    const { webhooks } = this.#options.parts.store;
    this.#dueAtMs.delete(webhookId);
    this.#tenants.delete(webhookId);
    const notBeforeMs = this.#endpoints.notBeforeMs(webhookId);
    if (notBeforeMs > nowMs) {
      this.#dueAtMs.set(webhookId, notBeforeMs);
      return;
    }
    const recipient = await webhooks.recipient(webhookId);
    // Whoever enables it, or its tenant, wakes it.
    if (recipient === null || !recipient.webhook.enabled || recipient.tenantStatus !== 'active') return;
    const sending = this.#sending.get(webhookId) ?? new Set();
    this.#outdated.clear();
    const turns = await webhooks.turns(webhookId, MOST_AT_ONCE + 1);
    for (const delivery of turns.filter(({ id }) => !sending.has(id) && !this.#outdated.has(id))) {
      const atMs = delivery.nextAttemptAtMs ?? nowMs;
      // An attempt that ends wakes the webhook again.
      if (sending.size >= this.#endpoints.atOnce(webhookId)) return;
      const { tenantId } = recipient.webhook;
      const isDue = atMs <= nowMs;
      if (!isDue || !this.#slots.take(tenantId, webhookId)) {
        if (isDue) this.#tenants.set(webhookId, tenantId);
        this.#dueAtMs.set(webhookId, atMs);
        return;
      }
      this.#sending.set(webhookId, sending.add(delivery.id));
      this.#begin(recipient.webhook, delivery);
    }
  }

  #begin(webhook: WebhookRow, delivery: DeliveryRow): void {
    const attempt = this.#attempt(webhook, delivery).finally(() => {
      this.#attempts.delete(attempt);
      this.#slots.free(webhook.tenantId, webhook.id);
    });
    this.#attempts.add(attempt);
  }

  async #attempt(webhook: WebhookRow, delivery: DeliveryRow): Promise<void> {
    const { sender, parts, gone } = this.#options;
    let answer: Answer | null = null;
    try {
      answer = await sender.deliver(webhook, delivery, this.#closing.signal);
      if (this.#closing.signal.aborted && !answer.delivered) return;
      if (answer.status === 410) await gone(webhook);
    } catch (error) {
      parts.failed(error);
    }
    const failure: Answer = {
      delivered: false,
      status: null,
      error: 'the runtime could not send it',
      hopeless: false,
      durationMs: 0,
    };
    if (answer !== null) this.#endpoints.answered(webhook.id, answer.durationMs, parts.clock.nowMs());
    this.#outcomes = [...this.#outcomes, outcomeOf(delivery, answer ?? failure, parts.clock.nowMs())];
    this.#record.ask();
  }

  /** Those that end together are written down together. */
  async #writeDown(): Promise<void> {
    await setImmediate();
    const outcomes = this.#outcomes;
    if (outcomes.length === 0) return;
    await this.#options.parts.store.webhooks.attempted(outcomes);
    this.#outcomes = this.#outcomes.slice(outcomes.length);
    for (const { webhookId, deliveryId } of outcomes) {
      const sending = this.#sending.get(webhookId);
      sending?.delete(deliveryId);
      this.#outdated.add(deliveryId);
      if (sending?.size === 0) this.#sending.delete(webhookId);
      if (!this.#closing.signal.aborted) this.wake(webhookId);
    }
  }
}

function outcomeOf(delivery: DeliveryRow, answer: Answer, atMs: number): AttemptOutcome {
  const { id, webhookId, executionId, attempts } = delivery;
  const delayMs = answer.delivered || answer.hopeless ? null : backoffMs(id, attempts + 1);
  return {
    webhookId,
    deliveryId: id,
    executionId,
    atMs,
    status: answer.delivered ? 'delivered' : delayMs === null ? 'failed' : 'pending',
    httpStatus: answer.status,
    error: answer.error,
    nextAttemptAtMs: delayMs === null ? null : atMs + delayMs,
  };
}
