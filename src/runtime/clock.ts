/** Time as the runtime sees it; tests bring their own. */
export interface Clock {
  /** Milliseconds since the epoch. */
  nowMs(): number;
  /** Calls back once after `delayMs`; the returned function calls it off. Never keeps the process alive by itself. */
  after(delayMs: number, callback: () => void): () => void;
}

/** Longer delays overflow in `setTimeout` and would fire at once. */
const LONGEST_DELAY_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  after(delayMs, callback) {
    let handle = setTimeout(tick, Math.min(delayMs, LONGEST_DELAY_MS));
    let left = delayMs;
    handle.unref();
    function tick(): void {
      left -= LONGEST_DELAY_MS;
      if (left <= 0) {
        callback();
        return;
      }
      handle = setTimeout(tick, Math.min(left, LONGEST_DELAY_MS));
      handle.unref();
    }
    return () => clearTimeout(handle);
  },
};
