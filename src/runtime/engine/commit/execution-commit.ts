import type { Effect, Run } from '../../../../machines/run.ts';
import type { ExecutionWrite } from '../../../../store/port/commit.ts';
import { monthOf } from '../../quotas/month.ts';
import type { ExecutionStart } from '../envelope.ts';
import { timeoutFrom } from '../execution-start.ts';
import type { CachedExecution } from '../loading/execution-cache.ts';
import { errorOf, failuresAfter, NO_FAILURES } from '../loading/failures.ts';
import { nextCheckpoint } from './checkpoint.ts';
import { type CommitBuilder, headOf } from './commit-builder.ts';

/** What a commit does to one execution. */
export interface ExecutionCommit {
  readonly before: CachedExecution | null;
  readonly after: CachedExecution;
  readonly write: ExecutionWrite;
  /** Effects in order, each with the run of the step that asked for it. */
  readonly effects: readonly { readonly effect: Effect; readonly run: Run }[];
  /** What the steps could not evaluate, e.g. a condition: worth telling, but no part of the log. */
  readonly diagnostics: readonly string[];
}

export function executionCommit(
  id: string,
  before: CachedExecution | null,
  base: CachedExecution | ExecutionStart,
  run: Run,
  draught: CommitBuilder,
  revives: boolean,
  owner: string,
  nowMs: number,
): ExecutionCommit {
  // What a retry forgave can be folded from the start alone, so none must ever load from a checkpoint before it.
  const { text, checkpoint } = nextCheckpoint(revives ? null : (before?.checkpoint ?? null), run, draught.logBytes);
  const failures = failuresAfter(before?.failures ?? NO_FAILURES, run, draught.events);
  const head = headOf(run, errorOf(run, failures), owner, nowMs);
  const { loaded, startedBy, tenantId, workflowId, workflowVersion, revision, labels, parentId, depth, createdAtMs } = base;
  const deadlineAtMs = revives ? timeoutFrom(nowMs, loaded) : base.deadlineAtMs;
  const birth = { workflowId, workflowVersion, revision, labels, parentId, depth, deadlineAtMs, createdAtMs };
  const now: CachedExecution = {
    id,
    tenantId,
    loaded,
    run,
    startedBy,
    failures,
    error: head.error,
    checkpoint,
    ...birth,
    owner: head.owner,
    updatedAtMs: nowMs,
    completedAtMs: head.completedAtMs,
  };
  const news = statusMessageToParent(before, now);
  const { events, timers, work, send, consumed, usage: used, offloaded: spilled } = draught;
  const write: ExecutionWrite = {
    id,
    tenantId,
    fromSeq: before?.run.seq ?? 0,
    create: before === null ? birth : null,
    ...(revives ? { revive: { deadlineAtMs } } : {}),
    progress: head,
    snapshot: text,
    events,
    timers,
    work,
    send: news === null ? send : [...send, news],
    consumed,
    usage: used === null ? null : { month: monthOf(nowMs), ...used },
    ...(spilled.length === 0 ? {} : { offloaded: spilled }),
  };
  return { before, after: now, write, effects: draught.effects, diagnostics: draught.diagnostics };
}

/** A child's news for its parent, when its status has changed. The first step counts as a change unless it leaves the child running. */
function statusMessageToParent(before: CachedExecution | null, now: CachedExecution): ExecutionWrite['send'][number] | null {
  if (now.parentId === null || (before?.run.status ?? 'running') === now.run.status) return null;
  return {
    toExecutionId: now.parentId,
    message: JSON.stringify({ type: 'child_status', childId: now.id, status: now.run.status }),
  };
}
