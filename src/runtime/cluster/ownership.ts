import type { ActivityPool } from '../activities/local/activity-pool.ts';
import type { LocalActivities } from '../activities/local/local-activities.ts';
import type { Clock } from '../clock.ts';
import type { Membership } from './membership.ts';

/** Longest time a runtime that stops takes to hand over what it owns. */
const TRANSFER_TIMEOUT_MS = 5_000;

export interface OwnershipOptions {
  readonly runtimeId: string;
  readonly clock: Clock;
  readonly peers: Membership;
  readonly dispatch: ActivityPool;
  readonly ownWork: LocalActivities;
  readonly stopped: () => boolean;
}

/** Who goes on with the in-process work of an execution: its owner while he is there, and his heir once he stops. */
export class Ownership {
  readonly #options: OwnershipOptions;

  constructor(options: OwnershipOptions) {
    this.#options = options;
  }

  /** A runtime that stops begins nothing more: what comes next is another's, if one is there. */
  ownerAfter(executionId: string, owner: string | null): string {
    const { runtimeId, peers, dispatch, stopped } = this.#options;
    const isOver = stopped() && (owner ?? runtimeId) === runtimeId && dispatch.countOf(executionId) === 0;
    return (isOver ? peers.successorOf(executionId) : null) ?? peers.ownerAfter(owner);
  }

  /** What is not handed over is taken over, once this runtime is known to have stopped. */
  async transferAll(): Promise<void> {
    const { clock, peers, ownWork } = this.#options;
    const untilMs = clock.nowMs() + TRANSFER_TIMEOUT_MS;
    await ownWork.transferAll((id) => peers.successorOf(id) !== null && clock.nowMs() < untilMs);
  }
}
