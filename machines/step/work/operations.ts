import { awaits, initialStatus, type Journal, MAX_OPERATIONS, type Operation, operationTimerId } from '../../journal.ts';
import type { Json, JsonObject } from '../../json.ts';
import type { Decide, OperationEntry, Transition } from '../../messages.ts';
import { definitionOf, outputKeyOf } from '../../nodes/index.ts';
import type { TimerPurpose } from '../../program/timers.ts';
import { shortened } from '../../shortened.ts';
import { completedPatch, outputKeyPatch, patchData } from '../actions/state-patch.ts';
import type { ActiveVisit } from '../context/active-visits.ts';
import type { EarlyEvent } from '../context/context.ts';
import type { StepContext } from '../context/step-context.ts';
import { beginCall } from './calls.ts';
import { persistedSnapshot, undeclared, unknownSnapshot } from './declared.ts';

function journalOf({ journal }: Pick<ActiveVisit, 'journal'>): Journal {
  if (journal === undefined) throw new TypeError('the visit has no journal');
  return journal;
}

/**
 * Logs what a function has begun, or what has come of it, unless the journal has it. False = it does not fit the journal; a text = why it does not fit
 * the state.
 */
export function applyEntry(step: StepContext, node: string, entry: OperationEntry, nowMs: number): boolean | string {
  if (entry.type === 'begin') return begin(step, node, entry, nowMs);
  if (entry.type === 'update') return handle(step, node, entry);
  if (entry.type === 'transition') return applyTransition(step, node, entry, nowMs);
  if (entry.type === 'cancel') return cancelOperation(step, node, entry.operation);
  const operation = journalOf(step.activeOf(node)).get(entry.operation);
  if (operation === undefined || operation.attempt < entry.attempt) return false;
  // Said again, because the answer to its commit was lost.
  if (operation.status !== 'running' || operation.attempt > entry.attempt) return operation.status !== 'waiting';
  if (entry.type === 'complete') {
    const { output, durationMs } = entry;
    complete(step, node, operation, output, durationMs === undefined ? {} : { duration_ms: durationMs });
  } else fail(step, node, operation, entry, nowMs);
  return true;
}

/** The same for an entry that the document must allow. What the journal has was allowed before. */
export function applyDeclared(step: StepContext, node: string, entry: OperationEntry, nowMs: number): boolean | string {
  const isNew = 'operation' in entry && entry.operation > journalOf(step.activeOf(node)).size;
  if (!isNew) return applyEntry(step, node, entry, nowMs);
  const { kind } = step.tables.nodeOf(node);
  const scope = definitionOf(kind).functionScope(kind);
  return undeclared(scope, entry) ?? applyEntry(step, node, entry, nowMs);
}

/** Why the document does not allow the snapshot that the transitions among the entries leave; null = it does. Looked at once: a machine may have many regions. */
export function undeclaredSnapshot(step: StepContext, node: string, entries: readonly OperationEntry[]): string | null {
  const last = entries.findLastIndex((entry) => entry.type === 'transition' && entry.snapshot !== undefined);
  if (last === -1) return null;
  const { kind } = step.tables.nodeOf(node);
  const unknown = unknownSnapshot(definitionOf(kind).functionScope(kind), persistedSnapshot(kind, step.now.state));
  return unknown === null ? null : `operations[${last}]: ${unknown}`;
}

/** Logs what has come of an update. */
function handle(step: StepContext, node: string, entry: OperationEntry & { type: 'update' }): boolean {
  const active = step.activeOf(node);
  const journal = journalOf(active);
  const update = journal.update(entry.update);
  // Said again, because the answer to its commit was lost.
  if (update === undefined || update.isHandled === true) return update !== undefined;
  const { name, number, sequence: received } = update;
  const outcome =
    'output' in entry
      ? { output: entry.output }
      : { error: entry.error, ...(entry.errorClass === undefined ? {} : { error_class: entry.errorClass }) };
  step.addEvent(
    'update_handled',
    node,
    Object.assign({ name, update: number, received }, outcome, { activation: active.activation }),
  );
  step.setActive(node, Object.assign({}, active, { journal: journal.handled(update), hasGrown: true }));
  return true;
}

