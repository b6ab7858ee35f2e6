import type { Cooperative } from '../../cooperative.ts';
import { InvalidWorkflow } from '../../diagnostics.ts';
import type { Graph } from '../../graph/graph.ts';
import type { Workflow } from '../../ir/workflow.ts';
import { definitionOf } from '../../nodes/index.ts';
import { NO_NODE } from '../../program/convergence.ts';
import type { OutcomeRoutes } from '../../program/outcome-routes.ts';
import type { Plan } from '../../program/plan.ts';
import { tooLarge } from './too-large.ts';

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

/** Pairs of agents that are compared, their dominators, and agents that are looked for behind targets: they take about 50 ms. */
const MAX_COMPARISONS = 2_000_000;

/** Two agents of one conversation, neither of which comes after the other. */
interface UnrelatedAgents {
  readonly key: string;
  readonly first: number;
  readonly second: number;
  /** The last node that all ways to both lead through; `NO_NODE` if they begin apart. */
  readonly common: number;
}

/**
 * Throws `InvalidWorkflow` if agents of one conversation may be active at once: each would go on from what it has read, and the later one would overwrite
 * the turns of the other. `routes`: of each node.
 */
export function* refuseParallelConversation(graph: Graph, routes: readonly OutcomeRoutes[]): Cooperative<void> {
  let comparisons = 0;
  const compare = (node: number, count: number): void => {
    comparisons += count;
    if (comparisons > MAX_COMPARISONS) throw tooLarge(graph, node, 'is among too many agents that share conversations');
  };
  const pairs = yield* unrelatedAgents(graph, compare);
  if (pairs.length === 0) return;
  const agents = new Set(pairs.flatMap(({ first, second }) => [first, second]));
  for (const owner of graph.reachable) {
    for (const alternatives of Object.values(routes[owner] ?? {}))
      for (const { targets } of alternatives ?? []) {
        if (targets.length < 2) continue;
        compare(owner, targets.length * agents.size);
        const branches = branchesOf(agents, targets, graph);
        if (branches === null) continue;
        compare(owner, pairs.length);
        const pair = pairs.find((each) => areInParallel(each, owner, branches, graph));
        if (pair !== undefined) throw sharedInParallel(pair, owner, graph);
      }
    yield;
  }
}

function* unrelatedAgents(graph: Graph, compare: (node: number, count: number) => void): Cooperative<readonly UnrelatedAgents[]> {
  const byKey = new Map<string, number[]>();
  const pairs: UnrelatedAgents[] = [];
  for (const second of graph.reachable) {
    const { kind } = graph.node(second);
    const key = definitionOf(kind).conversation(kind);
    if (key === null) continue;
    const before = byKey.get(key) ?? [];
    compare(second, before.length);
    for (const first of before) {
      if (leadsTo(first, second, graph) || leadsTo(second, first, graph)) continue;
      let common = first;
      for (; common !== NO_NODE && !graph.dominators.dominates(common, second); common = graph.dominators.idom[common] ?? NO_NODE)
        compare(second, 1);
      pairs.push({ key, first, second, common });
    }
    before.push(second);
    byKey.set(key, before);
    yield;
  }
  return pairs;
}

function leadsTo(from: number, to: number, graph: Graph): boolean {
  return from === to || graph.descendants(from).has(to);
}

const SEVERAL = 'several';

/** By agent: the target that it lies behind, if that is one; absent = none. Null = all agents lie behind the same one. */
function branchesOf(
  agents: ReadonlySet<number>,
  targets: readonly number[],
  graph: Graph,
): ReadonlyMap<number, number | typeof SEVERAL> | null {
  const branches = new Map<number, number | typeof SEVERAL>();
  for (const target of targets)
    for (const agent of agents) if (leadsTo(target, agent, graph)) branches.set(agent, branches.has(agent) ? SEVERAL : target);
  const different = new Set(branches.values());
  return different.size > 1 || different.has(SEVERAL) ? branches : null;
}

/** Do they lie behind different targets? Where all ways to both lead through a node behind the owner, such as a join, what follows that node decides. */
function areInParallel(
  { first, second, common }: UnrelatedAgents,
  owner: number,
  branches: ReadonlyMap<number, number | typeof SEVERAL>,
  graph: Graph,
): boolean {
  const [one, other] = [branches.get(first), branches.get(second)];
  if (one === undefined || other === undefined || (one === other && one !== SEVERAL)) return false;
  return common === NO_NODE || graph.dominators.dominates(common, owner);
}

function sharedInParallel({ key, first, second }: UnrelatedAgents, owner: number, graph: Graph): InvalidWorkflow {
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
