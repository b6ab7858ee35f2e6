import type { CompleteParams, FailParams } from '../compile/parameters.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import type { Usage } from '../messages.ts';
import { definitionOf } from '../nodes/index.ts';
import { checkBudgets } from './budgets.ts';
import { own } from './context.ts';
import { joinInput } from './joins.ts';
import { type FailEvent, isTimerEvent, type MachineEvent } from './machine-event.ts';
import type { StepContext } from './step-context.ts';

/** How a completion changes the state: a patch of its own, or one that follows from the output. */
type StatePatch =
  | { readonly kind: 'given'; readonly patch: Json }
  | { readonly kind: 'output' | 'node_id' | 'none' }
  | { readonly kind: 'output_key'; readonly key: string };

/**
 * The patch that a `node_completed` event stands for. One that follows from the output is not stored a second time: `patch_from`
 * says how to make it (`output`: the output itself, `output_key`: under the key of that name, `node_id`: under the node's id).
 */
export function completedPatch(data: JsonObject, nodeId: string): Json {
  if (Object.hasOwn(data, 'state_patch')) return data.state_patch ?? null;
  const output = data.output ?? null;
  if (data.patch_from === 'output') return output;
  if (data.patch_from === 'node_id') return { [nodeId]: output };
  if (data.patch_from === 'output_key' && typeof data.output_key === 'string') return { [data.output_key]: output };
  return {};
}

/** A visit to a node that waited for the world has ended well. */
export function complete(context: StepContext, event: MachineEvent, { node, follow, choosing }: CompleteParams): void {
  const active = context.endVisit(node);
  const { activation } = active;
  context.inputsRead(node);
  if (event.type === 'done') {
    const { output, durationMs, usage } = event;
    const { kind } = context.statics.graph.node(context.indexOf(node));
    const tool = definitionOf(kind).tool(kind);
    if (tool !== null) context.addEvent('tool_call_completed', node, { tool, duration_ms: durationMs, activation });
    const patch: StatePatch =
      event.patch === undefined ? derivedPatch(context, node, output) : { kind: 'given', patch: event.patch };
    recordCompletion(context, node, activation, output, patch, { duration_ms: durationMs, ...usageEventData(usage) });
    context.addUsage(usage);
    checkBudgets(context, node);
  } else if (event.type === 'child' && event.change.status === 'completed') {
    const { result } = event.change;
    context.addEvent('child_workflow_completed', node, { child_execution_id: event.childId, result, activation });
    const { output, patch } = childOutput(context, node, result, event.change.mapped);
    recordCompletion(context, node, activation, output, patch, {});
  } else if (event.type === 'event') {
    const { payload, sequence } = event;
    const patch = outputKeyPatch(context, node) ?? { kind: isObject(payload) ? ('output' as const) : ('node_id' as const) };
    recordCompletion(context, node, activation, payload, patch, { event_sequence: sequence });
  } else if (event.type === 'decide') {
    const { decision, userId, comment } = event;
    approvalReceived(context, event, activation);
    const output = { decision, approved: decision === 'approved', user_id: userId, comment };
    recordCompletion(context, node, activation, output, { kind: 'node_id' }, {});
  } else if (isTimerEvent(event)) {
    context.addEvent('timer_fired', node, { activation, ...(active.key === undefined ? {} : { correlation_key: active.key }) });
    const { kind } = context.statics.graph.node(context.indexOf(node));
    const output: JsonObject = kind.type === 'wait' && kind.condition === 'timer' ? { fired: true } : { timed_out: true };
    recordCompletion(context, node, activation, output, { kind: 'none' }, {});
  } else {
    throw new TypeError(`${event.type} completes nothing`);
  }
  if (choosing !== true) context.followTransition(node, follow);
}

/** The node's last attempt has failed, or there is no route for how it ended. */
export function fail(context: StepContext, event: MachineEvent, { node, handled, follow }: FailParams): void {
  const active = context.endVisit(node);
  const { activation, attempt } = active;
  context.inputsRead(node);
  let error = 'timeout';
  let details: JsonObject = {};
  if (event.type === 'fail') {
    ({ error } = event);
    details = failureData(event);
    if (event.childId !== undefined)
      context.addEvent('child_workflow_failed', node, { child_execution_id: event.childId, error, activation });
  } else if (event.type === 'decide') {
    approvalReceived(context, event, activation);
    error = `approval rejected by ${event.userId}${event.comment ? `: ${event.comment}` : ''}`;
  } else {
    context.addEvent('timer_fired', node, { activation, ...(active.key === undefined ? {} : { correlation_key: active.key }) });
  }
  context.addEvent('node_failed', node, { error, attempt, retryable: false, ...details, activation });
  if (handled === true) {
    context.rememberOutput(node, { error, node_id: node, attempt });
    context.countHandledFailure();
  } else {
    context.set({ failures: [...context.now.failures, node] });
  }
  context.followTransition(node, follow);
}

