import { COMPARISONS, type Comparison, type FigureName } from './comparisons.ts';
import { type Figure, figuresOf, type Table } from './figures.ts';
import { fixed, table } from './table.ts';

/** Tables of the measured sections, by section. */
export type Results = ReadonlyMap<string, readonly Table[]>;

/** Formats the results, and at the end how they relate to what the machine allows and to the targets. */
export function report(results: Results): string {
  const parts: string[] = [];
  for (const tables of results.values()) for (const each of tables) parts.push(`\n${each.title}\n${text(each)}`);
  const rows = compared(results);
  if (rows.length > 0)
    parts.push(
      `\nCompared with what this machine allowed in this run, and with the targets\n${table(['', 'measured', 'with', 'result', 'target', ''], rows)}`,
    );
  return parts.join('\n');
}

function text({ columns, rows }: Table): string {
  return table(
    ['', ...columns.map(({ name }) => name)],
    rows.map(({ label, values }) => [label, ...columns.map(({ digits }, i) => fixed(values[i] ?? null, digits))]),
  );
}

/** Rows of the comparisons whose figures were all measured. */
function compared(results: Results): readonly (readonly string[])[] {
  const figures = new Map<string, Figure>();
  for (const [section, tables] of results)
    for (const figure of figuresOf(section, tables)) figures.set([section, figure.label, figure.name].join('\n'), figure);
  const find = (name: FigureName) => figures.get(name.join('\n'));
  return COMPARISONS.flatMap((comparison) => {
    const row = comparedRow(comparison, find);
    return row === null ? [] : [row];
  });
}

function comparedRow(
  { what, of, to, beyond, target }: Comparison,
  find: (name: FigureName) => Figure | undefined,
): readonly string[] | null {
  const measured = find(of);
  if (measured === undefined) return null;
  const line = (wanted: string, value: number, digits: number) => [
    what,
    fixed(measured.value, measured.digits),
    wanted,
    fixed(value, digits),
    ...verdict(target, value, digits),
  ];
  if (to !== undefined) {
    const divisor = find(to);
    return divisor === undefined ? null : line(fixed(divisor.value, divisor.digits), measured.value / divisor.value, 2);
  }
  if (beyond !== undefined) {
    const fsync = find(beyond.fsync);
    if (fsync === undefined) return null;
    return line(`${beyond.fsyncs} × ${fixed(fsync.value)}`, measured.value - beyond.fsyncs * fsync.value, 2);
  }
  return line('', measured.value, measured.digits);
}

function verdict(target: Comparison['target'], value: number, digits: number): readonly [target: string, verdict: string] {
  if (target === undefined) return ['', ''];
  const atLeast = 'atLeast' in target;
  const limit = atLeast ? target.atLeast : target.atMost;
  // As printed: a result that looks like the target meets it.
  const printed = Number(value.toFixed(digits));
  const met = atLeast ? printed >= limit : printed <= limit;
  return [`${atLeast ? '≥' : '≤'} ${fixed(limit, digits)}`, met ? 'met' : 'missed'];
}