/** A caller has sent an update. */
export function receiveUpdate(step: StepContext, node: string, name: string, input: Json): void {
  const active = step.activeOf(node);
  const before = journalOf(active);
  const number = before.updateCount + 1;
  const sequence = step.addEvent('update_received', node, { name, update: number, input, activation: active.activation });
  const journal = before.receive({ number, sequence, name, input });
  step.setActive(node, Object.assign({}, active, { journal, hasGrown: true }));
}

function begin(step: StepContext, node: string, entry: OperationEntry & { type: 'begin' }, nowMs: number): boolean | string {
  const {
    operation: number,
    name,
    kind,
    key,
    accepts,
    message,
    limitMs,
    untilMs,
    exposed,
    schema,
    workflow,
    version,
    input,
  } = entry;
  const { activation, ...active } = step.activeOf(node);
  const journal = journalOf(active);
  const known = journal.get(number);
  if (known !== undefined) return known.name === name && known.kind === kind;
  if (number !== journal.size + 1 || (number > MAX_OPERATIONS && kind !== 'continue')) return false;
  const isApproval = kind === 'approval';
  // Each question has the state in the log.
  if (isApproval && journal.asked === null && step.events.some(({ type }) => type === 'interrupt_raised'))
    return 'a question is asked by the same operations: the next one needs a commit of its own';
  const atOnceMs = untilMs ?? (limitMs === undefined || isApproval ? undefined : nowMs + limitMs);
  const since = step.addEvent('step_started', node, {
    name,
    operation: number,
    kind,
    attempt: 0,
    ...(key === undefined ? {} : { correlation_key: key }),
    ...(accepts === undefined ? {} : { accepts }),
    ...(message === undefined ? {} : { message }),
    ...(atOnceMs === undefined ? {} : { fire_at: new Date(atOnceMs).toISOString() }),
    ...(isApproval && limitMs !== undefined ? { limit_ms: limitMs } : {}),
    ...(workflow === undefined ? {} : { workflow_id: workflow }),
    ...(input === undefined ? {} : { input }),
    ...(version === undefined ? {} : { workflow_version: version }),
    ...(exposed === undefined ? {} : { exposed }),
    ...(schema === undefined ? {} : { schema }),
    activation,
  });
  const operation: Operation = {
    number,
    name,
    kind,
    attempt: 0,
    status: initialStatus(kind),
    after: journal.settled,
    since,
    atMs: nowMs,
    ...(key === undefined ? {} : { key }),
    ...(accepts === undefined ? {} : { accepts }),
    ...(message === undefined ? {} : { message }),
    ...(isApproval && limitMs !== undefined ? { limitMs } : {}),
    ...(atOnceMs === undefined ? {} : { fireAtMs: atOnceMs }),
    ...(workflow === undefined ? {} : { workflow }),
    ...(input === undefined ? {} : { input }),
    ...(version === undefined ? {} : { version }),
    ...(schema === undefined ? {} : { schema }),
  };
  change(step, node, operation);
  if (exposed !== undefined) expose(step, node, operation, exposed);
  else if (kind === 'handler') complete(step, node, operation, null, {});
  else if (isApproval) askNext(step, node, nowMs);
  else if (kind === 'call') beginCall(step, node, number);
  else if (!takeEarlyEvent(step, node, operation) && atOnceMs !== undefined) setTimer(step, node, operation, atOnceMs, nowMs);
  return true;
}

/** Changes the state as a result of the node with these fields does. */
function expose(step: StepContext, node: string, operation: Operation, exposed: JsonObject): void {
  const { kind } = step.tables.nodeOf(node);
  const patch = completedPatch({ output: exposed, ...patchData(outputKeyPatch(kind) ?? { kind: 'output' }) }, node);
  step.patches.expose(step.patches.admitted(patch, node));
  complete(step, node, operation, null, {});
}

/** An event that came before the function waited for it. */
function takeEarlyEvent(step: StepContext, node: string, operation: Operation): boolean {
  const { earlyEvents } = step.now;
  const buffered = operation.kind === 'event' ? earlyEvents.find(({ key }) => awaits(operation, key)) : undefined;
  if (buffered === undefined) return false;
  step.set({ earlyEvents: earlyEvents.filter((event) => event !== buffered) });
  takeEvent(step, node, operation, buffered);
  return true;
}

/** The event that an operation waits for has come. One that may have several types is given with its type. */
export function takeEvent(step: StepContext, node: string, operation: Operation, { key, payload, sequence }: EarlyEvent): void {
  complete(step, node, operation, operation.accepts === undefined ? payload : { type: key, payload }, {
    event_sequence: sequence,
  });
}

