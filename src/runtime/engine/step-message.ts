import { inspect } from 'node:util';
import type { Message } from '../../../machines/messages.ts';
import type { Run, StepEnv, StepResult, TenantPolicy } from '../../../machines/run.ts';
import { shortened } from '../../../machines/shortened.ts';
import { continuedAs, isStuck, spendsBudget, start, step } from '../../../machines/step/index.ts';
import type { Actor } from '../actor.ts';
import { RuntimeError } from '../errors.ts';
import type { Ids } from '../ids.ts';
import { nextSegmentLabels } from '../segment-labels.ts';
import type { Traces } from '../traces.ts';
import {
  addBuilder,
  addCopiedHistory,
  addEffects,
  addEvents,
  addPreconditions,
  addThreadTurn,
  type CommitBuilder,
  cancelOfChild,
  newCommitBuilder,
} from './commit/commit-builder.ts';
import { type ExecutionCommit, executionCommit } from './commit/execution-commit.ts';
import { type Envelope, type ExecutionStart, isOfAnother, type MessageOutcome, type Preconditions, UNKNOWN } from './envelope.ts';
import { startWithinLimits, stepWithinLimits } from './limits/step-within-limits.ts';
import type { CachedExecution } from './loading/cached-execution.ts';

/** The longest text of an internal error that is stored. */
const MAX_REASON_CHARS = 2_000;
const STUCK = 'no work, timer, event or decision is pending that could continue the execution';
const NONE_BEGUN: readonly ExecutionCommit[] = [];

export interface StepDeps {
  readonly ids: Ids;
  /** The policies of tenants; null = the tenant has none. */
  readonly policies: { of(tenantId: string): TenantPolicy | null };
  readonly runtimeId: string;
  readonly traces: Traces;
  readonly stepLimit: number;
  /** Outputs larger than this are stored beside the log; 0 = none. */
  readonly artifactThresholdBytes: number;
  /** The log since the last checkpoint above which the next one may be due; 0 = always. */
  readonly checkpointLogBytes: number;
}

/** Slots that a step has taken for the in-process work that it starts. */
export interface SlotReservation {
  take(tenantId: string, executionId: string): boolean;
  /** Call once the work has started and occupies slots of its own, or will not start. */
  release(): void;
}

/** What the steps of one batch share. */
export interface StepMoment {
  readonly nowMs: number;
  /** Slots for the in-process work that starts with the commit. */
  readonly reservation: SlotReservation;
}

/** The step of one message, and what it asks the store to write. */
export interface MessageResult {
  readonly outcome: MessageOutcome | Error;
  /** After the step; null = unchanged. */
  readonly run: Run | null;
  readonly builder: CommitBuilder;
  /** Executions that begin in the same unit: a child, the next segment. */
  readonly begun: readonly ExecutionCommit[];
  readonly corrupt: RuntimeError | null;
}

/** The execution that a message is for. */
export interface Recipient {
  readonly id: string;
  readonly base: CachedExecution | ExecutionStart;
  readonly owner: string;
  readonly moment: StepMoment;
  readonly deps: StepDeps;
}

/**
 * Steps one message and builds what it asks the store to write. Never throws: an execution whose step throws, or that nothing
 * could continue any more, ends as failed.
 */
export function stepMessage(recipient: Recipient, run: Run | null, envelope: Envelope): MessageResult {
  const { id } = recipient;
  const { options } = envelope;
  let child: ExecutionCommit | null = null;
  try {
    if (envelope.child !== null) child = startChild(envelope.child, options.actor, recipient.moment, recipient.deps);
  } catch (cause) {
    return rejectedResult(corruptError(envelope.child?.id ?? id, cause), options.preconditions);
  }
  try {
    return stepUnguarded(recipient, run, envelope, child);
  } catch (cause) {
    const corrupt = corruptError(id, cause);
    // A retry steps a run that has ended: there is nothing to end.
    const end = run === null || options.retryFrom !== undefined ? null : abortExecution(recipient, run, cause, options.actor);
    if (end === null) return { ...rejectedResult(corrupt, options.preconditions), corrupt };
    addConsumed(end.builder, options.preconditions);
    return { outcome: corrupt, run: end.run, builder: end.builder, begun: [], corrupt };
  }
}

