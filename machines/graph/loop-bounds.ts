import { definitionOf } from '../nodes/index.ts';
import { BitSet } from './bit-set.ts';
import { END, type GraphEdge } from './edges.ts';
import type { Graph } from './graph.ts';
import type { Loop } from './loops.ts';

/** The nodes that stand for parts of others: those that carry out the tool calls of agents. */
export function generatedNodes(graph: Graph): BitSet {
  const generated = new BitSet(graph.nodes.length);
  for (const { id, kind } of graph.nodes) {
    if (!definitionOf(kind).expands) continue;
    for (const [own] of definitionOf(kind).expand(kind, id)?.nodes ?? []) generated.add(graph.existingIndexOf(own));
  }
  return generated;
}

/** Loops that go round as often as their own conditions let them. The turns of agents, handoffs included, and the repetitions of a scored node have limits of their own. */
export function loopsWithoutBound(graph: Graph): readonly Loop[] {
  const generated = generatedNodes(graph);
  return graph.loops.filter(({ backEdges }) => backEdges.some((edge) => isUnbounded(edge, generated, graph)));
}

/** Can the loop go round without a visit to the node? */
export function roundAvoids({ head, body, backEdges }: Loop, avoided: number, graph: Graph): boolean {
  if (head === avoided) return false;
  const generated = generatedNodes(graph);
  const reached = new Set([head]);
  for (const node of reached)
    for (const { to } of graph.out(node)) if (to !== END && to !== avoided && body.has(to) && !generated.has(to)) reached.add(to);
  return backEdges.some((edge) => isUnbounded(edge, generated, graph) && reached.has(edge.from));
}

/** Does no edge, and no lack of one, lead out of the loop, but for failures? */
export function isEndless({ body }: Loop, graph: Graph): boolean {
  return [...body].every((node) => {
    const { kind } = graph.node(node);
    const { endsExecution, branching } = definitionOf(kind);
    const edges = graph.out(node).filter(({ role }) => role !== 'fallback_node');
    const always = edges.some(
      ({ condition, role }) => condition === null && (role === 'branch' || role === 'all' || role === 'plain'),
    );
    const mayLeadNowhere = !always && (branching === 'choice' || edges.every(({ role }) => role === 'if'));
    return !endsExecution && !mayLeadNowhere && edges.every(({ to }) => to !== END && body.has(to));
  });
}

function isUnbounded({ from, role, condition }: GraphEdge, generated: BitSet, graph: Graph): boolean {
  const { kind } = graph.node(from);
  const isHandoff =
    condition !== null &&
    definitionOf(kind)
      .handoffEdges(kind)
      .some((one) => one.condition === condition);
  return role !== 'retry_node' && !generated.has(from) && !isHandoff;
}
