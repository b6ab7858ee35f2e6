import type { Cooperative } from '../cooperative.ts';
import { compileExpression, type Reference, references } from '../expression/index.ts';
import { compileTemplate, referencesOf } from '../expression/template.ts';
import { at } from '../graph/at.ts';
import { END } from '../graph/edges.ts';
import type { Graph } from '../graph/graph.ts';
import type { Json } from '../json.ts';
import { definitionOf } from '../nodes/index.ts';

/** Which outputs the execution's context must keep. Outputs can be large and most are never read: those are in the log only. */
export interface OutputUse {
  /** Does the node read its input (by its mapping, its conditions, as a join), or forward it to a node that does? */
  readonly readsInput: readonly boolean[];
  /** Is the node's own output read, by the conditions of its out-edges or by a node it leads to? */
  readonly outputIsRead: readonly boolean[];
}

export function* analyseOutputUse(graph: Graph): Cooperative<OutputUse> {
  const readsInput: boolean[] = [];
  for (const node of graph.nodes.keys()) {
    readsInput.push(yield* nodeReadsInput(graph, node));
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
      (yield* anyReadsOutput(graph.out(node))) ||
        graph.outWithWaits(node).some((edge) => edge.to !== END && at(readsInput, edge.to)),
    );
    yield;
  }
  return { readsInput, outputIsRead };
}

/** Does the node forward its input instead of an output of its own? */
export function forwardsInput(graph: Graph, node: number): boolean {
  return definitionOf(graph.node(node).kind).forwardsInput;
}

function* nodeReadsInput(graph: Graph, node: number): Cooperative<boolean> {
  const { kind } = graph.node(node);
  const definition = definitionOf(kind);
  if (definition.joins(kind) !== null) return true;
  if (definition.forwardsInput) {
    return yield* anyReadsOutput([...definition.branches(kind), ...graph.out(node)]);
  }
  const template = definition.startTemplate(kind)?.template ?? definition.mapping(kind);
  const items = definition.itemWork(kind)?.items;
  if (items !== undefined && itemsReadOutput(items)) return true;
  return template !== null && mappingReadsOutput(template);
}

function* anyReadsOutput(choices: readonly { readonly condition: string | null }[]): Cooperative<boolean> {
  for (const { condition } of choices) {
    if (condition === null) continue;
    if (references(compileExpression(condition)).some(isOutput)) return true;
    yield;
  }
  return false;
}

function mappingReadsOutput(mapping: Json): boolean {
  return referencesOf(compileTemplate(mapping)).some(isOutput);
}

function itemsReadOutput(items: Json): boolean {
  return typeof items === 'string' ? references(compileExpression(items)).some(isOutput) : mappingReadsOutput(items);
}

/** Bare names are looked up in the output before the state. */
function isOutput(reference: Reference): boolean {
  return reference.root === 'output' || reference.root === 'bare';
}
