import type { ErrorGroups } from '../../client/index.ts';
import { shortId } from '../../views/short-id.ts';
import { ago } from '../../views/time.ts';
import type { Paint } from '../terminal/paint.ts';
import { table } from '../terminal/table.ts';
import { cut, plain } from '../terminal/text.ts';

/** Columns of a line beside the error. */
const OTHER_COLUMNS = 34;
const MIN_ERROR_COLUMNS = 24;
const MAX_ERROR_COLUMNS = 160;

/** A table of errors with how often each occurred, and an execution to look at. */
export function errorGroupsText(
  { groups }: ErrorGroups,
  { paint, nowMs, columns }: { readonly paint: Paint; readonly nowMs: number; readonly columns: number | null },
): string {
  const errorColumns = columns === null ? MAX_ERROR_COLUMNS : Math.max(MIN_ERROR_COLUMNS, columns - OTHER_COLUMNS);
  const titles = [
    { title: 'COUNT', align: 'right' },
    { title: 'NEWEST', align: 'right' },
    { title: 'EXAMPLE' },
    { title: 'ERROR' },
  ] as const;
  const rows = groups.map((group) => [
    String(group.count),
    ago(Date.parse(group.newest_at), nowMs),
    columns === null ? group.example_execution_id : shortId(group.example_execution_id),
    paint.red(cut(plain(group.error), errorColumns)),
  ]);
  return table(titles, rows, paint);
}
