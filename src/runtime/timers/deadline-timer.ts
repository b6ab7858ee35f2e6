import type { Clock } from '../clock.ts';

/** How long time may pass otherwise than it was waited for: a machine sleeps, or its clock is set. */
const MAX_TIMEOUT_MS = 60_000;

/** One timer for everything durable that will fall due: set to the earliest, re-set when an earlier one is committed. */
export class DeadlineTimer {
  readonly #clock: Clock;
  readonly #onDue: () => void;
  #atMs = Number.POSITIVE_INFINITY;
  #cancelTimer: (() => void) | null = null;
  #stopped = false;

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock;
    this.#onDue = ring;
  }

  /** Rings at `atMs` at the latest. */
  scheduleAt(atMs: number | null): void {
    if (this.#stopped || atMs === null || atMs >= this.#atMs) return;
    this.#cancelTimer?.();
    this.#atMs = atMs;
    this.#wait();
  }

  #wait(): void {
    const leftMs = Math.max(0, this.#atMs - this.#clock.nowMs());
    this.#cancelTimer = this.#clock.after(Math.min(leftMs, MAX_TIMEOUT_MS), () => {
      if (this.#clock.nowMs() < this.#atMs) {
        this.#wait();
        return;
      }
      this.#atMs = Number.POSITIVE_INFINITY;
      this.#cancelTimer = null;
      this.#onDue();
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelTimer?.();
  }
}
