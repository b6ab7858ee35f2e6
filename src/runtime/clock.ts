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
