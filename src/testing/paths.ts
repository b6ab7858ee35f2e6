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
  readonly taken: ReadonlySet<number>;
  readonly last: { readonly from: Place | null; readonly ways: readonly Way[] };
}

/** The different paths from a beginning to an end, those with few ways first. Without failures that nobody handles: any work has those. */
export function pathsOf({ situations, starts }: Explored, maxPaths: number): Paths {
  const seen = new Set<string>();
  const paths = new Map<string, Path>();
  const todo: Place[] = [];
  let bounded = false;
  const reach = (from: Place | null, { to, ways }: Transition): void => {
    if (ways.some(isUnhandledFailure)) return;
    const taken = new Set(from?.taken);
    for (const { index } of ways) taken.add(index);
    const key = [...taken].sort((a, b) => a - b).join(' ');
    if (seen.has(`${to}:${key}`)) return;
    seen.add(`${to}:${key}`);
    const place: Place = { situation: to, taken, last: { from, ways } };
    const situation = situations[to];
    if (situation?.isOver !== true) todo.push(place);
    else if (!paths.has(key)) paths.set(key, { key, ways: waysTo(place), status: situation.status });
  };
  for (const start of starts) reach(null, start);
  for (let i = 0; i < todo.length; i += 1) {
    const place = todo[i];
    if (place === undefined) break;
    if (paths.size >= maxPaths || seen.size >= MAX_PLACES) {
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
