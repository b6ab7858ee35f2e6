import type { ExecutionFilter as StoredFilter } from '../../../store/port/execution-search.ts';
import { firstExecutionIdAt } from '../ids.ts';
import type { ExecutionFilter } from '../types/executions.ts';

/** The filter in the form of the store, which compares ids instead of times, and does not compare errors (error-filter.ts). */
export function storedFilter({ createdFromMs, createdBeforeMs, error: _error, ...rest }: ExecutionFilter): StoredFilter {
  const from = createdFromMs === undefined ? {} : { from: firstExecutionIdAt(createdFromMs) };
  const before = createdBeforeMs === undefined ? {} : { before: firstExecutionIdAt(createdBeforeMs) };
  return Object.assign(rest, from, before);
}
