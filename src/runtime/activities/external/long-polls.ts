import type { Clock } from '../../clock.ts';

interface Waiter {
  readonly queues: ReadonlySet<string>;
  /** `queue` has an item; null = time to look whether to give up. */
  readonly wake: (queue: string | null) => void;
}

export interface Interest {
  readonly tenantId: string;
  readonly queues: ReadonlySet<string>;
}

export interface Wait {
  /** Resolves when an item may be there, when the time is up, or when the poller has gone. */
  readonly woken: Promise<void>;
  /** The queue whose item woke it, or null. */
  readonly wokenBy: () => string | null;
  readonly stop: () => void;
}

/** Workers that wait for an item; each item wakes the one that has waited longest. */
export class LongPolls {
  readonly #clock: Clock;
  /** By tenant, in the order in which they came: an item is looked up among those of its tenant alone. */
  readonly #waiters = new Map<string, Set<Waiter>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** An item was put on a queue. */
  available(tenantId: string, queue: string): void {
    const waiters = this.#waiters.get(tenantId) ?? new Set();
    for (const waiter of waiters) {
      if (!waiter.queues.has(queue)) continue;
      waiters.delete(waiter);
      waiter.wake(queue);
      return;
    }
  }

  /** Ends all waits: the runtime is closing. */
  wakeAll(): void {
    for (const waiters of this.#waiters.values()) for (const waiter of waiters) waiter.wake(null);
    this.#waiters.clear();
  }

  /** Begin waiting *before* looking, so that an item put in between is not missed. Must be stopped. */
  wait({ tenantId, queues }: Interest, untilMs: number, signal?: AbortSignal): Wait {
    let by: string | null = null;
    let wake: (queue: string | null) => void = () => {};
    const woken = new Promise<void>((resolve) => {
      wake = (queue) => {
        by = queue;
        resolve();
      };
    });
    const waiter: Waiter = { queues, wake: (queue) => wake(queue) };
    const giveUp = (): void => wake(null);
    const waiters = this.#waiters.get(tenantId) ?? new Set();
    this.#waiters.set(tenantId, waiters.add(waiter));
    const callOff = this.#clock.after(Math.max(0, untilMs - this.#clock.nowMs()), giveUp);
    signal?.addEventListener('abort', giveUp, { once: true });
    const stop = (): void => {
      callOff();
      signal?.removeEventListener('abort', giveUp);
      waiters.delete(waiter);
      if (waiters.size === 0 && this.#waiters.get(tenantId) === waiters) this.#waiters.delete(tenantId);
    };
    return { woken, wokenBy: () => by, stop };
  }
}