/** The machine that the function runs has taken a macrostep. Its persisted snapshot is the state, or what is under the output key of the node. */
function applyTransition(step: StepContext, node: string, transition: Transition, nowMs: number): boolean | string {
  const { operation: number, event, value, actions, actor, emitted, snapshot } = transition;
  const { activation, ...active } = step.activeOf(node);
  const journal = journalOf(active);
  const known = journal.get(number);
  if (known !== undefined) return known.kind === 'transition' && known.name === event;
  if (number !== journal.size + 1 || number > MAX_OPERATIONS) return false;
  const since = step.addEvent('machine_transitioned', node, {
    operation: number,
    event,
    value,
    ...(actions.length === 0 ? {} : { actions }),
    ...(actor === undefined ? {} : { actor }),
    ...(emitted === undefined ? {} : { emitted }),
    ...(snapshot === undefined ? {} : { snapshot }),
    activation,
  });
  const misfit = snapshot === undefined ? null : step.patches.change(outputKeyOf(step.tables.nodeOf(node).kind), snapshot);
  if (misfit !== null) return `the pointer "${shortened(misfit, 200)}" leads into a list, which can only be set as a whole`;
  const after = journal.settled;
  const operation: Operation = {
    number,
    name: event,
    kind: 'transition',
    attempt: 0,
    status: 'completed',
    after,
    since,
    atMs: nowMs,
  };
  step.setActive(node, Object.assign({}, step.activeOf(node), { journal: journal.close(operation), hasGrown: true }));
  return true;
}

/** An operation is not wanted any more. One that has its result keeps it: the function is given it all the same. */
function cancelOperation(step: StepContext, node: string, number: number): boolean {
  const { activation, ...active } = step.activeOf(node);
  const journal = journalOf(active);
  const operation = journal.open(number);
  if (operation === undefined) return journal.get(number) !== undefined;
  step.addEvent('step_cancelled', node, { name: operation.name, operation: number, activation });
  if (operation.fireAtMs !== undefined) step.timers.clear(operationTimerId(node, number));
  if (operation.kind === 'call') step.effects.abandon(node, step.endItem(node, number), number);
  const { fireAtMs: _, asked: __, limitMs: ___, message: ____, input: _____, ...kept } = operation;
  const cancelled: Operation = Object.assign({}, kept, { status: 'cancelled' } as const);
  step.setActive(node, Object.assign({}, step.activeOf(node), { journal: journal.close(cancelled), hasGrown: true }));
  return true;
}

/** Asks a person the question that was begun first, unless one is asked already. */
function askNext(step: StepContext, node: string, nowMs: number): void {
  const { activation, journal } = step.activeOf(node);
  const next = journal?.asked === null ? journal.allOpen().find(({ kind }) => kind === 'approval') : undefined;
  if (next !== undefined) ask(step, node, activation, next, nowMs);
}

function ask(step: StepContext, node: string, activation: number, operation: Operation, nowMs: number): void {
  const description = operation.message ?? operation.name;
  const data = { reason: 'human_approval', description, state_for_review: step.patches.keep(), activation };
  const since = step.addEvent('interrupt_raised', node, data);
  const { limitMs } = operation;
  const limited = limitMs === undefined ? {} : { fireAtMs: nowMs + limitMs };
  const asked: Operation = Object.assign({}, operation, { asked: true, since, atMs: nowMs } as const, limited);
  change(step, node, asked);
  if (limitMs !== undefined) setTimer(step, node, asked, nowMs + limitMs, nowMs);
}

/** Gives an open operation its result. */
export function complete(step: StepContext, node: string, operation: Operation, output: Json, details: JsonObject): void {
  const { name, number, attempt } = operation;
  const { activation } = step.activeOf(node);
  step.addEvent('step_completed', node, Object.assign({ name, operation: number, attempt, output }, details, { activation }));
  settle(step, node, Object.assign({}, operation, { status: 'completed', output } as const));
}

