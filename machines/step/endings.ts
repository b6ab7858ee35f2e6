import type { Completes, Fails } from '../compile/parameters.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import type { Usage } from '../messages.ts';
import { definitionOf } from '../nodes/index.ts';
import { overBudget } from './budgets.ts';
import { own } from './context.ts';
import type { Draft } from './draft.ts';
import { joinInput } from './joins.ts';
import { type Failure, isTimer, type Stimulus } from './stimulus.ts';

/** How a completion changes the state: a patch of its own, or one that follows from the output. */
type Patch =
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
export function complete(draft: Draft, stimulus: Stimulus, { node, follow, choosing }: Completes): void {
  const active = draft.retire(node);
  const { activation } = active;
  draft.consume(node);
  if (stimulus.type === 'done') {
    const { output, durationMs, usage } = stimulus;
    const { kind } = draft.statics.graph.node(draft.indexOf(node));
    const tool = definitionOf(kind).tool(kind);
    if (tool !== null) draft.fact('tool_call_completed', node, { tool, duration_ms: durationMs, activation });
    const patch: Patch =
      stimulus.patch === undefined ? derivedPatch(draft, node, output) : { kind: 'given', patch: stimulus.patch };
    finish(draft, node, activation, output, patch, { duration_ms: durationMs, ...usageData(usage) });
    draft.use(usage);
    overBudget(draft, node);
  } else if (stimulus.type === 'child' && stimulus.change.status === 'completed') {
    const { result } = stimulus.change;
    draft.fact('child_workflow_completed', node, { child_execution_id: stimulus.childId, result, activation });
    const { output, patch } = childOutput(draft, node, result, stimulus.change.mapped);
    finish(draft, node, activation, output, patch, {});
  } else if (stimulus.type === 'event') {
    const { payload, sequence } = stimulus;
    const patch = outputKey(draft, node) ?? { kind: isObject(payload) ? ('output' as const) : ('node_id' as const) };
    finish(draft, node, activation, payload, patch, { event_sequence: sequence });
  } else if (stimulus.type === 'decide') {
    const { decision, userId, comment } = stimulus;
    approvalReceived(draft, stimulus, activation);
    const output = { decision, approved: decision === 'approved', user_id: userId, comment };
    finish(draft, node, activation, output, { kind: 'node_id' }, {});
  } else if (isTimer(stimulus)) {
    draft.fact('timer_fired', node, { activation, ...(active.key === undefined ? {} : { correlation_key: active.key }) });
    const { kind } = draft.statics.graph.node(draft.indexOf(node));
    const output: JsonObject = kind.type === 'wait' && kind.condition === 'timer' ? { fired: true } : { timed_out: true };
    finish(draft, node, activation, output, { kind: 'none' }, {});
  } else {
    throw new TypeError(`${stimulus.type} completes nothing`);
  }
  if (choosing !== true) draft.follow(node, follow);
}

/** The node's last attempt has failed, or there is no route for how it ended. */
export function fail(draft: Draft, stimulus: Stimulus, { node, handled, follow }: Fails): void {
  const active = draft.retire(node);
  const { activation, attempt } = active;
  draft.consume(node);
  let error = 'timeout';
  let classed: JsonObject = {};
  if (stimulus.type === 'fail') {
    ({ error } = stimulus);
    classed = classData(stimulus);
    if (stimulus.childId !== undefined)
      draft.fact('child_workflow_failed', node, { child_execution_id: stimulus.childId, error, activation });
  } else if (stimulus.type === 'decide') {
    approvalReceived(draft, stimulus, activation);
    error = `approval rejected by ${stimulus.userId}${stimulus.comment ? `: ${stimulus.comment}` : ''}`;
  } else {
    draft.fact('timer_fired', node, { activation, ...(active.key === undefined ? {} : { correlation_key: active.key }) });
  }
  draft.fact('node_failed', node, { error, attempt, retryable: false, ...classed, activation });
  if (handled === true) {
    draft.keepOutput(node, { error, node_id: node, attempt });
    draft.failureHandled();
  } else {
    draft.set({ failures: [...draft.now.failures, node] });
  }
  draft.follow(node, follow);
}

