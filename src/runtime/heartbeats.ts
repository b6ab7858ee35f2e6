import { StoreError, type StoreErrorCode } from '../../store/port/errors.ts';
import type { ExecutionStore } from '../../store/port/execution-store.ts';
import { actorOf } from './actor.ts';
import type { Clock } from './clock.ts';
import { HEARTBEAT_MS } from './cluster/membership.ts';
import { workerViewOf } from './queries/views.ts';
import { retryForever } from './retry-forever.ts';
import type { Caller } from './types/caller.ts';
import type { ClaimWork, WorkerView } from './types/work.ts';

/** A busy worker's sightings are stored at most this often. */
const STORE_INTERVAL_MS = 5_000;
/** With nobody to be lost to, it is for people who look. */
const UNSHARED_HEARTBEAT_MS = 20_000;
/** When to try again: whoever is back is to be seen soon. */
const RETRY_MS = 1_000;
/** Workers not heard of for this long are no longer listed. */
const LIST_FOR_MS = 10 * 60_000;
/** How long a runtime that stops tries to say so: a database that is being restarted is back by then. */
const SIGN_OFF_TIMEOUT_MS = 5_000;

export interface HeartbeatsOptions {
  readonly store: ExecutionStore;
  readonly clock: Clock;
  readonly runtimeId: string;
  /** Called each time this runtime has shown that it is there. */
  readonly seen: () => Promise<void>;
  readonly failed: (error: unknown) => void;
}

/** Who works here: external workers, as their claims show, and the runtime itself. */
export class Heartbeats {
  readonly #options: HeartbeatsOptions;
  readonly #workers = new Map<string, { atMs: number; claimed: number }>();
  #cancelTimer: () => void = () => {};
  #beating: Promise<void> | null = null;
  #again = false;
  #ended = false;
  #fault: StoreErrorCode | null = null;

  constructor(options: HeartbeatsOptions) {
    this.#options = options;
  }

  /** What the last sign of life met; null = nothing. */
  get fault(): StoreErrorCode | null {
    return this.#fault;
  }

  async begin(): Promise<void> {
    await this.#beat();
    this.#schedule(this.#intervalMs);
  }

  async #beat(): Promise<void> {
    const { store, clock, runtimeId, seen } = this.#options;
    const actor = { actorId: runtimeId, actorType: 'system', request: null } as const;
    await store.heartbeat({ id: runtimeId, tenantId: null, kind: 'runtime', queues: [], atMs: clock.nowMs(), claimed: 0, actor });
    await seen();
  }

  get #intervalMs(): number {
    return this.#options.store.shared ? HEARTBEAT_MS : UNSHARED_HEARTBEAT_MS;
  }

  /** However long a beat takes: others count the time. */
  #schedule(delayMs: number): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#options.clock.after(delayMs, () => this.#beatNow());
  }

  #beatNow(): void {
    this.#schedule(this.#intervalMs);
    this.#again = true;
    this.#beating ??= this.#beatAll().finally(() => {
      this.#beating = null;
    });
  }

  /** A commit met a fault of the store: looks now whether it lasts. A known fault is looked at again before long anyway. */
  checkStore(): void {
    if (this.#fault === null && !this.#ended) this.#beatNow();
  }

  async #beatAll(): Promise<void> {
    while (this.#again && !this.#ended) {
      this.#again = false;
      try {
        await this.#beat();
        this.#fault = null;
      } catch (error) {
        this.#fault = error instanceof StoreError ? error.code : 'store_unavailable';
        this.#options.failed(error);
        if (!this.#ended) this.#schedule(RETRY_MS);
      }
    }
  }

  /** Others are told that it stops in order. Whoever cannot say so for a while counts as lost: never rejects. */
  async signOff(): Promise<void> {
    const { store, clock, runtimeId, failed } = this.#options;
    const untilMs = clock.nowMs() + (store.shared ? SIGN_OFF_TIMEOUT_MS : 0);
    this.#ended = true;
    this.#cancelTimer();
    // Seen again after its stop, it would count as lost.
    await this.#beating;
    await retryForever({ clock, failed, stopped: () => clock.nowMs() >= untilMs }, () =>
      store.recordStop(runtimeId, clock.nowMs()),
    );
  }

  /** A worker has asked for work. Not awaited: a sighting is news, not a promise. */
  recordWorker(caller: Caller, claim: ClaimWork, claimed: number): void {
    const { store, clock, failed } = this.#options;
    const { tenantId } = caller;
    const key = `${tenantId}\n${claim.workerId}`;
    const nowMs = clock.nowMs();
    const last = this.#workers.get(key);
    const total = (last?.claimed ?? 0) + claimed;
    if (last !== undefined && nowMs - last.atMs < STORE_INTERVAL_MS && claimed === 0) return;
    if (last !== undefined && nowMs - last.atMs < STORE_INTERVAL_MS) {
      this.#workers.set(key, { atMs: last.atMs, claimed: total });
      return;
    }
    this.#workers.set(key, { atMs: nowMs, claimed: 0 });
    for (const [other, seen] of this.#workers) if (nowMs - seen.atMs > LIST_FOR_MS) this.#workers.delete(other);
    void store
      .heartbeat({
        id: claim.workerId,
        tenantId,
        kind: 'external',
        queues: claim.queueTypes,
        atMs: nowMs,
        claimed: total,
        actor: actorOf(caller),
      })
      .catch(failed);
  }

  async workers(tenantId: string): Promise<readonly WorkerView[]> {
    const { store, clock } = this.#options;
    const nowMs = clock.nowMs();
    const rows = await store.tenant(tenantId).workers(nowMs - LIST_FOR_MS);
    return rows.map((row) => {
      const unsaved = row.kind === 'external' ? (this.#workers.get(`${tenantId}\n${row.id}`)?.claimed ?? 0) : 0;
      return workerViewOf({ ...row, claimedTotal: row.claimedTotal + unsaved }, nowMs);
    });
  }
}
