import type { ExecutionFilter as StoredFilter } from '../../../store/port/execution-search.ts';
import { firstExecutionIdAt } from '../ids.ts';
import type { ExecutionFilter } from '../types/executions.ts';

/** The filter in the form of the store, which compares ids instead of times. */
export function storedFilter({ createdFromMs, createdBeforeMs, ...rest }: ExecutionFilter): StoredFilter {
  return {
    ...rest,
    ...(createdFromMs === undefined ? {} : { from: firstExecutionIdAt(createdFromMs) }),
    ...(createdBeforeMs === undefined ? {} : { before: firstExecutionIdAt(createdBeforeMs) }),
  };
}