/**
 * A node whose ways cannot be chosen within the step's budget fails instead of completing: nothing of what it completed to is kept. Whether a
 * fallback takes over is known when it leaves (`exceed`).
 */
export function failInstead(draft: Draft, stimulus: Stimulus, node: string): void {
  const index = draft.indexOf(node);
  if (draft.statics.graph.isControl(index)) draft.settleSkips(index);
  const active = own(draft.now.active, node);
  if (draft.statics.graph.isFirstJoin(index)) draft.closeRegion(index);
  draft.consume(node);
  if (active === undefined) {
    givenUp(draft, node, draft.visit(node), 0);
    return;
  }
  const { activation, attempt } = draft.retire(node);
  if (stimulus.type === 'decide') approvalReceived(draft, stimulus, activation);
  else if (stimulus.type === 'child' && stimulus.change.status === 'completed') {
    const { result } = stimulus.change;
    draft.fact('child_workflow_completed', node, { child_execution_id: stimulus.childId, result, activation });
  } else if (isTimer(stimulus))
    draft.fact('timer_fired', node, { activation, ...(active.key === undefined ? {} : { correlation_key: active.key }) });
  givenUp(draft, node, activation, attempt);
}

/** Leaves a node whose conditions are more work than the step may do: one that has failed instead of completing, or a condition node. */
export function exceed(draft: Draft, _stimulus: Stimulus, { node, handled, follow }: Fails): void {
  const index = draft.indexOf(node);
  if (draft.statics.graph.node(index).kind.type === 'condition') {
    draft.settleSkips(index);
    draft.starve(node);
    givenUp(draft, node, draft.visit(node), 0);
  }
  if (handled === true) draft.failureHandled();
  else draft.set({ failures: [...draft.now.failures, node] });
  draft.follow(node, follow);
}

function givenUp(draft: Draft, node: string, activation: number, attempt: number): void {
  const { error, errorClass } = draft.statics.evaluation.failureOf(node);
  draft.fact('node_failed', node, { error, attempt, retryable: false, error_class: errorClass, activation });
  draft.keepOutput(node, { error, node_id: node, attempt });
}

/** An attempt has failed and there will be another. */
export function retry(draft: Draft, stimulus: Stimulus, node: string): void {
  if (stimulus.type !== 'fail') throw new TypeError(`${stimulus.type} is no failure`);
  const { error, delayMs, childId } = stimulus;
  const { activation, attempt } = draft.activeOf(node);
  if (childId !== undefined) draft.fact('child_workflow_failed', node, { child_execution_id: childId, error, activation });
  draft.fact('node_failed', node, { error, attempt, retryable: true, ...classData(stimulus), activation });
  draft.fact('retry_scheduled', node, { attempt: attempt + 1, delay_ms: delayMs, activation });
  draft.activate(node, { activation, attempt: attempt + 1, phase: 'backoff' });
}

/** What is known of a failure besides its text. */
function classData({ errorClass, httpStatus }: Failure): JsonObject {
  return {
    ...(errorClass === undefined ? {} : { error_class: errorClass }),
    ...(httpStatus === undefined ? {} : { http_status: httpStatus }),
  };
}

/** A control node finishes inside the step that reaches it. */
export function pass(draft: Draft, params: Completes): void {
  const { node, follow, choosing } = params;
  const index = draft.indexOf(node);
  const { kind } = draft.statics.graph.node(index);
  draft.settleSkips(index);
  if (kind.type === 'join') {
    passJoin(draft, node, index);
    if (choosing !== true) draft.follow(node, follow);
    return;
  }
  const received = draft.received(node);
  draft.starve(node);
  const activation = draft.visit(node);
  draft.fact('node_completed', node, { output: null, activation });
  draft.completed();
  if (kind.type === 'limit_exceeded') {
    if (draft.now.halt === null) draft.set({ halt: { status: 'limit_exceeded', error: null } });
    return;
  }
  draft.keepOutput(node, received);
  if (choosing !== true) draft.follow(node, follow);
}

