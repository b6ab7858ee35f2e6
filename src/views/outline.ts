import type { Program } from '../../machines/compile/index.ts';
import { at } from '../../machines/graph/at.ts';
import type { GraphEdge } from '../../machines/graph/edges.ts';
import type { Graph } from '../../machines/graph/graph.ts';
import type { Json, JsonObject } from '../../machines/json.ts';
import type { KindName } from '../../machines/nodes/index.ts';
import type { TimedEvent } from '../../machines/replay/log.ts';
import type { ExecutionOverlay, NodeOverlay } from '../../machines/views/execution-overlay.ts';
import { OverlayBuilder } from '../../machines/views/overlay-builder.ts';
import { workflowDiagram } from '../../machines/views/workflow-diagram.ts';
import { programOf } from '../diagrams/draw.ts';

export type { ExecutionOverlay, NodeOverlay };

/** A node as one line of an outline. */
export interface OutlineRow {
  readonly node: string;
  readonly kind: KindName;
  /** What it calls, waits for or asks, in a few words; '' = nothing to add. */
  readonly detail: string;
  /** 0 = on every way through the workflow, or on no way at all. */
  readonly depth: number;
  /** Where ways part, why this one is taken: `else`, `on timeout`, a condition; '' elsewhere. */
  readonly branch: string;
  /** Ways lead back to it from later nodes. */
  readonly loop: boolean;
  readonly definition: Json;
}

/**
 * A workflow's nodes in an order in which every one but a loop's comes after those that lead to it. What only one of several ways leads to
 * is indented under the node where they part; what several lead to stands after them, where that node stands.
 */
export function outlineOf(program: Program): readonly OutlineRow[] {
  const { graph } = program.tables;
  const picture = workflowDiagram(program, null);
  const labels = new Map<string, string>();
  for (const { from, to, label } of picture.edges) {
    const before = labels.get(`${from} ${to}`) ?? '';
    labels.set(`${from} ${to}`, [before, label].filter((part) => part !== '').join(' · '));
  }
  const rows: OutlineRow[] = [];
  const shown = new Set<number>();
  const show = (index: number, depth: number, way: string): void => {
    const { name, detail, definition } = at(picture.nodes, index + 1);
    const loop = graph.backIn(index).length > 0;
    rows.push({ node: name, kind: graph.node(index).kind.type, detail, depth, branch: way, loop, definition });
    shown.add(index);
  };
  const dominated = childrenOf(graph);
  // No recursion: a chain of thousands of nodes is as deep.
  const stack: OutlinePosition[] = [{ index: graph.start, depth: 0, branch: '' }];
  for (let place = stack.pop(); place !== undefined; place = stack.pop()) {
    show(place.index, place.depth, place.branch);
    stack.push(...childPositions(place, at(dominated, place.index), graph, labels).reverse());
  }
  for (let index = 0; index < graph.nodes.length; index++) if (!shown.has(index)) show(index, 0, '');
  return rows;
}

interface OutlinePosition {
  readonly index: number;
  readonly depth: number;
  readonly branch: string;
}

/** The nodes that stand between this one and the end of what it alone leads to, branches before what follows them. */
function childPositions(
  { index, depth }: OutlinePosition,
  children: readonly number[],
  graph: Graph,
  labels: ReadonlyMap<string, string>,
): OutlinePosition[] {
  const out = graph.out(index).filter((edge) => !graph.backEdges.has(edge));
  const next = mainSuccessor(out);
  const branches: OutlinePosition[] = [];
  const after: OutlinePosition[] = [];
  for (const child of children) {
    const alone = graph.forwardIn(child).every((edge) => edge.from === index);
    if (!alone || child === next) after.push({ index: child, depth, branch: '' });
    else branches.push({ index: child, depth: depth + 1, branch: labels.get(`n${index} n${child}`) ?? '' });
  }
  const written = out.map((edge) => edge.to);
  branches.sort((a, b) => written.indexOf(a.index) - written.indexOf(b.index));
  // What only follows the main way comes before what other ways lead to as well.
  after.sort((a, b) => Number(b.index === next) - Number(a.index === next));
  return [...branches, ...after];
}

/** The target of a node's one unconditional edge; null where ways part. Ways for failures and time-outs are no parting. */
function mainSuccessor(out: readonly GraphEdge[]): number | null {
  if (out.some(({ role }) => role === 'if' || role === 'branch')) return null;
  const targets = new Set(out.flatMap(({ role, to }) => (role === 'plain' || role === 'all' ? [to] : [])));
  const [only] = targets;
  return targets.size === 1 && only !== undefined ? only : null;
}

/** By node: those it is the last one before, on every way; in forward order. */
function childrenOf(graph: Graph): readonly (readonly number[])[] {
  const children: number[][] = graph.nodes.map(() => []);
  for (const node of graph.order) if (node !== graph.start) at(children, at(graph.dominators.idom, node)).push(node);
  return children;
}

/** An event as the API gives it. */
interface LoggedEvent {
  readonly sequence: number;
  readonly type: string;
  readonly node_id: string | null;
  readonly created_at: string;
  readonly data: JsonObject;
}

/** An outline, and what an execution makes of it as its events come. */
export class LiveOutline {
  readonly rows: readonly OutlineRow[];
  readonly #overlay: OverlayBuilder;

  /** Throws `InvalidWorkflow`. */
  constructor(document: JsonObject) {
    const program = programOf(document);
    this.rows = outlineOf(program);
    this.#overlay = new OverlayBuilder(program);
  }

  /** Takes the events in their order, from the first. */
  apply({ sequence, type, node_id, data, created_at }: LoggedEvent): void {
    this.#overlay.apply({ sequence, type: type as TimedEvent['type'], node_id, data, at_ms: Date.parse(created_at) });
  }

  get marks(): ExecutionOverlay {
    return this.#overlay.overlay;
  }
}
