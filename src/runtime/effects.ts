import { type Effect, type Run, TERMINAL } from '../../machines/run.ts';
import type { ChildStartQueue } from './activities/children/child-start-queue.ts';
import type { Inbox } from './activities/children/inbox.ts';
import type { ExternalProgress } from './activities/external/external-progress.ts';
import type { WorkClaims } from './activities/external/work-claims.ts';
import type { ActivityPool } from './activities/local/activity-pool.ts';
import type { BudgetReservations } from './activities/local/budget-reservations.ts';
import type { Releases } from './activities/local/releases.ts';
import type { OrphanRecovery } from './activities/recovery/orphan-recovery.ts';
import type { RuntimeContext } from './context.ts';
import { type ExecutionCommit, isBeginning } from './engine/commit/execution-commit.ts';
import type { CachedExecution } from './engine/loading/cached-execution.ts';
import type { Eraser } from './erasure/eraser.ts';
import type { ExecutionScope } from './execution-scope.ts';
import { isSettled } from './queries/execution-queries.ts';
import type { WakeupSignal } from './queries/wakeup-signal.ts';
import type { Quotas } from './quotas/quotas.ts';
import type { SubjectTokens } from './subject-tokens/subject-tokens.ts';
import type { TimerQueue } from './timers/timer-queue.ts';

/** The parts of a runtime in which a commit causes something. */
export interface EffectParts extends Pick<RuntimeContext, 'runtimeId' | 'onError'> {
  readonly quotas: Quotas;
  readonly subjectTokens: SubjectTokens;
  readonly scope: ExecutionScope;
  readonly budgets: BudgetReservations;
  readonly pool: ActivityPool;
  readonly releases: Releases;
  readonly childStarts: ChildStartQueue;
  readonly inbox: Inbox;
  readonly claims: WorkClaims;
  readonly progress: ExternalProgress;
  readonly recovery: OrphanRecovery;
  readonly timers: TimerQueue;
  readonly eraser: Eraser;
  /** Readers that wait for any commit of an execution, and for one that pauses or ends it. */
  readonly commits: WakeupSignal;
  readonly settled: WakeupSignal;
}

type EffectHandlers = {
  readonly [T in Effect['type']]: ((execution: CachedExecution, effect: Effect & { type: T }, run: Run) => void) | null;
};

/** What each effect of a step causes after its commit, given the run of that step. Null = the commit has done it. */
function effectHandlers({ runtimeId, pool, releases, childStarts, timers }: EffectParts): EffectHandlers {
  return {
    // Another owner starts attempts and children as soon as it learns of the commit; workers claim what is not local.
    work: (execution, effect, run) => {
      if (effect.local && execution.owner === runtimeId) pool.startOnce(execution, run, effect, effect.waits === true);
    },
    spawn: (execution, effect, run) => {
      if (execution.owner === runtimeId) childStarts.startOnce(execution, run, effect);
    },
    abandon: ({ id }, effect, run) => {
      pool.abandonVisit(id, effect, run.seq);
      childStarts.abandon(id, effect, run.seq);
    },
    operations_changed: ({ id }, effect, run) => pool.operationsChanged(id, effect, run),
    release: (execution, effect) => releases.release(execution, effect),
    set_timer: (_, { atMs }) => timers.scheduleAt(atMs),
    clear_timer: null,
    cancel_child: null,
    continue_as_new: null,
  };
}

type Cause = readonly [concerns: (commit: ExecutionCommit) => boolean, cause: (commit: ExecutionCommit) => void];

/** What a commit causes, and which commits it concerns. */
function causes(parts: EffectParts): readonly Cause[] {
  const { runtimeId, quotas, subjectTokens, scope, budgets, childStarts, inbox, claims, progress } = parts;
  const { recovery, timers, eraser, settled, commits } = parts;
  return [
    [(commit) => isBeginning(commit) || ends(commit), ({ before, after }) => quotas.committed(before, after)],
    [ends, ({ after }) => subjectTokens.ended(after)],
    [({ before }) => before === null, ({ after }) => scope.add(after.id)],
    [({ after }) => after.run.localWork > 0, ({ after }) => budgets.update(after.id, after.run)],
    [({ effects }) => effects.length > 0, eachEffect(parts)],
    [all, ({ after }) => childStarts.movedOn(after)],
    [({ write }) => write.send.length > 0, () => inbox.drain()],
    [writesWork, ({ after, write }) => claims.written(after.tenantId, write.work)],
    [writesWork, ({ after, write }) => progress.committed(after, write.events)],
    // A commit may make this runtime the owner of an execution whose former owner is lost.
    [({ after }) => after.owner === runtimeId, ({ before }) => recovery.tookOver(before)],
    [isBeginning, ({ after }) => timers.scheduleAt(after.deadlineAtMs)],
    [({ write }) => (write.redaction?.ended ?? null) !== null, () => eraser.request()],
    [({ after }) => isSettled(after.run.status), ({ after }) => settled.wake(after.id)],
    [all, ({ after }) => commits.wake(after.id)],
  ];
}

function ends({ after }: ExecutionCommit): boolean {
  return TERMINAL.has(after.run.status);
}

function writesWork({ write }: ExecutionCommit): boolean {
  return write.work.length > 0;
}

function all(): boolean {
  return true;
}

function eachEffect(parts: EffectParts): (commit: ExecutionCommit) => void {
  const handlers = effectHandlers(parts);
  return ({ after, effects }) => {
    for (const { effect, run } of effects) {
      const handle = handlers[effect.type] as ((execution: CachedExecution, effect: Effect, run: Run) => void) | null;
      reporting(parts.onError, () => handle?.(after, effect, run));
    }
  };
}

/**
 * Does what commits of this runtime cause, after their senders have their answers. An error is reported, and the rest is done all the same. The
 * log, telemetry and streams, which only watch, subscribe to `committed` themselves.
 */
export function createEffects(parts: EffectParts): (commit: ExecutionCommit) => void {
  const table = causes(parts);
  return (commit) => {
    for (const [concerns, cause] of table) if (concerns(commit)) reporting(parts.onError, () => cause(commit));
  };
}

function reporting(onError: EffectParts['onError'], act: () => void): void {
  try {
    act();
  } catch (error) {
    onError(error);
  }
}
