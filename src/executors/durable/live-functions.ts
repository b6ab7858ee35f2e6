import type { Visit } from '../../../machines/messages.ts';
import { WorkError } from '../executor.ts';
import type { JournalAccess, LiveFunction } from '../journal-access.ts';

interface Parked {
  readonly attempt: number;
  readonly live: LiveFunction;
  readonly sinceMs: number;
}

/** How long a parked function stays in memory: those that wait for days hold none. */
const STAYS_MS = 30_000;

/**
 * Durable functions that are parked and still in memory: those that were parked last. One that is forgotten waits forever, and its attempt runs again from
 * the top.
 */
export class LiveFunctions {
  readonly #max: number;
  readonly #clock: JournalAccess['clock'];
  /** By visit, in the order in which they were parked. */
  readonly #parked = new Map<string, Parked>();
  #cancelTimer: (() => void) | null = null;

  constructor(max: number, clock: JournalAccess['clock']) {
    this.#max = max;
    this.#clock = clock;
  }

  get size(): number {
    return this.#parked.size;
  }

  keep(executionId: string, visit: Visit, live: LiveFunction): void {
    const key = keyOf(executionId, visit);
    const before = this.#parked.get(key)?.live;
    if (before !== live) before?.abandon();
    this.#parked.delete(key);
    this.#parked.set(key, { attempt: visit.attempt, live, sinceMs: this.#clock.nowMs() });
    const [oldest] = this.#parked;
    if (this.#parked.size > this.#max && oldest !== undefined) this.#forget(...oldest);
    if (this.#parked.size > 0) this.#cancelTimer ??= this.#clock.after(STAYS_MS, this.#forgetOld);
  }

  readonly #forgetOld = (): void => {
    this.#cancelTimer = null;
    const nowMs = this.#clock.nowMs();
    for (const [key, parked] of this.#parked) {
      const leftMs = parked.sinceMs + STAYS_MS - nowMs;
      if (leftMs > 0) {
        // The clock may have been set back.
        this.#cancelTimer = this.#clock.after(Math.min(leftMs, STAYS_MS), this.#forgetOld);
        return;
      }
      this.#forget(key, parked);
    }
  };

  #forget(key: string, { live }: Parked): void {
    this.#parked.delete(key);
    live.forget();
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
    this.#cancelTimer?.();
    this.#cancelTimer = null;
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
