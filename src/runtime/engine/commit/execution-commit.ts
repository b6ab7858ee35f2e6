import { charsUpTo } from '../../../../machines/json-size.ts';
import { failuresResetBy } from '../../../../machines/replay/index.ts';
import type { Effect, Run } from '../../../../machines/run.ts';
import { asksForDecision, isEnding } from '../../../../machines/step/index.ts';
import type { ExecutionWrite } from '../../../../store/port/commit.ts';
import type { ExecutionIdentity, NewExecution } from '../../../../store/port/executions.ts';
import { monthOf } from '../../month.ts';
import { redactCommit } from '../../redaction/redacted-commit.ts';
import type { ExecutionStart } from '../envelope.ts';
import { timeoutFrom } from '../execution-start.ts';
import { type CachedExecution, NO_CHECKPOINT } from '../loading/cached-execution.ts';
import { errorOf, failuresAfter, NO_FAILURES } from '../loading/failures.ts';
import { approvalWrites } from './approval-writes.ts';
import { type NextCheckpoint, nextCheckpoint } from './checkpoint.ts';
import { type CommitBuilder, headOf } from './commit-builder.ts';
import { keyWrites } from './key-writes.ts';

/** What a commit does to one execution. */
export interface ExecutionCommit {
  /** Null: the commit starts the execution. */
  readonly before: CachedExecution | null;
  readonly after: CachedExecution;
  readonly write: ExecutionWrite;
  /** The effects in order, each with the run of the step that asked for it. */
  readonly effects: readonly { readonly effect: Effect; readonly run: Run }[];
  /** Problems of the steps that are reported but not logged, e.g. a condition that could not be evaluated. */
  readonly diagnostics: readonly string[];
}

export interface ExecutionCommitInput {
  readonly id: string;
  readonly before: CachedExecution | null;
  readonly base: CachedExecution | ExecutionStart;
  /** After the steps. */
  readonly run: Run;
  readonly builder: CommitBuilder;
  /** Does a retry continue an execution that had ended? */
  readonly isRetried: boolean;
  readonly owner: string;
  readonly nowMs: number;
  readonly checkpointLogBytes: number;
  readonly artifactThresholdBytes: number;
  /** Makes random texts. */
  readonly salt: () => string;
}

export function executionCommit(input: ExecutionCommitInput): ExecutionCommit {
  const { id, before, base, run, builder, isRetried, owner, nowMs } = input;
  const { write: checkpointWrite, checkpoint } = checkpointAfter(input);
  const failures = failuresAfter(before?.failures ?? NO_FAILURES, run, builder.events);
  const error = errorOf(run, failures);
  const { dataRules: rules } = base.loaded.program.tables;
  const redacted = rules === null ? null : redactCommit({ rules, ...input, ...builder, before: before?.run ?? null, error });
  const progress = headOf(run, redacted === null ? error : redacted.error, owner, nowMs);
  const { tenantId, loaded, identity } = base;
  const clears = !isRetried && base.deadlineAtMs !== null && isEnding(run);
  const deadlineAtMs = isRetried ? timeoutFrom(nowMs, loaded) : clears ? null : base.deadlineAtMs;
  const approvals = !builder.asks && before?.asks !== true ? null : approvalWrites(before, base, run, builder.events);
  const after: CachedExecution = {
    id,
    tenantId,
    loaded,
    identity,
    run,
    deadlineAtMs,
    failures,
    asks: approvals !== null && asksForDecision(run),
    error: progress.error,
    checkpoint,
    owner: progress.owner,
    updatedAtMs: nowMs,
    completedAtMs: progress.completedAtMs,
  };
  const toParent = statusMessageToParent(before, after);
  const { timers, work, send, consumed, usage } = builder;
  const { events, offloaded, threads } = redacted ?? builder;
  const write: { -readonly [Key in keyof ExecutionWrite]: ExecutionWrite[Key] } = {
    id,
    tenantId,
    fromSeq: before?.run.seq ?? 0,
    create: before === null ? newExecution(identity, deadlineAtMs) : null,
    progress,
    checkpoint: checkpointWrite,
    events,
    timers,
    work,
    send: toParent === null ? send : [...send, toParent],
    consumed,
    usage: usage === null ? null : { month: monthOf(nowMs), ...usage },
  };
  if (offloaded.length > 0) write.offloaded = offloaded;
  if (threads.length > 0) write.threads = threads;
  const keys = keyWrites({ before, base, run, isRetried });
  if (keys.length > 0) write.keys = keys;
  if (isRetried) write.revive = { deadlineAtMs };
  else if (clears) write.clearsDeadline = true;
  if (approvals !== null && approvals.length > 0) write.approvals = approvals;
  if (redacted !== null) write.redaction = redacted.write;
  return { before, after, write, effects: builder.effects, diagnostics: (redacted ?? builder).diagnostics };
}

function checkpointAfter({ before, run, builder, isRetried, checkpointLogBytes }: ExecutionCommitInput): NextCheckpoint {
  const { events, logBytes } = builder;
  const [first] = events;
  const last = before?.checkpoint ?? NO_CHECKPOINT;
  if (first === undefined) return { write: null, checkpoint: last };
  const isCorrupt = events.some(({ type, data }) => type === 'workflow_failed' && data.corrupt === true);
  const committed = { bytes: logBytes, firstReset: isRetried ? firstReset(events) : null, isCorrupt };
  // A small input is not worth measuring.
  if (before !== null || logBytes <= checkpointLogBytes) return nextCheckpoint(last, run, committed, checkpointLogBytes);
  const bytes = charsUpTo(first.data, Number.POSITIVE_INFINITY);
  return nextCheckpoint({ ...last, bytes }, run, { ...committed, bytes: logBytes - bytes }, checkpointLogBytes);
}

/** The first failure that the retry among the events resets. */
function firstReset(events: CommitBuilder['events']): number | null {
  const resets = events.flatMap(({ type, data }) => (type === 'workflow_retried' ? failuresResetBy(data) : []));
  return resets.length === 0 ? null : Math.min(...resets);
}

/** Did the commit start the execution, or continue an ended one by a retry? */
export function isBeginning({ before, write }: ExecutionCommit): boolean {
  return before === null || write.revive !== undefined;
}

function newExecution(identity: ExecutionIdentity, deadlineAtMs: number | null): NewExecution {
  const { workflowId, workflowVersion, revision, labels, parentId, depth, createdAtMs } = identity;
  return { workflowId, workflowVersion, revision, labels, parentId, depth, deadlineAtMs, createdAtMs };
}

/** The message to the parent when a child's status has changed. A first step that leaves the child running is no change. */
function statusMessageToParent(before: CachedExecution | null, after: CachedExecution): ExecutionWrite['send'][number] | null {
  if (after.identity.parentId === null || (before?.run.status ?? 'running') === after.run.status) return null;
  return {
    toExecutionId: after.identity.parentId,
    message: JSON.stringify({ type: 'child_status', childId: after.id, status: after.run.status }),
  };
}
