import type { Program } from '../../../machines/compile/index.ts';
import type { NodeOutcome } from '../../../machines/compile/outcome-routes.ts';
import { forwardsInput } from '../../../machines/compile/output-use.ts';
import type { LogEvent } from '../../../machines/events.ts';
import { isTrue } from '../../../machines/expression/index.ts';
import { type Json, type JsonObject, patchState } from '../../../machines/json.ts';
import type { Message } from '../../../machines/messages.ts';
import { type Run, type StepEnv, type StepResult, TERMINAL } from '../../../machines/run.ts';
import { activeOf, completedPatch, start, stateOf, step } from '../../../machines/step/index.ts';
import type { Branch, Branches } from './branches.ts';

/** A compiled workflow with its branches and environment variables. */
export interface SimWorkflow {
  readonly program: Program;
  readonly branches: Branches;
  readonly env: Readonly<Record<string, string>>;
}

export interface SimTimer {
  readonly id: string;
  readonly atMs: number;
}

/** State of a simulated run. Immutable, so that several runs can continue from it. */
export interface SimState {
  readonly run: Run;
  readonly nowMs: number;
  /** Set timers by node. */
  readonly timers: ReadonlyMap<string, SimTimer>;
  /** Outputs given or forwarded by ended nodes, the latest last. */
  readonly outputs: ReadonlyMap<string, Json>;
}

/** A step of a simulated run with the resulting state. */
export interface SimStep {
  readonly state: SimState;
  readonly events: readonly LogEvent[];
  /** Branches taken by the visits that ended, in order. */
  readonly branches: readonly Branch[];
}

/** Start of every simulated run. */
const START_MS = Date.UTC(2026, 0, 1);
const STEP_LIMIT = 10_000;

function stepEnvAt(nowMs: number, vars: SimWorkflow['env']): StepEnv {
  return { executionId: 'exec_test', nowMs, stepLimit: STEP_LIMIT, runtimeId: 'test', isLocal: () => true, vars };
}

export function startRun(workflow: SimWorkflow, input: Json): SimStep {
  const stepped = start(workflow.program, input, stepEnvAt(START_MS, workflow.env));
  const state = typeof input === 'object' && input !== null && !Array.isArray(input) ? (input as JsonObject) : {};
  return simStep(workflow, stepped, { state, nowMs: START_MS, timers: new Map(), outputs: new Map() });
}

/** Null if the message is refused. */
export function sendMessage(workflow: SimWorkflow, state: SimState, message: Message, nowMs = state.nowMs): SimStep | null {
  const stepped = step(workflow.program, state.run, message, stepEnvAt(nowMs, workflow.env));
  if ('refused' in stepped) return null;
  const { timers, outputs } = state;
  return simStep(workflow, stepped, { state: stateOf(state.run), nowMs, timers, outputs });
}

/** Fires the timer of a node at its due time. Null if it has none. */
export function fireTimer(workflow: SimWorkflow, state: SimState, node: string): SimStep | null {
  const timer = state.timers.get(node);
  if (timer === undefined) return null;
  const timers = new Map(state.timers);
  timers.delete(node);
  return sendMessage(workflow, { ...state, timers }, { type: 'timer', id: timer.id }, Math.max(state.nowMs, timer.atMs));
}

export function hasEnded({ run }: SimState): boolean {
  return TERMINAL.has(run.status);
}

interface PreviousState {
  readonly state: JsonObject;
  readonly nowMs: number;
  readonly timers: SimState['timers'];
  readonly outputs: SimState['outputs'];
}

function simStep(workflow: SimWorkflow, stepped: StepResult, previous: PreviousState): SimStep {
  const { run, events, effects } = stepped;
  const { nowMs } = previous;
  const timers = new Map(previous.timers);
  for (const effect of effects) {
    if (effect.type === 'set_timer') timers.set(effect.node, { id: effect.id, atMs: effect.atMs });
    if (effect.type === 'clear_timer') for (const [node, { id }] of timers) if (id === effect.id) timers.delete(node);
  }
  const activeNodes = new Set(activeOf(workflow.program, run).map(({ node }) => node));
  for (const node of timers.keys()) if (!activeNodes.has(node)) timers.delete(node);
  const { branches, outputs } = readEvents(workflow, events, run, previous);
  const next: SimState = { run, nowMs, timers, outputs };
  const child = effects.find((effect) => effect.type === 'spawn');
  if (child === undefined) return { state: next, events, branches };
  // Child executions are not simulated: they start at once and are scripted like other work.
  const { node, activation, attempt } = child;
  const childId = `child-${node}-${activation}-${attempt}`;
  const childMessage = { type: 'child', node, activation, attempt, childId, childWorkflowId: node } as const;
  const started = sendMessage(workflow, next, { ...childMessage, change: { status: 'started' } });
  if (started === null) throw new TypeError(`the child of ${node} cannot start`);
  return { ...started, events: [...events, ...started.events], branches: [...branches, ...started.branches] };
}

/** Which way every ended visit took: the log does not say, but its conditions see now what they saw then. */
function readEvents(
  workflow: SimWorkflow,
  events: readonly LogEvent[],
  run: Run,
  previous: PreviousState,
): { readonly branches: readonly Branch[]; readonly outputs: SimState['outputs'] } {
  const { tables } = workflow.program;
  const outputs = new Map(previous.outputs);
  const ways: Branch[] = [];
  const endings = new Map<string, NodeOutcome>();
  let { state } = previous;
  for (const { type, node_id: node, data } of events) {
    if (node === null) continue;
    const index = tables.graph.indexOf(node) ?? 0;
    if (type === 'approval_received') {
      endings.set(node, data.decision === 'approved' ? 'approved' : 'rejected');
      state = patchState(state, data.state_patch);
    }
    if (type === 'timer_fired') endings.set(node, 'timeout');
    const ended = type === 'node_completed' || (type === 'node_failed' && data.retryable === false);
    if (!ended) continue;
    const passed = forwardsInput(tables.graph, index) ? receivedBy(workflow.program, outputs, index) : undefined;
    const { output = null, error = null, attempt = null } = data;
    const value = type === 'node_failed' ? { error, node_id: node, attempt } : (passed ?? output);
    if (type === 'node_completed') state = patchState(state, completedPatch(data, node));
    outputs.delete(node);
    outputs.set(node, value);
    const known = endings.get(node);
    const fallback: NodeOutcome = type === 'node_failed' ? 'failed' : 'ok';
    const alternatives = [known, fallback].flatMap((ending) => {
      const found = ending === undefined ? [] : workflow.branches.of(node, ending);
      return found.length === 0 ? [] : [found];
    })[0];
    const scope = { state, output: value, input: run.input, env: workflow.env };
    const taken = alternatives?.find(({ when }) => when === null || isTrue(tables.expression(when), scope));
    if (taken !== undefined) ways.push(taken);
  }
  return { branches: ways, outputs };
}

/** The input of a node that forwards it: the latest output of its predecessors. */
function receivedBy({ tables }: Program, outputs: SimState['outputs'], index: number): Json {
  const { graph } = tables;
  const sources = new Set([...graph.forwardIn(index), ...graph.backIn(index)].map(({ from }) => graph.idOf(from)));
  for (const [node, output] of [...outputs].reverse()) if (sources.has(node)) return output;
  return null;
}
