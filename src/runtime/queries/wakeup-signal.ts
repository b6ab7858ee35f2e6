/**
 * Wakes whoever watches an execution. Carries no events: a watcher reads them from the store, so that a slow one costs
 * nothing and none is missed.
 */
export class WakeupSignal {
  readonly #waiters = new Map<string, Set<() => void>>();

  /** Something was committed for the execution. */
  wake(executionId: string): void {
    const watchers = this.#waiters.get(executionId);
    if (watchers === undefined) return;
    this.#waiters.delete(executionId);
    for (const watcher of watchers) watcher();
  }

  /** Wakes everybody: the runtime is closing. */
  wakeAll(): void {
    for (const id of [...this.#waiters.keys()]) this.wake(id);
  }

  /**
   * Resolves at the next wake, when the signal aborts, or never. Ask for it *before* reading what there is,
   * else a commit in between is missed.
   */
  nextWakeup(executionId: string, signal?: AbortSignal): { readonly woken: Promise<void>; readonly stop: () => void } {
    const watchers = this.#waiters.get(executionId) ?? new Set();
    this.#waiters.set(executionId, watchers);
    let done: () => void = () => {};
    const woken = new Promise<void>((resolve) => {
      done = resolve;
    });
    const stop = (): void => {
      watchers.delete(done);
      if (watchers.size === 0 && this.#waiters.get(executionId) === watchers) this.#waiters.delete(executionId);
      signal?.removeEventListener('abort', stop);
      done();
    };
    watchers.add(done);
    if (signal?.aborted) stop();
    else signal?.addEventListener('abort', stop, { once: true });
    return { woken, stop };
  }
}
