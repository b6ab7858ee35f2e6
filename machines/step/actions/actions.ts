import type { Appended } from '../../appended-lists.ts';
import { type Json, type JsonObject, patchState } from '../../json.ts';
import { definitionOf, type Kind } from '../../nodes/index.ts';
import type { NodeOutcome } from '../../program/outcome-routes.ts';
import type { CompleteParams, FailParams } from '../../program/parameters.ts';
import { visitIn } from '../context/active-visits.ts';
import { inputKeyOf } from '../context/pending-inputs.ts';
import type { StepContext } from '../context/step-context.ts';
import { isTimerEvent, type MachineEvent } from '../machine-event.ts';
import { countAttempt } from '../work/autonomy-gate.ts';
import { joinInput } from '../work/joins.ts';
import { addAttemptStart } from '../work/recorded-input.ts';
import { meter } from './budgets.ts';
import { addApproval, addCause, rejectionText } from './causes.ts';
import { chooseTransition } from './conditions.ts';
import { failureData } from './failure-data.ts';
import { failOverBudget } from './over-budget.ts';
import { actionOf, noteScoring, scoredOf, scoringError, scoringOutput } from './scoring.ts';
import {
  completedPatch,
  derivedPatch,
  discards,
  NO_PATCH,
  objectPatch,
  outputKeyPatch,
  patchData,
  type StatePatch,
  withNamedFields,
  writtenKey,
} from './state-patch.ts';
import { storedCompletion } from './stored-completion.ts';
import { strategyNodeCompletes } from './strategy.ts';
import { threadData } from './thread-data.ts';
import { usageEventData } from './usage.ts';

/** The result of a completed visit. */
interface Completion {
  readonly outcome: NodeOutcome;
  readonly output: Json;
  readonly patch: StatePatch;
  /** More data of `node_completed`. */
  readonly details: JsonObject;
  /** The state key that the output was written to, if the node has passed on what it received. */
  readonly key?: string | null;
}

/** A node that waited for something outside the step completes. */
export function complete(step: StepContext, event: MachineEvent, params: CompleteParams): void {
  const { node, update, choosing } = params;
  const completion = completionOf(step, node, event);
  if (choosing === true && !choose(step, event, node, completion)) {
    failOverBudget(step, event, node);
    return;
  }
  const active = step.endVisit(node);
  step.inputs.clearRead(node);
  addCause(step, event, node, active);
  recordCompletion(step, node, active.activation, completion, event.type === 'done' ? event.appended : undefined);
  noteScoring(step, node, completion.outcome);
  if (active.map === undefined) countAttempt(step, node, event, 'succeeded');
  meter(step, node, event);
  if (step.tables.measured.size > 0) step.scores.measure(node, event);
  if (choosing === true) step.recordTaken(node);
  else step.followTransition(node, update);
}

function completionOf(step: StepContext, node: string, event: MachineEvent): Completion {
  const kind = kindOf(step, node);
  const completion = plainCompletionOf(step, node, event);
  if (event.type !== 'done' && event.type !== 'child' && event.type !== 'event') return completion;
  const patch = withNamedFields(kind, completion.output, admittedOutput(step, node, completion));
  return patch === completion.patch ? completion : { ...completion, patch };
}

/** The patch; one that has the keys of the output is without those that only the runtime writes. */
function admittedOutput(step: StepContext, node: string, { output, patch }: Completion): StatePatch {
  if (patch.kind !== 'output') return patch;
  const admitted = step.patches.admitted(output, node);
  return admitted === output ? patch : { kind: 'given', patch: admitted };
}

