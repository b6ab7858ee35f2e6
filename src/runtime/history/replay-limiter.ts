import { FairQueue } from '../scheduling/fair-queue.ts';
import type { Slice, TimeSlices } from '../scheduling/time-slices.ts';

/** Each replay holds a page of a log and a state in memory. More at a time would not be faster. */
const LIMITS = { active: 8, activePerKey: 4, waiting: 64, waitingPerKey: 32 };

/** Bounds concurrent replays, in total and per tenant, and gives each a share of the event loop. */
export class ReplayLimiter {
  readonly #queue = new FairQueue('too many logs are being replayed', LIMITS);
  readonly #slices: TimeSlices;

  constructor(slices: TimeSlices) {
    this.#slices = slices;
  }

  /**
   * Runs a replay when it is the tenant's turn. Throws `overloaded` if too many are waiting, and `shutting_down` once the signal is aborted,
   * also during the replay.
   */
  run<T>(tenantId: string, signal: AbortSignal | undefined, work: (slice: Slice) => Promise<T>): Promise<T> {
    return this.#queue.run(tenantId, () => work(this.#slices.slice(tenantId, signal)), signal);
  }
}
