import { type Expression, isTrue, type Reference, references } from '../../../machines/expression/index.ts';
import { childrenOf, type SyntaxTree } from '../../../machines/expression/syntax-tree.ts';
import { isObject, type Json } from '../../../machines/json.ts';

/** Values of references by `referenceKey`. */
export type Assignment = ReadonlyMap<string, Json>;

/** Solved assignments of a choice among alternatives, whose conditions (null = always) are tried in order. */
export interface Solution {
  readonly references: readonly Reference[];
  /** Per alternative: values that select it; null if none were found. */
  readonly assignments: readonly (Assignment | null)[];
}

/** Maximum number of combinations tried for a choice. */
const MAX_TRIALS = 4_096;
const MAX_LENGTH = 64;

export function referenceKey({ root, path }: Pick<Reference, 'root' | 'path'>): string {
  return JSON.stringify([root, ...path]);
}

/**
 * Finds values that select each alternative of a choice. This is a search and not a solver: it tries combinations of the literals of the
 * conditions, their neighbours, and one value of each type. It solves comparisons, `in`, truthiness, `len(…)` and combinations of them. A
 * condition without a result may still be satisfiable.
 */
export function solve(alternatives: readonly (Expression | null)[]): Solution {
  const expressions = alternatives.flatMap((expression) => expression ?? []);
  const found = new Map(expressions.flatMap(references).map((reference) => [referenceKey(reference), reference]));
  const all = [...found.values()].filter(({ root, path }) => !root.includes('.') && (path.length > 0 || root === 'output'));
  // A value that contains another one is created together with it.
  const leaves = all.filter((one) => !all.some((other) => other !== one && isPrefix(one, other)));
  const size = Math.max(2, Math.floor(MAX_TRIALS ** (1 / Math.max(1, leaves.length))));
  const pools = leaves.map((leaf) => candidateValues(leaf, expressions).slice(0, size));
  const assignments: (Assignment | null)[] = alternatives.map(() => null);
  let missing = alternatives.length;
  for (const values of combinations(pools, MAX_TRIALS)) {
    const scope = scopeOf(leaves, values);
    const taken = alternatives.findIndex((expression) => expression === null || isTrue(expression, scope));
    if (taken === -1 || assignments[taken] !== null) continue;
    assignments[taken] = new Map(leaves.map((leaf, i) => [referenceKey(leaf), values[i] ?? null]));
    missing -= 1;
    if (missing === 0) break;
  }
  return { references: leaves, assignments };
}

function isPrefix(one: Reference, other: Reference): boolean {
  return one.root === other.root && one.path.length < other.path.length && one.path.every((key, i) => key === other.path[i]);
}

/** Candidate values of a reference from the expressions that read it, the most likely first. */
function candidateValues(leaf: Reference, expressions: readonly Expression[]): Json[] {
  const key = referenceKey(leaf);
  const readers = expressions.filter((expression) => references(expression).some((read) => referenceKey(read) === key));
  const literals = readers.flatMap(({ tree }) => (tree === null ? [] : literalsIn(tree)));
  const numbers = literals.filter((value) => typeof value === 'number');
  const near = numbers.flatMap((value) => [value, value + 1, value - 1]);
  const lengths = numbers.flatMap((value) => [value, value + 1]).filter((n) => Number.isInteger(n) && n >= 0 && n <= MAX_LENGTH);
  const calls = readers.some(({ tree }) => tree !== null && callsIn(tree));
  const shaped = calls ? lengths.flatMap((n) => [Array.from({ length: n }, () => 'x'), 'x'.repeat(n)]) : [];
  const others = literals.filter((value) => typeof value !== 'number');
  const lists = others.map((value) => [value]);
  const pool: Json[] = [...others, ...near, true, null, ...shaped, false, 'x', 1, 0, '', ...lists, ['x'], []];
  const seen = new Set<string>();
  return pool.filter((value) => {
    const text = JSON.stringify(value);
    if (seen.has(text)) return false;
    seen.add(text);
    return true;
  });
}

/** Literals that values are compared with, without keys of member expressions. */
function literalsIn(tree: SyntaxTree): Json[] {
  if (tree.type === 'literal') return [tree.value];
  if (tree.type === 'member') return literalsIn(tree.of);
  if (tree.type === 'negate' && tree.of.type === 'literal' && typeof tree.of.value === 'number') return [-tree.of.value];
  return childrenOf(tree).flatMap(literalsIn);
}

function callsIn(tree: SyntaxTree): boolean {
  return tree.type === 'call' || tree.type === 'method' || tree.type === 'filter' || childrenOf(tree).some(callsIn);
}

function* combinations(pools: readonly (readonly Json[])[], limit: number): Generator<readonly Json[]> {
  const total = pools.reduce((product, pool) => product * pool.length, 1);
  for (let n = 0; n < Math.min(total, limit); n += 1) {
    let rest = n;
    yield pools.map((pool) => {
      const value = pool[rest % pool.length] ?? null;
      rest = Math.floor(rest / pool.length);
      return value;
    });
  }
}

function scopeOf(leaves: readonly Reference[], values: readonly Json[]): Parameters<typeof isTrue>[1] {
  const scope = { state: {} as Json, output: {} as Json, input: {} as Json, env: {} as Record<string, string> };
  leaves.forEach(({ root, path }, i) => {
    const value = values[i] ?? null;
    if (root === 'env') scope.env[path[0] ?? ''] = typeof value === 'string' ? value : JSON.stringify(value);
    else if (root === 'output' || root === 'input') scope[root] = setAtPath(scope[root], path, value);
    else scope.state = setAtPath(scope.state, path, value);
  });
  return scope;
}

/** A copy of `target` with a value at a path; integer keys create arrays. */
export function setAtPath(target: Json, path: readonly string[], value: Json): Json {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (/^\d{1,2}$/.test(key)) {
    const list = Array.isArray(target) ? [...target] : [];
    while (list.length <= Number(key)) list.push(null);
    list[Number(key)] = setAtPath(list[Number(key)] ?? null, rest, value);
    return list;
  }
  const base = isObject(target) ? target : {};
  return { ...base, [key]: setAtPath(Object.hasOwn(base, key) ? (base[key] ?? null) : null, rest, value) };
}
