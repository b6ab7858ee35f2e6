import { END, effectiveEdges, type GraphEdge } from '../graph/edges.ts';
import type { Graph } from '../graph/graph.ts';
import type { Node, Workflow } from '../ir/workflow.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import { definitionOf } from '../nodes/index.ts';
import type { Diagram, DiagramEdge, DiagramFrame, DiagramNode, DrawnExecution, TakenBy } from './diagram.ts';
import type { DrawnWorkflow } from './drawn-workflow.ts';
import type { ExecutionOverlay } from './execution-overlay.ts';
import type { OverlayBuilder } from './overlay-builder.ts';

const OUTCOME_LABELS: Readonly<Record<string, string>> = {
  on_approved: 'approved',
  on_rejected: 'rejected',
  on_timeout: 'on timeout',
  on_input_required: 'input required',
  on_blocked: 'blocked',
  retry_node: 'again',
  fallback_node: 'on failure',
};

const BEGIN = 'begin';
const OVER_BUDGET = 'overbudget';
const FINISH = 'finish';
/** More edges than this to one end node would cross the whole diagram; then each gets an end node of its own. */
const MAX_TO_ONE_END = 6;

/** Draws the nodes and edges of a workflow, with the progress of an execution. */
export function workflowDiagram(program: DrawnWorkflow, execution: DrawnExecution | null): Diagram {
  const overlay = execution?.overlay ?? null;
  const { workflow, config, tables } = program;
  const { edges } = effectiveEdges(workflow);
  const { frames, frameOf } = framesOf(config);
  const nodes = workflow.nodes.map((node, i) => ({
    key: `n${i}`,
    name: node.id,
    shape: definitionOf(node.kind).diagramShape,
    kind: node.kind.type,
    detail: detailOf(node),
    frame: frameOf.get(node.id) ?? null,
    overlay: overlay?.nodes.get(node.id) ?? null,
    definition: definition(node),
  }));
  const drawn = withEnds(edges, workflow, tables.graph, overlay);
  const apart = drawn.filter((edge) => edge.to === FINISH).length > MAX_TO_ONE_END;
  const shown = apart ? drawn.map(toOwnEnd) : drawn;
  const ends = [...new Set(shown.flatMap(({ to }) => (to.startsWith(FINISH) ? [to] : [])))];
  return {
    view: 'workflow',
    title: workflow.name ?? workflow.workflow_id,
    subtitle: subtitleOf(workflow),
    nodes: [end(BEGIN, 'start', BEGIN), ...nodes, ...overBudgetNode(tables.graph), ...ends.map((key) => end(key, 'end', FINISH))],
    edges: shown,
    frames,
    execution,
  };
}

/** What a node calls, waits for or asks, unless its name says it. */
export function detailOf({ id, kind }: Node): string {
  const summary = definitionOf(kind).summary(kind);
  return summary === id ? '' : summary;
}

export function subtitleOf({ workflow_id, name, version }: Workflow): string {
  return `${name === null || name === workflow_id ? '' : `${workflow_id} `}v${version}`;
}

function toOwnEnd(edge: DiagramEdge): DiagramEdge {
  return edge.to === FINISH ? { ...edge, to: `${FINISH}_${edge.from}` } : edge;
}

function end(key: string, name: string, look: typeof BEGIN | typeof FINISH): DiagramNode {
  return { key, name, shape: look, kind: null, detail: '', frame: null, overlay: null, definition: null };
}

/** Where the way of an execution over its budget begins. */
export function overBudgetNode({ budgetNode }: Graph): DiagramNode[] {
  return budgetNode === null ? [] : [{ ...end(OVER_BUDGET, 'over budget', BEGIN), shape: 'route' }];
}

export function overBudgetEdge(to: string, overlay: ExecutionOverlay | null): DiagramEdge {
  return counted({ from: OVER_BUDGET, to, label: '', role: 'outcome', back: false, takenBy: { type: 'budget' } }, overlay);
}

function definition({ id, kind, retry, timeout_secs, description, labels, policy }: Node): JsonObject {
  const behaviour = definitionOf(kind).behaviour(kind);
  return {
    id,
    ...(description === null ? {} : { description }),
    kind: kind as unknown as JsonObject,
    ...(behaviour === 'work' || behaviour === 'child' ? { retry: retry as unknown as JsonObject } : {}),
    ...(timeout_secs === null ? {} : { timeout_secs }),
    ...(Object.keys(labels).length === 0 ? {} : { labels }),
    ...(policy === null ? {} : { policy: policy as unknown as JsonObject }),
  };
}