/**
 * A node whose ways cannot be chosen within the step's budget fails instead of completing: nothing of what it completed to is kept. Whether a
 * fallback takes over is known when it leaves (`exceed`).
 */
export function failOverBudget(context: StepContext, event: MachineEvent, node: string): void {
  const index = context.indexOf(node);
  if (context.statics.graph.isControl(index)) context.flushSkips(index);
  const active = own(context.now.active, node);
  if (context.statics.graph.isFirstJoin(index)) context.closeJoinRegion(index);
  context.inputsRead(node);
  if (active === undefined) {
    logBudgetFailure(context, node, context.countVisit(node), 0);
    return;
  }
  const { activation, attempt } = context.endVisit(node);
  if (event.type === 'decide') approvalReceived(context, event, activation);
  else if (event.type === 'child' && event.change.status === 'completed') {
    const { result } = event.change;
    context.addEvent('child_workflow_completed', node, { child_execution_id: event.childId, result, activation });
  } else if (isTimerEvent(event))
    context.addEvent('timer_fired', node, { activation, ...(active.key === undefined ? {} : { correlation_key: active.key }) });
  logBudgetFailure(context, node, activation, attempt);
}

/** Leaves a node whose conditions are more work than the step may do: one that has failed instead of completing, or a condition node. */
export function leaveOverBudget(context: StepContext, _event: MachineEvent, { node, handled, follow }: FailParams): void {
  const index = context.indexOf(node);
  if (context.statics.graph.node(index).kind.type === 'condition') {
    context.flushSkips(index);
    context.clearInputs(node);
    logBudgetFailure(context, node, context.countVisit(node), 0);
  }
  if (handled === true) context.countHandledFailure();
  else context.set({ failures: [...context.now.failures, node] });
  context.followTransition(node, follow);
}

function logBudgetFailure(context: StepContext, node: string, activation: number, attempt: number): void {
  const { error, errorClass } = context.statics.evaluation.failureOf(node);
  context.addEvent('node_failed', node, { error, attempt, retryable: false, error_class: errorClass, activation });
  context.rememberOutput(node, { error, node_id: node, attempt });
}

/** An attempt has failed and there will be another. */
export function retry(context: StepContext, event: MachineEvent, node: string): void {
  if (event.type !== 'fail') throw new TypeError(`${event.type} is no failure`);
  const { error, delayMs, childId } = event;
  const { activation, attempt } = context.activeOf(node);
  if (childId !== undefined) context.addEvent('child_workflow_failed', node, { child_execution_id: childId, error, activation });
  context.addEvent('node_failed', node, { error, attempt, retryable: true, ...failureData(event), activation });
  context.addEvent('retry_scheduled', node, { attempt: attempt + 1, delay_ms: delayMs, activation });
  context.setActive(node, { activation, attempt: attempt + 1, phase: 'backoff' });
}

/** What is known of a failure besides its text. */
function failureData({ errorClass, httpStatus }: FailEvent): JsonObject {
  return {
    ...(errorClass === undefined ? {} : { error_class: errorClass }),
    ...(httpStatus === undefined ? {} : { http_status: httpStatus }),
  };
}

/** A control node finishes inside the step that reaches it. */
export function passControlNode(context: StepContext, params: CompleteParams): void {
  const { node, follow, choosing } = params;
  const index = context.indexOf(node);
  const { kind } = context.statics.graph.node(index);
  context.flushSkips(index);
  if (kind.type === 'join') {
    passJoin(context, node, index);
    if (choosing !== true) context.followTransition(node, follow);
    return;
  }
  const received = context.lastInput(node);
  context.clearInputs(node);
  const activation = context.countVisit(node);
  context.addEvent('node_completed', node, { output: null, activation });
  context.countCompletion();
  if (kind.type === 'limit_exceeded') {
    if (context.now.halt === null) context.set({ halt: { status: 'limit_exceeded', error: null } });
    return;
  }
  context.rememberOutput(node, received);
  if (choosing !== true) context.followTransition(node, follow);
}