/** Without `output_to_state`. */
function plainCompletionOf(step: StepContext, node: string, event: MachineEvent): Completion {
  const kind = kindOf(step, node);
  if (event.type === 'done') {
    const { output, patch, durationMs, usage, route, thread } = event;
    const scoring = step.tables.scorings.get(node);
    if (scoring !== undefined) {
      const scored = scoredOf(output);
      const action = actionOf(step, node, scoring, scored);
      const judged = scoringOutput(scored, action);
      return {
        outcome: action === 'retry_with_feedback' ? 'again' : 'ok',
        output: judged,
        patch: discards(kind) ? NO_PATCH : derivedPatch(kind, judged),
        details: { duration_ms: durationMs, ...usageEventData(usage) },
      };
    }
    return {
      outcome: route ?? 'ok',
      output,
      patch: discards(kind) ? NO_PATCH : patch === undefined ? derivedPatch(kind, output) : { kind: 'given', patch },
      details: {
        duration_ms: durationMs,
        ...usageEventData(usage),
        ...(route === undefined ? {} : { route }),
        ...threadData(thread),
      },
    };
  }
  if (event.type === 'child' && event.change.status === 'completed') {
    const { result, mapped } = event.change;
    if (mapped === undefined)
      return { outcome: 'ok', output: result, patch: discards(kind) ? NO_PATCH : derivedPatch(kind, result), details: {} };
    return { outcome: 'ok', output: mapped, patch: discards(kind) ? NO_PATCH : objectPatch(kind, mapped), details: {} };
  }
  if (event.type === 'event') {
    const { payload, sequence } = event;
    const patch = discards(kind) ? NO_PATCH : objectPatch(kind, payload);
    return { outcome: 'ok', output: payload, patch, details: { event_sequence: sequence } };
  }
  if (event.type === 'decide') {
    const { decision, userId, comment } = event;
    const output = { decision, approved: decision === 'approved', user_id: userId, comment };
    const { result } = step.activeOf(node);
    if (result === undefined) return { outcome: decision, output, patch: { kind: 'node_id' }, details: {} };
    const reviewed = Object.assign({}, result, output);
    return { outcome: decision, output: reviewed, patch: discards(kind) ? NO_PATCH : derivedPatch(kind, reviewed), details: {} };
  }
  if (isTimerEvent(event)) {
    const isTimer = definitionOf(kind).timeoutOutcome(kind) === 'continue';
    const output: JsonObject = isTimer ? { fired: true } : { timed_out: true };
    return { outcome: 'timeout', output, patch: { kind: 'none' }, details: {} };
  }
  throw new TypeError(`${event.type} completes nothing`);
}

/** False = the conditions cannot be evaluated within the budget: the node must not complete. */
function choose(step: StepContext, event: MachineEvent | null, node: string, completion: Completion): boolean {
  const { output, patch } = completion;
  const before = event?.type === 'decide' ? patchState(step.now.state, event.patch) : step.now.state;
  const after = patchState(before, completedPatch({ output, ...patchData(patch) }, node));
  return chooseTransition(step, node, { output, key: keyOf(step, node, completion) }, after);
}

function keyOf(step: StepContext, node: string, { patch, key }: Completion): string | null {
  return writtenKey(kindOf(step, node), patch) ?? key ?? null;
}

/** The last attempt of a node has failed, or its workflow says nothing about how the node ended. */
export function fail(step: StepContext, event: MachineEvent, { node, handled, update }: FailParams): void {
  const active = step.endVisit(node);
  const { activation, attempt } = active;
  step.inputs.clearRead(node);
  addCause(step, event, node, active);
  let error = 'timeout';
  let details: JsonObject = {};
  if (event.type === 'fail') {
    ({ error } = event);
    details = failureData(event);
  } else if (event.type === 'done') {
    error = scoringError(scoredOf(event.output));
    details = { error_class: 'eval_failed' };
  } else if (event.type === 'decide') {
    error = rejectionText(event);
  }
  step.effects.release(node, active, event.type === 'fail' ? (event.errorClass ?? null) : null);
  // An external worker has not done it in time.
  if (isTimerEvent(event)) step.effects.abandon(node, active);
  step.addVisitEnd('node_failed', node, 'failed', { error, attempt, retryable: false, ...details, activation });
  noteScoring(step, node, 'failed');
  if (handled === true) {
    step.inputs.keepOutput(node, { error, node_id: node, attempt }, null);
    step.countHandledFailure();
  } else {
    step.addFailure(node);
  }
  if (active.phase !== 'awaiting_approval' && active.map === undefined) countAttempt(step, node, event, 'failed');
  meter(step, node, event);
  step.followTransition(node, update);
}

/** An attempt has failed, and there will be another. */
export function retry(step: StepContext, event: MachineEvent, node: string): void {
  if (event.type !== 'fail') throw new TypeError(`${event.type} is no failure`);
  const { error, delayMs, parkedUntilMs } = event;
  const active = step.activeOf(node);
  const { activation, attempt } = active;
  addCause(step, event, node, active);
  step.addEvent('node_failed', node, { error, attempt, retryable: true, ...failureData(event), activation });
  const next = attempt + 1;
  if (parkedUntilMs === undefined) step.addEvent('retry_scheduled', node, { attempt: next, delay_ms: delayMs, activation });
  else {
    const retryAfter = new Date(parkedUntilMs).toISOString();
    step.addEvent('node_parked', node, { attempt: next, delay_ms: delayMs, retry_after: retryAfter, activation });
  }
  const again = active.journal === undefined ? null : { journal: active.journal.reopened() };
  step.setActive(node, Object.assign(visitIn('backoff', active), { attempt: next }, again));
  countAttempt(step, node, event, 'retried');
  meter(step, node, event);
}