function passJoin(draft: Draft, node: string, index: number): void {
  const { graph } = draft.statics;
  const { kind } = graph.node(index);
  const isFirst = graph.isFirstJoin(index);
  const merged = joinInput(draft, node);
  if (isFirst) draft.closeRegion(index);
  draft.consume(node);
  const output = isFirst ? (merged.winner?.[1] ?? null) : { outputs: merged.outputs, by_source: merged.by_source };
  const patch: Patch =
    kind.type === 'join' && kind.output_key !== undefined ? { kind: 'output_key', key: kind.output_key } : { kind: 'none' };
  const activation = draft.visit(node);
  finish(draft, node, activation, output, patch, merged.winner !== null && isFirst ? { source: merged.winner[0] } : {});
}

function finish(draft: Draft, node: string, activation: number, output: Json, patch: Patch, extra: JsonObject): void {
  const marker =
    patch.kind === 'given'
      ? { state_patch: patch.patch }
      : patch.kind === 'none'
        ? {}
        : { patch_from: patch.kind, ...(patch.kind === 'output_key' ? { output_key: patch.key } : {}) };
  const data = { output, ...marker, ...extra, activation };
  draft.patch(completedPatch(data, node));
  draft.fact('node_completed', node, data);
  draft.keepOutput(node, output);
  draft.completed();
}

function approvalReceived(draft: Draft, stimulus: Stimulus & { type: 'decide' }, activation: number): void {
  const { node, decision, userId, comment, patch } = stimulus;
  draft.fact('approval_received', node, { user_id: userId, decision, comment, state_patch: patch, activation });
  draft.patch(patch);
}

/** A held node may run. */
export function allow(draft: Draft, stimulus: Stimulus, node: string): void {
  if (stimulus.type !== 'decide') throw new TypeError(`${stimulus.type} is no decision`);
  approvalReceived(draft, stimulus, draft.activeOf(node).activation);
}

export function childNews(draft: Draft, stimulus: Stimulus, node: string): void {
  if (stimulus.type !== 'child') throw new TypeError(`${stimulus.type} is no news of a child`);
  const { childId, change } = stimulus;
  const { activation, attempt } = draft.activeOf(node);
  const active = { activation, attempt, phase: 'child' as const, child: childId };
  const data = { child_execution_id: childId, activation };
  if (change.status === 'started') draft.fact('child_workflow_started', node, { ...data, child_workflow_id: change.workflowId });
  else draft.fact(change.status === 'paused' ? 'child_workflow_paused' : 'child_workflow_resumed', node, data);
  draft.activate(node, change.status === 'paused' ? { ...active, paused: true } : active);
}

export function claimed(draft: Draft, stimulus: Stimulus, node: string): void {
  if (stimulus.type !== 'claimed') throw new TypeError(`${stimulus.type} is no claim`);
  const { activation, attempt, local } = draft.activeOf(node);
  draft.fact('node_started', node, { worker_id: stimulus.workerId, attempt, activation });
  draft.activate(node, { activation, attempt, phase: 'running', ...(local === true ? { local } : {}) });
}

function outputKey(draft: Draft, node: string): Patch | null {
  const { kind } = draft.statics.graph.node(draft.indexOf(node));
  const key = 'output_key' in kind ? kind.output_key : undefined;
  return key === undefined ? null : { kind: 'output_key', key };
}

/** What a result without a patch of its own does to the state. */
function derivedPatch(draft: Draft, node: string, output: Json): Patch {
  const named = outputKey(draft, node);
  if (named !== null) return named;
  const { kind } = draft.statics.graph.node(draft.indexOf(node));
  return { kind: definitionOf(kind).objectResultIsPatch && isObject(output) ? 'output' : 'node_id' };
}

function childOutput(draft: Draft, node: string, result: Json, mapped: Json | undefined): { output: Json; patch: Patch } {
  if (mapped === undefined) return { output: result, patch: derivedPatch(draft, node, result) };
  return { output: mapped, patch: outputKey(draft, node) ?? { kind: isObject(mapped) ? 'output' : 'node_id' } };
}

/** What nodes report of their cost, in the order it is logged. */
export const USAGE = ['gen_ai_system', 'gen_ai_model', 'input_tokens', 'output_tokens', 'finish_reason', 'cost_usd'] as const;

export function usageData(usage: Usage | undefined): JsonObject {
  return Object.fromEntries(USAGE.flatMap((key) => (usage?.[key] === undefined ? [] : [[key, usage[key]]])));
}
