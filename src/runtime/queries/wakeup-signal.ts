import { ChurnMap } from '../../../store/churn-map.ts';
import type { CancelSignal } from '../types/cancel-signal.ts';

/**
 * Wakes the readers that wait for news of a key, e.g. an execution. Carries no data: a reader reads from the store, so that a
 * slow reader costs nothing and misses nothing.
 */
export class WakeupSignal {
  readonly #waiters = new ChurnMap<string, Set<() => void>>();

  wake(key: string): void {
    const waiters = this.#waiters.get(key);
    if (waiters === undefined) return;
    this.#waiters.delete(key);
    for (const wake of waiters) wake();
  }

  wakeAll(): void {
    for (const key of [...this.#waiters.keys()]) this.wake(key);
  }

  /**
   * Resolves at the next wake-up, or when the signal aborts. Ask *before* reading, so that no news in between is missed. Must be
   * stopped.
   */
  nextWakeup(key: string, signal?: CancelSignal): { readonly woken: Promise<void>; readonly stop: () => void } {
    const waiters = this.#waiters.get(key) ?? new Set();
    this.#waiters.set(key, waiters);
    let wake: () => void = () => {};
    const woken = new Promise<void>((resolve) => {
      wake = resolve;
    });
    const stop = (): void => {
      waiters.delete(wake);
      if (waiters.size === 0 && this.#waiters.get(key) === waiters) this.#waiters.delete(key);
      signal?.removeEventListener('abort', stop);
      wake();
    };
    waiters.add(wake);
    if (signal?.aborted) stop();
    else signal?.addEventListener('abort', stop, { once: true });
    return { woken, stop };
  }
}
