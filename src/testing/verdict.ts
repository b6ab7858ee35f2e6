import { canonicalJson, isObject, type Json } from '../../machines/json.ts';
import type { AuthoredTest } from '../authoring/tests.ts';
import type { Played } from './play.ts';

/** One way in which a run was not what its test expects. */
export interface Mismatch {
  /** `status`, `visited`, `state.refund.amount` … */
  readonly what: string;
  readonly expected: Json;
  /** Absent = there is nothing. */
  readonly actual?: Json;
}

/** A long state differs in many places: nobody reads them all. */
const MAX_MISMATCHES = 20;

export function mismatches({ expect }: AuthoredTest, played: Played): readonly Mismatch[] {
  const found: Mismatch[] = [];
  if (played.status !== expect.status) found.push({ what: 'status', expected: expect.status, actual: played.status });
  const errors = errorsOf(played);
  const wanted = expect.error;
  if (wanted !== null && !errors.some((error) => error.includes(wanted)))
    found.push({ what: 'error', expected: wanted, ...(errors.length === 0 ? {} : { actual: errors.join('; ') }) });
  if (expect.visited !== null && canonicalJson(expect.visited) !== canonicalJson(played.visited))
    found.push({ what: 'visited', expected: expect.visited, actual: played.visited });
  const missing = expect.visitedIncludes.filter((node) => !played.visited.includes(node));
  if (missing.length > 0) found.push({ what: 'visited_includes', expected: missing, actual: played.visited });
  const unwanted = expect.notVisited.filter((node) => played.visited.includes(node));
  if (unwanted.length > 0) found.push({ what: 'not_visited', expected: unwanted, actual: played.visited });
  if (expect.state !== null) compare('state', expect.state, played.state, found);
  return found.slice(0, MAX_MISMATCHES);
}

/** What ended the run, and what its nodes failed with. */
function errorsOf({ error, timeline }: Played): readonly string[] {
  const failures = timeline.flatMap(({ what, value }) => (what === 'failed' && typeof value === 'string' ? [value] : []));
  return error === null ? failures : [error, ...failures];
}

/** Every key that is expected must be there, with its value; null = must be missing or null. Lists must be equal. */
function compare(what: string, expected: Json, actual: Json | undefined, found: Mismatch[]): void {
  if (isObject(expected) && isObject(actual)) {
    for (const [key, value] of Object.entries(expected)) {
      compare(`${what}.${key}`, value, Object.hasOwn(actual, key) ? actual[key] : undefined, found);
    }
    return;
  }
  if (canonicalJson(expected) === canonicalJson(actual ?? null)) return;
  found.push({ what, expected, ...(actual === undefined ? {} : { actual }) });
}