/** A control node completes inside the step that reaches it. */
export function passControlNode(step: StepContext, event: MachineEvent, params: CompleteParams): void {
  const { node } = params;
  const index = step.indexOf(node);
  const kind = kindOf(step, node);
  step.flushSkips(index);
  if (definitionOf(kind).joins(kind) !== null) {
    passJoin(step, event, params, index);
    return;
  }
  const received = step.inputs.last(node);
  const key = step.inputs.lastKey(node);
  step.inputs.clear(node);
  step.addVisitEnd('node_completed', node, 'ok', { output: null, activation: step.countVisit(node) });
  step.countCompletion();
  if (definitionOf(kind).endsExecution) {
    if (step.halt === null) step.haltWith({ status: 'limit_exceeded', error: null });
    return;
  }
  step.inputs.keepOutput(node, received, key);
  step.followTransition(node, params.update);
}

function passJoin(step: StepContext, event: MachineEvent, { node, update, choosing }: CompleteParams, index: number): void {
  const isFirst = step.tables.graph.isFirstJoin(index);
  const { outputs, by_source, winner } = joinInput(step, node);
  const output = isFirst ? (winner?.[1] ?? null) : { outputs, by_source };
  const kind = kindOf(step, node);
  const completion: Completion = {
    outcome: 'ok',
    output,
    patch: withNamedFields(kind, output, outputKeyPatch(kind) ?? { kind: 'none' }),
    details: winner !== null && isFirst ? { source: winner[0] } : {},
    key: winner !== null && isFirst ? inputKeyOf(step.tables, winner) : null,
  };
  if (choosing === true && !choose(step, null, node, completion)) {
    failOverBudget(step, event, node);
    return;
  }
  if (isFirst) step.closeJoinRegion(index);
  step.inputs.clearRead(node);
  recordCompletion(step, node, step.countVisit(node), completion);
  if (choosing === true) step.recordTaken(node);
  else step.followTransition(node, update);
}

function recordCompletion(
  step: StepContext,
  node: string,
  activation: number,
  completion: Completion,
  logged?: Appended | null,
): void {
  const { outcome, output, patch, details } = completion;
  // A key after a spread would make a new hidden class at each call in Node 20.
  const whole = Object.assign({ output, ...patchData(patch), ...details }, { activation });
  const stored = storedCompletion(step, node, whole, patch, logged);
  step.patches.apply(stored.patch);
  step.patches.listsStored(stored.lists);
  step.addVisitEnd('node_completed', node, outcome, stored.data);
  step.inputs.keepOutput(node, stored.output, keyOf(step, node, completion));
  step.countCompletion();
  strategyNodeCompletes(step, node, activation, stored.output);
  const kind = kindOf(step, node);
  for (const { type, data } of definitionOf(kind).resultEvents(kind, stored.patch, node))
    step.addEvent(type, node, Object.assign({}, data, { activation }));
}

/** A node that awaits approval by policy may run. */
export function approveHeldNode(step: StepContext, event: MachineEvent, node: string): void {
  if (event.type !== 'decide') throw new TypeError(`${event.type} is no decision`);
  addApproval(step, event, step.activeOf(node).activation);
}

/** With `item`: of an item of the node. */
export function childChanged(step: StepContext, event: MachineEvent, node: string, item?: number): void {
  if (event.type !== 'child') throw new TypeError(`${event.type} is not about a child execution`);
  const { childId: child, change } = event;
  const active = Object.assign(visitIn('child', step.activeOf(node, item)), { child });
  const { activation } = active;
  const of = item === undefined ? {} : { item };
  if (change.status === 'started') {
    const data = { child_execution_id: child, activation, child_workflow_id: change.workflowId };
    step.addEvent('child_workflow_started', node, Object.assign(data, of));
  } else {
    const type = change.status === 'paused' ? 'child_workflow_paused' : 'child_workflow_resumed';
    step.addEvent(type, node, Object.assign({ child_execution_id: child, activation }, of));
  }
  step.setActive(node, change.status === 'paused' ? Object.assign(active, { paused: true }) : active, item);
}

/** With `item`: of an item of the node. */
export function attemptStarted(step: StepContext, event: MachineEvent, node: string, item?: number): void {
  if (event.type !== 'claimed') throw new TypeError(`${event.type} is no claim`);
  const active = step.activeOf(node, item);
  const { local } = active;
  addAttemptStart(step, node, event.workerId, active, item);
  const begun = visitIn('running', active);
  step.setActive(node, local === true ? Object.assign(begun, { local }) : begun, item);
}

function kindOf(step: StepContext, node: string): Kind {
  return step.tables.graph.node(step.indexOf(node)).kind;
}
