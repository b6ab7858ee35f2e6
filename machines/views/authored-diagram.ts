import { durationText } from '../duration.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import type { Diagram, DiagramEdge, DiagramFrame, DiagramNode, DrawnExecution, Shape } from './diagram.ts';
import type { DrawnWorkflow } from './drawn-workflow.ts';
import type { ExecutionStatus, MachineOverlay, NodeOverlay, NodeStatus } from './execution-overlay.ts';
import { BEGIN, markBackEdges } from './machine-diagram.ts';
import { subtitleOf } from './workflow-diagram.ts';

/** The node of a workflow that is a state machine of its author, and the machine's states; null = it is another workflow. */
export function authoredMachineIn({ workflow }: Pick<DrawnWorkflow, 'workflow'>): AuthoredStates | null {
  const [node, ...others] = workflow.nodes;
  if (node?.kind.type !== 'durable_function' || others.length > 0) return null;
  const { machine } = node.kind;
  return isObject(machine) && isObject(machine.states) ? { node: node.id, config: machine } : null;
}

export interface AuthoredStates {
  readonly node: string;
  readonly config: JsonObject;
}

interface DrawnState {
  readonly key: string;
  readonly id: string;
  readonly config: JsonObject;
  readonly frame: string | null;
  readonly isFrame: boolean;
}

/** Draws the states of a machine of an author, with those in which an execution is, and has been. */
export function authoredDiagram(
  { workflow }: Pick<DrawnWorkflow, 'workflow'>,
  { node, config }: AuthoredStates,
  execution: DrawnExecution | null,
): Diagram {
  const states = statesOf(config);
  const byId = new Map(states.map((state) => [state.id, state]));
  const overlay = execution === null ? null : overlayOf(execution, node);
  const first = initialOf(config, '');
  const begins = states.filter(({ id, frame }) => frame === null && (config.type === 'parallel' || id === first));
  const edges: DiagramEdge[] = begins.map(({ key }) => edge('begin', key, ''));
  for (const { id, key, isFrame, config: state } of states) {
    const initial = isFrame ? byId.get(initialOf(state, id) ?? '') : undefined;
    if (initial !== undefined && state.history === undefined) edges.push(edge(key, initial.key, 'first'));
  }
  for (const { key, config: state } of states)
    for (const { label, target } of transitionsOf(state)) {
      const to = byId.get(target);
      if (to !== undefined) edges.push(edge(key, to.key, label));
    }
  for (const { label, target } of transitionsOf(config)) {
    const to = byId.get(target);
    if (to !== undefined) edges.push(edge('begin', to.key, label));
  }
  const inside = states.flatMap(({ key, frame }) => (frame === null ? [] : [{ from: frame, to: key }]));
  return {
    view: 'machine',
    title: workflow.name ?? workflow.workflow_id,
    subtitle: `state machine, ${subtitleOf(workflow)}`,
    nodes: [BEGIN, ...states.filter(({ isFrame }) => !isFrame).map((state) => nodeOf(state, overlay))],
    edges: markBackEdges(merged(edges), inside),
    frames: states.filter(({ isFrame }) => isFrame).map(frameOf),
    execution,
  };
}

/** All states, outer ones first. */
function statesOf(config: JsonObject): readonly DrawnState[] {
  const found: DrawnState[] = [];
  const walk = (states: Json | undefined, frame: string | null): void => {
    for (const state of isObject(states) ? Object.values(states) : []) {
      if (!isObject(state) || typeof state.id !== 'string') continue;
      const isFrame = isObject(state.states);
      const key = `s${found.length}`;
      found.push({ key, id: state.id, config: state, frame, isFrame });
      if (isFrame) walk(state.states, key);
    }
  };
  walk(config.states, null);
  return found;
}

/** The id of the state that is entered first; null = all are, or none is. */
function initialOf({ initial }: JsonObject, id: string): string | null {
  if (typeof initial !== 'string') return null;
  return id === '' ? initial : `${id}.${initial}`;
}

function nameOf(id: string): string {
  return id.slice(id.lastIndexOf('.') + 1);
}

function nodeOf({ key, id, config, frame }: DrawnState, overlay: MachineOverlay | null): DiagramNode {
  return {
    key,
    name: nameOf(id),
    shape: shapeOf(config),
    kind: null,
    detail: detailOf(config),
    frame,
    overlay: overlay === null ? null : stateOverlay(id, overlay),
    definition: config,
  };
}

