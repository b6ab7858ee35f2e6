import { inspect } from 'node:util';
import type { Message } from '../../../machines/messages.ts';
import type { Run, StepEnv, StepResult } from '../../../machines/run.ts';
import { isStuck, start, step } from '../../../machines/step/index.ts';
import type { SlotReservation } from '../activities/local/activity-pool.ts';
import type { Actor } from '../actor.ts';
import { RuntimeError } from '../errors.ts';
import type { Ids } from '../ids.ts';
import {
  addConditions,
  addCopiedHistory,
  addEffects,
  addEvents,
  type CommitBuilder,
  newCommitBuilder,
} from './commit/commit-builder.ts';
import { type ExecutionCommit, executionCommit } from './commit/execution-commit.ts';
import type { Envelope, ExecutionStart, MessageOptions, MessageOutcome, Preconditions } from './envelope.ts';
import { startWithinLimits, stepWithinLimits } from './limits/step-within-limits.ts';
import type { CachedExecution } from './loading/execution-cache.ts';

/** The longest reason that is kept of an internal error. */
const MAX_REASON_CHARS = 2_000;
const STUCK = 'nothing is under way, and nothing can move it on';
const UNKNOWN: MessageOutcome = { refused: 'unknown', nodes: [] };

export interface StepDeps {
  readonly ids: Ids;
  readonly runtimeId: string;
  readonly stepLimit: number;
  /** Outputs larger than this are kept apart from the log; 0 = none. */
  readonly artifactThresholdBytes: number;
  /** Slots for the in-process work that begins. */
  readonly slots: SlotReservation;
}

/** One message stepped, and what that asks the store to write. */
export interface MessageResult {
  readonly outcome: MessageOutcome | Error;
  /** After the step; null = as it was. */
  readonly run: Run | null;
  readonly builders: readonly CommitBuilder[];
  readonly child: ExecutionCommit | null;
  readonly corrupt: RuntimeError | null;
}

/** The execution that a message is for. */
export interface Recipient {
  readonly id: string;
  readonly base: CachedExecution | ExecutionStart;
  readonly owner: string;
  readonly nowMs: number;
  readonly deps: StepDeps;
}

/**
 * Steps one message and builds what it asks the store to write. Never throws: an execution whose step throws, or that nothing could move
 * on any more, ends as failed.
 */
export function stepMessage(recipient: Recipient, run: Run | null, envelope: Envelope): MessageResult {
  const { id } = recipient;
  const { options: draft } = envelope;
  let child: ExecutionCommit | null = null;
  try {
    if (envelope.child !== null) child = startChild(envelope.child, draft, recipient.nowMs, recipient.deps);
  } catch (cause) {
    return rejectedResult(corruptError(envelope.child?.id ?? id, cause), draft.preconditions);
  }
  try {
    return stepUnguarded(recipient, run, envelope, child);
  } catch (cause) {
    const corrupt = corruptError(id, cause);
    // A retry steps a run that has ended: there is nothing to end.
    const end = run === null || draft.retryFrom !== undefined ? null : abortExecution(recipient, run, cause, draft.actor);
    if (end === null) return { ...rejectedResult(corrupt, draft.preconditions), corrupt };
    addConsumed(end.draught, draft.preconditions);
    return { outcome: corrupt, run: end.run, builders: [end.draught], child: null, corrupt };
  }
}

function stepUnguarded(recipient: Recipient, run: Run | null, envelope: Envelope, child: ExecutionCommit | null): MessageResult {
  const { id, base } = recipient;
  const { options: draft, birth, message } = envelope;
  const env = envOf(recipient);
  const outcome =
    birth !== null ? firstStep(birth, env) : run === null ? UNKNOWN : stepWithinLimits(base.loaded.program, run, message, env);
  if (outcome instanceof Error) return rejectedResult(outcome, draft.preconditions);
  if ('refused' in outcome) {
    if (run !== null && isStuck(run)) throw new Error(STUCK);
    return rejectedResult(outcome, draft.preconditions);
  }
  const draught = newCommitBuilder();
  addConsumed(draught, draft.preconditions);
  addConditions(draught, draft.preconditions, outcome.events);
  if (birth?.copiedHistory !== undefined) addCopiedHistory(draught, birth.copiedHistory);
  addStep(draught, recipient, outcome, draft.actor, message);
  if (draft.workItem !== undefined) draught.work.push({ op: 'put', item: draft.workItem });
  const taken: MessageResult = { outcome, run: outcome.run, builders: [draught], child, corrupt: null };
  if (!isStuck(outcome.run)) return taken;
  const cause = new Error(STUCK);
  const end = abortExecution(recipient, outcome.run, cause, draft.actor);
  const corrupt = corruptError(id, cause);
  return end === null ? { ...taken, corrupt } : { ...taken, run: end.run, builders: [draught, end.draught], corrupt };
}

