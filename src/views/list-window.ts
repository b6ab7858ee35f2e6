interface Identified {
  readonly id: string;
}

/** Consecutive rows of a long list, ordered by descending id. */
export interface ListWindow<Row extends Identified> {
  /** Rank of the first row in the whole list. */
  readonly start: number;
  readonly rows: readonly Row[];
}

/** The window with rows that follow its last one, without its first ones if there are too many. Rows that it has already are left out. */
export function appended<Row extends Identified>(
  { start, rows }: ListWindow<Row>,
  next: readonly Row[],
  maxRows: number,
): ListWindow<Row> {
  const last = rows.at(-1)?.id;
  const all = [...rows, ...next.filter(({ id }) => last === undefined || id < last)];
  const tooMany = Math.max(0, all.length - maxRows);
  return { start: start + tooMany, rows: all.slice(tooMany) };
}

/** The window `next`, with the rows of `before` behind them if it contains the first of these, at most `maxRows`. */
export function joined<Row extends Identified>(before: ListWindow<Row>, next: ListWindow<Row>, maxRows: number): ListWindow<Row> {
  const first = before.rows[0];
  const at = first === undefined ? -1 : next.rows.findIndex(({ id }) => id === first.id);
  if (at < 0) return next;
  return { start: next.start, rows: [...next.rows.slice(0, at), ...before.rows].slice(0, maxRows) };
}

/**
 * By how many rows the list moves when `next` replaces `before`: the change of rank of the first row, from the rank `visible` on, that is in both.
 * 0 if there is none.
 */
export function shiftOf<Row extends Identified>(before: ListWindow<Row>, next: ListWindow<Row>, visible: number): number {
  const ranks = new Map(next.rows.map(({ id }, index) => [id, next.start + index]));
  for (let index = Math.max(0, visible - before.start); index < before.rows.length; index++) {
    const rank = ranks.get(before.rows[index]?.id ?? '');
    if (rank !== undefined) return rank - (before.start + index);
  }
  return 0;
}

export function rowAt<Row extends Identified>({ start, rows }: ListWindow<Row>, rank: number): Row | null {
  return rows[rank - start] ?? null;
}
