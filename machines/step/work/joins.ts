import type { Json, JsonObject } from '../../json.ts';
import { own, type PendingInput } from '../context/context.ts';
import type { StepContext } from '../context/step-context.ts';

/** What a join merges. */
export interface JoinInput {
  /** In the order of the join's sources; null for those whose edge is dead. */
  readonly outputs: readonly Json[];
  readonly by_source: JsonObject;
  /** The live source that completed first. */
  readonly winner: PendingInput | null;
}

/** The outputs that have reached a join. */
export function joinInput(step: StepContext, node: string): JoinInput {
  const { graph } = step.tables;
  const index = step.indexOf(node);
  const subgraph = Object.keys(step.now.subgraphs)
    .map((key) => step.subgraph(key))
    .find((candidate) => candidate.has(index));
  const live = subgraph?.liveSources(index) ?? null;
  const inputs = (own(step.now.pendingInputs, node) ?? []).filter(([source]) => live?.has(source) ?? true);
  const outputOf = (source: number): Json => inputs.find(([from]) => from === graph.idOf(source))?.[1] ?? null;
  const sources = graph.sources(index);
  return {
    outputs: sources.map(outputOf),
    by_source: Object.fromEntries(sources.map((source) => [graph.idOf(source), outputOf(source)])),
    winner: inputs[0] ?? null,
  };
}
