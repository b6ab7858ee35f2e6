import { FairQueue } from '../scheduling/fair-queue.ts';
import type { Slice, TimeSlices } from '../scheduling/time-slices.ts';

/** Each keeps a page of a log and a state in memory; more at a time would not be faster. */
const LIMITS = { active: 8, activePerKey: 4, waiting: 64, waitingPerKey: 32 };

/** Lets so many logs be replayed at a time, for all tenants and for each, and each for a part of the time. */
export class ReplayLimiter {
  readonly #queue = new FairQueue('too many logs are being replayed', LIMITS);
  readonly #slices: TimeSlices;

  constructor(slices: TimeSlices) {
    this.#slices = slices;
  }

  /**
   * Throws `overloaded` when too many wait, and `shutting_down` once the signal is aborted: what nobody waits for any more is not replayed to
   * its end.
   */
  run<T>(tenantId: string, signal: AbortSignal | undefined, work: (slice: Slice) => Promise<T>): Promise<T> {
    return this.#queue.run(tenantId, () => work(this.#slices.slice(tenantId, signal)), signal);
  }
}
