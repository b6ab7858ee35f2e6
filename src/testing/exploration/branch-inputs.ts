import { compileExpression, type Reference, references } from '../../../machines/expression/index.ts';
import type { Json, JsonObject } from '../../../machines/json.ts';
import { definitionOf, type Kind } from '../../../machines/nodes/index.ts';
import type { Program } from '../../../machines/step/program.ts';
import type { Branch, Branches } from '../simulation/branches.ts';
import { type Assignment, referenceKey, setAtPath, solve } from './solve.ts';
import { sourcesOf, type ValueSource } from './value-sources.ts';

/** Node outputs, inputs and environments that together take every branch of every condition, as far as they were found. */
export interface BranchInputs {
  /** Outputs to try, by node. */
  readonly outputs: ReadonlyMap<string, readonly Json[]>;
  readonly inputs: readonly Json[];
  readonly environments: readonly Readonly<Record<string, string>>[];
  /** Branches for which no values were found, or whose condition reads a value without a known source. */
  readonly unsolved: ReadonlySet<Branch>;
  /** References in the conditions of a node. */
  readonly reads: ReadonlyMap<string, readonly Reference[]>;
  /** Some combinations of values were left out. */
  readonly bounded: boolean;
}

/** Maximum number of outputs of a node and of inputs of a workflow. */
const MAX_OUTPUTS = 24;

/** Values at paths of one output. */
type ValueSet = ReadonlyMap<string, { readonly path: readonly string[]; readonly value: Json }>;

export function branchInputsOf({ tables }: Program, branches: Branches): BranchInputs {
  const valueSets = new Map<string, Map<string, ValueSet>[]>();
  const unsolved = new Set<Branch>();
  const reads = new Map<string, readonly Reference[]>();
  for (const choice of choicesIn(branches)) {
    const [{ node } = { node: '' }] = choice;
    const { references, assignments } = solve(choice.map(({ when }) => (when === null ? null : tables.expression(when))));
    choice.forEach((branch, i) => {
      if (assignments[i] === null) unsolved.add(branch);
    });
    reads.set(node, [...(reads.get(node) ?? []), ...references]);
    const reader = tables.graph.indexOf(node) ?? 0;
    const sources = new Map(references.map((read) => [referenceKey(read), sourcesOf(tables.graph, reader, read)]));
    // No simulated node provides the value, so other branches than the explored ones are possible.
    if ([...sources.values()].some((found) => found.length === 0)) for (const branch of choice) unsolved.add(branch);
    const valuesBySource = new Map<string, Map<string, ValueSet>>();
    for (const assignment of assignments) if (assignment !== null) distribute(assignment, sources, valuesBySource);
    for (const [sourceKey, own] of valuesBySource) valueSets.set(sourceKey, [...(valueSets.get(sourceKey) ?? []), own]);
  }
  for (const index of tables.graph.reachable) {
    const read = listReadBy(tables.graph.node(index).kind);
    if (read === null) continue;
    const sources = new Map([[referenceKey(read), sourcesOf(tables.graph, index, read)]]);
    const valuesBySource = new Map<string, Map<string, ValueSet>>();
    for (const list of LISTS) distribute(new Map([[referenceKey(read), list]]), sources, valuesBySource);
    for (const [sourceKey, own] of valuesBySource) valueSets.set(sourceKey, [...(valueSets.get(sourceKey) ?? []), own]);
  }
  let bounded = false;
  const combinationsFor = (sourceKey: string): readonly Json[] => {
    const choices = (valueSets.get(sourceKey) ?? []).map((own) => [...own.values()]);
    const every = product(choices);
    if (every.complete) return every.tuples.map(outputOf);
    bounded = true;
    return every.tuples.slice(0, MAX_OUTPUTS).map(outputOf);
  };
  const outputs = new Map(
    [...valueSets.keys()]
      .filter((sourceKey) => sourceKey.startsWith('node '))
      .map((sourceKey): [string, readonly Json[]] => {
        const node = sourceKey.slice(5);
        const { kind } = tables.nodeOf(node);
        return [node, [...combinationsFor(sourceKey), ...definitionOf(kind).exploredOutputs(kind)]];
      }),
  );
  return {
    outputs,
    inputs: combinationsFor('input'),
    environments: combinationsFor('env').map(asStrings),
    unsolved,
    reads,
    bounded,
  };
}

/** Lists that a node works on: none, one, and several items. */
const LISTS: readonly Json[] = [[], [{}], [{}, {}]];

/** The value whose items the node works on; null = it works on none, or its list is computed from several values. */
function listReadBy(kind: Kind): Reference | null {
  const { items } = definitionOf(kind).itemWork(kind) ?? {};
  const reads = typeof items === 'string' ? references(compileExpression(items)) : [];
  return reads.length === 1 ? (reads[0] ?? null) : null;
}

/** Groups of alternative branches with at least one condition. */
function choicesIn({ all }: Branches): readonly (readonly Branch[])[] {
  const choices = new Map<string, Branch[]>();
  for (const branch of all) {
    const key = `${branch.outcome} ${branch.node}`;
    choices.set(key, [...(choices.get(key) ?? []), branch]);
  }
  return [...choices.values()].filter((choice) => choice.some(({ when }) => when !== null));
}

/** Distributes the values of an assignment to their sources. */
function distribute(
  assignment: Assignment,
  sources: ReadonlyMap<string, readonly ValueSource[]>,
  valuesBySource: Map<string, Map<string, ValueSet>>,
): void {
  const distributed = new Map<string, Map<string, { path: readonly string[]; value: Json }>>();
  for (const [key, value] of assignment) {
    for (const source of sources.get(key) ?? []) {
      const sourceKey = source.of === 'node' ? `node ${source.node}` : source.of;
      const tuple = distributed.get(sourceKey) ?? new Map<string, { path: readonly string[]; value: Json }>();
      tuple.set(JSON.stringify(source.path), { path: source.path, value });
      distributed.set(sourceKey, tuple);
    }
  }
  for (const [sourceKey, tuple] of distributed) {
    const own = valuesBySource.get(sourceKey) ?? new Map<string, ValueSet>();
    own.set(JSON.stringify([...tuple.values()]), tuple);
    valuesBySource.set(sourceKey, own);
  }
}

/** Combines one value set of each choice; above the limit, each value set occurs at least once. */
function product(choices: readonly (readonly ValueSet[])[]): {
  readonly tuples: readonly ValueSet[];
  readonly complete: boolean;
} {
  const size = choices.reduce((total, choice) => total * choice.length, 1);
  if (size <= MAX_OUTPUTS) {
    const every = choices.reduce<ValueSet[]>(
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

function outputOf(tuple: ValueSet): Json {
  return [...tuple.values()].reduce<Json>((made, { path, value }) => setAtPath(made, path, value), {});
}

function asStrings(values: Json): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(values as JsonObject).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
  );
}