/** All edges, with one to the start node, and one to the end from each node without edges. */
function withEnds(
  edges: readonly GraphEdge[],
  workflow: Workflow,
  graph: Graph,
  overlay: ExecutionOverlay | null,
): DiagramEdge[] {
  const back = new Set([...graph.backEdges].map((edge) => edge.index));
  const hasChoice = new Set(edges.flatMap((edge) => (edge.role === 'if' ? [edge.from] : [])));
  const hasTransitions = new Set(edges.flatMap((edge) => (edge.role === 'wait' ? [] : [edge.from])));
  const plain = { label: '', role: 'plain', back: false } as const;
  const start = { ...plain, from: BEGIN, to: `n${graph.start}`, takenBy: { type: 'start' } } as const;
  const drawn = edges.map((edge) => {
    const otherwise = edge.role === 'plain' && hasChoice.has(edge.from) ? 'else' : '';
    return {
      from: `n${edge.from}`,
      to: edge.to === END ? FINISH : `n${edge.to}`,
      label: labelOf(edge, workflow) ?? otherwise,
      role: roleOf(edge),
      back: back.has(edge.index),
      takenBy: edge.role === 'wait' ? null : ({ type: 'edge', index: edge.index } as const),
    };
  });
  const last = workflow.nodes.flatMap(({ id, kind }, i) => {
    if (hasTransitions.has(i) || definitionOf(kind).endsExecution) return [];
    return [{ ...plain, from: `n${i}`, to: FINISH, takenBy: { type: 'done', node: id } } as const];
  });
  const { budgetNode } = graph;
  const overBudget = budgetNode === null ? [] : [overBudgetEdge(`n${budgetNode}`, overlay)];
  return [counted(start, overlay), ...overBudget, ...[...drawn, ...last].map((edge) => counted(edge, overlay))];
}

function counted(edge: Omit<DiagramEdge, 'taken'>, overlay: ExecutionOverlay | null): DiagramEdge {
  const { takenBy } = edge;
  if (overlay === null || takenBy === null) return { ...edge, taken: null };
  const { sequence, rerouted, taken, nodes } = overlay;
  const counts = { sequence, rerouted, timesTaken: (index: number) => taken[index] ?? 0 };
  return { ...edge, taken: timesTaken(takenBy, { ...counts, nodeOverlay: (node) => nodes.get(node) ?? null }) };
}

/** How often an edge of a diagram was taken. */
export function timesTaken(
  by: TakenBy,
  counts: Pick<OverlayBuilder, 'sequence' | 'rerouted' | 'timesTaken' | 'nodeOverlay'>,
): number {
  switch (by.type) {
    case 'edge':
      return counts.timesTaken(by.index);
    case 'start':
      return counts.sequence > 0 ? 1 : 0;
    case 'budget':
      return Number(counts.rerouted);
    case 'done': {
      const overlay = counts.nodeOverlay(by.node);
      return overlay?.status === 'done' ? overlay.visits : 0;
    }
  }
}

function roleOf(edge: GraphEdge): DiagramEdge['role'] {
  if (edge.role === 'wait') return 'waits';
  if (edge.role === 'branch' || edge.role === 'if') return 'choice';
  return edge.role === 'plain' || edge.role === 'all' ? 'plain' : 'outcome';
}

function isHandoff({ from, condition }: GraphEdge, { nodes }: Workflow): boolean {
  const kind = nodes[from]?.kind;
  return (
    kind !== undefined &&
    definitionOf(kind)
      .handoffEdges(kind)
      .some((one) => one.condition === condition)
  );
}

function labelOf(edge: GraphEdge, workflow: Workflow): string | null {
  const { nodes } = workflow;
  if (edge.role === 'if') return isHandoff(edge, workflow) ? 'hands over' : edge.condition;
  if (edge.role !== 'branch') return OUTCOME_LABELS[edge.role] ?? null;
  const kind = nodes[edge.from]?.kind;
  const target = edge.to === END ? 'end' : nodes[edge.to]?.id;
  const branches =
    kind === undefined
      ? []
      : definitionOf(kind)
          .branches(kind)
          .filter((branch) => branch.target === target);
  return branches.map(({ condition }) => condition ?? 'else').join(' · ');
}

/** Frames around nodes that run in parallel, from the machine's parallel states. */
function framesOf(config: JsonObject): {
  readonly frames: readonly DiagramFrame[];
  readonly frameOf: ReadonlyMap<string, string>;
} {
  const frames: DiagramFrame[] = [];
  const frameOf = new Map<string, string>();
  const walk = (states: Json | undefined, frame: string | null): void => {
    for (const state of isObject(states) ? Object.values(states) : []) {
      if (!isObject(state)) continue;
      const meta = isObject(state.meta) ? state.meta : {};
      if (typeof meta.node === 'string' && frame !== null) frameOf.set(meta.node, frame);
      if (state.type !== 'parallel') {
        walk(state.states, frame);
        continue;
      }
      const key = `f${frames.length}`;
      const label = typeof meta.join === 'string' ? `in parallel, until ${meta.join}` : 'in parallel';
      frames.push({ key, label, parent: frame, parallel: false });
      walk(state.states, key);
    }
  };
  walk(config.states, null);
  return { frames, frameOf };
}
