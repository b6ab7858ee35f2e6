import type { LogEvent } from '../../../machines/events/index.ts';
import { RESULT_ROLES } from '../../../machines/graph/edges.ts';
import type { Json } from '../../../machines/json.ts';
import type { Message, Visit } from '../../../machines/messages.ts';
import type { NodeOutcome } from '../../../machines/program/outcome-routes.ts';
import { itemTimerId, timerPurpose } from '../../../machines/program/timers.ts';
import { type Run, type StepEnv, type StepResult, TERMINAL } from '../../../machines/run.ts';
import { activeOf, heldCondition, start, step } from '../../../machines/step/index.ts';
import type { Program } from '../../../machines/step/program.ts';
import { visitKey } from '../../../machines/visit-key.ts';
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
  /** Set timers by node, or by item of it (`timerKey`). */
  readonly timers: ReadonlyMap<string, SimTimer>;
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
  // An input may stand for what the runtime would have written: an exceeded budget, a conversation.
  const stepped = start(workflow.program, input, { ...stepEnvAt(START_MS, workflow.env), startsFromState: true });
  return simStep(workflow, stepped, { nowMs: START_MS, timers: new Map() });
}

/** Null if the message is refused. */
export function sendMessage(workflow: SimWorkflow, state: SimState, message: Message, nowMs = state.nowMs): SimStep | null {
  const stepped = step(workflow.program, state.run, message, stepEnvAt(nowMs, workflow.env));
  if ('refused' in stepped) return null;
  return simStep(workflow, stepped, { nowMs, timers: state.timers });
}

/** The key of the timer of a node, or of one of its items. */
export function timerKey({ node, item }: Pick<Visit, 'node' | 'item'>): string {
  return item === undefined ? node : itemTimerId(node, item);
}

/** Fires the timer of a node, or of one of its items, at its due time. Null if it has none. */
export function fireTimer(workflow: SimWorkflow, state: SimState, visit: Pick<Visit, 'node' | 'item'>): SimStep | null {
  const key = timerKey(visit);
  const timer = state.timers.get(key);
  if (timer === undefined) return null;
  const timers = new Map(state.timers);
  timers.delete(key);
  return sendMessage(workflow, { ...state, timers }, { type: 'timer', id: timer.id }, Math.max(state.nowMs, timer.atMs));
}

export function hasEnded({ run }: SimState): boolean {
  return TERMINAL.has(run.status);
}

function simStep(workflow: SimWorkflow, stepped: StepResult, previous: Pick<SimState, 'nowMs' | 'timers'>): SimStep {
  const { run, events, effects } = stepped;
  const { nowMs } = previous;
  const timers = new Map(previous.timers);
  for (const effect of effects) {
    if (effect.type === 'set_timer') {
      const { item } = timerPurpose(workflow.program.tables.timers, effect.id) ?? {};
      timers.set(timerKey({ node: effect.node, item }), { id: effect.id, atMs: effect.atMs });
    }
    if (effect.type === 'clear_timer') for (const [key, { id }] of timers) if (id === effect.id) timers.delete(key);
  }
  const active = new Set(activeOf(workflow.program, run).map(timerKey));
  for (const key of timers.keys()) if (!active.has(key)) timers.delete(key);
  const branches = branchesIn(workflow, events);
  // Child executions are not simulated: they start at once and are scripted like other work.
  let step: SimStep = { state: { run, nowMs, timers }, events, branches };
  for (const effect of effects) {
    if (effect.type !== 'spawn') continue;
    const { node, activation, attempt, item } = effect;
    const childId = `child-${visitKey(effect).replaceAll('\n', '-')}`;
    const childMessage = { type: 'child', node, activation, attempt, item, childId, childWorkflowId: node } as const;
    const started = sendMessage(workflow, step.state, { ...childMessage, change: { status: 'started' } });
    if (started === null) throw new TypeError(`the child of ${node} cannot start`);
    step = { ...started, events: [...step.events, ...started.events], branches: [...step.branches, ...started.branches] };
  }
  return step;
}

/** The branches taken by the visits that ended, from their events. */
function branchesIn(workflow: SimWorkflow, events: readonly LogEvent[]): readonly Branch[] {
  const branches: Branch[] = [];
  const outcomes = new Map<string, NodeOutcome>();
  for (const { type, node_id: node, data } of events) {
    if (node === null || data.item !== undefined) continue;
    if (type === 'approval_received') outcomes.set(node, data.decision === 'approved' ? 'approved' : 'rejected');
    if (type === 'timer_fired') outcomes.set(node, 'timeout');
    if (type === 'eval_scored' && data.action === 'retry_with_feedback') outcomes.set(node, 'again');
    const ended = type === 'node_completed' || (type === 'node_failed' && data.retryable === false);
    if (!ended) continue;
    const known = RESULT_ROLES.find((role) => role === data.route) ?? outcomes.get(node);
    const fallback: NodeOutcome = type === 'node_failed' ? 'failed' : 'ok';
    const alternatives = [known, fallback].flatMap((outcome) => {
      const found = outcome === undefined ? [] : workflow.branches.of(node, outcome);
      return found.length === 0 ? [] : [found];
    })[0];
    const held = heldCondition(data);
    const taken = alternatives?.find(({ when }) => when === null || when === held);
    if (taken !== undefined) branches.push(taken);
  }
  return branches;
}
