/** The source of time and of timeouts. Tests and simulations pass their own. */
export interface Clock {
  /** Milliseconds since the epoch. */
  nowMs(): number;
  /**
   * Calls back once after `delayMs` milliseconds. Returns a function that cancels that. Keeps the process alive only with
   * `keepAlive`.
   */
  after(delayMs: number, callback: () => void, keepAlive?: boolean): () => void;
}

/** `setTimeout` fires immediately on longer delays. */
const LONGEST_DELAY_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  after(delayMs, callback, keepAlive = false) {
    let handle = setTimeout(tick, Math.min(delayMs, LONGEST_DELAY_MS));
    let left = delayMs;
    if (!keepAlive) handle.unref();
    function tick(): void {
      left -= LONGEST_DELAY_MS;
      if (left <= 0) {
        callback();
        return;
      }
      handle = setTimeout(tick, Math.min(left, LONGEST_DELAY_MS));
      if (!keepAlive) handle.unref();
    }
    return () => clearTimeout(handle);
  },
};

/** Until so much time has passed on the wall, it counts as CPU time: reading that takes microseconds. */
const RESOLUTION_MS = 1;

/**
 * A clock that goes on with the CPU time of this process, and never faster than time does. What shares the event loop by it does so however busy the
 * machine is, and however long the disk takes.
 */
export class CpuTime {
  #readAtMs = performance.now();
  #readMs = cpuMs();
  #nowMs = 0;

  nowMs(): number {
    const passedMs = performance.now() - this.#readAtMs;
    if (passedMs < RESOLUTION_MS) return this.#nowMs;
    const readMs = cpuMs();
    // Other threads may compute at the same time.
    this.#nowMs += Math.min(passedMs, readMs - this.#readMs);
    this.#readAtMs += passedMs;
    this.#readMs = readMs;
    return this.#nowMs;
  }
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
