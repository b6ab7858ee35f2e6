import { durationText } from '../duration.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import { KIND_NAMES, KINDS } from '../nodes/index.ts';
import { stateId } from '../program/state-ids.ts';
import type { Program } from '../step/program.ts';
import type { Diagram, DiagramEdge, DiagramFrame, DiagramNode, DrawnExecution, Shape } from './diagram.ts';
import type { ExecutionOverlay, ExecutionStatus, NodeOverlay, NodeStatus } from './execution-overlay.ts';
import { detailOf, overBudgetEdge, overBudgetNode, subtitleOf } from './workflow-diagram.ts';

/** Shapes of states that represent no visit to a node, by the prefix of their ids. */
const SHAPE_OF_PREFIX: Readonly<Record<string, Shape>> = {
  retry: 'retry',
  approval: 'approval',
  paused: 'child',
  resumed: 'child',
  route: 'route',
  guard: 'guard',
  finished: 'arrived',
  joined: 'arrived',
  ended: 'arrived',
  failed: 'arrived',
  run: 'route',
  end: 'final',
};

/** Status of the final state in which an execution has ended. */
const END_NODE_STATUS: Readonly<Partial<Record<ExecutionStatus, NodeStatus>>> = {
  completed: 'done',
  failed: 'failed',
  limit_exceeded: 'failed',
  cancelled: 'cancelled',
};

/** Where a machine begins. */
export const BEGIN: DiagramNode = {
  key: 'begin',
  name: 'start',
  shape: 'begin',
  kind: null,
  detail: '',
  frame: null,
  overlay: null,
  definition: null,
};

interface DrawnState {
  readonly key: string;
  readonly config: JsonObject;
  readonly frame: string | null;
  /** It has states inside. */
  readonly isFrame: boolean;
}

/** Draws the states of the compiled machine and their transitions. `cancel` and `halt`, which every state has, are left out. */
export function machineDiagram(program: Program, execution: DrawnExecution | null): Diagram {
  const overlay = execution?.overlay ?? null;
  const { workflow, config } = program;
  const found = statesOf(config);
  const edges = [...edgesOf(found, config, execution), ...overBudgetEdges(found, config, overlay)];
  const entered = new Set(edges.map((edge) => edge.to));
  // A final state that is reached by cancelling alone has no drawn edge.
  const names = new Map(workflow.nodes.map(({ id }) => [stateId(id), id]));
  const leaves = [...found.values()].filter(
    (state) => !state.isFrame && (state.config.type !== 'final' || entered.has(state.key)),
  );
  return {
    view: 'machine',
    title: workflow.name ?? workflow.workflow_id,
    subtitle: `machine of ${subtitleOf(workflow)}`,
    nodes: [BEGIN, ...overBudgetNode(program.tables.graph), ...leaves.map((state) => nodeOf(state, program, overlay, names))],
    edges,
    frames: [...found.values()].filter(({ isFrame }) => isFrame).map(frameOf),
    execution,
  };
}

/** All states by id, outer states first. */
function statesOf(config: JsonObject): Map<string, DrawnState> {
  const found = new Map<string, DrawnState>();
  const walk = (states: Json | undefined, frame: string | null): void => {
    for (const [name, state] of isObject(states) ? Object.entries(states) : []) {
      if (!isObject(state)) continue;
      const key = `s${found.size}`;
      const isFrame = isObject(state.states);
      found.set(typeof state.id === 'string' ? state.id : name, { key, config: state, frame, isFrame });
      if (isFrame) walk(state.states, key);
    }
  };
  walk(config.states, null);
  return found;
}

