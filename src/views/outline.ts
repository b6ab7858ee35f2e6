import { at } from '../../machines/graph/at.ts';
import type { GraphEdge } from '../../machines/graph/edges.ts';
import type { Graph } from '../../machines/graph/graph.ts';
import type { Json } from '../../machines/json.ts';
import { definitionOf, type KindName } from '../../machines/nodes/index.ts';
import type { Behaviour } from '../../machines/nodes/kind.ts';
import type { DrawnWorkflow } from '../../machines/views/drawn-workflow.ts';
import { workflowDiagram } from '../../machines/views/workflow-diagram.ts';

/** A node as one line of an outline. */
export interface OutlineRow {
  readonly node: string;
  readonly kind: KindName;
  readonly behaviour: Behaviour;
  /** The character that stands for its kind. */
  readonly letter: string;
  /** What the node calls, waits for or asks, in a few words; '' = nothing to add. */
  readonly detail: string;
  /** Nesting of branches; 0 = on every path through the workflow, or unreachable. */
  readonly depth: number;
  /** At a branching, when this branch is taken: `else`, `on timeout`, a condition; '' elsewhere. */
  readonly branch: string;
  /** Does an edge of a later node lead back to it? */
  readonly loop: boolean;
  readonly definition: Json;
}

/**
 * The nodes of a workflow in topological order, loops aside. Nodes reached by only one of several branches are indented below the node that
 * branches; nodes reached by several branches follow at the level of that node.
 */
export function outlineOf(program: DrawnWorkflow): readonly OutlineRow[] {
  const { graph } = program.tables;
  const diagram = workflowDiagram(program, null);
  const labels = new Map<string, string>();
  for (const { from, to, label } of diagram.edges) {
    const before = labels.get(`${from} ${to}`) ?? '';
    labels.set(`${from} ${to}`, [before, label].filter((part) => part !== '').join(' · '));
  }
  const rows: OutlineRow[] = [];
  const shown = new Set<number>();
  const show = (index: number, depth: number, branch: string): void => {
    const { name, detail, definition } = at(diagram.nodes, index + 1);
    const loop = graph.backIn(index).length > 0;
    const { kind } = graph.node(index);
    const { letter } = definitionOf(kind);
    const behaviour = definitionOf(kind).behaviour(kind);
    rows.push({ node: name, kind: kind.type, behaviour, letter, detail, depth, branch, loop, definition });
    shown.add(index);
  };
  const dominated = childrenOf(graph);
  // A stack instead of recursion, since a chain may have thousands of nodes.
  const begins = [graph.start, ...graph.order.filter((node) => node !== graph.start && at(graph.dominators.idom, node) === -1)];
  const stack = begins.map((index): OutlinePosition => ({ index, depth: 0, branch: '' })).reverse();
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

/** Positions of the nodes immediately dominated by this one: its branches, then the nodes after them. */
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
  // The main successor comes before nodes that other branches reach as well.
  after.sort((a, b) => Number(b.index === next) - Number(a.index === next));
  return [...branches, ...after];
}

/** The target of a node's only unconditional edge; null if it branches. Edges for failures and time-outs do not count. */
function mainSuccessor(out: readonly GraphEdge[]): number | null {
  if (out.some(({ role }) => role === 'if' || role === 'branch')) return null;
  const targets = new Set(out.flatMap(({ role, to }) => (role === 'plain' || role === 'all' ? [to] : [])));
  const [only] = targets;
  return targets.size === 1 && only !== undefined ? only : null;
}

/** The children of each node in the dominator tree, in forward order. */
function childrenOf(graph: Graph): readonly (readonly number[])[] {
  const children: number[][] = graph.nodes.map(() => []);
  for (const node of graph.order) {
    const parent = at(graph.dominators.idom, node);
    if (parent !== -1) at(children, parent).push(node);
  }
  return children;
}
