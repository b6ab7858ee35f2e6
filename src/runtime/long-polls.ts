import type { Clock } from './clock.ts';

interface Waiter {
  readonly tenantId: string;
  readonly queues: ReadonlySet<string>;
  /** `queue` has an item; null = time to look whether to give up. */
  readonly wake: (queue: string | null) => void;
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
  #waiters: Waiter[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** An item was put on a queue. */
  available(tenantId: string, queue: string): void {
    const i = this.#waiters.findIndex((waiter) => waiter.tenantId === tenantId && waiter.queues.has(queue));
    const [waiter] = i < 0 ? [] : this.#waiters.splice(i, 1);
    waiter?.wake(queue);
  }

  /** Ends all waits: the runtime is closing. */
  wakeAll(): void {
    for (const waiter of this.#waiters.splice(0)) waiter.wake(null);
  }

  /** Begin waiting *before* looking, so that an item put in between is not missed. Must be stopped. */
  wait(interest: Pick<Waiter, 'tenantId' | 'queues'>, untilMs: number, signal?: AbortSignal): Wait {
    let by: string | null = null;
    let wake: (queue: string | null) => void = () => {};
    const woken = new Promise<void>((resolve) => {
      wake = (queue) => {
        by = queue;
        resolve();
      };
    });
    const waiter: Waiter = { ...interest, wake: (queue) => wake(queue) };
    const giveUp = (): void => wake(null);
    this.#waiters.push(waiter);
    const callOff = this.#clock.after(Math.max(0, untilMs - this.#clock.nowMs()), giveUp);
    signal?.addEventListener('abort', giveUp, { once: true });
    const stop = (): void => {
      callOff();
      signal?.removeEventListener('abort', giveUp);
      this.#waiters = this.#waiters.filter((other) => other !== waiter);
    };
    return { woken, wokenBy: () => by, stop };
  }
}
