import type { Status } from '../../../machines/run.ts';
import { type Branch, branchText, isUnhandledFailure } from '../simulation/branches.ts';
import type { Explored, Transition } from './explore.ts';

/**
 * A path through a workflow as a set of branches. Iterations of a loop, the order of parallel branches and what an agent does by itself make no
 * difference.
 */
export interface Path {
  /** Equal for equal sets of branches. */
  readonly key: string;
  readonly branches: readonly Branch[];
  readonly status: Status;
}

export interface Paths {
  readonly paths: readonly Path[];
  /** A limit was reached: there are more paths. */
  readonly bounded: boolean;
}

/** Maximum number of visited combinations of state and taken branches. */
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
  readonly last: { readonly from: PathNode | null; readonly branches: readonly Branch[] };
}

/** The distinct paths from a start to an end, in order of length, without unhandled failures, which every work node has. */
export function pathsOf({ stateNodes, starts }: Explored, maxPaths: number): Paths {
  const sets = new BranchSets();
  const seen = stateNodes.map(() => new Set<BranchSet>());
  let visited = 0;
  const paths = new Map<string, Path>();
  const pending: PathNode[] = [];
  let bounded = false;
  const visit = (from: PathNode | null, { to, branches }: Transition): void => {
    if (branches.some(isUnhandledFailure)) return;
    const written = branches.filter(({ isInner }) => !isInner);
    const taken = written.reduce((set, { index }) => sets.with(set, index), from?.taken ?? sets.empty);
    if (seen[to]?.has(taken) !== false) return;
    seen[to].add(taken);
    visited += 1;
    const pathNode: PathNode = { node: to, taken, last: { from, branches: written } };
    const stateNode = stateNodes[to];
    if (stateNode?.hasEnded !== true) pending.push(pathNode);
    else if (!paths.has(taken.key))
      paths.set(taken.key, { key: taken.key, branches: branchesTo(pathNode), status: stateNode.status });
  };
  for (const start of starts) visit(null, start);
  for (let i = 0; i < pending.length; i += 1) {
    const pathNode = pending[i];
    if (pathNode === undefined) break;
    if (paths.size >= maxPaths || visited >= MAX_PATH_NODES) {
      bounded = true;
      break;
    }
    for (const transition of stateNodes[pathNode.node]?.transitions ?? []) visit(pathNode, transition);
  }
  return { paths: [...paths.values()].slice(0, maxPaths), bounded };
}

/** The branches in the order in which they were first taken. */
function branchesTo(pathNode: PathNode): readonly Branch[] {
  const steps: (readonly Branch[])[] = [];
  for (let at: PathNode | null = pathNode; at !== null; at = at.last.from) steps.unshift(at.last.branches);
  return [...new Set(steps.flat())];
}

/** A set of branches by sorted index. */
interface BranchSet {
  readonly indices: readonly number[];
  readonly key: string;
  /** Cached sets with one more branch. */
  readonly grown: Map<number, BranchSet>;
}

/** Interns sets, so that they are compared by identity: most path nodes share their set with many others. */
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
