import { type ExecutionSearch, totalOf } from '../../../store/port/execution-search.ts';
import type { ExecutionCounts, ExecutionFilter } from '../types/executions.ts';
import { slicesWithError } from './error-filter.ts';
import { storedFilter } from './list-filter.ts';

/** Executions whose errors are compared: as many as are grouped by their errors. */
const MAX_COMPARED = 10_000;

export async function countExecutions(search: ExecutionSearch, filter: ExecutionFilter): Promise<ExecutionCounts> {
  if (filter.error !== undefined) return countWithError(search, filter, filter.error);
  const byStatus = await search.countByStatus(storedFilter(filter));
  const total = totalOf(byStatus);
  return { byStatus, total, examined: total, more: false };
}

async function countWithError(search: ExecutionSearch, filter: ExecutionFilter, error: string): Promise<ExecutionCounts> {
  const byStatus = new Map<string, number>();
  let examined = 0;
  let more = false;
  for await (const slice of slicesWithError(search, storedFilter(filter), { error })) {
    for (const { status } of slice.matches) byStatus.set(status, (byStatus.get(status) ?? 0) + 1);
    examined += slice.examined;
    more = slice.next !== null;
    if (examined >= MAX_COMPARED) break;
  }
  return { byStatus, total: totalOf(byStatus), examined, more };
}
