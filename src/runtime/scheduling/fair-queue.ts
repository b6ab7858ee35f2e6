import { ChurnMap } from '../../../store/churn-map.ts';
import { RuntimeError } from '../errors.ts';
import { RoundRobin, throwIfAborted, waitTurn } from './round-robin.ts';

/** How many jobs may run, and how many may wait, in all and per key. */
export interface FairQueueLimits {
  readonly active: number;
  readonly activePerKey: number;
  readonly waiting: number;
  readonly waitingPerKey: number;
}

const RETRY_AFTER_MS = 1_000;

/**
 * Bounds concurrent work. Keys (tenants) take turns: a key with many waiting requests delays its own requests only. The requests
 * of a key start in order.
 */
export class FairQueue {
  readonly #limits: FairQueueLimits;
  readonly #overloadedMessage: string;
  readonly #active = new ChurnMap<string, number>();
  readonly #waiting = new RoundRobin<() => void>();
  #activeCount = 0;

  /** `overloadedMessage`: the text of the error when too many requests wait. */
  constructor(overloadedMessage: string, limits: FairQueueLimits) {
    this.#overloadedMessage = overloadedMessage;
    this.#limits = limits;
  }

  get active(): number {
    return this.#activeCount;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Runs the work when it is the key's turn. Throws `overloaded` when too many requests wait, and `shutting_down` when the signal
   * is aborted before the work starts.
   */
  async run<T>(key: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    await this.#acquire(key, signal);
    try {
      return await work();
    } finally {
      this.#release(key);
    }
  }

  async #acquire(key: string, signal: AbortSignal | undefined): Promise<void> {
    throwIfAborted(signal);
    if (this.#mayBegin(key) && this.#waiting.sizeOf(key) === 0) {
      this.#begin(key);
      return;
    }
    const { waiting, waitingPerKey } = this.#limits;
    if (this.#waiting.size >= waiting || this.#waiting.sizeOf(key) >= waitingPerKey)
      throw new RuntimeError('overloaded', this.#overloadedMessage, { retryAfterMs: RETRY_AFTER_MS });
    await waitTurn(this.#waiting, key, signal);
  }

  #mayBegin(key: string): boolean {
    return this.#activeCount < this.#limits.active && (this.#active.get(key) ?? 0) < this.#limits.activePerKey;
  }

  #begin(key: string): void {
    this.#activeCount += 1;
    this.#active.set(key, (this.#active.get(key) ?? 0) + 1);
  }

  #release(key: string): void {
    this.#activeCount -= 1;
    const left = (this.#active.get(key) ?? 1) - 1;
    if (left === 0) this.#active.delete(key);
    else this.#active.set(key, left);
    for (;;) {
      const next = this.#waiting.next((waiting) => this.#mayBegin(waiting));
      if (next === null) return;
      this.#begin(next.key);
      next.item();
    }
  }
}
