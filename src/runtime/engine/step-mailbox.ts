import type { Run } from '../../../machines/run.ts';
import type { CommitUnit } from '../../../store/port/commit.ts';
import type { IdempotencyRow } from '../../../store/port/executions.ts';
import type { SlotReservation } from '../activities/local/activity-pool.ts';
import type { RuntimeError } from '../errors.ts';
import { type CommitBuilder, isEmpty, mergeBuilders } from './commit/commit-builder.ts';
import { type ExecutionCommit, executionCommit } from './commit/execution-commit.ts';
import type { Envelope, ExecutionStart, MessageOutcome, Preconditions } from './envelope.ts';
import type { CachedExecution } from './loading/execution-cache.ts';
import { corruptError, type MessageResult, rejectedResult, type StepDeps, stepMessage } from './step-message.ts';

export interface StepBatchDeps extends Omit<StepDeps, 'slots'> {
  /** Slots for the in-process work that a turn begins. */
  readonly reserve: () => SlotReservation;
  /** Who does the in-process work of an execution after a commit of this runtime, given who did before it. */
  readonly ownerAfter: (executionId: string, owner: string | null) => string;
}

/** The steps of one execution that share a commit. */
export interface StepBatch {
  readonly envelopes: readonly Envelope[];
  /** One per envelope; an `Error` is what its sender gets. */
  readonly outcomes: readonly (MessageOutcome | Error)[];
  /** Null when there is nothing to write. */
  readonly write: CommitUnit | null;
  /** The execution itself, then children born in the same unit. */
  readonly commits: readonly ExecutionCommit[];
  /** Why the execution is corrupt; null = it is not. */
  readonly corrupt: RuntimeError | null;
  /** Taken for what begins with the commit; to be released once that has begun, or will not. */
  readonly reservation: SlotReservation;
}

/** Event data of one execution in one commit, beyond which its other messages wait for the next commit. */
const MAX_LOG_BYTES_PER_BATCH = 4 * 1024 * 1024;

const UNKNOWN: MessageOutcome = { refused: 'unknown', nodes: [] };
const STALE: MessageOutcome = { refused: 'stale', nodes: [] };

/**
 * Steps messages of one execution, in order, from the front of `queue`, which it shortens: the first, and then as long as `more`
 * says so. Touches nothing else: a failed commit is forgotten by dropping the turn. Never throws: whatever goes wrong in the steps of an
 * execution, or while their writes are built, is told in the turn and ends that execution alone.
 */
export function stepMailbox(
  id: string,
  queue: Envelope[],
  before: CachedExecution | null,
  more: (taken: number) => boolean,
  nowMs: number,
  context: StepBatchDeps,
): StepBatch {
  const taken: Envelope[] = [];
  const slots = context.reserve();
  try {
    return { ...stepAll(id, queue, before, more, nowMs, { ...context, slots }, taken), reservation: slots };
  } catch (cause) {
    const corrupt = corruptError(id, cause);
    return { envelopes: taken, outcomes: taken.map(() => corrupt), write: null, commits: [], corrupt, reservation: slots };
  }
}

function stepAll(
  id: string,
  queue: Envelope[],
  before: CachedExecution | null,
  more: (taken: number) => boolean,
  nowMs: number,
  context: StepBatchDeps & StepDeps,
  taken: Envelope[],
): Omit<StepBatch, 'reservation'> {
  const outcomes: (MessageOutcome | Error)[] = [];
  const children: ExecutionCommit[] = [];
  const draughts: CommitBuilder[] = [];
  const owner = context.ownerAfter(id, before?.owner ?? null);
  let base: CachedExecution | ExecutionStart | null = before;
  let run: Run | null = before?.run ?? null;
  let idempotency: IdempotencyRow | null = null;
  let revives = false;
  let corrupt: RuntimeError | null = null;
  let logBytes = 0;
  while (taken.length === 0 || (logBytes < MAX_LOG_BYTES_PER_BATCH && more(taken.length))) {
    const envelope = queue[0];
    // A unit remembers one request.
    if (envelope === undefined || (idempotency !== null && envelope.options.idempotencyRow !== undefined)) break;
    queue.shift();
    taken.push(envelope);
    if (envelope.birth !== null) base = envelope.birth;
    const { preconditions: conditions, idempotencyRow: remember, retryFrom: revived } = envelope.options;
    const isRevived = revived !== undefined && run?.seq === revived.seq;
    const from = isRevived ? revived : run;
    const step: MessageResult =
      base === null
        ? rejectedResult(UNKNOWN, conditions)
        : hasOtherOwner(before, conditions, context)
          ? rejectedResult(STALE, conditions)
          : stepMessage({ id, base, owner, nowMs, deps: context }, from, envelope);
    outcomes.push(step.outcome);
    draughts.push(...step.builders);
    for (const draught of step.builders) logBytes += draught.logBytes;
    corrupt ??= step.corrupt;
    if (step.run === null) continue;
    run = step.run;
    revives ||= isRevived;
    if (remember !== undefined && !(step.outcome instanceof Error || 'refused' in step.outcome)) {
      idempotency = remember(step.outcome);
    }
    if (step.child !== null) children.push(step.child);
  }
  const draught = mergeBuilders(draughts);
  if (base === null || run === null || isEmpty(draught)) return { envelopes: taken, outcomes, write: null, commits: [], corrupt };
  const commits = [executionCommit(id, before, base, run, draught, revives, owner, nowMs), ...children];
  return {
    envelopes: taken,
    outcomes,
    write: { executions: commits.map((commit) => commit.write), idempotency },
    commits,
    corrupt,
  };
}

/** Somebody else has taken over what the message's sender thinks nobody does. */
function hasOtherOwner(
  before: CachedExecution | null,
  conditions: Preconditions | undefined,
  { runtimeId }: StepBatchDeps,
): boolean {
  if (conditions?.lostOwner === undefined || before === null) return false;
  return before.owner !== conditions.lostOwner && before.owner !== runtimeId;
}
