import type { Clock } from '../../clock.ts';
import type { CancelSignal } from '../../types/cancel-signal.ts';

interface Waiter {
  readonly queues: ReadonlySet<string>;
  /** `queue` got an item; null = check whether to end the poll. */
  readonly wake: (queue: string | null) => void;
}

export interface PolledQueues {
  readonly tenantId: string;
  readonly queues: ReadonlySet<string>;
}

export interface LongPoll {
  /** Resolves when an item may be there, when the time is up, or when the poller has disconnected. */
  readonly woken: Promise<void>;
  /** The queue whose item woke the poll, or null. */
  readonly wokenBy: () => string | null;
  readonly stop: () => void;
}

/** Workers that wait for an item. Each item wakes the worker that has waited longest. */
export class LongPolls {
  readonly #clock: Clock;
  /** By tenant, in order of arrival. */
  readonly #waiters = new Map<string, Set<Waiter>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Call when an item was put on a queue. */
  available(tenantId: string, queue: string): void {
    const waiters = this.#waiters.get(tenantId) ?? new Set();
    for (const waiter of waiters) {
      if (!waiter.queues.has(queue)) continue;
      waiters.delete(waiter);
      waiter.wake(queue);
      return;
    }
  }

  /** Wakes all polls, so that each looks again or ends. */
  wakeAll(): void {
    for (const waiters of this.#waiters.values()) for (const waiter of waiters) waiter.wake(null);
    this.#waiters.clear();
  }

  /** Start to wait *before* looking for an item, so that none is missed in between. Must be stopped. */
  wait({ tenantId, queues }: PolledQueues, untilMs: number, signal?: CancelSignal): LongPoll {
    let wokenBy: string | null = null;
    let wake: (queue: string | null) => void = () => {};
    const woken = new Promise<void>((resolve) => {
      wake = (queue) => {
        wokenBy = queue;
        resolve();
      };
    });
    const waiter: Waiter = { queues, wake: (queue) => wake(queue) };
    const onTimeout = (): void => wake(null);
    const waiters = this.#waiters.get(tenantId) ?? new Set();
    this.#waiters.set(tenantId, waiters.add(waiter));
    const cancelTimeout = this.#clock.after(Math.max(0, untilMs - this.#clock.nowMs()), onTimeout);
    signal?.addEventListener('abort', onTimeout, { once: true });
    const stop = (): void => {
      cancelTimeout();
      signal?.removeEventListener('abort', onTimeout);
      waiters.delete(waiter);
      if (waiters.size === 0 && this.#waiters.get(tenantId) === waiters) this.#waiters.delete(tenantId);
    };
    return { woken, wokenBy: () => wokenBy, stop };
  }
}