function stepUnguarded(recipient: Recipient, run: Run | null, envelope: Envelope, child: ExecutionCommit | null): MessageResult {
  const { id, base } = recipient;
  const { options, start: newExecution, message } = envelope;
  if (isOfAnother(envelope, base)) return rejectedResult(UNKNOWN, options.preconditions);
  const env = envOf(recipient);
  const outcome =
    newExecution !== null
      ? firstStep(newExecution, env)
      : run === null
        ? UNKNOWN
        : stepWithinLimits(base.loaded.program, run, message, env);
  if (outcome instanceof Error) return rejectedResult(outcome, options.preconditions);
  if ('refused' in outcome) {
    if (run !== null && isStuck(run)) throw new Error(STUCK);
    if (outcome.refused === 'early') return rejectedResult(outcome, undefined);
    const rejected = rejectedResult(run === null ? outcome : Object.assign({}, outcome, { seq: run.seq }), options.preconditions);
    const nextId = run === null ? undefined : unwantedContinuation(run, envelope);
    if (nextId !== undefined) rejected.builder.send.push(cancelOfChild(nextId));
    return rejected;
  }
  const builder = newCommitBuilder();
  addConsumed(builder, options.preconditions);
  addPreconditions(builder, options.preconditions, outcome);
  if (newExecution?.copiedHistory !== undefined) addCopiedHistory(builder, newExecution.copiedHistory);
  addStep(builder, recipient, outcome, options.actor, message);
  if (message?.type === 'done' && message.thread !== undefined) addThreadTurn(builder, message, outcome.events);
  if (options.workItem !== undefined) builder.work.push({ op: 'put', item: options.workItem });
  const next = nextSegment(recipient, outcome);
  const begun = child === null && next === null ? NONE_BEGUN : [child, next].filter((one) => one !== null);
  const result: MessageResult = { outcome, run: outcome.run, builder, begun, corrupt: null };
  if (!isStuck(outcome.run)) return result;
  const cause = new Error(STUCK);
  const end = abortExecution(recipient, outcome.run, cause, options.actor);
  const corrupt = corruptError(id, cause);
  if (end === null) return { ...result, corrupt };
  addBuilder(builder, end.builder);
  return { ...result, run: end.run, corrupt };
}

/** The execution that continues a child for which its parent waits no longer; undefined = there is none. */
function unwantedContinuation(run: Run, { message, options }: Envelope): string | undefined {
  if (message?.type === 'child') return message.change.status === 'continued' ? message.change.nextId : undefined;
  const isOfParent = message?.type === 'cancel' && options.preconditions?.inboxId !== undefined;
  return isOfParent ? continuedAs(run) : undefined;
}

/** Ends an execution that cannot be stepped as failed. Null when not even that is possible: it then stays as it is stored. */
function abortExecution(
  recipient: Recipient,
  run: Run,
  cause: unknown,
  actor: Actor,
): { readonly run: Run; readonly builder: CommitBuilder } | null {
  const error = `internal error: ${reasonOf(cause)}`;
  try {
    const message = { type: 'abort', error } as const;
    const outcome = step(recipient.base.loaded.program, run, message, envOf(recipient));
    if ('refused' in outcome) return null;
    const builder = newCommitBuilder();
    addStep(builder, recipient, outcome, actor, message);
    return { run: outcome.run, builder };
  } catch {
    // The sender and the operator get the first error.
    return null;
  }
}

/** The error for the sender of the message. */
export function corruptError(id: string, cause: unknown): RuntimeError {
  return new RuntimeError('corrupt', `execution ${id} cannot be stepped: ${reasonOf(cause)}`, { cause });
}

function reasonOf(cause: unknown): string {
  return shortened(cause instanceof Error ? cause.message : inspect(cause), MAX_REASON_CHARS);
}

function addConsumed(builder: CommitBuilder, preconditions: Preconditions | undefined): void {
  if (preconditions?.inboxId !== undefined) builder.consumed.push(preconditions.inboxId);
}

/** Adds the events and effects of a step as writes. */
function addStep(
  builder: CommitBuilder,
  { base, moment: { nowMs }, deps }: Recipient,
  { run, events, effects, diagnostics }: StepResult,
  actor: Actor,
  message: Message | null,
): void {
  const { ids, artifactThresholdBytes } = deps;
  // What a data policy redacts is offloaded afterwards.
  const thresholdBytes = base.loaded.program.tables.dataRules === null ? artifactThresholdBytes : 0;
  addEvents(builder, events, actor, message, nowMs, thresholdBytes);
  addEffects(builder, effects, { loaded: base.loaded, run, nowMs, ids });
  builder.diagnostics.push(...diagnostics);
}

