import type { Cooperative } from '../cooperative.ts';
import { at } from './at.ts';
import { BitSet } from './bit-set.ts';
import { type DominatorTree, depthFirstPostorder, dominatorTree } from './dominators.ts';
import { END, type GraphEdge } from './edges.ts';

/** The nodes at which an execution begins. */
export interface Beginnings {
  readonly start: number;
  /** The node at which an execution over its budget continues, a second beginning; null = none. */
  readonly budgetNode: number | null;
}

/** What can be reached from the beginnings, and through what. */
export interface Reach {
  readonly reached: BitSet;
  readonly dominators: DominatorTree;
}

export function* reachOf(size: number, edges: readonly GraphEdge[], beginnings: Beginnings): Cooperative<Reach> {
  const successors: number[][] = Array.from({ length: size }, () => []);
  for (const edge of edges) if (edge.to !== END) at(successors, edge.from).push(edge.to);
  yield;
  const { root, below } = withRoot(successors, beginnings);
  const reached = new BitSet(size);
  for (const node of depthFirstPostorder(root, below, below.length)) if (node < size) reached.add(node);
  yield;
  const dominators = dominatorTree(below.length, root, below);
  // What only the common root dominates has no dominator among the nodes.
  const { idom } = dominators;
  if (root === size) for (const node of reached) if (idom[node] === root) idom[node] = -1;
  yield;
  return { reached, dominators };
}

/** The successors with one root for all beginnings: the start, or one node more that leads to the start and the node for budgets. */
export function withRoot(
  successors: readonly (readonly number[])[],
  { start, budgetNode }: Beginnings,
): {
  readonly root: number;
  readonly below: readonly (readonly number[])[];
} {
  if (budgetNode === null) return { root: start, below: successors };
  return { root: successors.length, below: [...successors, [budgetNode, start]] };
}
