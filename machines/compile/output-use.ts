import type { Cooperative } from '../cooperative.ts';
import { compileExpression, type Reference, references } from '../expression/index.ts';
import { compileTemplate, referencesOf } from '../expression/template.ts';
import { at } from '../graph/at.ts';
import { END } from '../graph/edges.ts';
import type { Graph } from '../graph/graph.ts';
import type { Json } from '../json.ts';
import { definitionOf } from '../nodes/index.ts';

/** Which outputs must be remembered. Outputs can be large, and most are read by nobody: they stay in the log alone. */
export interface OutputUse {
  /** Does the node read what reached it (its mapping, its conditions, a join's sources), or pass it on to one that does? */
  readonly readsInput: readonly boolean[];
  /** Is the node's own output read, by its out-edges' conditions or by a node it leads to? */
  readonly outputIsRead: readonly boolean[];
}

export function* analyseOutputUse(graph: Graph): Cooperative<OutputUse> {
  const readsInput: boolean[] = [];
  for (const node of graph.nodes.keys()) {
    readsInput.push(nodeReadsInput(graph, node));
    yield;
  }
  const forwarders = [...graph.order].reverse().filter((node) => forwardsInput(graph, node));
  for (let changed = true; changed; ) {
    changed = false;
    for (const node of forwarders) {
      if (readsInput[node] === true || !graph.outWithWaits(node).some((edge) => edge.to !== END && readsInput[edge.to] === true))
        continue;
      readsInput[node] = true;
      changed = true;
    }
  }
  const outputIsRead: boolean[] = [];
  for (const node of graph.nodes.keys()) {
    outputIsRead.push(
      graph.out(node).some((edge) => edge.condition !== null && readsOutput(edge.condition)) ||
        graph.outWithWaits(node).some((edge) => edge.to !== END && at(readsInput, edge.to)),
    );
    yield;
  }
  return { readsInput, outputIsRead };
}

/** Condition and parallel nodes have no output of their own: they pass on what they received. */
export function forwardsInput(graph: Graph, node: number): boolean {
  const { type } = graph.node(node).kind;
  return type === 'condition' || type === 'parallel';
}

function nodeReadsInput(graph: Graph, node: number): boolean {
  const { kind } = graph.node(node);
  switch (kind.type) {
    case 'join':
      return true;
    case 'condition':
      return [...kind.branches, ...graph.out(node)].some(({ condition }) => condition !== null && readsOutput(condition));
    case 'human_approval':
      return mappingReadsOutput(kind.description);
    default: {
      const mapping = definitionOf(kind).mapping(kind);
      return mapping !== null && mappingReadsOutput(mapping);
    }
  }
}

function readsOutput(condition: string): boolean {
  return references(compileExpression(condition)).some(isOutput);
}

function mappingReadsOutput(mapping: Json): boolean {
  return referencesOf(compileTemplate(mapping)).some(isOutput);
}

/** Bare names are looked up in the output first. */
function isOutput(reference: Reference): boolean {
  return reference.root === 'output' || reference.root === 'bare';
}
