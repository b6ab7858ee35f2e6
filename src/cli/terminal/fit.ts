import { cutPainted, width } from './text.ts';

/** A column whose cells may be cut, to at least `min` columns of the terminal; below that it is left empty if `optional`. */
export interface Shrinkable {
  readonly at: number;
  readonly min: number;
  readonly optional?: boolean;
}

/** The rows of a table whose lines should have at most `columns`: the cells of these columns are cut, in this order, as far as needed. */
export function fitRows(
  titles: readonly string[],
  rows: readonly (readonly string[])[],
  columns: number,
  shrinkable: readonly Shrinkable[],
): readonly (readonly string[])[] {
  const widths = titles.map((title, at) => Math.max(width(title), ...rows.map((row) => width(row[at] ?? ''))));
  let excess = widths.reduce((sum, each) => sum + each + 2, -2) - columns;
  let fitted = rows;
  for (const { at, min, optional = false } of shrinkable) {
    if (excess <= 0) break;
    const before = widths[at] ?? 0;
    const wanted = before - excess;
    const after = wanted >= min ? wanted : optional ? 0 : Math.min(before, Math.max(min, width(titles[at] ?? '')));
    fitted = fitted.map((row) =>
      row.map((cell, i) => (i !== at || width(cell) <= after ? cell : after === 0 ? '' : cutPainted(cell, after))),
    );
    excess -= before - after;
  }
  return fitted;
}
