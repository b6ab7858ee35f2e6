import type { Visit } from '../../machines/messages.ts';
import { TERMINAL } from '../../machines/run.ts';
import type { ChildStarts } from './child-starts.ts';
import type { Children } from './children.ts';
import type { Committed } from './committed.ts';
import type { Dispatch } from './dispatch.ts';
import type { ExternalWork } from './external-work.ts';
import type { Feed } from './feed.ts';
import type { OwnWork } from './fleet/own-work.ts';
import type { Listeners } from './listeners.ts';
import type { Quotas } from './quotas/quotas.ts';
import type { Recovery } from './recovery.ts';
import type { CommitNote } from './types.ts';
import type { Wakeups } from './wakeups.ts';

export interface AftermathOptions {
  readonly runtimeId: string;
  readonly quotas: Quotas;
  readonly feed: Feed;
  readonly listeners: Listeners;
  readonly wakeups: Wakeups;
  readonly ownWork: OwnWork;
  readonly dispatch: Dispatch;
  readonly external: ExternalWork;
  readonly children: Children;
  readonly childStarts: ChildStarts;
  readonly recovery: Recovery;
  /** An execution was started here. */
  readonly began: (executionId: string) => void;
  readonly failed: (error: unknown) => void;
  readonly diagnosed: (executionId: string, problem: string) => void;
}

/** What follows a commit: who watches is told, the alarm is set, in-process work begins and ends, workers and children hear of theirs. */
export class Aftermath {
  readonly #options: AftermathOptions;

  constructor(options: AftermathOptions) {
    this.#options = options;
  }

  /** Never throws: an error in one part of it keeps neither the other parts nor other executions from theirs. */
  of(commit: Committed): void {
    const { quotas, feed, listeners, began, diagnosed } = this.#options;
    const { before, now } = commit;
    this.#guarded(() => {
      if (before === null) began(now.id);
      quotas.committed(before, now);
      feed.wake(now.id);
    });
    if (!listeners.nobody) listeners.committed(noteOf(commit));
    this.#guarded(() => this.#wake(commit));
    this.#work(commit);
    this.#guarded(() => this.#options.childStarts.committed(now));
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
  #wake(commit: Committed): void {
    const { runtimeId, wakeups, external, children, recovery, failed } = this.#options;
    const { before, now, write } = commit;
    if (isBeginning(commit)) wakeups.noLaterThan(now.deadlineAtMs);
    for (const timer of write.timers) if (timer.op === 'set') wakeups.noLaterThan(timer.atMs);
    for (const work of write.work) if (work.op === 'put') external.available(now.tenantId, work.item.queue);
    if (write.send.length > 0) children.drain();
    if (now.owner === runtimeId && before !== null && before.owner !== null && before.owner !== runtimeId)
      void recovery.adopt(before, before.owner).catch(failed);
  }

  /** Work that another runtime does, it hears of. A child that a later step of the same commit gave up is abandoned before it starts. */
  #work({ now, effects }: Committed): void {
    const { runtimeId, ownWork, dispatch, childStarts } = this.#options;
    const isOwn = now.owner === runtimeId;
    for (const { effect, run } of effects) {
      this.#guarded(() => {
        if (effect.type === 'abandon') {
          dispatch.abandon(now.id, effect, run.seq);
          childStarts.abandon(now.id, effect, run.seq);
        } else if (effect.type === 'work' && effect.local && isOwn) ownWork.begin(now, run, effect, effect.waits === true);
        else if (effect.type === 'spawn' && isOwn) ownWork.spawn(now, run, visitOf(effect));
      });
    }
  }
}

/** Started, or set going again by a retry. */
function isBeginning({ before, write }: Committed): boolean {
  return before === null || write.revive !== undefined;
}

function noteOf(commit: Committed): CommitNote {
  const { tenantId, id, run } = commit.now;
  return { tenantId, executionId: id, began: isBeginning(commit), ended: TERMINAL.has(run.status) };
}

function visitOf({ node, activation, attempt }: Visit): Visit {
  return { node, activation, attempt };
}
