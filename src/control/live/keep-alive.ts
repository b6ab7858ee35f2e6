import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../../runtime/clock.ts';

const INTERVAL_MS = 15_000;
/** Callbacks before yielding to the event loop: a few milliseconds. */
const CALLBACKS_PER_TURN = 50;

/** One shared timer for the keep-alives of all streams; no timer while there are none. */
export class KeepAlive {
  readonly #clock: Clock;
  readonly #callbacks = new Set<() => void>();
  #cancelTimer: (() => void) | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `callback`, which must not throw, every 15 seconds. Returns how to unsubscribe. */
  subscribe(callback: () => void): () => void {
    this.#callbacks.add(callback);
    this.#cancelTimer ??= this.#clock.after(INTERVAL_MS, this.#tick);
    return () => {
      this.#callbacks.delete(callback);
      if (this.#callbacks.size === 0) this.stop();
    };
  }

  stop(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
  }

  readonly #tick = (): void => {
    this.#cancelTimer = this.#clock.after(INTERVAL_MS, this.#tick);
    void this.#callAll([...this.#callbacks]);
  };

  async #callAll(callbacks: readonly (() => void)[]): Promise<void> {
    for (const [i, callback] of callbacks.entries()) {
      if (i % CALLBACKS_PER_TURN === CALLBACKS_PER_TURN - 1) await setImmediate();
      if (this.#callbacks.has(callback)) callback();
    }
  }
}
