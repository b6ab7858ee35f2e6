import { setImmediate } from 'node:timers/promises';
import type { LogEntry } from '../../../store/resources/log.ts';
import type { NewDelivery, WebhookRow } from '../../../store/resources/webhooks.ts';
import { createIds } from '../../runtime/ids.ts';
import type { Parts, Single } from '../parts.ts';
import { Pump } from '../pump.ts';

const EVENTS_PER_SLICE = 500;
/** Written down in one transaction, whatever the number of webhooks: a few tens of milliseconds. */
const DELIVERIES_AT_ONCE = 1_000;
/** After so many events without a match, how far it got is written down, so that the next process need not look at them again. */
const UNWRITTEN_EVENTS = 10_000;

/** What is to be delivered of some events, and where the next begin. */
interface Matched {
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
export class Matcher implements Single {
  readonly #parts: Parts;
  readonly #matched: (webhookId: string) => void;
  readonly #pump: Pump;
  readonly #ids = createIds();
  readonly #deaf: () => void;
  #begun = false;
  #any = false;
  /** As it is written in the store; null = to be read. */
  #cursor: string | null = null;
  /** How far it has read, and how many events that is beyond the cursor. */
  #position: string | null = null;
  #unwritten = 0;

  constructor(parts: Parts, matched: (webhookId: string) => void) {
    this.#parts = parts;
    this.#matched = matched;
    this.#pump = new Pump(parts, () => this.#match());
    this.#deaf = parts.runtime.onCommit(() => {
      if (this.#any) this.#pump.ask();
    });
  }

  begin(): Promise<void> {
    this.#begun = true;
    return this.changed();
  }

  async rest(): Promise<void> {
    this.#begun = false;
    this.#any = false;
    await this.#pump.idle();
  }

  /** A webhook was created or removed. */
  async changed(): Promise<void> {
    if (!this.#begun) return;
    this.#any = await this.#parts.store.webhooks.any();
    this.#forget();
    if (this.#any) this.#pump.ask();
  }

  /**
   * Everything that is committed by now is written down for the webhooks that are there: one that is made afterwards is told of nothing
   * earlier, whatever the clocks of those who commit say. Also beside a process that matches.
   */
  async catchUp(): Promise<void> {
    const { store, clock } = this.#parts;
    while (await store.webhooks.any()) {
      const from = await store.webhooks.cursor();
      if (from === null) return;
      const { deliveries, position: to, end } = await this.#after(from);
      const moved = to === from || (await store.webhooks.enqueue({ from, to, deliveries, nowMs: clock.nowMs() }));
      if (moved && end) return;
      await setImmediate();
    }
  }

  async close(): Promise<void> {
    this.#deaf();
    await this.#pump.close();
  }

  async #match(): Promise<void> {
    const { store, clock } = this.#parts;
    while (this.#any && !this.#pump.closed) {
      this.#cursor ??= await store.webhooks.cursor();
      const from = this.#cursor;
      if (from === null) return;
      const { deliveries, events, position: to, end } = await this.#after(this.#position ?? from);
      this.#unwritten += events;
      if (deliveries.length > 0 || this.#unwritten > UNWRITTEN_EVENTS) {
        if (!(await store.webhooks.enqueue({ from, to, deliveries, nowMs: clock.nowMs() }))) {
          this.#forget();
          continue;
        }
        this.#cursor = to;
        this.#unwritten = 0;
        for (const webhookId of new Set(deliveries.map((delivery) => delivery.webhookId))) this.#matched(webhookId);
      }
      this.#position = to;
      if (end) return;
      await setImmediate();
    }
  }

  #forget(): void {
    this.#cursor = null;
    this.#position = null;
    this.#unwritten = 0;
  }

  /** Webhooks are read after the events: one that was there when an event was committed is not missed. */
  async #after(from: string): Promise<Matched> {
    const { store, clock } = this.#parts;
    const { entries, position, end } = await store.log.after(from, { limit: EVENTS_PER_SLICE });
    const listeners = new Map<string, readonly WebhookRow[]>();
    for (const tenantId of new Set(entries.map((entry) => entry.tenantId))) {
      listeners.set(tenantId, await store.webhooks.listeners(tenantId));
    }
    const nowMs = clock.nowMs();
    const deliveries: NewDelivery[] = [];
    let last = from;
    for (const [events, entry] of entries.entries()) {
      const webhooks = (listeners.get(entry.tenantId) ?? []).filter((webhook) => isFor(entry, webhook));
      if (deliveries.length > 0 && deliveries.length + webhooks.length > DELIVERIES_AT_ONCE)
        return { deliveries, events, position: last, end: false };
      const { executionId, seq, type } = entry;
      for (const { id: webhookId } of webhooks)
        deliveries.push({ id: this.#ids.workItem(nowMs), webhookId, executionId, seq, type });
      last = entry.position;
    }
    return { deliveries, events: entries.length, position, end };
  }
}

function isFor({ type, workflowId: of }: LogEntry, { events, workflowId }: WebhookRow): boolean {
  return (events.includes('*') || events.includes(type)) && (workflowId === null || workflowId === of);
}
