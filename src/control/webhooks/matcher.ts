import { setImmediate } from 'node:timers/promises';
import type { LogEntry } from '../../../store/port/resources/event-log.ts';
import type { NewDelivery, WebhookRow } from '../../../store/port/resources/webhooks.ts';
import { CoalescedJob } from '../../runtime/coalesced-job.ts';
import { createIds } from '../../runtime/ids.ts';
import type { ControlDeps, SingletonService } from '../service.ts';

const EVENTS_PER_SLICE = 500;
/** Written down in one transaction, whatever the number of webhooks: a few tens of milliseconds. */
const MAX_DELIVERIES_PER_WRITE = 1_000;
/** After so many events without a match, how far it got is written down, so that the next process need not look at them again. */
const MAX_UNRECORDED_EVENTS = 10_000;

/** What is to be delivered of some events, and where the next begin. */
interface MatchedSlice {
  readonly deliveries: readonly NewDelivery[];
  /** How many were looked at. */
  readonly events: number;
  readonly position: string;
  readonly end: boolean;
}

/**
 * Reads the log behind the commits and writes down what is to be delivered to whom, together with how far it got: what is committed is
 * never held up, and nothing is lost when the process ends at any point. Without a webhook it does nothing.
 */
export class Matcher implements SingletonService {
  readonly #deps: ControlDeps;
  readonly #onMatched: (webhookId: string) => void;
  readonly #job: CoalescedJob;
  readonly #ids = createIds();
  readonly #unsubscribe: () => void;
  #active = false;
  #hasWebhooks = false;
  /** As it is written in the store; null = to be read. */
  #cursor: string | null = null;
  /** How far it has read, and how many events that is beyond the cursor. */
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

  /** A webhook was created or removed. */
  async changed(): Promise<void> {
    if (!this.#active) return;
    this.#hasWebhooks = await this.#deps.store.webhooks.exists();
    this.#resetPosition();
    if (this.#hasWebhooks) this.#job.request();
  }

  /**
   * Everything that is committed by now is written down for the webhooks that are there: one that is made afterwards is told of nothing
   * earlier, whatever the clocks of those who commit say. Also beside a process that matches.
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

  /** Webhooks are read after the events: one that was there when an event was committed is not missed. */
  async #matchAfter(from: string): Promise<MatchedSlice> {
    const { store, clock } = this.#deps;
    const { entries, position, end } = await store.log.after(from, { limit: EVENTS_PER_SLICE });
    const webhooksByTenant = new Map<string, readonly WebhookRow[]>();
    for (const tenantId of new Set(entries.map((entry) => entry.tenantId))) {
      webhooksByTenant.set(tenantId, await store.webhooks.enabled(tenantId));
    }
    const nowMs = clock.nowMs();
    const deliveries: NewDelivery[] = [];
    let last = from;
    for (const [events, entry] of entries.entries()) {
      const webhooks = (webhooksByTenant.get(entry.tenantId) ?? []).filter((webhook) => matches(entry, webhook));
      if (deliveries.length > 0 && deliveries.length + webhooks.length > MAX_DELIVERIES_PER_WRITE)
        return { deliveries, events, position: last, end: false };
      const { executionId, seq, type } = entry;
      for (const { id: webhookId } of webhooks)
        deliveries.push({ id: this.#ids.workItem(nowMs), webhookId, executionId, seq, type });
      last = entry.position;
    }
    return { deliveries, events: entries.length, position, end };
  }
}

function matches({ type, workflowId: of }: LogEntry, { events, workflowId }: WebhookRow): boolean {
  return (events.includes('*') || events.includes(type)) && (workflowId === null || workflowId === of);
}
