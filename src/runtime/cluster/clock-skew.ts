import type { ExecutionStore } from '../../../store/port/execution-store.ts';
import type { Clock } from '../clock.ts';

/** Leases and heartbeats tolerate little more. */
const TOLERATED_MS = 5_000;

export interface ClockSkewMonitorOptions {
  readonly store: Pick<ExecutionStore, 'clockAheadMs'>;
  readonly clock: Clock;
  readonly onError: (error: unknown) => void;
}

/**
 * Compares the clock of this machine with that of the database, which all runtimes on it share. A wrong clock makes leases expire
 * and timers fire at the wrong time, on the other runtimes as well.
 */
export class ClockSkewMonitor {
  readonly #options: ClockSkewMonitorOptions;
  #aheadMs = 0;

  constructor(options: ClockSkewMonitorOptions) {
    this.#options = options;
  }

  /** By how much the clock is ahead; negative: behind, 0 = the difference is tolerable. */
  get aheadMs(): number {
    return this.#aheadMs;
  }

  /** Reports a difference once, until it is gone. */
  async check(): Promise<void> {
    const { store, clock, onError } = this.#options;
    const aheadMs = await store.clockAheadMs(() => clock.nowMs());
    const before = this.#aheadMs;
    this.#aheadMs = Math.abs(aheadMs) < TOLERATED_MS ? 0 : aheadMs;
    if (before === 0 && this.#aheadMs !== 0) onError(new Error(skewMessage(aheadMs)));
  }
}

function skewMessage(aheadMs: number): string {
  const seconds = Math.round(Math.abs(aheadMs) / 1000);
  const direction = aheadMs > 0 ? 'ahead of' : 'behind';
  return `the clock of this machine is ${seconds} s ${direction} the database's: timers and leases are wrong, on other servers as well`;
}
