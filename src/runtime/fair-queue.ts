import { RuntimeError } from './errors.ts';

/** How much of a scarce resource may be in use, and how much may wait for it. */
export interface FairQueueLimits {
  readonly active: number;
  readonly activePerKey: number;
  readonly waiting: number;
  readonly waitingPerKey: number;
}

interface Waiter {
  readonly admit: () => void;
}

const RETRY_AFTER_MS = 1_000;

/**
 * Bounds concurrent work. Keys (tenants) take turns: a key with many requests waiting delays its own, not those of the others. The work of
 * one key begins in the order in which it was asked for.
 */
export class FairQueue {
  readonly #limits: FairQueueLimits;
  readonly #full: string;
  readonly #active = new Map<string, number>();
  /** In the order in which the keys get their next turn. */
  readonly #waiting = new Map<string, Waiter[]>();
  #activeCount = 0;
  #waitingCount = 0;

  /** `full`: the text of the error when too many wait. */
  constructor(full: string, limits: FairQueueLimits) {
    this.#full = full;
    this.#limits = limits;
  }

  get active(): number {
    return this.#activeCount;
  }

  get waiting(): number {
    return this.#waitingCount;
  }

  /**
   * Runs the work when it is the key's turn. Throws `overloaded` when too many wait already. A request whose signal is aborted while it waits
   * never begins: it throws `shutting_down`.
   */
  async run<T>(key: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    await this.#enter(key, signal);
    try {
      return await work();
    } finally {
      this.#leave(key);
    }
  }

  async #enter(key: string, signal: AbortSignal | undefined): Promise<void> {
    throwIfEnded(signal);
    const { waiting, waitingPerKey } = this.#limits;
    if (this.#mayBegin(key) && !this.#waiting.has(key)) {
      this.#begin(key);
      return;
    }
    const queue = this.#waiting.get(key) ?? [];
    if (this.#waitingCount >= waiting || queue.length >= waitingPerKey)
      throw new RuntimeError('overloaded', this.#full, { retryAfterMs: RETRY_AFTER_MS });
    await new Promise<void>((admit, reject) => {
      const waiter: Waiter = {
        admit: () => {
          signal?.removeEventListener('abort', onAbort);
          admit();
        },
      };
      const onAbort = (): void => {
        this.#remove(key, waiter);
        reject(ended());
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      queue.push(waiter);
      this.#waiting.set(key, queue);
      this.#waitingCount += 1;
    });
  }

  #mayBegin(key: string): boolean {
    return this.#activeCount < this.#limits.active && (this.#active.get(key) ?? 0) < this.#limits.activePerKey;
  }

  #begin(key: string): void {
    this.#activeCount += 1;
    this.#active.set(key, (this.#active.get(key) ?? 0) + 1);
  }

  #leave(key: string): void {
    this.#activeCount -= 1;
    const left = (this.#active.get(key) ?? 1) - 1;
    if (left === 0) this.#active.delete(key);
    else this.#active.set(key, left);
    for (const [next, queue] of this.#waiting) {
      if (this.#activeCount >= this.#limits.active) return;
      if (!this.#mayBegin(next)) continue;
      const [waiter] = queue.splice(0, 1);
      this.#waiting.delete(next);
      // The key goes to the end of the round.
      if (queue.length > 0) this.#waiting.set(next, queue);
      if (waiter === undefined) continue;
      this.#waitingCount -= 1;
      this.#begin(next);
      waiter.admit();
    }
  }

  #remove(key: string, waiter: Waiter): void {
    const queue = this.#waiting.get(key);
    const index = queue?.indexOf(waiter) ?? -1;
    if (queue === undefined || index === -1) return;
    queue.splice(index, 1);
    this.#waitingCount -= 1;
    if (queue.length === 0) this.#waiting.delete(key);
  }
}

/** Throws `shutting_down` once whoever asked has gone, or may ask no more. */
export function throwIfEnded(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw ended();
}

function ended(): RuntimeError {
  return new RuntimeError('shutting_down', 'the request has ended', { retryAfterMs: RETRY_AFTER_MS });
}
