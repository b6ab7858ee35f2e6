import { setImmediate } from 'node:timers/promises';
import { Alarm } from '../../runtime/alarm.ts';
import type { Parts } from '../parts.ts';
import { Pump } from '../pump.ts';

const DAY_MS = 24 * 3_600_000;
const KEEP_DELIVERED_MS = 7 * DAY_MS;
const KEEP_FAILED_MS = 30 * DAY_MS;
const EVERY_MS = 3_600_000;
const ROWS_AT_ONCE = 200;

/** Removes deliveries that nobody asks for any more, a few at a time. */
export class Sweeper {
  readonly #parts: Parts;
  readonly #pump: Pump;
  readonly #alarm: Alarm;
  #begun = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#pump = new Pump(parts, () => this.#removeAll());
    this.#alarm = new Alarm(parts.clock, () => {
      if (this.#begun) this.#pump.ask();
    });
  }

  begin(): void {
    this.#begun = true;
    this.#pump.ask();
  }

  rest(): void {
    this.#begun = false;
  }

  /** There is something to remove now. */
  sweep(): void {
    this.#pump.ask();
  }

  async close(): Promise<void> {
    this.#alarm.stop();
    await this.#pump.close();
  }

  async #removeAll(): Promise<void> {
    const { store, clock } = this.#parts;
    const nowMs = clock.nowMs();
    const before = { deliveredMs: nowMs - KEEP_DELIVERED_MS, failedMs: nowMs - KEEP_FAILED_MS };
    while (!this.#pump.closed && (await store.webhooks.sweep(before, ROWS_AT_ONCE)) === ROWS_AT_ONCE) await setImmediate();
    if (this.#begun) this.#alarm.noLaterThan(nowMs + EVERY_MS);
  }
}