function fail(step: StepContext, node: string, operation: Operation, entry: OperationEntry & { type: 'fail' }, nowMs: number) {
  const { error, errorClass, details = {}, delayMs } = entry;
  const { name, number, attempt } = operation;
  const failure: JsonObject = { error, ...(errorClass === undefined ? {} : { error_class: errorClass }), ...shownOf(details) };
  const delay = delayMs === undefined ? {} : { delay_ms: delayMs };
  const { activation } = step.activeOf(node);
  const data = { name, operation: number, attempt, ...failure, ...delay, activation };
  step.addEvent('step_failed', node, data);
  if (delayMs === undefined) failFinally(step, node, operation, failure);
  else {
    const fireAtMs = nowMs + delayMs;
    change(step, node, Object.assign({}, operation, { status: 'backoff', attempt: attempt + 1, fireAtMs } as const));
    setTimer(step, node, operation, fireAtMs, nowMs, 'retry');
  }
}

const SHOWN = ['error_name', 'stack'] as const;

function shownOf(details: JsonObject): JsonObject {
  return Object.fromEntries(SHOWN.flatMap((field) => (details[field] === undefined ? [] : [[field, details[field]]])));
}

/** The timer of an open operation has fired: a wait is over, or a step is attempted again. */
export function timeIsOver(step: StepContext, node: string, operation: Operation, nowMs: number): void {
  step.timers.noteFired(operationTimerId(node, operation.number));
  if (operation.status === 'backoff') {
    const { name, number, kind, attempt } = operation;
    const { activation } = step.activeOf(node);
    step.addEvent('step_started', node, { name, operation: number, kind, attempt, activation });
    const { fireAtMs: _, ...again } = operation;
    change(step, node, { ...again, status: 'running' });
  } else if (operation.kind === 'sleep') complete(step, node, operation, null, {});
  else if (operation.kind === 'event') complete(step, node, operation, null, { timed_out: true });
  else {
    complete(step, node, operation, { decision: 'timeout', approved: false, user_id: null, comment: null }, { timed_out: true });
    askNext(step, node, nowMs);
  }
}

/** A person has decided the question that is asked. The decision is in the log. */
export function decided(step: StepContext, node: string, operation: Operation, decision: Decide, nowMs: number): void {
  const { decision: made, userId, comment } = decision;
  complete(step, node, operation, { decision: made, approved: made === 'approved', user_id: userId, comment }, {});
  askNext(step, node, nowMs);
}

/** What a visit waits for begins anew: times from now, and a question is asked again. */
export function restartWaits(step: StepContext, node: string, nowMs: number): void {
  const { activation, journal } = step.activeOf(node);
  for (const operation of journal?.allOpen() ?? []) {
    const { asked, fireAtMs, atMs } = operation;
    if (operation.kind === 'call') beginCall(step, node, operation.number);
    else if (asked === true) ask(step, node, activation, operation, nowMs);
    else if (fireAtMs !== undefined) {
      const times = { atMs: nowMs, fireAtMs: nowMs + Math.max(0, fireAtMs - atMs) };
      const anew: Operation = Object.assign({}, operation, times);
      change(step, node, anew);
      setTimer(step, node, anew, anew.fireAtMs ?? nowMs, nowMs, operation.status === 'backoff' ? 'retry' : undefined);
    }
  }
}

/** An open operation has failed for good. */
export function failFinally(step: StepContext, node: string, operation: Operation, failure: JsonObject): void {
  settle(step, node, Object.assign({}, operation, { status: 'failed', failure } as const));
}

function settle(step: StepContext, node: string, operation: Operation): void {
  const active = step.activeOf(node);
  const { number, fireAtMs, asked: _, limitMs: __, message: ___, ...kept } = operation;
  if (fireAtMs !== undefined) step.timers.clear(operationTimerId(node, number));
  const journal = journalOf(active).settle({ number, ...kept });
  step.setActive(node, Object.assign({}, active, { journal, hasGrown: true }));
}

function change(step: StepContext, node: string, operation: Operation): void {
  const active = step.activeOf(node);
  step.setActive(node, Object.assign({}, active, { journal: journalOf(active).with(operation), hasGrown: true }));
}

function setTimer(
  step: StepContext,
  node: string,
  { number, kind }: Operation,
  atMs: number,
  nowMs: number,
  as?: TimerPurpose['kind'],
): void {
  const purpose = { node, kind: as ?? (kind === 'approval' ? 'approval' : 'wait') } as const;
  step.timers.setOperation(operationTimerId(node, number), Math.max(0, atMs - nowMs), purpose);
}
