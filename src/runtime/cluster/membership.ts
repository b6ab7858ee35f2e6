import type { ExecutionStore } from '../../../store/port/execution-store.ts';
import { RecentlyUsed } from '../../../store/recently-used.ts';
import type { Clock } from '../clock.ts';
import { Coalesced } from '../coalesce.ts';
import { HEARTBEAT_MS } from '../heartbeats.ts';
import { rendezvousOwner } from './rendezvous.ts';

/** A runtime without a heartbeat for so long is taken for lost. Clocks of different machines may differ by a few seconds. */
const HEARTBEAT_TIMEOUT_MS = 30_000;
const MAX_REMEMBERED_LOST = 1_000;

export interface MembershipOptions {
  readonly store: Pick<ExecutionStore, 'activeRuntimes'>;
  readonly clock: Clock;
  readonly runtimeId: string;
  /** Called after each refresh, with the runtimes that were live at the previous one and are not any more. */
  readonly onRefreshed: (gone: readonly string[]) => void;
  /** Called when the others may have taken this runtime for lost, and may have stopped to notify it. */
  readonly onMissedHeartbeats: () => void;
  /** Called when another runtime is live after all, to which this one has sent no notifications meanwhile. */
  readonly onJoined: () => void;
}

/** The other live runtimes on a shared database. */
export class Membership {
  readonly #options: MembershipOptions;
  #others: ReadonlySet<string> = new Set();
  /** Runtimes that were looked for and are not live. */
  readonly #lost = new RecentlyUsed<string, true>(MAX_REMEMBERED_LOST);
  #refreshedAtMs: number | null = null;
  #graceUntilMs = 0;

  readonly #refreshes = new Coalesced(() => this.#refresh());

  constructor(options: MembershipOptions) {
    this.#options = options;
  }

  /** Reads which runtimes are live now: a read that is in progress may miss the latest. */
  refresh(): Promise<void> {
    return this.#refreshes.run();
  }

  get isAlone(): boolean {
    return this.#others.size === 0;
  }

  isAlive(runtimeId: string): boolean {
    return runtimeId === this.#options.runtimeId || this.#others.has(runtimeId);
  }

  isResponsible(key: string): boolean {
    if (this.#others.size === 0) return true;
    const { runtimeId } = this.#options;
    return rendezvousOwner(key, [runtimeId, ...this.#others]) === runtimeId;
  }

  /** The runtime that continues an execution when this one stops; null = there is none. */
  successorOf(executionId: string): string | null {
    return rendezvousOwner(executionId, this.#others);
  }

  /** Makes sure that a runtime is not taken for lost because it was started a moment ago. */
  async confirm(runtimeId: string): Promise<void> {
    if (this.isAlive(runtimeId) || this.#lost.has(runtimeId)) return;
    await this.refresh();
    if (!this.isAlive(runtimeId)) this.#lost.set(runtimeId, true);
  }

  async #refresh(): Promise<void> {
    const { store, clock, runtimeId, onRefreshed, onMissedHeartbeats, onJoined } = this.#options;
    const nowMs = clock.nowMs();
    const before = this.#others;
    const others = new Set(await store.activeRuntimes(nowMs - HEARTBEAT_TIMEOUT_MS));
    // A runtime that could not read for so long could not send heartbeats either: while the database is unreachable, every runtime looks lost.
    const missedHeartbeats = this.#refreshedAtMs !== null && nowMs - this.#refreshedAtMs > 2 * HEARTBEAT_MS;
    const wasAlone = this.#refreshedAtMs !== null && before.size === 0;
    if (missedHeartbeats) this.#graceUntilMs = nowMs + HEARTBEAT_TIMEOUT_MS;
    // Not longer, in case the clock was ahead and has been set right.
    this.#graceUntilMs = Math.min(this.#graceUntilMs, nowMs + HEARTBEAT_TIMEOUT_MS);
    this.#refreshedAtMs = nowMs;
    if (nowMs < this.#graceUntilMs) for (const id of before) others.add(id);
    others.delete(runtimeId);
    for (const id of others) this.#lost.delete(id);
    this.#others = others;
    if (missedHeartbeats) onMissedHeartbeats();
    if (wasAlone && others.size > 0) onJoined();
    onRefreshed([...before].filter((id) => !others.has(id)));
  }
}
