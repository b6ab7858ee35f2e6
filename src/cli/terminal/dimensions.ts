import type { Output } from '../context.ts';

export interface Dimensions {
  readonly rows: number;
  readonly columns: number;
}

/** Dimensions of a terminal, 24 × 80 if it does not report them. */
export function dimensionsOf({ rows = 24, columns = 80 }: Pick<Output, 'rows' | 'columns'>): Dimensions {
  return { rows: Math.max(1, rows), columns: Math.max(1, columns) };
}

/** Columns of a terminal; null = not a terminal: lines may have any length. */
export function columnsOf(stream: Output): number | null {
  return stream.isTTY === true ? dimensionsOf(stream).columns : null;
}