/** The first step of an execution. A fork's continues from the point where the copied history ends. */
function firstStep({ loaded, input, copiedHistory }: ExecutionStart, env: StepEnv): MessageOutcome | RuntimeError {
  return copiedHistory === undefined
    ? startWithinLimits(loaded.program, input, env)
    : stepWithinLimits(loaded.program, copiedHistory.run, copiedHistory.message, env);
}

/** The execution that continues one that has ended for it: with its state, labels, parent and deadline. */
function nextSegment({ id, base, moment, deps }: Recipient, { effects }: StepResult): ExecutionCommit | null {
  const effect = effects.find((one) => one.type === 'continue_as_new');
  if (effect === undefined) return null;
  const { tenantId, loaded, identity, deadlineAtMs } = base;
  const traceparent = deps.traces.ofNext({ id, identity }) ?? null;
  const { executionId, segment, state, carried } = effect;
  const labels = JSON.stringify(nextSegmentLabels(JSON.parse(identity.labels), id, segment));
  const start: ExecutionStart = {
    id: executionId,
    tenantId,
    loaded,
    identity: { ...identity, traceparent, labels, createdAtMs: moment.nowMs },
    deadlineAtMs,
    input: state,
    continues: { segment, previousId: id, ...(carried === undefined ? {} : { carried }) },
  };
  // So each segment says who started its chain, also when the first one has been removed.
  const { actorId, actorType } = identity.startedBy;
  return startChild(start, { actorId, actorType, onBehalfOf: null, request: null }, moment, deps);
}

/** The first step of a child, or of a next segment, in the unit of the execution that begins it. */
function startChild(child: ExecutionStart, actor: Actor, moment: StepMoment, deps: StepDeps): ExecutionCommit {
  const { runtimeId: owner } = deps;
  const { nowMs } = moment;
  const recipient = { id: child.id, base: child, owner, moment, deps };
  const builder = newCommitBuilder();
  const stepped = start(child.loaded.program, child.input, envOf(recipient));
  addStep(builder, recipient, stepped, actor, null);
  const { run } = stepped;
  const commit = { id: child.id, before: null, base: child, run, builder, isRetried: false, owner, nowMs, ...writeDeps(deps) };
  return executionCommit(commit);
}

export function rejectedResult(outcome: MessageOutcome | Error, preconditions: Preconditions | undefined): MessageResult {
  const builder = newCommitBuilder();
  addConsumed(builder, preconditions);
  if (preconditions?.always === true) addPreconditions(builder, preconditions, null);
  return { outcome, run: null, builder, begun: [], corrupt: null };
}

/** What building the write of an execution needs. */
export function writeDeps({ checkpointLogBytes, artifactThresholdBytes, ids }: StepDeps) {
  return { checkpointLogBytes, artifactThresholdBytes, salt: ids.salt };
}

function envOf({ id, base, owner, moment: { nowMs, reservation }, deps }: Recipient): StepEnv {
  const { stepLimit, runtimeId, policies } = deps;
  const { isLocal, vars } = base.loaded;
  // The attempts of another owner wait for a slot there.
  const startsAtOnce = (node: string): boolean =>
    owner === runtimeId && !waitsForBudget(base, node) && reservation.take(base.tenantId, id);
  const tenantPolicy = policies.of(base.tenantId);
  const continues = 'continues' in base ? base.continues : undefined;
  const startAtMs = 'startAtMs' in base ? base.startAtMs : undefined;
  const { traceparent } = base.identity;
  return {
    executionId: id,
    nowMs,
    stepLimit,
    runtimeId: owner,
    isLocal,
    startsAtOnce,
    tenantPolicy,
    vars,
    ...(continues === undefined ? {} : { continues }),
    ...(startAtMs === undefined ? {} : { startAtMs }),
    ...(traceparent === null ? {} : { traceparent }),
  };
}

/** A call of a model that has to keep a budget begins once it is reserved there. */
function waitsForBudget({ loaded, ...base }: Recipient['base'], node: string): boolean {
  return spendsBudget(loaded.program, 'run' in base ? base.run : null, node);
}
