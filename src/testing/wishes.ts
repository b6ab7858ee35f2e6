import type { Program } from '../../machines/compile.ts';
import type { Reference } from '../../machines/expression.ts';
import type { Json, JsonObject } from '../../machines/json.ts';
import { type Assignment, placed, referenceKey, solve } from './solve.ts';
import { type Source, sourcesOf } from './sources.ts';
import type { Way, Ways } from './ways.ts';

/** What to answer nodes, and to begin with, so that every condition comes out every way it can. */
export interface Wishes {
  /** Node → outputs worth giving it. */
  readonly outputs: ReadonlyMap<string, readonly Json[]>;
  readonly inputs: readonly Json[];
  readonly environments: readonly Readonly<Record<string, string>>[];
  /** Alternatives for which no values were found, or that read what no node gives. */
  readonly unsolved: ReadonlySet<Way>;
  /** What conditions of a node read of the state. */
  readonly reads: ReadonlyMap<string, readonly Reference[]>;
  /** Not every combination of values is tried. */
  readonly bounded: boolean;
}

/** Outputs tried for one node, and inputs for one workflow, at most. */
const MAX_OUTPUTS = 24;

/** Values at places of one output. */
type Tuple = ReadonlyMap<string, { readonly path: readonly string[]; readonly value: Json }>;

export function wishesOf({ statics }: Program, ways: Ways): Wishes {
  const tuples = new Map<string, Map<string, Tuple>[]>();
  const unsolved = new Set<Way>();
  const reads = new Map<string, readonly Reference[]>();
  for (const choice of choicesIn(ways)) {
    const [{ node } = { node: '' }] = choice;
    const { references, assignments } = solve(choice.map(({ when }) => (when === null ? null : statics.expression(when))));
    choice.forEach((way, i) => {
      if (assignments[i] === null) unsolved.add(way);
    });
    reads.set(node, [...(reads.get(node) ?? []), ...references]);
    const reader = statics.graph.indexOf(node) ?? 0;
    const sources = new Map(references.map((read) => [referenceKey(read), sourcesOf(statics.graph, reader, read)]));
    // Nothing that is played here gives what it reads, so it may come out in ways that are not seen.
    if ([...sources.values()].some((found) => found.length === 0)) for (const way of choice) unsolved.add(way);
    const wished = new Map<string, Map<string, Tuple>>();
    for (const assignment of assignments) if (assignment !== null) share(assignment, sources, wished);
    for (const [giver, own] of wished) tuples.set(giver, [...(tuples.get(giver) ?? []), own]);
  }
  let bounded = false;
  const made = (giver: string): readonly Json[] => {
    const choices = (tuples.get(giver) ?? []).map((own) => [...own.values()]);
    const every = product(choices);
    if (every.complete) return every.tuples.map(outputOf);
    bounded = true;
    return every.tuples.slice(0, MAX_OUTPUTS).map(outputOf);
  };
  const outputs = new Map(
    [...tuples.keys()].filter((giver) => giver.startsWith('node ')).map((giver) => [giver.slice(5), made(giver)]),
  );
  return {
    outputs,
    inputs: made('input'),
    environments: made('env').map(textsOf),
    unsolved,
    reads,
    bounded,
  };
}

/** Ways that are alternatives of each other, with a condition among them. */
function choicesIn({ all }: Ways): readonly (readonly Way[])[] {
  const choices = new Map<string, Way[]>();
  for (const way of all) {
    const key = `${way.ending} ${way.node}`;
    choices.set(key, [...(choices.get(key) ?? []), way]);
  }
  return [...choices.values()].filter((choice) => choice.some(({ when }) => when !== null));
}

/** Deals the values of one assignment out to those who are to give them. */
function share(
  assignment: Assignment,
  sources: ReadonlyMap<string, readonly Source[]>,
  wished: Map<string, Map<string, Tuple>>,
): void {
  const dealt = new Map<string, Map<string, { path: readonly string[]; value: Json }>>();
  for (const [key, value] of assignment) {
    for (const source of sources.get(key) ?? []) {
      const giver = source.of === 'node' ? `node ${source.node}` : source.of;
      const tuple = dealt.get(giver) ?? new Map<string, { path: readonly string[]; value: Json }>();
      tuple.set(JSON.stringify(source.path), { path: source.path, value });
      dealt.set(giver, tuple);
    }
  }
  for (const [giver, tuple] of dealt) {
    const own = wished.get(giver) ?? new Map<string, Tuple>();
    own.set(JSON.stringify([...tuple.values()]), tuple);
    wished.set(giver, own);
  }
}

/** One tuple of each choice, in every combination; above the bound every tuple at least once. */
function product(choices: readonly (readonly Tuple[])[]): { readonly tuples: readonly Tuple[]; readonly complete: boolean } {
  const size = choices.reduce((total, choice) => total * choice.length, 1);
  if (size <= MAX_OUTPUTS) {
    const every = choices.reduce<Tuple[]>(
      (made, choice) => made.flatMap((tuple) => choice.map((more) => new Map([...tuple, ...more]))),
      [new Map()],
    );
    return { tuples: every, complete: true };
  }
  const longest = Math.max(...choices.map((choice) => choice.length));
  const some = Array.from({ length: longest }, (_, i) => {
    return new Map(choices.flatMap((choice) => [...(choice[i % choice.length] ?? new Map())]));
  });
  const rest = choices.flatMap((choice, k) =>
    choice.slice(1).map((own) => new Map(choices.flatMap((other, i) => [...(i === k ? own : (other[0] ?? new Map()))]))),
  );
  return { tuples: [...some, ...rest], complete: false };
}

function outputOf(tuple: Tuple): Json {
  return [...tuple.values()].reduce<Json>((made, { path, value }) => placed(made, path, value), {});
}

function textsOf(values: Json): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(values as JsonObject).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
  );
}
