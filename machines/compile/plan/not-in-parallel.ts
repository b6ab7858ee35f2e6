import { InvalidWorkflow } from '../../diagnostics.ts';
import type { Graph } from '../../graph/graph.ts';
import type { Workflow } from '../../ir/workflow.ts';
import type { Plan } from '../../program/plan.ts';

/**
 * Throws `InvalidWorkflow` if a node at which an execution continues is part of something that runs in parallel: over its budget, its other branches
 * would still wait for nodes that are left; as another execution, they would be lost.
 */
export function refuseParallelContinuation({ continuation }: Workflow, graph: Graph, plan: Plan): void {
  if (graph.budgetNode !== null) refuseInParallel(graph.budgetNode, 'budget_node_in_parallel', 'on_budget_exceeded', graph, plan);
  const node = continuation === null ? undefined : graph.indexOf(continuation.at);
  if (node !== undefined) refuseInParallel(node, 'continuation_in_parallel', 'continue_as_new.at', graph, plan);
}

function refuseInParallel(node: number, code: string, path: string, graph: Graph, { forks, subgraphs, whole }: Plan): void {
  const isInFork = [...forks.values()].some(({ branches }) => branches.some((branch) => branch.nodes.has(node)));
  const isInSubgraph = [...subgraphs.values(), ...(whole === null ? [] : [whole])].some((subgraph) =>
    subgraph.nodes.includes(node),
  );
  if (!isInFork && !isInSubgraph) return;
  const name = graph.idOf(node);
  throw new InvalidWorkflow([
    {
      severity: 'error',
      code,
      node_id: name,
      path,
      message: `${path} names "${name}", which is in a parallel branch, or leads into one`,
      hint: 'name a node before or after all parallel branches, or one that nothing else leads to',
    },
  ]);
}
