import type { RuntimeContext } from '../context.ts';
import type { ActivityReconciler } from './activity-reconciler.ts';
import type { ClockSkewMonitor } from './clock-skew.ts';
import type { Membership } from './membership.ts';
import { receiveNotifications } from './notifications.ts';
import type { SharedTexts } from './texts/shared-texts.ts';

/** How long other runtimes may take to learn of a new one. */
const JOIN_SETTLE_MS = 1_000;
/** The longest time in which a stopping runtime hands over what it owns. */
const TRANSFER_TIMEOUT_MS = 5_000;

export interface ClusterOptions extends Pick<RuntimeContext, 'store' | 'clock' | 'events' | 'stopping' | 'onError'> {
  readonly membership: Membership;
  readonly reconciler: ActivityReconciler;
  /** Null: the store carries no messages. */
  readonly texts: SharedTexts | null;
  /** Null: the clock is not the system's, and means to differ. */
  readonly clockSkew: ClockSkewMonitor | null;
}

/** This runtime as one of several on a shared database. */
export class Cluster {
  readonly #options: ClusterOptions;
  #unsubscribe: () => void = () => {};

  constructor(options: ClusterOptions) {
    this.#options = options;
    const { events, membership, onError } = options;
    const refresh = (): void => void membership.refresh().catch(onError);
    events.on('resync', refresh);
    events.on('controlChanged', (change) => {
      // A runtime that stopped cleanly hands over, and is not waited for.
      if (change?.type === 'runtime_stopped' || change?.type === 'runtime_started') refresh();
    });
  }

  open(): void {
    const { clock, events, stopping } = this.#options;
    this.#unsubscribe = receiveNotifications(this.#options);
    this.#options.texts?.open();
    // Runtimes that have not learned of this one yet send it no notifications.
    const cancelTimeout = clock.after(JOIN_SETTLE_MS, () => events.emit('resync', null));
    stopping.addEventListener('abort', cancelTimeout, { once: true });
  }

  /** After each heartbeat of this runtime. Its errors are errors of the heartbeat. */
  async onHeartbeat(): Promise<void> {
    const { membership, clockSkew } = this.#options;
    await membership.refresh();
    await clockSkew?.check();
  }

  /** Hands over in-process work. What is not handed over in time is recovered, once this runtime is known to have stopped. */
  async leave(): Promise<void> {
    const { clock, membership, reconciler, onError } = this.#options;
    const untilMs = clock.nowMs() + TRANSFER_TIMEOUT_MS;
    const hasSuccessor = (id: string): boolean => membership.successorOf(id) !== null && clock.nowMs() < untilMs;
    await reconciler.transferAll(hasSuccessor).catch(onError);
  }

  close(): void {
    this.#unsubscribe();
    this.#options.texts?.close();
  }
}
