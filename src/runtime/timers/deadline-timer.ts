import type { Clock } from '../clock.ts';

/** Upper bound for one timeout, so that suspending the machine or setting its clock delays a timer by at most a minute. */
const MAX_TIMEOUT_MS = 60_000;

/** Calls back once at the earliest of the times it was scheduled for; may then be scheduled again. */
export class DeadlineTimer {
  readonly #clock: Clock;
  readonly #onDue: () => void;
  #atMs = Number.POSITIVE_INFINITY;
  #cancelTimeout: (() => void) | null = null;
  #stopped = false;

  constructor(clock: Clock, onDue: () => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  /** Calls back at `atMs`, in milliseconds since the epoch, unless an earlier time is scheduled. Null does nothing. */
  scheduleAt(atMs: number | null): void {
    if (this.#stopped || atMs === null || atMs >= this.#atMs) return;
    this.#cancelTimeout?.();
    this.#atMs = atMs;
    this.#wait();
  }

  #wait(): void {
    const leftMs = Math.max(0, this.#atMs - this.#clock.nowMs());
    this.#cancelTimeout = this.#clock.after(Math.min(leftMs, MAX_TIMEOUT_MS), () => {
      if (this.#clock.nowMs() < this.#atMs) {
        this.#wait();
        return;
      }
      this.#atMs = Number.POSITIVE_INFINITY;
      this.#cancelTimeout = null;
      this.#onDue();
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelTimeout?.();
  }
}
