import type { Clock } from './clock.ts';

/** How long time may pass otherwise than it was waited for: a machine sleeps, or its clock is set. */
const UNNOTICED_MS = 60_000;

/** One timer for everything durable that will fall due: set to the earliest, re-set when an earlier one is committed. */
export class Alarm {
  readonly #clock: Clock;
  readonly #ring: () => void;
  #atMs = Number.POSITIVE_INFINITY;
  #callOff: (() => void) | null = null;
  #stopped = false;

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /** Rings at `atMs` at the latest. */
  noLaterThan(atMs: number | null): void {
    if (this.#stopped || atMs === null || atMs >= this.#atMs) return;
    this.#callOff?.();
    this.#atMs = atMs;
    this.#wait();
  }

  #wait(): void {
    const leftMs = Math.max(0, this.#atMs - this.#clock.nowMs());
    this.#callOff = this.#clock.after(Math.min(leftMs, UNNOTICED_MS), () => {
      if (this.#clock.nowMs() < this.#atMs) {
        this.#wait();
        return;
      }
      this.#atMs = Number.POSITIVE_INFINITY;
      this.#callOff = null;
      this.#ring();
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#callOff?.();
  }
}
