import { StoreError, type StoreErrorCode } from '../../store/errors.ts';
import type { Store } from '../../store/store.ts';
import type { Clock } from './clock.ts';
import { BEAT_MS } from './fleet/peers.ts';
import { insist } from './insist.ts';
import { originOf } from './origin.ts';
import type { Caller, ClaimWork, WorkerView } from './types.ts';
import { workerViewOf } from './views.ts';

/** A busy worker's sightings are stored at most this often. */
const STORE_EVERY_MS = 5_000;
/** With nobody to be lost to, it is for people who look. */
const ALONE_EVERY_MS = 20_000;
/** When to try again: whoever is back is to be seen soon. */
const MISSED_MS = 1_000;
/** Workers not heard of for this long are no longer listed. */
const LISTED_MS = 10 * 60_000;
/** How long a runtime that stops tries to say so: a database that is being restarted is back by then. */
const FAREWELL_MS = 5_000;

export interface SightingsOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly runtimeId: string;
  /** Called each time this runtime has shown that it is there. */
  readonly seen: () => Promise<void>;
  readonly failed: (error: unknown) => void;
}

/** Who works here: external workers, as their claims show, and the runtime itself. */
export class Sightings {
  readonly #options: SightingsOptions;
  readonly #seen = new Map<string, { atMs: number; claimed: number }>();
  #callOff: () => void = () => {};
  #beating: Promise<void> | null = null;
  #again = false;
  #ended = false;
  #fault: StoreErrorCode | null = null;

  constructor(options: SightingsOptions) {
    this.#options = options;
  }

  /** What the last sign of life met; null = nothing. */
  get fault(): StoreErrorCode | null {
    return this.#fault;
  }

  async begin(): Promise<void> {
    await this.#beat();
    this.#schedule(this.#everyMs);
  }

  async #beat(): Promise<void> {
    const { store, clock, runtimeId, seen } = this.#options;
    const actor = { actorId: runtimeId, actorType: 'system', request: null } as const;
    await store.seen({ id: runtimeId, tenantId: null, kind: 'runtime', queues: [], atMs: clock.nowMs(), claimed: 0, actor });
    await seen();
  }

  get #everyMs(): number {
    return this.#options.store.shared ? BEAT_MS : ALONE_EVERY_MS;
  }

  /** However long a beat takes: others count the time. */
  #schedule(delayMs: number): void {
    this.#callOff();
    this.#callOff = this.#options.clock.after(delayMs, () => this.#beatNow());
  }

  #beatNow(): void {
    this.#schedule(this.#everyMs);
    this.#again = true;
    this.#beating ??= this.#beatAll().finally(() => {
      this.#beating = null;
    });
  }

  /** A commit met a fault of the store: looks now whether it lasts. A known fault is looked at again before long anyway. */
  suspect(): void {
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
        if (!this.#ended) this.#schedule(MISSED_MS);
      }
    }
  }

  /** Others are told that it stops in order. Whoever cannot say so for a while counts as lost: never rejects. */
  async end(): Promise<void> {
    const { store, clock, runtimeId, failed } = this.#options;
    const untilMs = clock.nowMs() + (store.shared ? FAREWELL_MS : 0);
    this.#ended = true;
    this.#callOff();
    // Seen again after its stop, it would count as lost.
    await this.#beating;
    await insist({ clock, failed, stopped: () => clock.nowMs() >= untilMs }, () => store.stopped(runtimeId, clock.nowMs()));
  }

  /** A worker has asked for work. Not awaited: a sighting is news, not a promise. */
  worker(caller: Caller, claim: ClaimWork, claimed: number): void {
    const { store, clock, failed } = this.#options;
    const { tenantId } = caller;
    const key = `${tenantId}\n${claim.workerId}`;
    const nowMs = clock.nowMs();
    const last = this.#seen.get(key);
    const total = (last?.claimed ?? 0) + claimed;
    if (last !== undefined && nowMs - last.atMs < STORE_EVERY_MS && claimed === 0) return;
    if (last !== undefined && nowMs - last.atMs < STORE_EVERY_MS) {
      this.#seen.set(key, { atMs: last.atMs, claimed: total });
      return;
    }
    this.#seen.set(key, { atMs: nowMs, claimed: 0 });
    for (const [other, seen] of this.#seen) if (nowMs - seen.atMs > LISTED_MS) this.#seen.delete(other);
    void store
      .seen({
        id: claim.workerId,
        tenantId,
        kind: 'external',
        queues: claim.queueTypes,
        atMs: nowMs,
        claimed: total,
        actor: originOf(caller),
      })
      .catch(failed);
  }

  async workers(tenantId: string): Promise<readonly WorkerView[]> {
    const { store, clock } = this.#options;
    const nowMs = clock.nowMs();
    const rows = await store.tenant(tenantId).workers(nowMs - LISTED_MS);
    return rows.map((row) => {
      const unsaved = row.kind === 'external' ? (this.#seen.get(`${tenantId}\n${row.id}`)?.claimed ?? 0) : 0;
      return workerViewOf({ ...row, claimedTotal: row.claimedTotal + unsaved }, nowMs);
    });
  }
}
