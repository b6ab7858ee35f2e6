import type { ExecutionStore } from '../../../store/port/execution-store.ts';
import type { Clock } from '../clock.ts';

/** What leases and heartbeats put up with is not much more. */
const TOLERATED_MS = 5_000;

export interface ClockSkewMonitorOptions {
  readonly store: Pick<ExecutionStore, 'shared' | 'clockAheadMs'>;
  readonly clock: Clock;
  readonly failed: (error: unknown) => void;
}

/**
 * Compares the clock of this machine with that of the database, which all runtimes on it share: one that is wrong has leases lapse and timers
 * fire at the wrong time, for the others, too.
 */
export class ClockSkewMonitor {
  readonly #options: ClockSkewMonitorOptions;
  #aheadMs = 0;

  constructor(options: ClockSkewMonitorOptions) {
    this.#options = options;
  }

  /** By how much the clock is ahead, negative: behind; 0 = by nothing that matters. */
  get aheadMs(): number {
    return this.#aheadMs;
  }

  /** A difference is told once, until it is gone. */
  async check(): Promise<void> {
    const { store, clock, failed } = this.#options;
    if (!store.shared) return;
    const aheadMs = await store.clockAheadMs(() => clock.nowMs());
    const before = this.#aheadMs;
    this.#aheadMs = Math.abs(aheadMs) < TOLERATED_MS ? 0 : aheadMs;
    if (before === 0 && this.#aheadMs !== 0) failed(new Error(textOf(aheadMs)));
  }
}

function textOf(aheadMs: number): string {
  const seconds = Math.round(Math.abs(aheadMs) / 1000);
  return `the clock of this machine is ${seconds} s ${aheadMs > 0 ? 'ahead of' : 'behind'} the database's: timers and leases go wrong, also at other servers`;
}
