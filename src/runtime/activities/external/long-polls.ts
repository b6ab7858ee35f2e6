import { ChurnMap } from '../../../../store/churn-map.ts';
import type { Clock } from '../../clock.ts';
import type { CancelSignal } from '../../types/cancel-signal.ts';

/** An item was put on the queue. `tool`: the one it asks for; null = not known. */
export interface QueuedWork {
  readonly queue: string;
  readonly tool: string | null;
}

interface Waiter extends Omit<PolledQueues, 'tenantId'> {
  /** Null = check whether to end the poll. */
  readonly wake: (work: QueuedWork | null) => void;
}

export interface PolledQueues {
  readonly tenantId: string;
  readonly queues: ReadonlySet<string>;
  /** Only items of these tools; null = of any. */
  readonly tools: ReadonlySet<string> | null;
}

export interface LongPoll {
  /** Resolves when an item may be there, when the time is up, or when the poller has disconnected. */
  readonly woken: Promise<void>;
  /** The item that woke the poll, or null. */
  readonly wokenBy: () => QueuedWork | null;
  readonly stop: () => void;
}

/** Workers that wait for an item. Each item wakes the worker that has waited longest. */
export class LongPolls {
  readonly #clock: Clock;
  /** By tenant, in order of arrival. */
  readonly #waiters = new ChurnMap<string, Set<Waiter>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Call when an item was put on a queue. If its tool is not known, all polls for some tools look, up to one for any. */
  available(tenantId: string, { queue, tool }: QueuedWork): void {
    const waiters = this.#waiters.get(tenantId) ?? new Set();
    for (const waiter of waiters) {
      const { queues, tools } = waiter;
      if (!queues.has(queue) || (tools !== null && tool !== null && tool !== '' && !tools.has(tool))) continue;
      waiters.delete(waiter);
      waiter.wake({ queue, tool });
      if (tools === null || tool !== null) return;
    }
  }

  /** Wakes all polls, so that each looks again or ends. */
  wakeAll(): void {
    for (const waiters of this.#waiters.values()) for (const waiter of waiters) waiter.wake(null);
    this.#waiters.clear();
  }

  /** Start to wait *before* looking for an item, so that none is missed in between. Must be stopped. */
  wait({ tenantId, queues, tools }: PolledQueues, untilMs: number, signal?: CancelSignal): LongPoll {
    let wokenBy: QueuedWork | null = null;
    let wake: (work: QueuedWork | null) => void = () => {};
    const woken = new Promise<void>((resolve) => {
      wake = (work) => {
        wokenBy = work;
        resolve();
      };
    });
    const waiter: Waiter = { queues, tools, wake: (work) => wake(work) };
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
