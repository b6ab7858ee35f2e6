import type { Inbox } from './activities/children/inbox.ts';
import type { ActivityPool } from './activities/local/activity-pool.ts';
import type { Releases } from './activities/local/releases.ts';
import type { RecoveryScheduler } from './activities/recovery/recovery-scheduler.ts';
import type { Cluster } from './cluster/cluster.ts';
import type { RuntimeContext } from './context.ts';
import type { Engine } from './engine/engine.ts';
import type { Eraser } from './erasure/eraser.ts';
import type { Heartbeats } from './heartbeats.ts';
import type { Quotas } from './quotas/quotas.ts';
import type { SubjectTokens } from './subject-tokens/subject-tokens.ts';
import type { TimerQueue } from './timers/timer-queue.ts';

export interface LifecycleOptions extends Pick<RuntimeContext, 'store' | 'clock' | 'runtimeId'> {
  /** Its signal is `stopping`. */
  readonly shutdown: AbortController;
  readonly engine: Engine;
  readonly pool: ActivityPool;
  readonly releases: Releases;
  readonly quotas: Pick<Quotas, 'begin'>;
  readonly inbox: Inbox;
  readonly timers: TimerQueue;
  readonly heartbeats: Heartbeats;
  readonly recovery: RecoveryScheduler;
  readonly eraser: Eraser;
  /** Null: no other runtime may work on the database. */
  readonly cluster: Cluster | null;
  /** Of executors, to services. */
  readonly connections: { close(): Promise<void> };
  readonly subjectTokens: Pick<SubjectTokens, 'begin' | 'idle'>;
}

/** The order in which a runtime starts and stops. */
export class Lifecycle {
  readonly #options: LifecycleOptions;
  #recovering: Promise<void> = Promise.resolve();
  #releaseProcess: () => void = () => {};
  #closing: Promise<void> | null = null;

  constructor(options: LifecycleOptions) {
    this.#options = options;
  }

  /** Throws `StoreError` `store_locked` when another runtime works on the database. */
  async open(): Promise<void> {
    const { store, clock, runtimeId, quotas, heartbeats, cluster, recovery, inbox, timers, eraser, subjectTokens } =
      this.#options;
    await store.lock({ runtimeId, pid: process.pid, startedAtMs: clock.nowMs() });
    await quotas.begin();
    await heartbeats.begin();
    // Timers may fall due at any time.
    this.#releaseProcess = clock.after(Number.MAX_SAFE_INTEGER, () => {}, true);
    cluster?.open();
    this.#recovering = recovery.begin();
    inbox.drain();
    timers.poll();
    eraser.request();
    subjectTokens.begin();
  }

  /** Resolves once nothing is in progress. Later calls return the promise of the first. */
  close(graceMs: number): Promise<void> {
    this.#closing ??= this.#close(graceMs);
    return this.#closing;
  }

  async #close(graceMs: number): Promise<void> {
    const { shutdown, engine, pool, releases, heartbeats, recovery, cluster, connections, eraser, subjectTokens } = this.#options;
    try {
      shutdown.abort();
      await pool.stop(graceMs);
      await cluster?.leave();
      await this.#recovering;
      await recovery.idle();
      await engine.idle();
      await releases.idle(graceMs);
      await eraser.close();
      await subjectTokens.idle();
      await heartbeats.signOff();
    } finally {
      await connections.close();
      cluster?.close();
      this.#releaseProcess();
    }
  }
}
