import type { Visit } from '../../../machines/messages.ts';
import { WorkError } from '../executor.ts';
import type { LiveFunction } from '../journal-access.ts';

interface Parked {
  readonly attempt: number;
  readonly live: LiveFunction;
}

/**
 * Durable functions that are parked and still in memory: those that were parked last. One that is forgotten waits forever, and its attempt runs again from
 * the top.
 */
export class LiveFunctions {
  readonly #max: number;
  /** By visit, in the order in which they were parked. */
  readonly #parked = new Map<string, Parked>();

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#parked.size;
  }

  keep(executionId: string, visit: Visit, live: LiveFunction): void {
    const key = keyOf(executionId, visit);
    const before = this.#parked.get(key)?.live;
    if (before !== live) before?.abandon();
    this.#parked.delete(key);
    this.#parked.set(key, { attempt: visit.attempt, live });
    if (this.#parked.size <= this.#max) return;
    const [oldest] = this.#parked;
    if (oldest === undefined) return;
    this.#parked.delete(oldest[0]);
    oldest[1].live.forget();
  }

  /** The function goes on. */
  drop(executionId: string, visit: Visit, live: LiveFunction): void {
    const key = keyOf(executionId, visit);
    if (this.#parked.get(key)?.live === live) this.#parked.delete(key);
  }

  /** The function of an attempt that begins again; null = it is not in memory. */
  take(executionId: string, visit: Visit): LiveFunction | null {
    const parked = this.#remove(executionId, visit);
    if (parked === null || parked.attempt === visit.attempt) return parked?.live ?? null;
    parked.live.abandon();
    return null;
  }

  /** The visit is over. */
  abandon(executionId: string, visit: Pick<Visit, 'node' | 'activation'>): void {
    if (this.#parked.size === 0) return;
    this.#remove(executionId, visit)?.live.abandon(new WorkError('the node was cancelled', { retryable: false }));
  }

  /** The runtime stops. */
  abandonAll(): void {
    for (const { live } of this.#parked.values()) live.abandon(new WorkError('the runtime is stopping', { retryable: true }));
    this.#parked.clear();
  }

  #remove(executionId: string, visit: Pick<Visit, 'node' | 'activation'>): Parked | null {
    const key = keyOf(executionId, visit);
    const parked = this.#parked.get(key) ?? null;
    this.#parked.delete(key);
    return parked;
  }
}

function keyOf(executionId: string, { node, activation }: Pick<Visit, 'node' | 'activation'>): string {
  return `${executionId}\n${node}\n${activation}`;
}