function shapeOf({ type, invoke }: JsonObject): Shape {
  if (type === 'final') return 'final';
  if (type === 'history') return 'route';
  return invoke === undefined ? 'wait' : 'tool';
}

/** What it invokes, and its tags. */
function detailOf({ invoke, tags }: JsonObject): string {
  const sources = listOf(invoke).flatMap(({ src, id }) => (typeof src === 'string' ? [src] : [textOf(id)]));
  const marks = Array.isArray(tags) ? tags.map((tag) => `#${textOf(tag)}`) : [];
  return [...sources, ...marks].join(', ');
}

function frameOf({ key, id, config, frame }: DrawnState): DiagramFrame {
  return { key, label: nameOf(id), parent: frame, parallel: config.type === 'parallel' };
}

function edge(from: string, to: string, label: string): DiagramEdge {
  return { from, to, label, role: 'plain', back: false, taken: null, takenBy: null };
}

/** Lines of the label of an edge. */
const MAX_LABELS = 20;

/** One edge for all transitions from one state to another. */
function merged(edges: readonly DiagramEdge[]): DiagramEdge[] {
  const found = new Map<string, { readonly edge: DiagramEdge; readonly labels: Set<string> }>();
  for (const one of edges) {
    const key = `${one.from} ${one.to}`;
    const known = found.get(key) ?? { edge: one, labels: new Set<string>() };
    if (one.label !== '') known.labels.add(one.label);
    found.set(key, known);
  }
  return [...found.values()].map(({ edge, labels }) => Object.assign({}, edge, { label: labelOf([...labels]) }));
}

function labelOf(labels: readonly string[]): string {
  if (labels.length <= MAX_LABELS) return labels.join('\n');
  return [...labels.slice(0, MAX_LABELS - 1), `${labels.length - MAX_LABELS + 1} more`].join('\n');
}

interface Transition {
  readonly label: string;
  readonly target: string;
}

function transitionsOf(state: JsonObject): readonly Transition[] {
  const named = (given: Json | undefined, label: (name: string) => string): Transition[] =>
    Object.entries(isObject(given) ? given : {}).flatMap(([name, list]) => targetsOf(list, label(name)));
  const invoked = listOf(state.invoke).flatMap(({ src, id, onDone, onError }) => {
    const name = typeof src === 'string' ? src : textOf(id);
    return [...targetsOf(onDone, `${name} done`), ...targetsOf(onError, `${name} failed`)];
  });
  return [
    ...named(state.on, (event) => event),
    ...named(state.after, (delay) => `after ${/^\d+$/.test(delay) ? durationText(Number(delay)) : delay}`),
    ...invoked,
    ...targetsOf(state.always, ''),
    ...targetsOf(state.onDone, 'done'),
  ];
}

function targetsOf(transitions: Json | undefined, event: string): Transition[] {
  return listOf(transitions).flatMap(({ target, guard }) => {
    const label = [event, typeof guard === 'string' ? `[${guard}]` : ''].filter((part) => part !== '').join(' ');
    return Array.isArray(target) ? target.map((id) => ({ label, target: textOf(id).slice(1) })) : [];
  });
}

/** A document may have anything in a config that `durableMachine` has not written. */
function textOf(given: Json | undefined): string {
  return typeof given === 'string' ? given : '';
}

function listOf(given: Json | undefined): readonly JsonObject[] {
  return Array.isArray(given) ? given.filter(isObject) : [];
}

function overlayOf({ overlay }: DrawnExecution, node: string): MachineOverlay | null {
  return overlay.machines.get(node) ?? null;
}

/** Of a machine that has ended, the states in which it has. */
const LAST: Readonly<Partial<Record<ExecutionStatus, NodeStatus>>> = {
  completed: 'done',
  failed: 'failed',
  limit_exceeded: 'failed',
  cancelled: 'cancelled',
};

function stateOverlay(id: string, { active, entered, status }: MachineOverlay): NodeOverlay | null {
  const visits = entered.get(id);
  if (visits === undefined) return null;
  const now = active.has(id) ? (LAST[status] ?? 'waiting') : 'done';
  return { status: now, visits, retries: 0, sinceMs: active.get(id) ?? null, durationMs: null, items: null, error: null };
}
