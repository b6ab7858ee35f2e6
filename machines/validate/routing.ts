import type { Cooperative } from '../cooperative.ts';
import type { Graph } from '../graph/graph.ts';
import { isStrategyLimit } from '../ir/strategy.ts';
import type { Edge, Node, Workflow } from '../ir/workflow.ts';
import { definitionOf } from '../nodes/index.ts';
import type { Problems } from '../reading/problems.ts';

/** Warns of edges and nodes that probably do not do what the author meant. `graph` is null when it has errors. */
export function* checkRouting(workflow: Workflow, graph: Graph | null, problems: Problems): Cooperative<void> {
  const edgesOf = new Map<string, { edge: Edge; path: string }[]>(workflow.nodes.map((node) => [node.id, []]));
  workflow.edges.forEach((edge, i) => {
    edgesOf.get(edge.from)?.push({ edge, path: `edges[${i}]` });
  });
  const finalizers = new Set(workflow.nodes.flatMap((node) => (runsAtEnd(node) ? [node.id] : [])));
  for (const node of workflow.nodes) {
    const edges = edgesOf.get(node.id) ?? [];
    ignoredEdges(node, edges, problems);
    missingDefault(node, edges, problems);
    outcomeOnlyEdge(node, edges, problems);
    if (finalizers.size > 0) finalizerEdges(node, edges, finalizers, problems);
    yield;
  }
  if (graph !== null) yield* unreachableNodes(workflow, graph, problems);
}

/** Conditions and edges that have no effect on a node of their kind. */
function ignoredEdges(node: Node, edges: readonly { edge: Edge; path: string }[], problems: Problems): void {
  const { branching, endsExecution, branches } = definitionOf(node.kind);
  const listed = branches(node.kind);
  for (const { edge, path } of edges) {
    const at = { node_id: node.id, path };
    if (branching === 'all' && edge.condition !== null) {
      const message = `the condition of the edge "${edge.from}" → "${edge.to}" is ignored: a parallel node starts every branch`;
      problems.warning('parallel_condition_ignored', message, { ...at, hint: 'choose with a condition node instead' });
    }
    if (branching === 'choice' && listed.length > 0 && edge.to !== 'end') {
      const says = listed.filter((branch) => branch.target === edge.to).map(({ condition }) => normalisedCondition(condition));
      if (says.length > 0 && (edge.condition === null || says.includes(normalisedCondition(edge.condition)))) continue;
      const message = `the edge "${edge.from}" → "${edge.to}" is ignored: "${edge.from}" follows its branches alone`;
      problems.warning('edge_ignored', message, { ...at, hint: 'write it as a branch of the condition node' });
    }
    if (endsExecution && edge.to !== 'end') {
      const message = `the edge "${edge.from}" → "${edge.to}" is never taken: "${edge.from}" ends the execution`;
      problems.warning('edge_ignored', message, at);
    }
  }
}

/** The SDK's compilers repeat branches as edges, with `state.x` written as `state.x == true`. */
function normalisedCondition(condition: string | null): string | null {
  if (condition === null) return null;
  const inside = condition.replace(/^\s*\{\{|\}\}\s*$/g, '').trim();
  return inside.replace(/\s*==\s*[tT]rue$/, '');
}

function missingDefault(node: Node, edges: readonly { edge: Edge }[], problems: Problems): void {
  const { branching, branches } = definitionOf(node.kind);
  if (branching !== 'choice') return;
  const listed = branches(node.kind);
  const alternatives = listed.length > 0 ? listed : edges.map(({ edge }) => edge);
  if (alternatives.length === 0 || alternatives.some(({ condition }) => condition === null)) return;
  problems.warning('condition_without_default', `node "${node.id}" leads nowhere when none of its conditions holds`, {
    node_id: node.id,
    path: `nodes.${node.id}.kind.branches`,
    hint: 'add a branch without a condition',
  });
}

/** The only edge of a node that parks is claimed by an outcome that names the same target, so the normal outcome has no edge. */
function outcomeOnlyEdge({ id, kind }: Node, edges: readonly { edge: Edge; path: string }[], problems: Problems): void {
  const definition = definitionOf(kind);
  const hint = definition.outcomeEdgeHint(kind);
  if (hint === null) return;
  const named = definition.targets(kind).filter(({ role }) => role !== 'fallback_node');
  const outcomes = edges.map(({ edge }) => (edge.condition === null ? named.find(({ to }) => to === edge.to) : undefined));
  const [first] = edges;
  const [outcome] = outcomes;
  if (first === undefined || outcome === undefined || first.edge.to === 'end' || outcomes.includes(undefined)) return;
  const message = `the edge "${id}" → "${first.edge.to}" is taken as ${outcome.role} alone, which names the same node: any other end of "${id}" leads nowhere`;
  problems.warning('edge_of_outcome_alone', message, { node_id: id, path: first.path, hint });
}

/** Edges to and from nodes that run by themselves before the execution ends. */
function finalizerEdges(
  { id, kind }: Node,
  edges: readonly { edge: Edge; path: string }[],
  finalizers: ReadonlySet<string>,
  problems: Problems,
): void {
  for (const { edge, path } of edges) {
    if (finalizers.has(id) && edge.to !== 'end')
      problems.warning('edge_ignored', `the edge "${id}" → "${edge.to}" is never taken: "${id}" runs when the execution ends`, {
        node_id: id,
        path,
      });
    else if (finalizers.has(edge.to)) leadsToFinalizer(id, edge.to, path, problems);
  }
  for (const { role, to } of definitionOf(kind).targets(kind))
    if (finalizers.has(to)) leadsToFinalizer(id, to, `nodes.${id}.kind.${role}`, problems);
}

function leadsToFinalizer(id: string, to: string, path: string, problems: Problems): void {
  const message = `node "${id}" leads to the finalizer "${to}", which runs by itself: the edge leads to the end`;
  problems.warning('edge_to_finalizer', message, { node_id: id, path, hint: 'let it lead to "end"' });
}

const runsAtEnd = ({ kind }: Node): boolean => definitionOf(kind).runsAtEnd(kind) !== null;

function* unreachableNodes(workflow: Workflow, graph: Graph, problems: Problems): Cooperative<void> {
  const reachable = new Set(graph.reachable.map((index) => graph.idOf(index)));
  for (const { id, kind, labels } of workflow.nodes) {
    yield;
    const at = { node_id: id, path: `nodes.${id}` };
    if (definitionOf(kind).runsAtEnd(kind) !== null) continue;
    if (!reachable.has(id)) {
      if (definitionOf(kind).joins(kind) !== null)
        problems.warning('join_never_runs', `join "${id}" can never run: no node it waits for is reached`, at);
      else if (!isStrategyLimit(labels))
        problems.warning('unreachable_node', `node "${id}" is never reached from "${workflow.start_node}"`, at);
      continue;
    }
    const definition = definitionOf(kind);
    if (definition.joins(kind) === null) continue;
    for (const source of definition.waitsForNodes(kind).filter((name) => !reachable.has(name))) {
      problems.warning(
        'join_source_unreachable',
        `join "${id}" waits for "${source}", which is never reached: it counts as skipped`,
        at,
      );
    }
    const sources = graph.sources(graph.indexOf(id) ?? -1).map((index) => graph.node(index));
    if (sources.length > 0 && sources.every(endsExecution)) {
      problems.warning('join_never_runs', `join "${id}" can never run: all nodes it waits for end the execution`, at);
    }
  }
}

const endsExecution = ({ kind }: Node): boolean => definitionOf(kind).endsExecution;