function passJoin(context: StepContext, node: string, index: number): void {
  const { graph } = context.statics;
  const { kind } = graph.node(index);
  const isFirst = graph.isFirstJoin(index);
  const merged = joinInput(context, node);
  if (isFirst) context.closeJoinRegion(index);
  context.inputsRead(node);
  const output = isFirst ? (merged.winner?.[1] ?? null) : { outputs: merged.outputs, by_source: merged.by_source };
  const patch: StatePatch =
    kind.type === 'join' && kind.output_key !== undefined ? { kind: 'output_key', key: kind.output_key } : { kind: 'none' };
  const activation = context.countVisit(node);
  recordCompletion(
    context,
    node,
    activation,
    output,
    patch,
    merged.winner !== null && isFirst ? { source: merged.winner[0] } : {},
  );
}

function recordCompletion(
  context: StepContext,
  node: string,
  activation: number,
  output: Json,
  patch: StatePatch,
  extra: JsonObject,
): void {
  const marker =
    patch.kind === 'given'
      ? { state_patch: patch.patch }
      : patch.kind === 'none'
        ? {}
        : { patch_from: patch.kind, ...(patch.kind === 'output_key' ? { output_key: patch.key } : {}) };
  const data = { output, ...marker, ...extra, activation };
  context.patchState(completedPatch(data, node));
  context.addEvent('node_completed', node, data);
  context.rememberOutput(node, output);
  context.countCompletion();
}

function approvalReceived(context: StepContext, event: MachineEvent & { type: 'decide' }, activation: number): void {
  const { node, decision, userId, comment, patch } = event;
  context.addEvent('approval_received', node, { user_id: userId, decision, comment, state_patch: patch, activation });
  context.patchState(patch);
}

/** A held node may run. */
export function approveHeldNode(context: StepContext, event: MachineEvent, node: string): void {
  if (event.type !== 'decide') throw new TypeError(`${event.type} is no decision`);
  approvalReceived(context, event, context.activeOf(node).activation);
}

export function childChanged(context: StepContext, event: MachineEvent, node: string): void {
  if (event.type !== 'child') throw new TypeError(`${event.type} is no news of a child`);
  const { childId, change } = event;
  const { activation, attempt } = context.activeOf(node);
  const active = { activation, attempt, phase: 'child' as const, child: childId };
  const data = { child_execution_id: childId, activation };
  if (change.status === 'started')
    context.addEvent('child_workflow_started', node, { ...data, child_workflow_id: change.workflowId });
  else context.addEvent(change.status === 'paused' ? 'child_workflow_paused' : 'child_workflow_resumed', node, data);
  context.setActive(node, change.status === 'paused' ? { ...active, paused: true } : active);
}

export function attemptStarted(context: StepContext, event: MachineEvent, node: string): void {
  if (event.type !== 'claimed') throw new TypeError(`${event.type} is no claim`);
  const { activation, attempt, local } = context.activeOf(node);
  context.addEvent('node_started', node, { worker_id: event.workerId, attempt, activation });
  context.setActive(node, { activation, attempt, phase: 'running', ...(local === true ? { local } : {}) });
}

function outputKeyPatch(context: StepContext, node: string): StatePatch | null {
  const { kind } = context.statics.graph.node(context.indexOf(node));
  const key = 'output_key' in kind ? kind.output_key : undefined;
  return key === undefined ? null : { kind: 'output_key', key };
}

/** What a result without a patch of its own does to the state. */
function derivedPatch(context: StepContext, node: string, output: Json): StatePatch {
  const named = outputKeyPatch(context, node);
  if (named !== null) return named;
  const { kind } = context.statics.graph.node(context.indexOf(node));
  return { kind: definitionOf(kind).objectResultIsPatch && isObject(output) ? 'output' : 'node_id' };
}

function childOutput(
  context: StepContext,
  node: string,
  result: Json,
  mapped: Json | undefined,
): { output: Json; patch: StatePatch } {
  if (mapped === undefined) return { output: result, patch: derivedPatch(context, node, result) };
  return { output: mapped, patch: outputKeyPatch(context, node) ?? { kind: isObject(mapped) ? 'output' : 'node_id' } };
}

/** What nodes report of their cost, in the order it is logged. */
export const USAGE_FIELDS = [
  'gen_ai_system',
  'gen_ai_model',
  'input_tokens',
  'output_tokens',
  'finish_reason',
  'cost_usd',
] as const;

export function usageEventData(usage: Usage | undefined): JsonObject {
  return Object.fromEntries(USAGE_FIELDS.flatMap((key) => (usage?.[key] === undefined ? [] : [[key, usage[key]]])));
}
