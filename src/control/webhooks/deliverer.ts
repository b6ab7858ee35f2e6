import { setMaxListeners } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import type { DeliveryAttempt, DeliveryRow, WebhookRow } from '../../../store/port/resources/webhooks.ts';
import { Slots } from '../../runtime/activities/local/slots.ts';
import { CoalescedJob } from '../../runtime/coalesced-job.ts';
import { DeadlineTimer } from '../../runtime/timers/deadline-timer.ts';
import type { ControlDeps, SingletonService } from '../service.ts';
import { backoffMs } from './backoff.ts';
import { EndpointPacing, MAX_CONCURRENCY } from './endpoint-pacing.ts';
import type { AttemptResult, Sender } from './sender.ts';

/** Attempts of one tenant under way at the same time; a third more are there for others, and as many again for those that have none. */
const MAX_ATTEMPTS_PER_TENANT = 48;
const WEBHOOKS_PER_PAGE = 100;

export interface DelivererOptions {
  readonly deps: ControlDeps;
  readonly sender: Sender;
  /** The endpoint says that it is gone for good. */
  readonly onGone: (webhook: WebhookRow) => Promise<void>;
}

/**
 * Attempts what is due: per webhook and execution one after the other, everything else side by side, within bounds: by tenant, and by how
 * quickly a webhook answers, so that one that does not delays itself alone. An attempt counts once
 * its outcome is written down: what was under way when the process ended is attempted again.
 */
export class Deliverer implements SingletonService {
  readonly #options: DelivererOptions;
  readonly #startJob: CoalescedJob;
  readonly #recordJob: CoalescedJob;
  readonly #timer: DeadlineTimer;
  readonly #closing = new AbortController();
  /** When each webhook has something to send, as far as is known; the one that has waited longest comes first. */
  readonly #dueAtMs = new Map<string, number>();
  /** Ids of deliveries under way, by webhook. */
  readonly #inFlight = new Map<string, Set<string>>();
  readonly #attempts = new Set<Promise<void>>();
  readonly #slots = new Slots<never>(MAX_ATTEMPTS_PER_TENANT);
  readonly #endpoints = new EndpointPacing();
  /** Tenants of webhooks that wait for a slot. */
  readonly #waitingForSlot = new Map<string, string>();
  /** Ids of deliveries whose outcome was written down while the turns were being read: what was read does not know it. */
  readonly #recordedMeanwhile = new Set<string>();
  #outcomes: readonly DeliveryAttempt[] = [];
  #active = false;