/** `names`: the node of each name in state ids, for states whose `meta` does not name their node. */
function nodeOf(
  { key, config, frame }: DrawnState,
  program: Program,
  overlay: ExecutionOverlay | null,
  names: ReadonlyMap<string, string>,
): DiagramNode {
  const id = String(config.id);
  const [, prefix = null, rest = ''] = /^([a-z]+):(.*)$/su.exec(id) ?? [];
  const meta = isObject(config.meta) ? config.meta : {};
  const node = typeof meta.node === 'string' ? meta.node : (names.get(prefix === null ? id : rest) ?? null);
  const kind = KIND_NAMES.find((name) => name === meta.kind) ?? null;
  const kindShape = kind === null ? 'arrived' : KINDS[kind].diagramShape;
  const nodeOverlay = node === null ? null : (overlay?.nodes.get(node) ?? null);
  const end = prefix === 'end' && rest === overlay?.status ? endOverlay(overlay) : null;
  return {
    key,
    name: nameOf(id, prefix, rest, node),
    shape: prefix === null ? kindShape : (SHAPE_OF_PREFIX[prefix] ?? 'arrived'),
    kind: prefix === null ? kind : null,
    detail: prefix === null && node !== null ? detailOf(program.tables.nodeOf(node)) : '',
    frame,
    overlay: nodeOverlay === null ? end : overlayOfState(prefix, nodeOverlay),
    definition: config,
  };
}

/** `retry charge`; final states are named by their status. */
function nameOf(id: string, prefix: string | null, rest: string, node: string | null): string {
  if (prefix === null) return node ?? id;
  if (prefix === 'end' || prefix === 'run') return rest;
  return `${prefix} ${node ?? rest}`;
}

/** The overlay of a node belongs to the state that the machine is in for it. */
function overlayOfState(prefix: string | null, overlay: NodeOverlay): NodeOverlay | null {
  if (prefix === 'retry') return overlay.status === 'retrying' ? overlay : null;
  if (prefix === 'approval') return overlay.status === 'held' ? overlay : null;
  if (prefix === 'paused') return overlay.status === 'waiting' ? overlay : null;
  if (prefix !== null) return null;
  return overlay.status === 'retrying'
    ? { ...overlay, status: 'failed' }
    : overlay.status === 'held' && overlay.visits > 0
      ? null
      : overlay;
}

function endOverlay({ status, atMs }: ExecutionOverlay): NodeOverlay | null {
  const ended = END_NODE_STATUS[status];
  if (ended === undefined) return null;
  return { status: ended, visits: 1, retries: 0, sinceMs: atMs, durationMs: null, items: null, error: null };
}

function frameOf({ key, config, frame }: DrawnState): DiagramFrame {
  const parallel = config.type === 'parallel';
  const [what = '', ...rest] = String(config.id).split(':');
  const meta = isObject(config.meta) ? config.meta : {};
  const until = typeof meta.join === 'string' ? `, until ${meta.join}` : '';
  return { key, label: `${what} ${rest.join(':')}${parallel ? until : ''}`, parent: frame, parallel };
}

/** The transition that every state has, drawn once. */
function overBudgetEdges(
  found: ReadonlyMap<string, DrawnState>,
  { on }: JsonObject,
  overlay: ExecutionOverlay | null,
): DiagramEdge[] {
  const [transition] = transitionList(isObject(on) ? on.overBudget : undefined, '');
  const to = transition === undefined ? undefined : found.get(transition.target);
  return to === undefined ? [] : [overBudgetEdge(to.key, overlay)];
}

function edgesOf(found: ReadonlyMap<string, DrawnState>, config: JsonObject, execution: DrawnExecution | null): DiagramEdge[] {
  const transitions = execution?.transitions ?? null;
  const edges = new Map<string, DiagramEdge>();
  const add = (from: string, to: string, label: string, count: number | null): void => {
    const key = `${from} ${to}`;
    const known = edges.get(key);
    const labels = [...new Set([...(known?.label.split('\n') ?? []), label])].filter((text) => text !== '');
    edges.set(key, { from, to, label: labels.join('\n'), role: 'plain', back: false, taken: count, takenBy: null });
  };
  const initial = found.get(String(config.initial));
  if (initial !== undefined) add('begin', initial.key, '', transitions === null ? null : 1);
  for (const [id, { key, config: state }] of found) {
    for (const { label, target } of transitionsOf(state)) {
      const to = found.get(target);
      if (to === undefined) continue;
      add(key, to.key, label, transitions === null ? null : (transitions.get(id)?.get(target) ?? 0));
    }
  }
  const inside = [...found.values()].flatMap(({ key, frame }) => (frame === null ? [] : [{ from: frame, to: key }]));
  return markBackEdges([...edges.values()], inside);
}

