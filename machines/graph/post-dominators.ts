import type { Node } from '../ir/workflow.ts';
import { at } from './at.ts';
import { type DominatorTree, dominatorTree } from './dominators.ts';
import { END, type GraphEdge } from './edges.ts';

/** The parts of a graph that post-dominance depends on. */
interface PostDominatorInput {
  readonly nodes: readonly Node[];
  readonly order: readonly number[];
  readonly edges: readonly GraphEdge[];
  canEndAt(node: number): boolean;
}

/**
 * Post-dominators: the nodes on every path from a node to the end. In an endless loop, back edges count as ends. Paths may
 * also take the `extra` edges.
 */
export function postDominators(graph: PostDominatorInput, extra: readonly GraphEdge[] = []): DominatorTree {
  const size = graph.nodes.length;
  const exit = size;
  const reversed: number[][] = Array.from({ length: size + 1 }, () => []);
  for (const node of graph.order) if (graph.canEndAt(node)) at(reversed, exit).push(node);
  for (const edge of graph.edges) if (edge.role !== 'wait' && edge.to !== END) at(reversed, edge.to).push(edge.from);
  for (const edge of extra) at(reversed, edge.to).push(edge.from);
  return dominatorTree(size + 1, exit, reversed);
}
