import type { ExecutionCounts } from '../../client/index.ts';
import type { Paint } from '../terminal/paint.ts';
import { paintStatus } from '../terminal/status.ts';
import { table } from '../terminal/table.ts';

/** A table of the statuses that executions have, with how many have each. */
export function statusCountsText({ counts, total }: ExecutionCounts, paint: Paint): string {
  const rows = Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([status, count]) => [String(count), paintStatus(status, paint)]);
  return table([{ title: 'COUNT', align: 'right' }, { title: 'STATUS' }], [...rows, [String(total), 'in all']], paint);
}
