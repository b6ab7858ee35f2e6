import type { Cooperative } from '../cooperative.ts';
import type { Diagnostic } from '../diagnostics.ts';
import type { Workflow } from '../ir/workflow.ts';
import { at } from './at.ts';
import { budgetNodeDiagnostics, budgetNodeOf } from './budget-node.ts';
import { depthFirstPostorder } from './dominators.ts';
import { END, effectiveEdgesCooperatively, type GraphEdge, waitsForSuccessor } from './edges.ts';
import { Graph } from './graph.ts';
import { loopDiagnostics } from './loop-diagnostics.ts';
import { MAX_LOOP_DEPTH } from './loops.ts';
import { reachOf } from './reach.ts';

interface GraphAnalysis {
  readonly graph: Graph | null;
  readonly diagnostics: readonly Diagnostic[];
}

/** The graph of a workflow; without one, the diagnostics say why. */
export function* analyseCooperatively(workflow: Workflow): Cooperative<GraphAnalysis> {
  const { edges, diagnostics } = yield* effectiveEdgesCooperatively(workflow);
  yield;
  const start = workflow.nodes.findIndex((node) => node.id === workflow.start_node);
  if (diagnostics.length > 0 || start === -1) return { graph: null, diagnostics };
  const budgetNode = budgetNodeOf(workflow);
  if (budgetNode !== null && typeof budgetNode !== 'number') return { graph: null, diagnostics: [budgetNode] };
  const beginnings = { start, budgetNode };
  const reach = yield* reachOf(workflow.nodes.length, edges, beginnings);
  const graph = new Graph(workflow, beginnings, edges, reach);
  yield;
  const budgetErrors = budgetNodeDiagnostics(graph);
  if (budgetErrors.length > 0) return { graph: null, diagnostics: budgetErrors };
  const isCyclic = graph.cyclic.length > 0;
  yield;
  if (!isCyclic) yield* graph.prepareLoops();
  const errors = isCyclic ? cycleDiagnostics(graph) : loopDepthDiagnostics(graph);
  if (errors.length > 0) return { graph: null, diagnostics: errors };
  yield;
  const loopErrors = yield* loopDiagnostics(graph);
  return { graph: loopErrors.length > 0 ? null : graph, diagnostics: loopErrors };
}

/** Errors for cycles of forward edges: a join that waits for a later node, or a loop with two entries. */
function cycleDiagnostics(graph: Graph): Diagnostic[] {
  const componentOf = cycleComponents(graph);
  const isInsideCycle = (edge: GraphEdge): boolean => edge.to !== END && componentOf.get(edge.from) === componentOf.get(edge.to);
  const cycles = graph.edges.filter((edge) => componentOf.has(edge.from) && !graph.backEdges.has(edge) && isInsideCycle(edge));
  const waits = cycles.filter((edge) => edge.role === 'wait');
  if (waits.length > 0) {
    return waits.map((edge) =>
      waitsForSuccessor(graph.idOf(edge.to), `waits for "${graph.idOf(edge.from)}", which comes after it`),
    );
  }
  const first = new Map(cycles.map((edge) => [componentOf.get(edge.from), edge.from]).reverse() as [number, number][]);
  return [...first.values()].map((node) => ({
    severity: 'error',
    code: 'irreducible_loop',
    node_id: graph.idOf(node),
    path: null,
    message: `the loop through "${graph.idOf(node)}" can be entered at two nodes`,
    hint: 'let every edge into the loop lead to the same node',
  }));
}

/** The strongly connected component of each cyclic node, over forward edges. */
function cycleComponents(graph: Graph): Map<number, number> {
  const forward = graph.nodes.map((_, i) => graph.forwardOut(i).flatMap((edge) => (edge.to === END ? [] : [edge.to])));
  const backward: number[][] = graph.nodes.map(() => []);
  forward.forEach((targets, from) => {
    for (const to of targets) at(backward, to).push(from);
  });
  const component = new Map<number, number>();
  // Kosaraju's algorithm: in reverse postorder, the unassigned nodes that a node reaches backwards are its component.
  const { root: top, below } = graph.withRoot(forward);
  for (const root of depthFirstPostorder(top, below, below.length).reverse()) {
    if (root === graph.nodes.length) continue;
    const pending = [root];
    for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
      if (component.has(node)) continue;
      component.set(node, root);
      pending.push(...at(backward, node));
    }
  }
  return component;
}

function loopDepthDiagnostics(graph: Graph): Diagnostic[] {
  if (graph.tooDeeplyNested === null) return [];
  const node_id = graph.idOf(graph.tooDeeplyNested);
  return [
    {
      severity: 'error',
      code: 'nesting_too_deep',
      node_id,
      path: null,
      message: `node "${node_id}" is in more than ${MAX_LOOP_DEPTH} nested loops`,
      hint: 'move inner loops into another workflow and run it with a subgraph node',
    },
  ];
}
