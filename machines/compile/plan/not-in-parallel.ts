import { InvalidWorkflow } from '../../diagnostics.ts';
import type { Graph } from '../../graph/graph.ts';
import type { Workflow } from '../../ir/workflow.ts';
import { definitionOf } from '../../nodes/index.ts';
import { NO_NODE } from '../../program/convergence.ts';
import type { OutcomeRoutes } from '../../program/outcome-routes.ts';
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

/**
 * Throws `InvalidWorkflow` if agents of one conversation may be active at once: each would go on from what it has read, and the later one would overwrite
 * the turns of the other. `routes`: of each node.
 */
export function refuseParallelConversation(graph: Graph, routes: readonly OutcomeRoutes[]): void {
  const agents = new Map<string, number[]>();
  for (const node of graph.reachable) {
    const { kind } = graph.node(node);
    const key = definitionOf(kind).conversation(kind);
    if (key !== null) agents.set(key, [...(agents.get(key) ?? []), node]);
  }
  const shared = [...agents].filter(([, nodes]) => nodes.length > 1);
  if (shared.length === 0) return;
  for (const owner of graph.reachable)
    for (const alternatives of Object.values(routes[owner] ?? {}))
      for (const { targets } of alternatives ?? [])
        for (const [key, nodes] of shared) {
          const pair = parallelPair(owner, targets, nodes, graph);
          if (pair !== null) throw sharedInParallel(key, owner, pair, graph);
        }
}

/**
 * Two of the nodes that lie behind different targets of the owner, and neither of which comes after the other; null = there are none. Where all ways to both
 * lead through a node behind the owner, such as a join, what follows that node decides.
 */
function parallelPair(
  owner: number,
  targets: readonly number[],
  nodes: readonly number[],
  graph: Graph,
): readonly [first: number, second: number] | null {
  if (targets.length < 2) return null;
  const leadsTo = (from: number, to: number): boolean => from === to || graph.descendants(from).has(to);
  const behind = nodes.map((node) => targets.filter((target) => leadsTo(target, node)));
  for (const [i, first] of nodes.entries())
    for (const [j, second] of nodes.entries()) {
      if (j <= i || leadsTo(first, second) || leadsTo(second, first)) continue;
      const [ofFirst, ofSecond] = [behind[i] ?? [], behind[j] ?? []];
      const common = commonDominator(first, second, graph);
      if (common !== NO_NODE && !graph.dominators.dominates(common, owner)) continue;
      if (ofFirst.some((target) => ofSecond.some((other) => other !== target))) return [first, second];
    }
  return null;
}

/** The last node that all ways to both lead through; `NO_NODE` if they begin apart. */
function commonDominator(first: number, second: number, { dominators }: Graph): number {
  let node = first;
  while (node !== NO_NODE && !dominators.dominates(node, second)) node = dominators.idom[node] ?? NO_NODE;
  return node;
}

function sharedInParallel(key: string, owner: number, [first, second]: readonly [number, number], graph: Graph): InvalidWorkflow {
  const node_id = graph.idOf(second);
  return new InvalidWorkflow([
    {
      severity: 'error',
      code: 'conversation_in_parallel',
      node_id,
      path: `nodes.${node_id}.kind.conversation_key`,
      message: `"${graph.idOf(first)}" and "${node_id}" have one conversation, state.${key}, and may be active at once, in parallel branches after "${graph.idOf(owner)}"`,
      hint: 'let one come after the other, or give each a conversation of its own: another conversation_key, and no handoff that joins them',
    },
  ]);
}
