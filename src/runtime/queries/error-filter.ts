import { setImmediate } from 'node:timers/promises';
import type { ExecutionPage, ExecutionPageRequest, ExecutionSearch } from '../../../store/port/execution-search.ts';
import type { ExecutionRow } from '../../../store/port/executions.ts';
import { errorPattern } from './error-groups.ts';

/** Executions read at once; other work runs in between. */
const MAX_SLICE = 500;
/** Executions examined for one page, about a tenth of a second. */
const MAX_EXAMINED = 10_000;

/** Tells whether an error is `error` or in the group of that name, or differs from it in numbers, ids and quoted texts alone. */
export function errorMatcher(error: string): (given: string | null) => boolean {
  const patterns = new Set([error, errorPattern(error)]);
  return (given) => given !== null && patterns.has(errorPattern(given));
}

/**
 * A page of executions with an error. Errors have no index: the executions that match otherwise are read. The page ends early after 10,000 of
 * them, as pages with sparse matches do.
 */
export async function pageWithError(
  search: ExecutionSearch,
  { limit, ...request }: Omit<ExecutionPageRequest, 'offset'>,
  error: string,
): Promise<ExecutionPage> {
  const rows: ExecutionRow[] = [];
  let next: string | null = null;
  let examined = 0;
  for await (const slice of slicesWithError(search, request, { error, firstSlice: limit + 1 })) {
    examined += slice.examined;
    rows.push(...slice.matches);
    if (rows.length > limit) return { rows: rows.slice(0, limit), next: rows[limit - 1]?.id ?? null };
    next = slice.next;
    if (slice.isShort || examined >= MAX_EXAMINED) break;
  }
  return { rows, next };
}

/** Part of the executions that match otherwise, in order. */
export interface ErrorSlice {
  readonly matches: readonly ExecutionRow[];
  readonly examined: number;
  /** Where the next slice begins; null = this was the last. */
  readonly next: string | null;
  /** The slice took long. */
  readonly isShort: boolean;
}

/** All executions with an error, in slices, each of which is followed by other work. */
export async function* slicesWithError(
  search: ExecutionSearch,
  request: Omit<ExecutionPageRequest, 'limit' | 'offset'>,
  { error, firstSlice = MAX_SLICE }: { readonly error: string; readonly firstSlice?: number },
): AsyncGenerator<ErrorSlice> {
  const isWanted = errorMatcher(error);
  let { after } = request;
  for (let size = Math.min(firstSlice, MAX_SLICE); ; size = Math.min(2 * size, MAX_SLICE)) {
    const place = after === undefined ? { limit: size } : { limit: size, after };
    const { rows, next } = await search.executions(Object.assign({}, request, place));
    const matches = rows.filter((row) => isWanted(row.error));
    yield { matches, examined: rows.length, next, isShort: rows.length < size };
    if (next === null) return;
    after = next;
    await setImmediate();
  }
}
