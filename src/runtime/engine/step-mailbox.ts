import type { Run } from '../../../machines/run.ts';
import type { CommitUnit } from '../../../store/port/commit.ts';
import type { IdempotencyRow } from '../../../store/port/executions.ts';
import type { RuntimeError } from '../errors.ts';
import { addBuilder, type CommitBuilder, isEmpty } from './commit/commit-builder.ts';
import { type ExecutionCommit, executionCommit } from './commit/execution-commit.ts';
import { type Envelope, type ExecutionStart, type MessageOutcome, type Preconditions, UNKNOWN } from './envelope.ts';
import type { CachedExecution } from './loading/cached-execution.ts';
import {
  corruptError,
  type MessageResult,
  rejectedResult,
  type StepDeps,
  type StepMoment,
  stepMessage,
  writeDeps,
} from './step-message.ts';

export interface StepBatchDeps extends StepDeps {
  /** The runtime that does the in-process work of an execution after a commit of this one, given the owner before it. */
  readonly ownerAfter: (executionId: string, owner: string | null) => string;
}

/** The steps of one execution that share a commit. */
export interface StepBatch {
  readonly envelopes: readonly Envelope[];
  /** One per envelope. The sender's promise is rejected with an `Error`. */
  readonly outcomes: readonly (MessageOutcome | Error)[];
  /** Null: there is nothing to write. */
  readonly unit: CommitUnit | null;
  /** The execution itself, then those that begin in the same unit: children, the next segment. */
  readonly commits: readonly ExecutionCommit[];
  /** Size of the events of the execution itself. */
  readonly logBytes: number;
  /** Why the execution is corrupt; null = it is not. */
  readonly corrupt: RuntimeError | null;
}

/** The messages of an execution that has not been stepped yet. */
export interface PendingSteps {
  readonly id: string;
  /** In order. */
  readonly queue: Envelope[];
  /** Null = it is not in memory: the first message starts it. */
  readonly execution: CachedExecution | null;
}

/** Once the events of one execution in one commit exceed this, its other messages wait for the next commit. */
const MAX_LOG_BYTES_PER_BATCH = 4 * 1024 * 1024;

const STALE: MessageOutcome = { refused: 'stale', nodes: [] };

/**
 * Steps messages of one execution, in order, from the front of its queue, which it shortens: the first one, and others while
 * they are fewer than `limit` and `isInTime` returns true. Changes nothing else, so a batch whose commit fails is simply dropped.
 * Never throws: an error in a step, or while its writes are built, is part of the batch and ends that execution alone.
 */
export function stepMailbox(
  pending: PendingSteps,
  limit: number,
  isInTime: () => boolean,
  moment: StepMoment,
  deps: StepBatchDeps,
): StepBatch {
  const envelopes: Envelope[] = [];
  try {
    return stepAll(pending, limit, isInTime, moment, deps, envelopes);
  } catch (cause) {
    const corrupt = corruptError(pending.id, cause);
    return { envelopes, outcomes: envelopes.map(() => corrupt), unit: null, commits: [], logBytes: 0, corrupt };
  }
}

function stepAll(
  { id, queue, execution: before }: PendingSteps,
  limit: number,
  isInTime: () => boolean,
  moment: StepMoment,
  deps: StepBatchDeps,
  envelopes: Envelope[],
): StepBatch {
  const { nowMs } = moment;
  const outcomes: (MessageOutcome | Error)[] = [];
  const begun: ExecutionCommit[] = [];
  const owner = deps.ownerAfter(id, before?.owner ?? null);
  let builder: CommitBuilder | null = null;
  let base: CachedExecution | ExecutionStart | null = before;
  let run: Run | null = before?.run ?? null;
  let idempotency: IdempotencyRow | null = null;
  let isRetried = false;
  let corrupt: RuntimeError | null = null;
  for (let envelope = queue[0]; envelope !== undefined; envelope = queue[0]) {
    // A unit holds the idempotency row of one request.
    if (idempotency !== null && envelope.options.idempotencyRow !== undefined) break;
    const mayGoOn = envelopes.length < limit && (builder?.logBytes ?? 0) < MAX_LOG_BYTES_PER_BATCH && isInTime();
    if (envelopes.length > 0 && !mayGoOn) break;
    queue.shift();
    envelopes.push(envelope);
    if (envelope.start !== null) base = envelope.start;
    const { preconditions, idempotencyRow, retryFrom } = envelope.options;
    const isRetry = retryFrom !== undefined && run?.seq === retryFrom.seq;
    const from = isRetry ? retryFrom : run;
    const result: MessageResult =
      base === null
        ? rejectedResult(UNKNOWN, preconditions)
        : hasOtherOwner(before, owner, preconditions, deps)
          ? rejectedResult(STALE, preconditions)
          : stepMessage({ id, base, owner, moment, deps }, from, envelope);
    outcomes.push(result.outcome);
    if (builder === null) builder = result.builder;
    else addBuilder(builder, result.builder);
    corrupt ??= result.corrupt;
    if (result.run === null) continue;
    run = result.run;
    isRetried ||= isRetry;
    if (idempotencyRow !== undefined && !(result.outcome instanceof Error || 'refused' in result.outcome)) {
      idempotency = idempotencyRow(result.outcome, id);
    }
    begun.push(...result.begun);
  }
  if (base === null || run === null || builder === null || isEmpty(builder))
    return { envelopes, outcomes, unit: null, commits: [], logBytes: 0, corrupt };
  const commit = executionCommit({ id, before, base, run, builder, isRetried, owner, nowMs, ...writeDeps(deps) });
  const commits = [commit, ...begun];
  const unit = { executions: commits.map((commit) => commit.write), idempotency };
  return { envelopes, outcomes, unit, commits, logBytes: builder.logBytes, corrupt };
}

/** Does another runtime own what the sender of the message takes for its own, or for lost? */
function hasOtherOwner(
  before: CachedExecution | null,
  owner: string,
  preconditions: Preconditions | undefined,
  { runtimeId }: StepBatchDeps,
): boolean {
  if (preconditions?.fromOwner === true) return owner !== runtimeId;
  if (preconditions?.lostOwner === undefined || before === null) return false;
  return before.owner !== preconditions.lostOwner && before.owner !== runtimeId;
}
