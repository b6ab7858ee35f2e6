import { passesOn } from '../../machines/compile/outputs.ts';
import type { Ending } from '../../machines/compile/routes.ts';
import type { Program } from '../../machines/compile.ts';
import type { LogEvent } from '../../machines/events.ts';
import { truth } from '../../machines/expression.ts';
import { type Json, type JsonObject, patchState } from '../../machines/json.ts';
import type { Message } from '../../machines/messages.ts';
import { type Run, type StepEnv, type Stepped, TERMINAL } from '../../machines/run.ts';
import { activeOf, completedPatch, start, stateOf, step } from '../../machines/step.ts';
import type { Way, Ways } from './ways.ts';

/** A workflow to be played: compiled, with its ways. */
export interface World {
  readonly program: Program;
  readonly ways: Ways;
  readonly env: Readonly<Record<string, string>>;
}

export interface ArmedTimer {
  readonly id: string;
  readonly atMs: number;
}

/** Where a simulated run stands. Immutable: several runs can go on from one. */
export interface Scene {
  readonly run: Run;
  readonly nowMs: number;
  /** By node. */
  readonly timers: ReadonlyMap<string, ArmedTimer>;
  /** What ended nodes gave or passed on, the latest last. */
  readonly outputs: ReadonlyMap<string, Json>;
}

/** A step of a simulated run: where it led, and what it did. */
export interface Happening {
  readonly scene: Scene;
  readonly events: readonly LogEvent[];
  /** Visits that ended, in order. */
  readonly ways: readonly Way[];
}

/** When every simulated run begins. */
const BEGIN_MS = Date.UTC(2026, 0, 1);
const STEP_LIMIT = 10_000;

function envAt(nowMs: number, vars: World['env']): StepEnv {
  return { executionId: 'exec_test', nowMs, stepLimit: STEP_LIMIT, runtimeId: 'test', isLocal: () => true, vars };
}

export function begin(world: World, input: Json): Happening {
  const stepped = start(world.program, input, envAt(BEGIN_MS, world.env));
  const state = typeof input === 'object' && input !== null && !Array.isArray(input) ? (input as JsonObject) : {};
  return happened(world, stepped, { state, nowMs: BEGIN_MS, timers: new Map(), outputs: new Map() });
}

/** Null when the message is refused. */
export function send(world: World, scene: Scene, message: Message, nowMs = scene.nowMs): Happening | null {
  const stepped = step(world.program, scene.run, message, envAt(nowMs, world.env));
  if ('refused' in stepped) return null;
  const { timers, outputs } = scene;
  return happened(world, stepped, { state: stateOf(scene.run), nowMs, timers, outputs });
}

/** Lets the node's timer fire, at its time. Null when it has none. */
export function fire(world: World, scene: Scene, node: string): Happening | null {
  const timer = scene.timers.get(node);
  if (timer === undefined) return null;
  const timers = new Map(scene.timers);
  timers.delete(node);
  return send(world, { ...scene, timers }, { type: 'timer', id: timer.id }, Math.max(scene.nowMs, timer.atMs));
}

export function isOver({ run }: Scene): boolean {
  return TERMINAL.has(run.status);
}

interface Before {
  readonly state: JsonObject;
  readonly nowMs: number;
  readonly timers: Scene['timers'];
  readonly outputs: Scene['outputs'];
}

function happened(world: World, stepped: Stepped, before: Before): Happening {
  const { run, events, effects } = stepped;
  const { nowMs } = before;
  const timers = new Map(before.timers);
  for (const effect of effects) {
    if (effect.type === 'set_timer') timers.set(effect.node, { id: effect.id, atMs: effect.atMs });
    if (effect.type === 'clear_timer') for (const [node, { id }] of timers) if (id === effect.id) timers.delete(node);
  }
  const working = new Set(activeOf(world.program, run).map(({ node }) => node));
  for (const node of timers.keys()) if (!working.has(node)) timers.delete(node);
  const { ways, outputs } = readEvents(world, events, run, before);
  const scene: Scene = { run, nowMs, timers, outputs };
  const child = effects.find((effect) => effect.type === 'spawn');
  if (child === undefined) return { scene, events, ways };
  // No child is run: it is scripted like any other work, from the moment it has started.
  const { node, activation, attempt } = child;
  const childId = `child-${node}-${activation}-${attempt}`;
  const news = { type: 'child', node, activation, attempt, childId, childWorkflowId: node } as const;
  const begun = send(world, scene, { ...news, change: { status: 'started' } });
  if (begun === null) throw new TypeError(`the child of ${node} cannot start`);
  return { ...begun, events: [...events, ...begun.events], ways: [...ways, ...begun.ways] };
}

/** Which way every ended visit took: the log does not say, but its conditions see now what they saw then. */
function readEvents(
  world: World,
  events: readonly LogEvent[],
  run: Run,
  before: Before,
): { readonly ways: readonly Way[]; readonly outputs: Scene['outputs'] } {
  const { statics } = world.program;
  const outputs = new Map(before.outputs);
  const ways: Way[] = [];
  const how = new Map<string, Ending>();
  let { state } = before;
  for (const { type, node_id: node, data } of events) {
    if (node === null) continue;
    const index = statics.graph.indexOf(node) ?? 0;
    if (type === 'approval_received') {
      how.set(node, data.decision === 'approved' ? 'approved' : 'rejected');
      state = patchState(state, data.state_patch);
    }
    if (type === 'timer_fired') how.set(node, 'timeout');
    const ended = type === 'node_completed' || (type === 'node_failed' && data.retryable === false);
    if (!ended) continue;
    const passed = passesOn(statics.graph, index) ? receivedBy(world.program, outputs, index) : undefined;
    const { output = null, error = null, attempt = null } = data;
    const value = type === 'node_failed' ? { error, node_id: node, attempt } : (passed ?? output);
    if (type === 'node_completed') state = patchState(state, completedPatch(data, node));
    outputs.delete(node);
    outputs.set(node, value);
    const known = how.get(node);
    const fallback: Ending = type === 'node_failed' ? 'failed' : 'ok';
    const alternatives = [known, fallback].flatMap((ending) => {
      const found = ending === undefined ? [] : world.ways.of(node, ending);
      return found.length === 0 ? [] : [found];
    })[0];
    const scope = { state, output: value, input: run.input, env: world.env };
    const taken = alternatives?.find(({ when }) => when === null || truth(statics.expression(when), scope));
    if (taken !== undefined) ways.push(taken);
  }
  return { ways, outputs };
}

/** What reached a node that passes it on: the latest output of those that lead to it. */
function receivedBy({ statics }: Program, outputs: Scene['outputs'], index: number): Json {
  const { graph } = statics;
  const sources = new Set([...graph.forwardIn(index), ...graph.backIn(index)].map(({ from }) => graph.idOf(from)));
  for (const [node, output] of [...outputs].reverse()) if (sources.has(node)) return output;
  return null;
}
