import { inspect } from 'node:util';
import type { Message } from '../../machines/messages.ts';
import type { Run, StepEnv, Stepped } from '../../machines/run.ts';
import { isStuck, start, step } from '../../machines/step.ts';
import { type Committed, committed } from './committed.ts';
import type { Reservation } from './dispatch.ts';
import type { Birth, Conditions, Draft, Envelope, Outcome } from './envelope.ts';
import { RuntimeError } from './errors.ts';
import type { Hot } from './hot.ts';
import type { Ids } from './ids.ts';
import type { Origin } from './origin.ts';
import { startWithin, stepWithin } from './step-within.ts';
import { addConditions, addEffects, addEvents, addPast, type Draught, emptyDraught } from './write.ts';

/** The longest reason that is kept of an internal error. */
const MAX_REASON_CHARS = 2_000;
const STUCK = 'nothing is under way, and nothing can move it on';
const UNKNOWN: Outcome = { refused: 'unknown', nodes: [] };

export interface StepContext {
  readonly ids: Ids;
  readonly runtimeId: string;
  readonly stepLimit: number;
  /** Outputs larger than this are kept apart from the log; 0 = none. */
  readonly artifactThresholdBytes: number;
  /** Slots for the in-process work that begins. */
  readonly slots: Reservation;
}

/** One message stepped, and what that asks the store to write. */
export interface Taken {
  readonly outcome: Outcome | Error;
  /** After the step; null = as it was. */
  readonly run: Run | null;
  readonly draughts: readonly Draught[];
  readonly child: Committed | null;
  readonly corrupt: RuntimeError | null;
}

/** The execution that a message is for. */
export interface Recipient {
  readonly id: string;
  readonly base: Hot | Birth;
  readonly owner: string;
  readonly nowMs: number;
  readonly context: StepContext;
}

/**
 * Steps one message and builds what it asks the store to write. Never throws: an execution whose step throws, or that nothing could move
 * on any more, ends as failed.
 */
export function takeMessage(recipient: Recipient, run: Run | null, envelope: Envelope): Taken {
  const { id } = recipient;
  const { draft } = envelope;
  let child: Committed | null = null;
  try {
    if (envelope.child !== null) child = bear(envelope.child, draft, recipient.nowMs, recipient.context);
  } catch (cause) {
    return refused(brokenBy(envelope.child?.id ?? id, cause), draft.conditions);
  }
  try {
    return takeSafely(recipient, run, envelope, child);
  } catch (cause) {
    const corrupt = brokenBy(id, cause);
    // A retry steps a run that has ended: there is nothing to end.
    const end = run === null || draft.revived !== undefined ? null : ended(recipient, run, cause, draft.origin);
    if (end === null) return { ...refused(corrupt, draft.conditions), corrupt };
    addConsumed(end.draught, draft.conditions);
    return { outcome: corrupt, run: end.run, draughts: [end.draught], child: null, corrupt };
  }
}

function takeSafely(recipient: Recipient, run: Run | null, envelope: Envelope, child: Committed | null): Taken {
  const { id, base } = recipient;
  const { draft, birth, message } = envelope;
  const env = envOf(recipient);
  const outcome =
    birth !== null ? begin(birth, env) : run === null ? UNKNOWN : stepWithin(base.loaded.program, run, message, env);
  if (outcome instanceof Error) return refused(outcome, draft.conditions);
  if ('refused' in outcome) {
    if (run !== null && isStuck(run)) throw new Error(STUCK);
    return refused(outcome, draft.conditions);
  }
  const draught = emptyDraught();
  addConsumed(draught, draft.conditions);
  addConditions(draught, draft.conditions, outcome.events);
  if (birth?.past !== undefined) addPast(draught, birth.past);
  addStep(draught, recipient, outcome, draft.origin, message);
  if (draft.put !== undefined) draught.work.push({ op: 'put', item: draft.put });
  const taken: Taken = { outcome, run: outcome.run, draughts: [draught], child, corrupt: null };
  if (!isStuck(outcome.run)) return taken;
  const cause = new Error(STUCK);
  const end = ended(recipient, outcome.run, cause, draft.origin);
  const corrupt = brokenBy(id, cause);
  return end === null ? { ...taken, corrupt } : { ...taken, run: end.run, draughts: [draught, end.draught], corrupt };
}

/** Ends an execution as failed that cannot be stepped. Null when not even that can be done: then it stays as it is stored. */
function ended(recipient: Recipient, run: Run, cause: unknown, origin: Origin): { run: Run; draught: Draught } | null {
  const error = `internal error: ${reasonOf(cause)}`;
  try {
    const message = { type: 'abort', error } as const;
    const outcome = step(recipient.base.loaded.program, run, message, envOf(recipient));
    if ('refused' in outcome) return null;
    const draught = emptyDraught();
    addStep(draught, recipient, outcome, origin, message);
    return { run: outcome.run, draught };
  } catch {
    // The sender and the operator are told of what came first.
    return null;
  }
}

/** What whoever asked for the step is told. */
export function brokenBy(id: string, cause: unknown): RuntimeError {
  return new RuntimeError('corrupt', `execution ${id} cannot be stepped: ${reasonOf(cause)}`, { cause });
}

function reasonOf(cause: unknown): string {
  return (cause instanceof Error ? cause.message : inspect(cause)).slice(0, MAX_REASON_CHARS);
}

function addConsumed(draught: Draught, conditions: Conditions | undefined): void {
  if (conditions?.consume !== undefined) draught.consumed.push(conditions.consume);
}

/** What a step logs and asks for, as writes. */
function addStep(
  draught: Draught,
  { base, nowMs, context }: Pick<Recipient, 'base' | 'nowMs' | 'context'>,
  { run, events, effects, diagnostics }: Stepped,
  origin: Origin,
  message: Message | null,
): void {
  const { ids, artifactThresholdBytes } = context;
  addEvents(draught, events, origin, message, nowMs, artifactThresholdBytes);
  addEffects(draught, effects, { loaded: base.loaded, run, nowMs, ids });
  draught.diagnostics.push(...diagnostics);
}

/** The first step of an execution; a fork's goes on from where another execution's log leads to. */
function begin({ loaded, input, past }: Birth, env: StepEnv): Outcome | RuntimeError {
  return past === undefined ? startWithin(loaded.program, input, env) : stepWithin(loaded.program, past.run, past.message, env);
}

/** A child's first step, in its parent's unit. */
function bear(birth: Birth, draft: Draft, nowMs: number, context: StepContext): Committed {
  const recipient = { id: birth.id, base: birth, owner: context.runtimeId, nowMs, context };
  const draught = emptyDraught();
  const stepped = start(birth.loaded.program, birth.input, envOf(recipient));
  addStep(draught, recipient, stepped, draft.origin, null);
  return committed(birth.id, null, birth, stepped.run, draught, false, context.runtimeId, nowMs);
}

export function refused(outcome: Outcome | Error, conditions: Conditions | undefined): Taken {
  const draught = emptyDraught();
  addConsumed(draught, conditions);
  if (conditions?.always === true) addConditions(draught, conditions, null);
  return { outcome, run: null, draughts: [draught], child: null, corrupt: null };
}

function envOf({ id, base, owner, nowMs, context }: Recipient): StepEnv {
  const { stepLimit, slots, runtimeId } = context;
  const { isLocal, vars } = base.loaded;
  // Another runtime knows itself when it has a slot.
  const startsAtOnce = (): boolean => owner === runtimeId && slots.take(base.tenantId, id);
  return { executionId: id, nowMs, stepLimit, runtimeId: owner, isLocal, startsAtOnce, vars };
}
