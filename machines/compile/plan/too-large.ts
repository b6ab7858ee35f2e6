import { InvalidWorkflow } from '../../diagnostics.ts';
import type { Graph } from '../../graph/graph.ts';

/** The error for a graph whose steps would cost too much. */
export function tooLarge(graph: Graph, node: number, problem: string): InvalidWorkflow {
  const node_id = graph.idOf(node);
  return new InvalidWorkflow([
    {
      severity: 'error',
      code: 'too_large',
      node_id,
      path: null,
      message: `node "${node_id}" ${problem}`,
      hint: 'let branches meet in joins, or move parts into another workflow and run it with a subgraph node',
    },
  ]);
}
