import { InvalidWorkflow } from '../../diagnostics.ts';
import type { Graph } from '../../graph/graph.ts';
import type { Plan } from '../../program/plan.ts';

/**
 * Throws `InvalidWorkflow` if the node at which an execution over its budget continues is part of something that runs in parallel: its
 * other branches would still wait for nodes that are left.
 */
export function refuseBudgetNodeInParallel({ budgetNode: node, nodes }: Graph, { forks, subgraphs, whole }: Plan): void {
  if (node === null) return;
  const isInFork = [...forks.values()].some(({ branches }) => branches.some((branch) => branch.nodes.has(node)));
  const isInSubgraph = [...subgraphs.values(), ...(whole === null ? [] : [whole])].some((subgraph) =>
    subgraph.nodes.includes(node),
  );
  if (!isInFork && !isInSubgraph) return;
  const name = nodes[node]?.id ?? '';
  throw new InvalidWorkflow([
    {
      severity: 'error',
      code: 'budget_node_in_parallel',
      node_id: name,
      path: 'on_budget_exceeded',
      message: `on_budget_exceeded names "${name}", which is in a parallel branch, or leads into one`,
      hint: 'name a node before or after all parallel branches, or one that nothing else leads to',
    },
  ]);
}