/** Ends an execution as failed that cannot be stepped. Null when not even that can be done: then it stays as it is stored. */
function abortExecution(
  recipient: Recipient,
  run: Run,
  cause: unknown,
  origin: Actor,
): { run: Run; draught: CommitBuilder } | null {
  const error = `internal error: ${reasonOf(cause)}`;
  try {
    const message = { type: 'abort', error } as const;
    const outcome = step(recipient.base.loaded.program, run, message, envOf(recipient));
    if ('refused' in outcome) return null;
    const draught = newCommitBuilder();
    addStep(draught, recipient, outcome, origin, message);
    return { run: outcome.run, draught };
  } catch {
    // The sender and the operator are told of what came first.
    return null;
  }
}

/** What whoever asked for the step is told. */
export function corruptError(id: string, cause: unknown): RuntimeError {
  return new RuntimeError('corrupt', `execution ${id} cannot be stepped: ${reasonOf(cause)}`, { cause });
}

function reasonOf(cause: unknown): string {
  return (cause instanceof Error ? cause.message : inspect(cause)).slice(0, MAX_REASON_CHARS);
}

function addConsumed(draught: CommitBuilder, conditions: Preconditions | undefined): void {
  if (conditions?.inboxId !== undefined) draught.consumed.push(conditions.inboxId);
}

/** What a step logs and asks for, as writes. */
function addStep(
  draught: CommitBuilder,
  { base, nowMs, deps: context }: Pick<Recipient, 'base' | 'nowMs' | 'deps'>,
  { run, events, effects, diagnostics }: StepResult,
  origin: Actor,
  message: Message | null,
): void {
  const { ids, artifactThresholdBytes } = context;
  addEvents(draught, events, origin, message, nowMs, artifactThresholdBytes);
  addEffects(draught, effects, { loaded: base.loaded, run, nowMs, ids });
  draught.diagnostics.push(...diagnostics);
}

/** The first step of an execution; a fork's goes on from where another execution's log leads to. */
function firstStep({ loaded, input, copiedHistory: past }: ExecutionStart, env: StepEnv): MessageOutcome | RuntimeError {
  return past === undefined
    ? startWithinLimits(loaded.program, input, env)
    : stepWithinLimits(loaded.program, past.run, past.message, env);
}

/** A child's first step, in its parent's unit. */
function startChild(birth: ExecutionStart, draft: MessageOptions, nowMs: number, context: StepDeps): ExecutionCommit {
  const recipient = { id: birth.id, base: birth, owner: context.runtimeId, nowMs, deps: context };
  const draught = newCommitBuilder();
  const stepped = start(birth.loaded.program, birth.input, envOf(recipient));
  addStep(draught, recipient, stepped, draft.actor, null);
  return executionCommit(birth.id, null, birth, stepped.run, draught, false, context.runtimeId, nowMs);
}

export function rejectedResult(outcome: MessageOutcome | Error, conditions: Preconditions | undefined): MessageResult {
  const draught = newCommitBuilder();
  addConsumed(draught, conditions);
  if (conditions?.always === true) addConditions(draught, conditions, null);
  return { outcome, run: null, builders: [draught], child: null, corrupt: null };
}

function envOf({ id, base, owner, nowMs, deps: context }: Recipient): StepEnv {
  const { stepLimit, slots, runtimeId } = context;
  const { isLocal, vars } = base.loaded;
  // Another runtime knows itself when it has a slot.
  const startsAtOnce = (): boolean => owner === runtimeId && slots.take(base.tenantId, id);
  return { executionId: id, nowMs, stepLimit, runtimeId: owner, isLocal, startsAtOnce, vars };
}
