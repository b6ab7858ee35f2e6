import { LRUCache } from 'lru-cache';
import type { ExecutionStore } from '../../../store/port/execution-store.ts';
import type { Clock } from '../clock.ts';
import { rendezvousOwner } from './rendezvous.ts';

/** How often a runtime shows that it is there, where others look. */
export const HEARTBEAT_MS = 10_000;
/** One that was not seen for so long is taken for lost. Clocks of different machines may differ by a few seconds. */
const HEARTBEAT_TIMEOUT_MS = 30_000;
const MAX_REMEMBERED_LOST = 1_000;

export interface MembershipOptions {
  readonly store: Pick<ExecutionStore, 'shared' | 'activeRuntimes'>;
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
export class Membership {
  readonly #options: MembershipOptions;
  #others: ReadonlySet<string> = new Set();
  /** Looked for, and not there. */
  readonly #lost = new LRUCache<string, true>({ maxSize: MAX_REMEMBERED_LOST, sizeCalculation: () => 1 });
  #refreshedAtMs: number | null = null;
  #graceUntilMs = 0;
  #refreshing: Promise<void> = Promise.resolve();
  #next: Promise<void> | null = null;

  constructor(options: MembershipOptions) {
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
  successorOf(executionId: string): string | null {
    return rendezvousOwner(executionId, this.#others);
  }

  /** Is this the runtime, of all that are there, to do what any of them could? Two may think so for a moment. */
  isResponsible(key: string): boolean {
    if (this.#others.size === 0) return true;
    const { runtimeId } = this.#options;
    return rendezvousOwner(key, [runtimeId, ...this.#others]) === runtimeId;
  }

  /** Looks who is there now: what is under way already may not have seen the latest. */
  refresh(): Promise<void> {
    if (!this.#options.store.shared) return Promise.resolve();
    this.#next ??= this.#refreshing
      .catch(() => {})
      .then(() => {
        this.#next = null;
        this.#refreshing = this.#refresh();
        return this.#refreshing;
      });
    return this.#next;
  }

  /** Makes sure that somebody who has just come is not taken for lost. */
  async confirm(runtimeId: string): Promise<void> {
    if (!this.#options.store.shared || this.isAlive(runtimeId) || this.#lost.has(runtimeId)) return;
    await this.refresh();
    if (!this.isAlive(runtimeId)) this.#lost.set(runtimeId, true);
  }

  async #refresh(): Promise<void> {
    const { store, clock, runtimeId, looked, wasAway, joined } = this.#options;
    const nowMs = clock.nowMs();
    const before = this.#others;
    const others = new Set(await store.activeRuntimes(nowMs - HEARTBEAT_TIMEOUT_MS));
    // Whoever could not look for so long, could not have been seen either: with the database away, everybody looks lost.
    const away = this.#refreshedAtMs !== null && nowMs - this.#refreshedAtMs > 2 * HEARTBEAT_MS;
    const wasAlone = this.#refreshedAtMs !== null && before.size === 0;
    if (away) this.#graceUntilMs = nowMs + HEARTBEAT_TIMEOUT_MS;
    // Not longer because the clock was ahead, and is right again.
    this.#graceUntilMs = Math.min(this.#graceUntilMs, nowMs + HEARTBEAT_TIMEOUT_MS);
    this.#refreshedAtMs = nowMs;
    if (nowMs < this.#graceUntilMs) for (const id of before) others.add(id);
    others.delete(runtimeId);
    for (const id of others) this.#lost.delete(id);
    this.#others = others;
    if (away) wasAway();
    if (wasAlone && others.size > 0) joined();
    looked([...before].filter((id) => !others.has(id)));
  }
}
