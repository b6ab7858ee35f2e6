import type { TaskRegistry } from '../activities/local/task-registry.ts';
import type { Placement } from '../placement.ts';
import type { Membership } from './membership.ts';

export interface OwnershipOptions {
  readonly runtimeId: string;
  readonly membership: Membership;
  readonly tasks: Pick<TaskRegistry, 'of'>;
  readonly stopping: Pick<AbortSignal, 'aborted'>;
}

/** Which of several runtimes on a database does what: the owner of an execution does its in-process work while it is live. */
export class Ownership implements Placement {
  readonly #options: OwnershipOptions;

  constructor(options: OwnershipOptions) {
    this.#options = options;
  }

  get isAlone(): boolean {
    return this.#options.membership.isAlone;
  }

  isAlive(runtimeId: string): boolean {
    return this.#options.membership.isAlive(runtimeId);
  }

  isResponsible(executionId: string): boolean {
    return this.#options.membership.isResponsible(executionId);
  }

  confirm(runtimeId: string): Promise<void> {
    return this.#options.membership.confirm(runtimeId);
  }

  /**
   * A live owner stays the owner. Else this runtime becomes it, unless it is stopping and has nothing of the execution in
   * progress: then its successor does, if there is one.
   */
  ownerAfter(executionId: string, owner: string | null): string {
    const { runtimeId, membership, tasks, stopping } = this.#options;
    const isLeaving = stopping.aborted && (owner ?? runtimeId) === runtimeId && tasks.of(executionId).size === 0;
    const successor = isLeaving ? membership.successorOf(executionId) : null;
    if (successor !== null) return successor;
    return owner !== null && membership.isAlive(owner) ? owner : runtimeId;
  }
}
