import type { BitSet } from '../../graph/bit-set.ts';
import type { GraphEdge } from '../../graph/edges.ts';
import type { Graph } from '../../graph/graph.ts';

/**
 * Is a body entered only by edges of `owner` (only by `entries`, if given) and its own back edges? `never`: another edge enters it from an
 * earlier node, which no larger body changes.
 */
export function regionEntry(
  graph: Graph,
  body: BitSet,
  owner: number,
  entries: readonly GraphEdge[] | null,
): 'well' | 'not yet' | 'never' {
  let well = true;
  for (const node of body) {
    for (const edge of graph.forwardIn(node)) {
      if (body.has(edge.from)) continue;
      if (edge.from !== owner || (entries !== null && !entries.includes(edge))) return 'never';
    }
    for (const edge of graph.backIn(node)) well &&= body.has(edge.from);
  }
  return well ? 'well' : 'not yet';
}

/** Do all back edges of the body stay inside it? */
export function containsItsLoops(graph: Graph, body: BitSet): boolean {
  for (const node of body) {
    for (const edge of graph.out(node)) if (graph.backEdges.has(edge) && !body.has(edge.to)) return false;
  }
  return true;
}
