/** Time as the runtime sees it; tests bring their own. */
export interface Clock {
  /** Milliseconds since the epoch. */
  nowMs(): number;
  /** Calls back once after `delayMs`; the returned function calls it off. Keeps the process alive only when asked to. */
  after(delayMs: number, callback: () => void, keepAlive?: boolean): () => void;
}

/** Longer delays overflow in `setTimeout` and would fire at once. */
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
