import type { Clock } from '../../clock.ts';
import { firstWorkItemAt } from '../../ids.ts';
import type { OrphanRecovery } from './orphan-recovery.ts';

/** Clocks differ a little, and a commit takes a while. */
const MARGIN_MS = 60_000;

export interface RecoverySchedulerOptions {
  readonly recovery: OrphanRecovery;
  readonly clock: Clock;
  readonly isMine: (executionId: string) => boolean;
  /** Has this runtime tools of its own? */
  readonly hasTools: boolean;
  readonly stopped: () => boolean;
  readonly failed: (error: unknown) => void;
}

type Round = 'mine' | 'all';

/** When recovery takes place: at the start, and whenever another runtime is gone or leaves work on a queue. */
export class RecoveryScheduler {
  readonly #options: RecoverySchedulerOptions;
  #round: Round | null = null;
  #sweeping: Promise<void> | null = null;
  /** The last round left some to others, or could not be ended. */
  #unfinished = false;
  /** Items after this one are to be looked at; null = none. */
  #from: string | null = null;
  #reclaiming: Promise<void> | null = null;
  #reclaimedAtMs = 0;
  /** Items after this one are to be looked at again, later; null = none. */
  #leftFrom: string | null = null;

  constructor(options: RecoverySchedulerOptions) {
    this.#options = options;
  }

  async begin(): Promise<void> {
    this.#sweep('mine');
    await this.#sweeping;
    this.#reclaim('');
  }

  /** Resolves when what is under way has ended. */
  async idle(): Promise<void> {
    await this.#sweeping;
    await this.#reclaiming;
  }

  /** Who is there has been looked up again. What a round left to others, and is still there, is theirs no more. */
  onMembershipRefreshed(gone: readonly string[]): void {
    if (gone.length > 0) this.#sweep('mine');
    else if (this.#unfinished) this.#sweep('all');
    const left = this.#leftFrom;
    this.#leftFrom = null;
    if (left !== null) this.#reclaim(left);
  }

  /** The database may not know of what was taken over. */
  restart(): void {
    this.#options.recovery.forget();
    this.#sweep('mine');
    this.#reclaim('');
  }

  /** There may be work on a queue that can be done here in process. */
  onWorkQueued(): void {
    this.#reclaim(firstWorkItemAt(this.#reclaimedAtMs - MARGIN_MS));
  }

  #sweep(round: Round): void {
    this.#round = this.#round === 'all' ? 'all' : round;
    this.#sweeping ??= this.#sweepAll().finally(() => {
      this.#sweeping = null;
    });
  }

  async #sweepAll(): Promise<void> {
    const { recovery, isMine, stopped, failed } = this.#options;
    for (let round = this.#round; round !== null && !stopped(); round = this.#round) {
      this.#round = null;
      try {
        this.#unfinished = await recovery.sweep(round === 'all' ? () => true : isMine);
      } catch (error) {
        this.#unfinished = true;
        failed(error);
      }
    }
  }

  #reclaim(from: string): void {
    if (!this.#options.hasTools) return;
    this.#from = earlier(this.#from, from);
    this.#reclaiming ??= this.#reclaimAll().finally(() => {
      this.#reclaiming = null;
    });
  }

  async #reclaimAll(): Promise<void> {
    const { recovery, clock, stopped, failed } = this.#options;
    for (let from = this.#from; from !== null && !stopped(); from = this.#from) {
      this.#from = null;
      const atMs = clock.nowMs();
      try {
        const left = await recovery.reclaim(from);
        this.#reclaimedAtMs = atMs;
        if (left !== null) this.#leftFrom = earlier(this.#leftFrom, left);
      } catch (error) {
        this.#leftFrom = earlier(this.#leftFrom, from);
        failed(error);
      }
    }
  }
}

function earlier(one: string | null, other: string): string {
  return one === null || other < one ? other : one;
}
