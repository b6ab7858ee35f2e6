import { setImmediate } from 'node:timers/promises';
import { CoalescedJob } from '../../runtime/coalesced-job.ts';
import { DeadlineTimer } from '../../runtime/timers/deadline-timer.ts';
import type { ControlDeps } from '../service.ts';

const DAY_MS = 24 * 3_600_000;
const DELIVERED_RETENTION_MS = 7 * DAY_MS;
const FAILED_RETENTION_MS = 30 * DAY_MS;
const INTERVAL_MS = 3_600_000;
const BATCH_SIZE = 200;

/** Deletes old deliveries and those of removed webhooks, in small batches. */
export class DeliveryCleanup {
  readonly #deps: ControlDeps;
  readonly #job: CoalescedJob;
  readonly #timer: DeadlineTimer;
  #active = false;

  constructor(deps: ControlDeps) {
    this.#deps = deps;
    this.#job = new CoalescedJob(deps, () => this.#removeAll());
    this.#timer = new DeadlineTimer(deps.clock, () => {
      if (this.#active) this.#job.request();
    });
  }

  start(): void {
    this.#active = true;
    this.#job.request();
  }

  standBy(): void {
    this.#active = false;
  }

  /** Requests a cleanup now. */
  request(): void {
    this.#job.request();
  }

  async close(): Promise<void> {
    this.#timer.stop();
    await this.#job.close();
  }

  async #removeAll(): Promise<void> {
    const { store, clock } = this.#deps;
    const nowMs = clock.nowMs();
    const before = { deliveredMs: nowMs - DELIVERED_RETENTION_MS, failedMs: nowMs - FAILED_RETENTION_MS };
    while (!this.#job.closed && (await store.webhooks.sweep(before, BATCH_SIZE)) === BATCH_SIZE) await setImmediate();
    if (this.#active) this.#timer.scheduleAt(nowMs + INTERVAL_MS);
  }
}
