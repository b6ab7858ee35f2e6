import type { Clock } from '../../src/runtime/clock.ts';

interface Pending {
  readonly atMs: number;
  readonly callback: () => void;
}

/** A clock that a test advances. Callbacks run in the order in which they are due. */
export class FakeClock implements Clock {
  #nowMs: number;
  #pending: Pending[] = [];

  constructor(nowMs = Date.UTC(2026, 2, 12, 10)) {
    this.#nowMs = nowMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  /** Number of pending callbacks. */
  get waiting(): number {
    return this.#pending.length;
  }

  after(delayMs: number, callback: () => void): () => void {
    const pending = { atMs: this.#nowMs + delayMs, callback };
    this.#pending.push(pending);
    return () => {
      this.#pending = this.#pending.filter((other) => other !== pending);
    };
  }

  /** Advances the time and runs the callbacks that become due. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      const next = this.#pending.filter((pending) => pending.atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined) break;
      this.#pending = this.#pending.filter((other) => other !== next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.callback();
    }
    this.#nowMs = untilMs;
  }
}

/** A clock that goes on by itself, with the CPU time of the process: what shares time out by it does so whatever the load of the machine. */
export class CpuClock extends FakeClock {
  override nowMs(): number {
    const { user, system } = process.cpuUsage();
    return super.nowMs() + Math.floor((user + system) / 1_000);
  }
}
