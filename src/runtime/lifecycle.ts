import type { ExecutionStore } from '../../store/port/execution-store.ts';
import type { ChildStartQueue } from './activities/children/child-start-queue.ts';
import type { Children } from './activities/children/children.ts';
import type { ExternalWork } from './activities/external/external-work.ts';
import type { ActivityPool } from './activities/local/activity-pool.ts';
import type { RecoveryScheduler } from './activities/recovery/recovery-scheduler.ts';
import type { Clock } from './clock.ts';
import type { Notifications } from './cluster/notifications.ts';
import type { Ownership } from './cluster/ownership.ts';
import type { Engine } from './engine/engine.ts';
import type { Heartbeats } from './heartbeats.ts';
import type { WakeupSignal } from './queries/wakeup-signal.ts';
import type { Quotas } from './quotas/quotas.ts';
import type { TimerQueue } from './timers/timer-queue.ts';

export interface LifecycleOptions {
  readonly store: ExecutionStore;
  readonly clock: Clock;
  readonly runtimeId: string;
  readonly loop: Engine;
  readonly feed: WakeupSignal;
  readonly external: ExternalWork;
  readonly dispatch: ActivityPool;
  readonly quotas: Pick<Quotas, 'begin'>;
  readonly children: Children;
  readonly childStarts: ChildStartQueue;
  readonly wakeups: TimerQueue;
  readonly sightings: Heartbeats;
  readonly takeover: RecoveryScheduler;
  readonly succession: Ownership;
  readonly notices: Notifications;
  readonly failed: (error: unknown) => void;
}

/** How long others may take to hear of a runtime that has come. */
const JOIN_SETTLE_MS = 1_000;

/** In which order a runtime begins to work, and ends. */
export class Lifecycle {
  readonly #options: LifecycleOptions;
  #recovering: Promise<void> = Promise.resolve();
  #unsubscribe: () => void = () => {};
  #releaseProcess: () => void = () => {};
  #cancelTimer: () => void = () => {};
  #closing: Promise<void> | null = null;

  constructor(options: LifecycleOptions) {
    this.#options = options;
  }

  /** It ends, or has ended. */
  get stopped(): boolean {
    return this.#closing !== null;
  }

  /** Throws `StoreError` `store_locked` when another runtime works on the database. */
  async open(): Promise<void> {
    const { store, clock, runtimeId, children, wakeups, sightings, takeover, notices } = this.#options;
    await store.lock({ runtimeId, pid: process.pid, startedAtMs: clock.nowMs() });
    await this.#options.quotas.begin();
    await sightings.begin();
    this.#releaseProcess = clock.after(Number.MAX_SAFE_INTEGER, () => {}, true);
    this.#unsubscribe = store.subscribe((notice) => {
      if (!this.stopped) notices.apply(notice);
    });
    // Whoever has not heard yet that this runtime is there, tells it nothing.
    if (store.shared) this.#cancelTimer = clock.after(JOIN_SETTLE_MS, () => notices.resync());
    this.#recovering = takeover.begin();
    children.drainInbox();
    void wakeups.poll();
  }

  /** Resolves when all has come to rest; called again, with the first call. */
  close(graceMs: number): Promise<void> {
    this.#closing ??= this.#close(graceMs);
    return this.#closing;
  }

  async #close(graceMs: number): Promise<void> {
    const { store, loop, feed, external, dispatch, children, wakeups, sightings, takeover, succession, failed } = this.#options;
    try {
      this.#cancelTimer();
      wakeups.stop();
      children.stop();
      this.#options.childStarts.stop();
      external.wakeAll();
      feed.wakeAll();
      await dispatch.stop(graceMs);
      if (store.shared) await succession.transferAll().catch(failed);
      await this.#recovering;
      await takeover.idle();
      await loop.idle();
      await sightings.signOff();
    } finally {
      this.#unsubscribe();
      this.#releaseProcess();
    }
  }
}
