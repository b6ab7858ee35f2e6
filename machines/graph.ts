import type { Diagnostic } from './diagnostics.ts';
import { at } from './graph/at.ts';
import { depthFirst } from './graph/dominators.ts';
import { END, effectiveEdges, type GraphEdge, waitsForSuccessor } from './graph/edges.ts';
import { Graph } from './graph/graph.ts';
import { loopDiagnostics } from './graph/loop-diagnostics.ts';
import { MAX_LOOPS_AROUND } from './graph/loops.ts';
import type { Workflow } from './ir/workflow.ts';
import { finished, type Pausing } from './pauses.ts';

/** The graph of a workflow, or every reason why there is none. */
export function analyse(workflow: Workflow): Analysed {
  return finished(analysing(workflow));
}

interface Analysed {
  readonly graph: Graph | null;
  readonly diagnostics: readonly Diagnostic[];
}

/** Like `analyse`, with pauses. */
export function* analysing(workflow: Workflow): Pausing<Analysed> {
  const { edges, diagnostics } = effectiveEdges(workflow);
  yield;
  const start = workflow.nodes.findIndex((node) => node.id === workflow.start_node);
  if (diagnostics.length > 0 || start === -1) return { graph: null, diagnostics };
  const graph = new Graph(workflow, start, edges);
  yield;
  const faults = graph.cyclic.length > 0 ? cycleDiagnostics(graph) : loopNesting(graph);
  if (faults.length > 0) return { graph: null, diagnostics: faults };
  const loops = yield* loopDiagnostics(graph);
  return { graph: loops.length > 0 ? null : graph, diagnostics: loops };
}

/** What is wrong with a workflow's edges, loops and joins. Errors only. */
export function graphDiagnostics(workflow: Workflow): readonly Diagnostic[] {
  return analyse(workflow).diagnostics;
}

/** Cycles of forward edges: a join that waits for what comes after it, or a loop entered at two places. */
function cycleDiagnostics(graph: Graph): Diagnostic[] {
  const component = components(graph);
  const within = (edge: GraphEdge): boolean => edge.to !== END && component.get(edge.from) === component.get(edge.to);
  const cycles = graph.edges.filter((edge) => component.has(edge.from) && !graph.back.has(edge) && within(edge));
  const waits = cycles.filter((edge) => edge.role === 'wait');
  if (waits.length > 0) {
    return waits.map((edge) =>
      waitsForSuccessor(graph.idOf(edge.to), `waits for "${graph.idOf(edge.from)}", which comes after it`),
    );
  }
  const first = new Map(cycles.map((edge) => [component.get(edge.from), edge.from]).reverse() as [number, number][]);
  return [...first.values()].map((node) => ({
    severity: 'error',
    code: 'irreducible_loop',
    node_id: graph.idOf(node),
    path: null,
    message: `the loop through "${graph.idOf(node)}" can be entered at two places`,
    hint: 'let every way into the loop lead to the same node',
  }));
}

/** Cyclic nodes by the cycle they lie on: nodes with the same number lead to each other by forward edges. */
function components(graph: Graph): Map<number, number> {
  const forward = graph.nodes.map((_, i) => graph.forwardOut(i).flatMap((edge) => (edge.to === END ? [] : [edge.to])));
  const backward: number[][] = graph.nodes.map(() => []);
  forward.forEach((targets, from) => {
    for (const to of targets) at(backward, to).push(from);
  });
  const component = new Map<number, number>();
  // Kosaraju: in reverse postorder of the forward walk, what a node reaches backwards and is not yet taken is its component.
  for (const root of depthFirst(graph.start, forward, graph.nodes.length).reverse()) {
    const todo = [root];
    for (let node = todo.pop(); node !== undefined; node = todo.pop()) {
      if (component.has(node)) continue;
      component.set(node, root);
      todo.push(...at(backward, node));
    }
  }
  return component;
}

function loopNesting(graph: Graph): Diagnostic[] {
  if (graph.tooDeep === null) return [];
  const node_id = graph.idOf(graph.tooDeep);
  return [
    {
      severity: 'error',
      code: 'nesting_too_deep',
      node_id,
      path: null,
      message: `node "${node_id}" lies in more than ${MAX_LOOPS_AROUND} loops inside each other`,
      hint: 'move inner loops into a workflow of their own and call it by a subgraph node',
    },
  ];
}
