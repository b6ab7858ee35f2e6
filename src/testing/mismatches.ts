import { canonicalJson, isObject, type Json } from '../../machines/json.ts';
import type { AuthoredTest } from '../authoring/tests.ts';
import type { PlayResult } from './simulation/play.ts';

/** A difference between a run and the expectation of its test. */
export interface TestMismatch {
  /** `status`, `visited`, `state.refund.amount` … */
  readonly what: string;
  readonly expected: Json;
  /** Absent = no value. */
  readonly actual?: Json;
}

/** Maximum number of reported differences. */
const MAX_MISMATCHES = 20;

export function mismatches({ expect }: AuthoredTest, result: PlayResult): readonly TestMismatch[] {
  const found: TestMismatch[] = [];
  if (result.status !== expect.status) found.push({ what: 'status', expected: expect.status, actual: result.status });
  const errors = errorsOf(result);
  const wanted = expect.error;
  if (wanted !== null && !errors.some((error) => error.includes(wanted)))
    found.push({ what: 'error', expected: wanted, ...(errors.length === 0 ? {} : { actual: errors.join('; ') }) });
  if (expect.visited !== null && canonicalJson(expect.visited) !== canonicalJson(result.visited))
    found.push({ what: 'visited', expected: expect.visited, actual: result.visited });
  const missing = expect.visitedIncludes.filter((node) => !result.visited.includes(node));
  if (missing.length > 0) found.push({ what: 'visited_includes', expected: missing, actual: result.visited });
  const unwanted = expect.notVisited.filter((node) => result.visited.includes(node));
  if (unwanted.length > 0) found.push({ what: 'not_visited', expected: unwanted, actual: result.visited });
  if (expect.state !== null) compare('state', expect.state, result.state, found);
  return found.slice(0, MAX_MISMATCHES);
}

/** The error of the run and of its failed nodes. */
function errorsOf({ error, timeline }: PlayResult): readonly string[] {
  const failures = timeline.flatMap(({ what, value }) => (what === 'failed' && typeof value === 'string' ? [value] : []));
  return error === null ? failures : [error, ...failures];
}

/** Every expected key must have its value; an expected null also matches a missing key. Lists must be equal. */
function compare(what: string, expected: Json, actual: Json | undefined, found: TestMismatch[]): void {
  if (isObject(expected) && isObject(actual)) {
    for (const [key, value] of Object.entries(expected)) {
      compare(`${what}.${key}`, value, Object.hasOwn(actual, key) ? actual[key] : undefined, found);
    }
    return;
  }
  if (canonicalJson(expected) === canonicalJson(actual ?? null)) return;
  found.push({ what, expected, ...(actual === undefined ? {} : { actual }) });
}
