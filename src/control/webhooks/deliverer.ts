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

/** Concurrent attempts of one tenant. `Slots` adds a third for other tenants and as many again for tenants without any. */
const MAX_ATTEMPTS_PER_TENANT = 48;
const WEBHOOKS_PER_PAGE = 100;

export interface DelivererOptions {
  readonly deps: ControlDeps;
  readonly sender: Sender;
  /** Called when the endpoint answered 410 Gone. */
  readonly onGone: (webhook: WebhookRow) => Promise<void>;
}

/**
 * Attempts due deliveries: one at a time per webhook and execution, otherwise concurrently, bounded per tenant and by how fast a webhook
 * answers, so that a slow endpoint delays only itself. An attempt counts once its outcome is recorded: attempts in flight when the process
 * ends are repeated.
 */
export class Deliverer implements SingletonService {
  readonly #options: DelivererOptions;
  readonly #startJob: CoalescedJob;
  readonly #recordJob: CoalescedJob;
  readonly #timer: DeadlineTimer;
  readonly #closing = new AbortController();
  /** When each webhook is next due, as far as known, in order of waiting time. */
  readonly #dueAtMs = new Map<string, number>();
  /** Ids of deliveries in flight, by webhook. */
  readonly #inFlight = new Map<string, Set<string>>();
  readonly #attempts = new Set<Promise<void>>();
  readonly #slots = new Slots<never>(MAX_ATTEMPTS_PER_TENANT);
  readonly #endpoints = new EndpointPacing();
  /** Webhooks that wait for a slot, with their tenants. */
  readonly #waitingForSlot = new Map<string, string>();
  /** Deliveries whose outcome was recorded while due ones were being read: the rows read are outdated for them. */
  readonly #recordedMeanwhile = new Set<string>();
  #outcomes: readonly DeliveryAttempt[] = [];
  #active = false;

  constructor(options: DelivererOptions) {
    this.#options = options;
    // Every attempt in flight adds a listener.
    setMaxListeners(0, this.#closing.signal);
    this.#startJob = new CoalescedJob(options.deps, () => this.#startDue());
    this.#recordJob = new CoalescedJob(options.deps, () => this.#recordOutcomes());
    this.#timer = new DeadlineTimer(options.deps.clock, () => this.#startJob.request());
  }

  start(): Promise<void> {
    this.#active = true;
    return this.changed();
  }

  /** Starts no further attempts; those in flight end and are recorded. */
  async standBy(): Promise<void> {
    this.#active = false;
    this.#dueAtMs.clear();
    await this.#startJob.idle();
  }

  /** Looks for due deliveries of all webhooks. */
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

  /** Call when a webhook may have due deliveries. */
  wake(webhookId: string): void {
    if (!this.#active) return;
    this.#dueAtMs.set(webhookId, 0);
    this.#startJob.request();
  }

  /** Forgets the response times of a webhook whose URL changed or that was removed. */
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
    // Webhooks that wait for a slot are retried when an attempt ends.
    let next = Number.POSITIVE_INFINITY;
    for (const atMs of this.#dueAtMs.values()) if (atMs > nowMs && atMs < next) next = atMs;
    if (Number.isFinite(next)) this.#timer.scheduleAt(next);
  }

  /** True unless the webhook waited for a slot and there is still none. */
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
    // Enabling the webhook or reactivating its tenant wakes it.
    if (recipient === null || !recipient.webhook.enabled || recipient.tenantStatus !== 'active') return;
    const sending = this.#inFlight.get(webhookId) ?? new Set();
    this.#recordedMeanwhile.clear();
    const turns = await webhooks.readyDeliveries(webhookId, MAX_CONCURRENCY + 1);
    for (const delivery of turns.filter(({ id }) => !sending.has(id) && !this.#recordedMeanwhile.has(id))) {
      const atMs = delivery.nextAttemptAtMs ?? nowMs;
      // The end of an attempt wakes the webhook again.
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
    const { sender, deps, onGone } = this.#options;
    let answer: AttemptResult | null = null;
    try {
      answer = await sender.deliver(webhook, delivery, this.#closing.signal);
      if (this.#closing.signal.aborted && !answer.delivered) return;
      if (answer.status === 410) await onGone(webhook);
    } catch (error) {
      deps.onError(error);
    }
    const failure: AttemptResult = {
      delivered: false,
      status: null,
      error: 'internal error: the delivery could not be sent',
      permanent: false,
      durationMs: 0,
    };
    if (answer !== null) this.#endpoints.answered(webhook.id, answer.durationMs, deps.clock.nowMs());
    this.#outcomes = [...this.#outcomes, outcomeOf(delivery, answer ?? failure, deps.clock.nowMs())];
    this.#recordJob.request();
  }

  /** Records outcomes in batches: attempts that end in the same turn share a transaction. */
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
