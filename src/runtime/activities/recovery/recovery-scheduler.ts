import { Coalesced } from '../../coalesce.ts';
import type { RuntimeContext } from '../../context.ts';
import { firstWorkItemIdAt } from '../../ids.ts';
import type { Placement } from '../../placement.ts';
import { TOOL_QUEUE } from '../queues.ts';
import type { OrphanRecovery } from './orphan-recovery.ts';

/** Allows for differences between clocks and for the duration of a commit. */
const MARGIN_MS = 60_000;
/** After a recovery that failed, because the database did. */
const RETRY_MS = 1_000;

export interface RecoverySchedulerOptions extends Pick<RuntimeContext, 'clock' | 'events' | 'stopping' | 'onError'> {
  readonly recovery: OrphanRecovery;
  readonly placement: Placement;
  /** Has this runtime in-process tools? */
  readonly hasTools: boolean;
}

/** Decides when to recover: at the start, and whenever another runtime is gone or leaves work on a queue. */
export class RecoveryScheduler {
  readonly #options: RecoverySchedulerOptions;
  /** The executions of the next sweep: those that this runtime is responsible for, or all; null = none is requested. */
  #nextSweep: 'mine' | 'all' | null = null;
  /** The last sweep left some executions to other runtimes. */
  #isUnfinished = false;
  /** Items after this one are to be reclaimed; null = none is requested. */
  #reclaimFrom: string | null = null;
  #reclaimedAtMs = 0;
  /** Items after this one are to be looked at again after the next refresh of the membership; null = none. */
  #leftFrom: string | null = null;
  readonly #sweeps = new Coalesced(() => this.#sweepOnce());
  readonly #reclaims = new Coalesced(() => this.#reclaimOnce());

  constructor(options: RecoverySchedulerOptions) {
    this.#options = options;
    const { events } = options;
    events.on('membershipRefreshed', ({ gone }) => this.#onMembershipRefreshed(gone));
    events.on('workQueued', ({ queue }) => {
      if (queue === TOOL_QUEUE) this.#onWorkQueued();
    });
    events.on('resync', () => this.#onWorkQueued());
    events.on('commitsLost', () => {
      this.#sweep('mine');
      this.#reclaim('');
    });
  }

  /** Resolves once the executions of runtimes that were gone at the start are recovered. */
  async begin(): Promise<void> {
    this.#sweep('mine');
    await this.#sweeps.idle();
    this.#reclaim('');
  }

  /** Resolves when no recovery is running. */
  async idle(): Promise<void> {
    await this.#sweeps.idle();
    await this.#reclaims.idle();
  }

  /** What an earlier sweep left to another runtime, and is still there, is recovered here. */
  #onMembershipRefreshed(gone: readonly string[]): void {
    if (gone.length > 0) this.#sweep('mine');
    else if (this.#isUnfinished) this.#sweep('all');
    const left = this.#leftFrom;
    this.#leftFrom = null;
    if (left !== null) this.#reclaim(left);
  }

  #onWorkQueued(): void {
    this.#reclaim(firstWorkItemIdAt(this.#reclaimedAtMs - MARGIN_MS));
  }

  #sweep(which: 'mine' | 'all'): void {
    this.#nextSweep = this.#nextSweep === 'all' ? 'all' : which;
    void this.#sweeps.run();
  }

  async #sweepOnce(): Promise<void> {
    const { recovery, placement, clock, stopping, onError } = this.#options;
    const which = this.#nextSweep;
    this.#nextSweep = null;
    if (which === null || stopping.aborted) return;
    try {
      this.#isUnfinished = await recovery.sweep(which === 'all' ? () => true : (id) => placement.isResponsible(id));
    } catch (error) {
      onError(error);
      clock.after(RETRY_MS, () => this.#sweep(which), true);
    }
  }

  #reclaim(from: string): void {
    if (!this.#options.hasTools) return;
    this.#reclaimFrom = earlier(this.#reclaimFrom, from);
    void this.#reclaims.run();
  }

  async #reclaimOnce(): Promise<void> {
    const { recovery, clock, stopping, onError } = this.#options;
    const from = this.#reclaimFrom;
    this.#reclaimFrom = null;
    if (from === null || stopping.aborted) return;
    const atMs = clock.nowMs();
    try {
      const left = await recovery.reclaimToolWork(from);
      this.#reclaimedAtMs = atMs;
      if (left !== null) this.#leftFrom = earlier(this.#leftFrom, left);
    } catch (error) {
      onError(error);
      clock.after(RETRY_MS, () => this.#reclaim(from), true);
    }
  }
}

function earlier(one: string | null, other: string): string {
  return one === null || other < one ? other : one;
}
