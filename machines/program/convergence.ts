import { at } from '../graph/at.ts';
import { BitSet } from '../graph/bit-set.ts';
import { END } from '../graph/edges.ts';
import type { Graph } from '../graph/graph.ts';

/** No node: the paths end instead. */
export const NO_NODE = -1;

/** A node at which all paths from some targets meet. */
export interface Convergence {
  /** The node at which they meet; `NO_NODE` = they end. */
  readonly join: number;
  /** The nodes between the targets and the join. */
  readonly body: BitSet;
  /** The nodes of the body in topological order. */
  readonly nodes: readonly number[];
  /** Number of connected components of the body. */
  readonly components: number;
  /** The component of a node of the body, as its representative node. */
  componentOf(node: number): number;
}

/**
 * The nodes at which all paths from `targets` meet, nearest first, found by a walk in topological order. A node is not one when the body before
 * it has a dead end, because a join there would wait for work that does not lead to it; only the last result (`NO_NODE`) may have dead ends.
 * Nodes at and beyond `exit` are not visited.
 */
export function* convergencesFrom(graph: Graph, targets: readonly number[], exit: number): Generator<Convergence> {
  const open = new Set(targets);
  const body = new BitSet(graph.nodes.length);
  const nodes: number[] = [];
  const parent = new Map<number, number>();
  const find = (node: number): number => {
    let root = node;
    for (let up = parent.get(root); up !== undefined && up !== root; up = parent.get(root)) root = up;
    for (let up = parent.get(node); up !== undefined && up !== root; up = parent.get(node)) {
      parent.set(node, root);
      node = up;
    }
    return root;
  };
  let components = 0;
  let deadEnd = false;
  const convergenceAt = (join: number): Convergence => ({
    join,
    body: body.copy(),
    nodes: [...nodes],
    components,
    componentOf: find,
  });

  let rank = Math.min(...targets.filter((target) => target !== exit).map((target) => at(graph.rank, target)));
  for (; open.size > (open.has(exit) ? 1 : 0); rank++) {
    const node = at(graph.order, rank);
    if (node === exit || !open.has(node)) continue;
    if (open.size === 1 && nodes.length > 0 && !deadEnd) yield convergenceAt(node);
    open.delete(node);
    body.add(node);
    nodes.push(node);
    parent.set(node, node);
    components += 1;
    for (const edge of graph.forwardIn(node)) {
      if (!body.has(edge.from)) continue;
      const [a, b] = [find(edge.from), find(node)];
      if (a === b) continue;
      parent.set(a, b);
      components -= 1;
    }
    let leads = false;
    for (const edge of graph.forwardOut(node)) {
      if (edge.to === END) continue;
      open.add(edge.to);
      leads = true;
    }
    deadEnd ||= !leads;
  }
  if (nodes.length === 0) return;
  if (!open.has(exit)) yield convergenceAt(NO_NODE);
  else if (!deadEnd) yield convergenceAt(exit);
}
