import type { Paint } from './paint.ts';
import { pad, width } from './text.ts';

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
}

/** A table with two spaces between columns and no trailing blanks. Cells may be painted. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[], paint: Paint): string {
  const widths = columns.map((column, at) => Math.max(width(column.title), ...rows.map((row) => width(row[at] ?? ''))));
  const line = (cells: readonly string[]) =>
    columns
      .map((column, at) => {
        const cell = cells[at] ?? '';
        const columnWidth = widths[at] ?? 0;
        return column.align === 'right' ? ' '.repeat(Math.max(0, columnWidth - width(cell))) + cell : pad(cell, columnWidth);
      })
      .join('  ')
      .trimEnd();
  const titles = line(columns.map((column) => column.title));
  return [paint.dim(titles), ...rows.map(line)].join('\n');
}

/** Lines of `name  value`, with names dimmed and padded to the same width. */
export function fields(entries: readonly (readonly [string, string])[], paint: Paint, indent = ''): string {
  const widest = Math.max(0, ...entries.map(([name]) => width(name)));
  return entries.map(([name, value]) => `${indent}${paint.dim(pad(name, widest))}  ${value}`.trimEnd()).join('\n');
}
