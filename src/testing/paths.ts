import type { Status } from '../../machines/run.ts';
import { type Branch, branchText, isUnhandledFailure } from './branches.ts';
import type { Explored, Transition } from './explore.ts';

/** A way through a workflow: what ended how. Rounds of a loop and the order of branches make no difference. */
export interface Path {
  /** The same for the same ways. */
  readonly key: string;
  readonly branches: readonly Branch[];
  readonly status: Status;
}

export interface Paths {
  readonly paths: readonly Path[];
  /** A bound was reached: there are more. */
  readonly bounded: boolean;
}

/** Places looked at while paths are told apart, at most. */
const MAX_PATH_NODES = 100_000;

export function pathKey(branches: Iterable<Branch>): string {
  return [...new Set([...branches].map(({ index }) => index))].sort((a, b) => a - b).join(' ');
}

export function pathText({ branches, status }: Path): string {
  return `${branches.map(branchText).join(' → ')} → ${status}`;
}

interface PathNode {
  readonly node: number;
  readonly taken: BranchSet;
  readonly last: { readonly from: PathNode | null; readonly ways: readonly Branch[] };
}

/** The different paths from a beginning to an end, those with few ways first. Without failures that nobody handles: any work has those. */
export function pathsOf({ nodes: situations, starts }: Explored, maxPaths: number): Paths {
  const sets = new BranchSets();
  const seen = situations.map(() => new Set<BranchSet>());
  let visited = 0;
  const paths = new Map<string, Path>();
  const pending: PathNode[] = [];
  let bounded = false;
  const visit = (from: PathNode | null, { to, branches }: Transition): void => {
    if (branches.some(isUnhandledFailure)) return;
    const taken = branches.reduce((set, { index }) => sets.with(set, index), from?.taken ?? sets.empty);
    if (seen[to]?.has(taken) !== false) return;
    seen[to].add(taken);
    visited += 1;
    const place: PathNode = { node: to, taken, last: { from, ways: branches } };
    const situation = situations[to];
    if (situation?.hasEnded !== true) pending.push(place);
    else if (!paths.has(taken.key))
      paths.set(taken.key, { key: taken.key, branches: branchesTo(place), status: situation.status });
  };
  for (const start of starts) visit(null, start);
  for (let i = 0; i < pending.length; i += 1) {
    const place = pending[i];
    if (place === undefined) break;
    if (paths.size >= maxPaths || visited >= MAX_PATH_NODES) {
      bounded = true;
      break;
    }
    for (const transition of situations[place.node]?.transitions ?? []) visit(place, transition);
  }
  return { paths: [...paths.values()].slice(0, maxPaths), bounded };
}

/** Each way once, where it was taken first. */
function branchesTo(place: PathNode): readonly Branch[] {
  const steps: (readonly Branch[])[] = [];
  for (let at: PathNode | null = place; at !== null; at = at.last.from) steps.unshift(at.last.ways);
  return [...new Set(steps.flat())];
}

/** Ways by their indices, in order. */
interface BranchSet {
  readonly indices: readonly number[];
  readonly key: string;
  /** Those with one more that were asked for. */
  readonly grown: Map<number, BranchSet>;
}

/** Equal sets are the same object: most places share theirs with many others, and to compare them must cost nothing. */
class BranchSets {
  readonly empty: BranchSet = { indices: [], key: '', grown: new Map() };
  readonly #known = new Map<string, BranchSet>();

  with(set: BranchSet, index: number): BranchSet {
    const grown = set.grown.get(index) ?? this.#grow(set, index);
    set.grown.set(index, grown);
    return grown;
  }

  #grow(set: BranchSet, index: number): BranchSet {
    if (set.indices.includes(index)) return set;
    const indices = [...set.indices, index].sort((a, b) => a - b);
    const key = indices.join(' ');
    const grown = this.#known.get(key) ?? { indices, key, grown: new Map() };
    this.#known.set(key, grown);
    return grown;
  }
}
