import { at } from '../../graph/at.ts';
import { BitSet } from '../../graph/bit-set.ts';
import { END } from '../../graph/edges.ts';
import type { Graph } from '../../graph/graph.ts';

/** No node: ways end instead. */
export const NO_NODE = -1;

/** Where all ways that start at some targets come together again. */
export interface Convergence {
  /** The node they meet at; `NONE` = they end. */
  readonly join: number;
  /** The nodes between the targets and the join. A snapshot: the sweep goes on adding to its own. */
  readonly body: BitSet;
  /** The body's nodes, in forward order. */
  readonly nodes: readonly number[];
  /** How many parts of the body do not touch each other. */
  readonly components: number;
  /** The part (by its representative) a body node belongs to. */
  componentOf(node: number): number;
}

/**
 * Walks forward from `targets` in topological order and finds every node that all ways still open lead to, nearest first.
 * A cut whose body holds a dead end is none, because its join would wait for work that does not lead to it; only the last one
 * (`NONE`) may. Nodes at and beyond `exit` are not entered.
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
