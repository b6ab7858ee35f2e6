import type { Json, JsonObject } from '../json.ts';
import type { Fed } from './context.ts';
import { own } from './context.ts';
import type { Draft } from './draft.ts';

export interface Merged {
  /** In the order of the join's sources; null for those whose edge is dead. */
  readonly outputs: readonly Json[];
  readonly by_source: JsonObject;
  /** The live source that completed first. */
  readonly winner: Fed | null;
}

/** What has come to a join. */
export function joinInput(draft: Draft, node: string): Merged {
  const { graph } = draft.statics;
  const index = draft.indexOf(node);
  const section = Object.keys(draft.now.sections)
    .map((key) => draft.section(key))
    .find((candidate) => candidate.has(index));
  const live = section?.liveSources(index) ?? null;
  const fed = (own(draft.now.fed, node) ?? []).filter(([source]) => live?.has(source) ?? true);
  const outputOf = (source: number): Json => fed.find(([from]) => from === graph.idOf(source))?.[1] ?? null;
  const sources = graph.sources(index);
  return {
    outputs: sources.map(outputOf),
    by_source: Object.fromEntries(sources.map((source) => [graph.idOf(source), outputOf(source)])),
    winner: fed[0] ?? null,
  };
}