  constructor(options: DelivererOptions) {
    this.#options = options;
    // Every attempt under way listens.
    setMaxListeners(0, this.#closing.signal);
    this.#startJob = new CoalescedJob(options.deps, () => this.#startDue());
    this.#recordJob = new CoalescedJob(options.deps, () => this.#recordOutcomes());
    this.#timer = new DeadlineTimer(options.deps.clock, () => this.#startJob.request());
  }

  start(): Promise<void> {
    this.#active = true;
    return this.changed();
  }

  /** Attempts under way end, and are written down. */
  async standBy(): Promise<void> {
    this.#active = false;
    this.#dueAtMs.clear();
    await this.#startJob.idle();
  }

  /** Any webhook may have something to send. */
  async changed(): Promise<void> {
    if (!this.#active) return;
    const { webhooks } = this.#options.deps.store;
    for (let after = ''; ; ) {
      const ids = await webhooks.withReadyDeliveries({ after, limit: WEBHOOKS_PER_PAGE });
      for (const id of ids) this.wake(id);
      const last = ids.at(-1);
      if (last === undefined) return;
      after = last;
    }
  }

  /** There may be something to send to the webhook. */
  wake(webhookId: string): void {
    if (!this.#active) return;
    this.#dueAtMs.set(webhookId, 0);
    this.#startJob.request();
  }

  /** It leads elsewhere, or is gone: how it answered before does not count. */
  forget(webhookId: string): void {
    this.#endpoints.forget(webhookId);
    this.wake(webhookId);
  }

  async close(): Promise<void> {
    this.#timer.stop();
    this.#closing.abort();
    await this.#startJob.close();
    await Promise.all(this.#attempts);
    await this.#recordJob.close();
    try {
      await this.#recordOutcomes();
    } catch (error) {
      this.#options.deps.onError(error);
    }
  }

  async #startDue(): Promise<void> {
    const nowMs = this.#options.deps.clock.nowMs();
    for (const [webhookId, atMs] of [...this.#dueAtMs]) {
      if (this.#closing.signal.aborted || !this.#active) return;
      if (atMs <= nowMs && this.#hasSlot(webhookId)) await this.#startFor(webhookId, nowMs);
    }
    // What waits for a slot is woken when an attempt ends.
    let next = Number.POSITIVE_INFINITY;
    for (const atMs of this.#dueAtMs.values()) if (atMs > nowMs && atMs < next) next = atMs;
    if (Number.isFinite(next)) this.#timer.scheduleAt(next);
  }

  /** Is there a slot, for one that has waited for it? */
  #hasSlot(webhookId: string): boolean {
    const tenantId = this.#waitingForSlot.get(webhookId);
    if (tenantId === undefined) return true;
    if (!this.#slots.take(tenantId, webhookId)) return false;
    this.#slots.free(tenantId, webhookId);
    return true;
  }

  async #startFor(webhookId: string, nowMs: number): Promise<void> {
    const { webhooks } = this.#options.deps.store;
    this.#dueAtMs.delete(webhookId);
    this.#waitingForSlot.delete(webhookId);
    const notBeforeMs = this.#endpoints.notBeforeMs(webhookId);
    if (notBeforeMs > nowMs) {
      this.#dueAtMs.set(webhookId, notBeforeMs);
      return;
    }
    const recipient = await webhooks.recipient(webhookId);
    // Whoever enables it, or its tenant, wakes it.
    if (recipient === null || !recipient.webhook.enabled || recipient.tenantStatus !== 'active') return;
    const sending = this.#inFlight.get(webhookId) ?? new Set();
    this.#recordedMeanwhile.clear();
    const turns = await webhooks.readyDeliveries(webhookId, MAX_CONCURRENCY + 1);
    for (const delivery of turns.filter(({ id }) => !sending.has(id) && !this.#recordedMeanwhile.has(id))) {
      const atMs = delivery.nextAttemptAtMs ?? nowMs;
      // An attempt that ends wakes the webhook again.
      if (sending.size >= this.#endpoints.concurrency(webhookId)) return;
      const { tenantId } = recipient.webhook;
      const isDue = atMs <= nowMs;
      if (!isDue || !this.#slots.take(tenantId, webhookId)) {
        if (isDue) this.#waitingForSlot.set(webhookId, tenantId);
        this.#dueAtMs.set(webhookId, atMs);
        return;
      }
      this.#inFlight.set(webhookId, sending.add(delivery.id));
      this.#startAttempt(recipient.webhook, delivery);
    }
  }

  #startAttempt(webhook: WebhookRow, delivery: DeliveryRow): void {
    const attempt = this.#attempt(webhook, delivery).finally(() => {
      this.#attempts.delete(attempt);
      this.#slots.free(webhook.tenantId, webhook.id);
    });
    this.#attempts.add(attempt);
  }

  async #attempt(webhook: WebhookRow, delivery: DeliveryRow): Promise<void> {
    const { sender, deps: parts, onGone: gone } = this.#options;
    let answer: AttemptResult | null = null;
    try {
      answer = await sender.deliver(webhook, delivery, this.#closing.signal);
      if (this.#closing.signal.aborted && !answer.delivered) return;
      if (answer.status === 410) await gone(webhook);
    } catch (error) {
      parts.onError(error);
    }
    const failure: AttemptResult = {
      delivered: false,
      status: null,
      error: 'the runtime could not send it',
      permanent: false,
      durationMs: 0,
    };
    if (answer !== null) this.#endpoints.answered(webhook.id, answer.durationMs, parts.clock.nowMs());
    this.#outcomes = [...this.#outcomes, outcomeOf(delivery, answer ?? failure, parts.clock.nowMs())];
    this.#recordJob.request();
  }

  /** Those that end together are written down together. */
  async #recordOutcomes(): Promise<void> {
    await setImmediate();
    const outcomes = this.#outcomes;
    if (outcomes.length === 0) return;
    await this.#options.deps.store.webhooks.recordAttempts(outcomes);
    this.#outcomes = this.#outcomes.slice(outcomes.length);
    for (const { webhookId, deliveryId } of outcomes) {
      const sending = this.#inFlight.get(webhookId);
      sending?.delete(deliveryId);
      this.#recordedMeanwhile.add(deliveryId);
      if (sending?.size === 0) this.#inFlight.delete(webhookId);
      if (!this.#closing.signal.aborted) this.wake(webhookId);
    }
  }
}

function outcomeOf(delivery: DeliveryRow, answer: AttemptResult, atMs: number): DeliveryAttempt {
  const { id, webhookId, executionId, attempts } = delivery;
  const delayMs = answer.delivered || answer.permanent ? null : backoffMs(id, attempts + 1);
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
