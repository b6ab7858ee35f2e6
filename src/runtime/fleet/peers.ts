import { LRUCache } from 'lru-cache';
import type { Store } from '../../../store/store.ts';
import type { Clock } from '../clock.ts';
import { preferred } from './rendezvous.ts';

/** How often a runtime shows that it is there, where others look. */
export const BEAT_MS = 10_000;
/** One that was not seen for so long is taken for lost. Clocks of different machines may differ by a few seconds. */
const LEASE_MS = 30_000;
const REMEMBERED_LOST = 1_000;

export interface PeersOptions {
  readonly store: Pick<Store, 'shared' | 'runtimes'>;
  readonly clock: Clock;
  readonly runtimeId: string;
  /** Told after each look, with those who were there at the one before and are not any more. */
  readonly looked: (gone: readonly string[]) => void;
  /** Told when the others may have taken this runtime for lost, and have told it nothing. */
  readonly wasAway: () => void;
  /** Told when somebody is there after all, whom nobody has told what was committed here meanwhile. */
  readonly joined: () => void;
}

/** Which other runtimes work on the database. On one that is not shared there never is another. */
export class Peers {
  readonly #options: PeersOptions;
  #others: ReadonlySet<string> = new Set();
  /** Looked for, and not there. */
  readonly #lost = new LRUCache<string, true>({ maxSize: REMEMBERED_LOST, sizeCalculation: () => 1 });
  #lookedAtMs: number | null = null;
  #sparedUntilMs = 0;
  #looking: Promise<void> = Promise.resolve();
  #next: Promise<void> | null = null;

  constructor(options: PeersOptions) {
    this.#options = options;
  }

  isAlive(runtimeId: string): boolean {
    return runtimeId === this.#options.runtimeId || this.#others.has(runtimeId);
  }

  get isAlone(): boolean {
    return this.#others.size === 0;
  }

  /** Who does the in-process work of an execution that is about to be committed here: its owner, if he is still there, else this runtime. */
  ownerAfter(owner: string | null): string {
    return owner !== null && this.isAlive(owner) ? owner : this.#options.runtimeId;
  }

  /** Who goes on with an execution when this runtime stops; null = nobody is there. */
  heirOf(executionId: string): string | null {
    return preferred(executionId, this.#others);
  }

  /** Is this the runtime, of all that are there, to do what any of them could? Two may think so for a moment. */
  isMine(key: string): boolean {
    if (this.#others.size === 0) return true;
    const { runtimeId } = this.#options;
    return preferred(key, [runtimeId, ...this.#others]) === runtimeId;
  }

  /** Looks who is there now: what is under way already may not have seen the latest. */
  look(): Promise<void> {
    if (!this.#options.store.shared) return Promise.resolve();
    this.#next ??= this.#looking
      .catch(() => {})
      .then(() => {
        this.#next = null;
        this.#looking = this.#look();
        return this.#looking;
      });
    return this.#next;
  }

  /** Makes sure that somebody who has just come is not taken for lost. */
  async lookFor(runtimeId: string): Promise<void> {
    if (!this.#options.store.shared || this.isAlive(runtimeId) || this.#lost.has(runtimeId)) return;
    await this.look();
    if (!this.isAlive(runtimeId)) this.#lost.set(runtimeId, true);
  }

  async #look(): Promise<void> {
    const { store, clock, runtimeId, looked, wasAway, joined } = this.#options;
    const nowMs = clock.nowMs();
    const before = this.#others;
    const others = new Set(await store.runtimes(nowMs - LEASE_MS));
    // Whoever could not look for so long, could not have been seen either: with the database away, everybody looks lost.
    const away = this.#lookedAtMs !== null && nowMs - this.#lookedAtMs > 2 * BEAT_MS;
    const wasAlone = this.#lookedAtMs !== null && before.size === 0;
    if (away) this.#sparedUntilMs = nowMs + LEASE_MS;
    // Not longer because the clock was ahead, and is right again.
    this.#sparedUntilMs = Math.min(this.#sparedUntilMs, nowMs + LEASE_MS);
    this.#lookedAtMs = nowMs;
    if (nowMs < this.#sparedUntilMs) for (const id of before) others.add(id);
    others.delete(runtimeId);
    for (const id of others) this.#lost.delete(id);
    this.#others = others;
    if (away) wasAway();
    if (wasAlone && others.size > 0) joined();
    looked([...before].filter((id) => !others.has(id)));
  }
}
