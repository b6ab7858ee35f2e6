import type { ExecutionConditions, ExecutionCounts } from '../../../../src/client/index.ts';

/** The number of executions with these statuses; absent = all. */
export function sumOf({ counts, total }: ExecutionCounts, statuses: ExecutionConditions['status']): number {
  if (statuses === undefined) return total;
  const wanted = new Set((Array.isArray(statuses) ? statuses : [statuses]).flatMap((each) => each.split(',')));
  return Object.entries(counts).reduce((sum, [status, count]) => sum + (wanted.has(status) ? count : 0), 0);
}

/** The conditions under which all statuses are counted. */
export function withoutStatus({ status: _status, ...others }: ExecutionConditions): ExecutionConditions {
  return others;
}