/** Marks edges that lead back to a state on the path to them, found by a depth-first walk from the start. Entering a frame enters everything `inside` it. */
export function markBackEdges(edges: readonly DiagramEdge[], inside: readonly Pick<DiagramEdge, 'from' | 'to'>[]): DiagramEdge[] {
  const out = new Map<string, string[]>();
  for (const { from, to } of [...edges, ...inside]) {
    const list = out.get(from);
    if (list === undefined) out.set(from, [to]);
    else list.push(to);
  }
  const back = new Set<string>();
  const seen = new Set<string>();
  const onPath = new Set<string>();
  const path: { readonly key: string; readonly left: string[] }[] = [];
  const enter = (key: string): void => {
    seen.add(key);
    onPath.add(key);
    path.push({ key, left: [...(out.get(key) ?? [])].reverse() });
  };
  enter('begin');
  for (let last = path.at(-1); last !== undefined; last = path.at(-1)) {
    const next = last.left.pop();
    if (next === undefined) {
      onPath.delete(last.key);
      path.pop();
    } else if (onPath.has(next)) back.add(`${last.key} ${next}`);
    else if (!seen.has(next)) enter(next);
  }
  return edges.map((edge) => (back.has(`${edge.from} ${edge.to}`) ? { ...edge, back: true } : edge));
}

interface Transition {
  readonly label: string;
  readonly target: string;
}

function transitionsOf(state: JsonObject): Transition[] {
  const events = isObject(state.on) ? Object.entries(state.on) : [];
  const delays = isObject(state.after) ? Object.entries(state.after) : [];
  return [
    ...transitionList(state.always, ''),
    ...events.flatMap(([event, transitions]) => transitionList(transitions, event)),
    ...delays.flatMap(([delay, transitions]) =>
      transitionList(transitions, `after ${/^\d+$/.test(delay) ? durationText(Number(delay)) : delay}`),
    ),
  ];
}

function transitionList(transitions: Json | undefined, event: string): Transition[] {
  const list = (Array.isArray(transitions) ? transitions : transitions === undefined ? [] : [transitions]) as readonly Json[];
  return list
    .filter(isObject)
    .filter(isDrawn)
    .flatMap(({ guard, target }, i) => {
      if (typeof target !== 'string') return [];
      const condition = isObject(guard) ? guardText(guard) : i > 0 ? 'else' : '';
      const label = [event, condition === '' ? '' : `[${condition}]`].filter((part) => part !== '').join(' ');
      return [{ label, target: target.replace(/^#/, '') }];
    });
}

/** Transitions of the evaluation budget and the step limit are not part of the workflow; the one over a token or cost budget is drawn once. */
function isDrawn({ guard }: JsonObject): boolean {
  return !isObject(guard) || (guard.type !== 'exceeded' && guard.type !== 'halted' && guard.type !== 'rerouted');
}

function guardText({ type, params }: JsonObject): string {
  const given = isObject(params) ? params : {};
  switch (type) {
    case 'at':
      return '';
    case 'when':
      return String(given.expr);
    case 'decided':
      return String(given.as);
    case 'childIs':
      return String(given.status);
    case 'branchesEnded':
      return typeof given.as === 'string' ? `all in, ${given.as}` : 'all in';
    case 'retry':
      return 'may retry';
    case 'settled':
      return given.failed === true ? 'settled, failed' : 'settled';
    default:
      return String(type)
        .replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
        .trim();
  }
}
