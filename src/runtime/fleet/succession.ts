import type { Clock } from '../clock.ts';
import type { Dispatch } from '../dispatch.ts';
import type { OwnWork } from './own-work.ts';
import type { Peers } from './peers.ts';

/** Longest time a runtime that stops takes to hand over what it owns. */
const HAND_OVER_MS = 5_000;

export interface SuccessionOptions {
  readonly runtimeId: string;
  readonly clock: Clock;
  readonly peers: Peers;
  readonly dispatch: Dispatch;
  readonly ownWork: OwnWork;
  readonly stopped: () => boolean;
}

/** Who goes on with the in-process work of an execution: its owner while he is there, and his heir once he stops. */
export class Succession {
  readonly #options: SuccessionOptions;

  constructor(options: SuccessionOptions) {
    this.#options = options;
  }

  /** A runtime that stops begins nothing more: what comes next is another's, if one is there. */
  ownerAfter(executionId: string, owner: string | null): string {
    const { runtimeId, peers, dispatch, stopped } = this.#options;
    const isOver = stopped() && (owner ?? runtimeId) === runtimeId && dispatch.countOf(executionId) === 0;
    return (isOver ? peers.heirOf(executionId) : null) ?? peers.ownerAfter(owner);
  }

  /** What is not handed over is taken over, once this runtime is known to have stopped. */
  async handOver(): Promise<void> {
    const { clock, peers, ownWork } = this.#options;
    const untilMs = clock.nowMs() + HAND_OVER_MS;
    await ownWork.handOver((id) => peers.heirOf(id) !== null && clock.nowMs() < untilMs);
  }
}
