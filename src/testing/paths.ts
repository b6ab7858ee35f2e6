import type { Status } from '../../machines/run.ts';
import type { Explored, Transition } from './explore.ts';
import { isUnhandledFailure, type Way, wayText } from './ways.ts';

/** A way through a workflow: what ended how. Rounds of a loop and the order of branches make no difference. */
export interface Path {
  /** The same for the same ways. */
  readonly key: string;
  readonly ways: readonly Way[];
  readonly status: Status;
}

export interface Paths {
  readonly paths: readonly Path[];
  /** A bound was reached: there are more. */
  readonly bounded: boolean;
}

/** Places looked at while paths are told apart, at most. */
const MAX_PLACES = 100_000;

export function pathKey(ways: Iterable<Way>): string {
  return [...new Set([...ways].map(({ index }) => index))].sort((a, b) => a - b).join(' ');
}

export function pathText({ ways, status }: Path): string {
  return `${ways.map(wayText).join(' → ')} → ${status}`;
}

interface Place {
  readonly situation: number;
  readonly taken: WaySet;
  readonly last: { readonly from: Place | null; readonly ways: readonly Way[] };
}

/** The different paths from a beginning to an end, those with few ways first. Without failures that nobody handles: any work has those. */
export function pathsOf({ situations, starts }: Explored, maxPaths: number): Paths {
  const sets = new WaySets();
  const seen = situations.map(() => new Set<WaySet>());
  let places = 0;
  const paths = new Map<string, Path>();
  const todo: Place[] = [];
  let bounded = false;
  const reach = (from: Place | null, { to, ways }: Transition): void => {
    if (ways.some(isUnhandledFailure)) return;
    const taken = ways.reduce((set, { index }) => sets.with(set, index), from?.taken ?? sets.empty);
    if (seen[to]?.has(taken) !== false) return;
    seen[to].add(taken);
    places += 1;
    const place: Place = { situation: to, taken, last: { from, ways } };
    const situation = situations[to];
    if (situation?.isOver !== true) todo.push(place);
    else if (!paths.has(taken.key)) paths.set(taken.key, { key: taken.key, ways: waysTo(place), status: situation.status });
  };
  for (const start of starts) reach(null, start);
  for (let i = 0; i < todo.length; i += 1) {
    const place = todo[i];
    if (place === undefined) break;
    if (paths.size >= maxPaths || places >= MAX_PLACES) {
      bounded = true;
      break;
    }
    for (const transition of situations[place.situation]?.transitions ?? []) reach(place, transition);
  }
  return { paths: [...paths.values()].slice(0, maxPaths), bounded };
}

/** Each way once, where it was taken first. */
function waysTo(place: Place): readonly Way[] {
  const steps: (readonly Way[])[] = [];
  for (let at: Place | null = place; at !== null; at = at.last.from) steps.unshift(at.last.ways);
  return [...new Set(steps.flat())];
}

/** Ways by their indices, in order. */
interface WaySet {
  readonly indices: readonly number[];
  readonly key: string;
  /** Those with one more that were asked for. */
  readonly grown: Map<number, WaySet>;
}

/** Equal sets are the same object: most places share theirs with many others, and to compare them must cost nothing. */
class WaySets {
  readonly empty: WaySet = { indices: [], key: '', grown: new Map() };
  readonly #known = new Map<string, WaySet>();

  with(set: WaySet, index: number): WaySet {
    const grown = set.grown.get(index) ?? this.#grow(set, index);
    set.grown.set(index, grown);
    return grown;
  }

  #grow(set: WaySet, index: number): WaySet {
    if (set.indices.includes(index)) return set;
    const indices = [...set.indices, index].sort((a, b) => a - b);
    const key = indices.join(' ');
    const grown = this.#known.get(key) ?? { indices, key, grown: new Map() };
    this.#known.set(key, grown);
    return grown;
  }
}
