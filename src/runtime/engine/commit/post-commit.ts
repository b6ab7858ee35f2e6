import type { Visit } from '../../../../machines/messages.ts';
import { TERMINAL } from '../../../../machines/run.ts';
import type { ChildStartQueue } from '../../activities/children/child-start-queue.ts';
import type { Children } from '../../activities/children/children.ts';
import type { ExternalWork } from '../../activities/external/external-work.ts';
import type { ActivityPool } from '../../activities/local/activity-pool.ts';
import type { LocalActivities } from '../../activities/local/local-activities.ts';
import type { OrphanRecovery } from '../../activities/recovery/orphan-recovery.ts';
import type { WakeupSignal } from '../../queries/wakeup-signal.ts';
import type { Quotas } from '../../quotas/quotas.ts';
import type { Subscribers } from '../../subscribers.ts';
import type { TimerQueue } from '../../timers/timer-queue.ts';
import type { CommitNotification } from '../../types/runtime.ts';
import type { ExecutionCommit } from './execution-commit.ts';

export interface PostCommitOptions {
  readonly runtimeId: string;
  readonly quotas: Quotas;
  readonly feed: WakeupSignal;
  readonly listeners: Subscribers;
  readonly wakeups: TimerQueue;
  readonly ownWork: LocalActivities;
  readonly dispatch: ActivityPool;
  readonly external: ExternalWork;
  readonly children: Children;
  readonly childStarts: ChildStartQueue;
  readonly recovery: OrphanRecovery;
  /** An execution was started here. */
  readonly began: (executionId: string) => void;
  readonly failed: (error: unknown) => void;
  readonly diagnosed: (executionId: string, problem: string) => void;
}

/** What follows a commit: who watches is told, the alarm is set, in-process work begins and ends, workers and children hear of theirs. */
export class PostCommit {
  readonly #options: PostCommitOptions;

  constructor(options: PostCommitOptions) {
    this.#options = options;
  }

  /** Never throws: an error in one part of it keeps neither the other parts nor other executions from theirs. */
  run(commit: ExecutionCommit): void {
    const { quotas, feed, listeners, began, diagnosed } = this.#options;
    const { before, after: now } = commit;
    this.#guarded(() => {
      if (before === null) began(now.id);
      quotas.committed(before, now);
      feed.wake(now.id);
    });
    if (!listeners.hasNoCommitSubscribers) listeners.notifyCommit(noteOf(commit));
    this.#guarded(() => this.#wake(commit));
    this.#work(commit);
    this.#guarded(() => this.#options.childStarts.onCommitted(now));
    this.#guarded(() => {
      for (const problem of commit.diagnostics) diagnosed(now.id, problem);
    });
  }

  #guarded(part: () => void): void {
    try {
      part();
    } catch (error) {
      this.#options.failed(error);
    }
  }

  /** Sets the alarm, and wakes workers, children, and whoever takes over what a lost runtime had under way. */
  #wake(commit: ExecutionCommit): void {
    const { runtimeId, wakeups, external, children, recovery, failed } = this.#options;
    const { before, after: now, write } = commit;
    if (isBeginning(commit)) wakeups.scheduleAt(now.deadlineAtMs);
    for (const timer of write.timers) if (timer.op === 'set') wakeups.scheduleAt(timer.atMs);
    for (const work of write.work) if (work.op === 'put') external.available(now.tenantId, work.item.queue);
    if (write.send.length > 0) children.drainInbox();
    if (now.owner === runtimeId && before !== null && before.owner !== null && before.owner !== runtimeId)
      void recovery.recover(before, before.owner).catch(failed);
  }

  /** Work that another runtime does, it hears of. A child that a later step of the same commit gave up is abandoned before it starts. */
  #work({ after: now, effects }: ExecutionCommit): void {
    const { runtimeId, ownWork, dispatch, childStarts } = this.#options;
    const isOwn = now.owner === runtimeId;
    for (const { effect, run } of effects) {
      this.#guarded(() => {
        if (effect.type === 'abandon') {
          dispatch.abandon(now.id, effect, run.seq);
          childStarts.abandon(now.id, effect, run.seq);
        } else if (effect.type === 'work' && effect.local && isOwn) ownWork.start(now, run, effect, effect.waits === true);
        else if (effect.type === 'spawn' && isOwn) ownWork.spawn(now, run, visitOf(effect));
      });
    }
  }
}

/** Started, or set going again by a retry. */
function isBeginning({ before, write }: ExecutionCommit): boolean {
  return before === null || write.revive !== undefined;
}

function noteOf(commit: ExecutionCommit): CommitNotification {
  const { tenantId, id, run } = commit.after;
  return { tenantId, executionId: id, began: isBeginning(commit), ended: TERMINAL.has(run.status) };
}

function visitOf({ node, activation, attempt }: Visit): Visit {
  return { node, activation, attempt };
}
