import { InvalidWorkflow } from '../../diagnostics.ts';
import type { Graph } from '../../graph/graph.ts';

/** The graph cannot be run at a bounded cost per step. */
export function tooLarge(graph: Graph, node: number, problem: string): InvalidWorkflow {
  const node_id = graph.idOf(node);
  return new InvalidWorkflow([
    {
      severity: 'error',
      code: 'too_large',
      node_id,
      path: null,
      message: `node "${node_id}" ${problem}`,
      hint: 'let branches meet in joins, or move parts into a workflow of their own and call it by a subgraph node',
    },
  ]);
}
