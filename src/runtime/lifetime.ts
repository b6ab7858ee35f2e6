import type { Store } from '../../store/store.ts';
import type { ChildStarts } from './child-starts.ts';
import type { Children } from './children.ts';
import type { Clock } from './clock.ts';
import type { Dispatch } from './dispatch.ts';
import type { ExternalWork } from './external-work.ts';
import type { Feed } from './feed.ts';
import type { Notices } from './fleet/notices.ts';
import type { Succession } from './fleet/succession.ts';
import type { Takeover } from './fleet/takeover.ts';
import type { Loop } from './loop.ts';
import type { Quotas } from './quotas/quotas.ts';
import type { Sightings } from './sightings.ts';
import type { Wakeups } from './wakeups.ts';

export interface LifetimeOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly runtimeId: string;
  readonly loop: Loop;
  readonly feed: Feed;
  readonly external: ExternalWork;
  readonly dispatch: Dispatch;
  readonly quotas: Pick<Quotas, 'begin'>;
  readonly children: Children;
  readonly childStarts: ChildStarts;
  readonly wakeups: Wakeups;
  readonly sightings: Sightings;
  readonly takeover: Takeover;
  readonly succession: Succession;
  readonly notices: Notices;
  readonly failed: (error: unknown) => void;
}

/** How long others may take to hear of a runtime that has come. */
const UNHEARD_MS = 1_000;

/** In which order a runtime begins to work, and ends. */
export class Lifetime {
  readonly #options: LifetimeOptions;
  #recovering: Promise<void> = Promise.resolve();
  #deaf: () => void = () => {};
  #letProcessEnd: () => void = () => {};
  #callOff: () => void = () => {};
  #closing: Promise<void> | null = null;

  constructor(options: LifetimeOptions) {
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
    this.#letProcessEnd = clock.after(Number.MAX_SAFE_INTEGER, () => {}, true);
    this.#deaf = store.watch((notice) => {
      if (!this.stopped) notices.apply(notice);
    });
    // Whoever has not heard yet that this runtime is there, tells it nothing.
    if (store.shared) this.#callOff = clock.after(UNHEARD_MS, () => notices.lookAgain());
    this.#recovering = takeover.begin();
    children.drain();
    void wakeups.ring();
  }

  /** Resolves when all has come to rest; called again, with the first call. */
  close(graceMs: number): Promise<void> {
    this.#closing ??= this.#close(graceMs);
    return this.#closing;
  }

  async #close(graceMs: number): Promise<void> {
    const { store, loop, feed, external, dispatch, children, wakeups, sightings, takeover, succession, failed } = this.#options;
    try {
      this.#callOff();
      wakeups.stop();
      children.stop();
      this.#options.childStarts.stop();
      external.wakeAll();
      feed.wakeAll();
      await dispatch.stop(graceMs);
      if (store.shared) await succession.handOver().catch(failed);
      await this.#recovering;
      await takeover.end();
      await loop.idle();
      await sightings.end();
    } finally {
      this.#deaf();
      this.#letProcessEnd();
    }
  }
}
