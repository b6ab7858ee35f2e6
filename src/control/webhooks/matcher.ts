import { setImmediate } from 'node:timers/promises';
import type { LoggedEvent } from '../../../store/port/resources/event-log.ts';
import type { NewDelivery, WebhookRow } from '../../../store/port/resources/webhooks.ts';
import { CoalescedJob } from '../../runtime/coalesced-job.ts';
import { createIds } from '../../runtime/ids.ts';
import type { ControlDeps, SingletonService } from '../service.ts';

const EVENTS_PER_SLICE = 500;
/** Upper bound of one transaction, whatever the number of webhooks: a few tens of milliseconds. */
const MAX_DELIVERIES_PER_WRITE = 1_000;
/** The position is stored after this many events without a match, so that the next process need not scan them again. */
const MAX_UNRECORDED_EVENTS = 10_000;

/** The deliveries for a slice of the log, and the position after it. */
interface MatchedSlice {
  readonly deliveries: readonly NewDelivery[];
  /** Number of events scanned. */
  readonly events: number;
  readonly position: string;
  readonly end: boolean;
}

/**
 * Reads the log after the commits and stores the deliveries of matching webhooks together with its position in one transaction: commits are
 * not delayed, and no event is lost if the process ends at any point. Does nothing while there are no webhooks.
 */
export class Matcher implements SingletonService {
  readonly #deps: ControlDeps;
  readonly #onMatched: (webhookId: string) => void;
  readonly #job: CoalescedJob;
  readonly #ids = createIds();
  readonly #unsubscribe: () => void;
  #active = false;
  #hasWebhooks = false;
  /** The stored position; null = not read yet. */
  #cursor: string | null = null;
  /** The position scanned up to, and the number of events between it and the stored position. */
  #position: string | null = null;
  #unrecordedEvents = 0;

  constructor(deps: ControlDeps, onMatched: (webhookId: string) => void) {
    this.#deps = deps;
    this.#onMatched = onMatched;
    this.#job = new CoalescedJob(deps, () => this.#match());
    this.#unsubscribe = deps.runtime.onCommit(() => {
      if (this.#hasWebhooks) this.#job.request();
    });
  }

  start(): Promise<void> {
    this.#active = true;
    return this.changed();
  }

  async standBy(): Promise<void> {
    this.#active = false;
    this.#hasWebhooks = false;
    await this.#job.idle();
  }

  /** Call when a webhook was created or removed. */
  async changed(): Promise<void> {
    if (!this.#active) return;
    this.#hasWebhooks = await this.#deps.store.webhooks.exists();
    this.#resetPosition();
    if (this.#hasWebhooks) this.#job.request();
  }

  /**
   * Stores the deliveries for everything committed so far, so that a webhook created afterwards receives no earlier event, whatever the
   * clocks of other processes say. Safe while another process matches.
   */
  async catchUp(): Promise<void> {
    const { store, clock } = this.#deps;
    while (await store.webhooks.exists()) {
      const from = await store.webhooks.cursor();
      if (from === null) return;
      const { deliveries, position: to, end } = await this.#matchAfter(from);
      const moved = to === from || (await store.webhooks.enqueue({ from, to, deliveries, nowMs: clock.nowMs() }));
      if (moved && end) return;
      await setImmediate();
    }
  }

  async close(): Promise<void> {
    this.#unsubscribe();
    await this.#job.close();
  }

  async #match(): Promise<void> {
    const { store, clock } = this.#deps;
    while (this.#hasWebhooks && !this.#job.closed) {
      this.#cursor ??= await store.webhooks.cursor();
      const from = this.#cursor;
      if (from === null) return;
      const { deliveries, events, position: to, end } = await this.#matchAfter(this.#position ?? from);
      this.#unrecordedEvents += events;
      if (deliveries.length > 0 || this.#unrecordedEvents > MAX_UNRECORDED_EVENTS) {
        if (!(await store.webhooks.enqueue({ from, to, deliveries, nowMs: clock.nowMs() }))) {
          this.#resetPosition();
          continue;
        }
        this.#cursor = to;
        this.#unrecordedEvents = 0;
        for (const webhookId of new Set(deliveries.map((delivery) => delivery.webhookId))) this.#onMatched(webhookId);
      }
      this.#position = to;
      if (end) return;
      await setImmediate();
    }
  }

  #resetPosition(): void {
    this.#cursor = null;
    this.#position = null;
    this.#unrecordedEvents = 0;
  }

  /** Reads webhooks after the events, so that a webhook that existed when an event was committed is not missed. */
  async #matchAfter(from: string): Promise<MatchedSlice> {
    const { store, clock } = this.#deps;
    const { events: logged, position, end } = await store.log.after(from, { limit: EVENTS_PER_SLICE });
    const webhooksByTenant = new Map<string, readonly WebhookRow[]>();
    for (const tenantId of new Set(logged.map((event) => event.tenantId))) {
      webhooksByTenant.set(tenantId, await store.webhooks.enabled(tenantId));
    }
    const nowMs = clock.nowMs();
    const deliveries: NewDelivery[] = [];
    let last = from;
    for (const [events, event] of logged.entries()) {
      const webhooks = (webhooksByTenant.get(event.tenantId) ?? []).filter((webhook) => matches(event, webhook));
      if (deliveries.length > 0 && deliveries.length + webhooks.length > MAX_DELIVERIES_PER_WRITE)
        return { deliveries, events, position: last, end: false };
      const { executionId, seq, type } = event;
      for (const { id: webhookId } of webhooks)
        deliveries.push({ id: this.#ids.workItem(nowMs), webhookId, executionId, seq, type });
      last = event.position;
    }
    return { deliveries, events: logged.length, position, end };
  }
}

function matches({ type, workflowId: of }: LoggedEvent, { events, workflowId }: WebhookRow): boolean {
  return (events.includes('*') || events.includes(type)) && (workflowId === null || workflowId === of);
}
