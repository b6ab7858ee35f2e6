import { type Figure, figuresOf, type Table } from './figures.ts';
import type { FsyncProbe } from './machine.ts';
import { fixed, table } from './table.ts';

/** Tables of the measured sections, by section. */
export type Results = ReadonlyMap<string, readonly Table[]>;

/** Formats the results, and at the end how they relate to what the machine allows. */
export function report(fsync: FsyncProbe, results: Results): string {
  const parts: string[] = [];
  for (const tables of results.values()) for (const each of tables) parts.push(`\n${each.title}\n${text(each)}`);
  const related = ratios(fsync, results);
  if (related.length > 0)
    parts.push(
      `\nCompared with what this machine allows, in this run\n${table(['', 'measured', 'yardstick', 'ratio'], related)}`,
    );
  return parts.join('\n');
}

function text({ columns, rows }: Table): string {
  return table(
    ['', ...columns.map(({ name }) => name)],
    rows.map(({ label, values }) => [label, ...columns.map(({ digits }, i) => fixed(values[i] ?? null, digits))]),
  );
}

interface Ratio {
  readonly what: string;
  /** Section, row and column. */
  readonly of: readonly [section: string, row: string, column: string];
  readonly to: readonly [section: string, row: string, column: string] | { readonly fsyncs: number; readonly addMs: number };
}

const RATIOS: readonly Ratio[] = [
  ...['1 at once', '64 at once', '256 at once'].map(
    (row): Ratio => ({
      what: `in process, ${row} ÷ plain loop, executions a second`,
      of: ['inProcess', row, 'a second'],
      to: ['rawLoop', `plain loop, ${row}`, 'a second'],
    }),
  ),
  {
    what: 'in process, 64 at once ÷ its own statements in a loop, executions a second',
    of: ['inProcess', '64 at once', 'a second'],
    to: ['rawLoop', 'own statements, 64 at once', 'a second'],
  },
  {
    what: 'in process, 64 at once ÷ plain loop, CPU µs',
    of: ['inProcess', '64 at once', 'CPU µs each'],
    to: ['rawLoop', 'plain loop, 64 at once', 'CPU µs each'],
  },
  {
    what: 'in process, 256 at once ÷ 64 at once, executions a second',
    of: ['inProcess', '256 at once', 'a second'],
    to: ['inProcess', '64 at once', 'a second'],
  },
  ...['bare Fastify', 'node:http'].flatMap((server): Ratio[] => [
    {
      what: `over HTTP, 64 at once ÷ ${server}, executions a second`,
      of: ['overHttp', 'completed, 64 at once', 'a second'],
      to: ['rawHttp', `${server}, 64 at once`, 'a second'],
    },
    {
      what: `over HTTP, 64 at once ÷ ${server}, server CPU µs`,
      of: ['overHttp', 'completed, 64 at once', 'CPU µs each'],
      to: ['rawHttp', `${server}, 64 at once`, 'CPU µs each'],
    },
  ]),
  {
    what: 'start → done in process ÷ (4 fsyncs + 0.5 ms), p50 ms',
    of: ['inProcess', '1 at once', 'p50 ms'],
    to: { fsyncs: 4, addMs: 0.5 },
  },
  {
    what: 'approve → done in process ÷ (2 fsyncs + 0.5 ms), p50 ms',
    of: ['mixed', 'approval, in process, 1 at once', 'last act → done, p50 ms'],
    to: { fsyncs: 2, addMs: 0.5 },
  },
];

function ratios(fsync: FsyncProbe, results: Results): string[][] {
  const figures = new Map<string, Figure>();
  for (const [section, tables] of results)
    for (const figure of figuresOf(section, tables)) figures.set([section, figure.label, figure.name].join('\n'), figure);
  return RATIOS.flatMap(({ what, of, to }) => {
    const measured = figures.get(of.join('\n'));
    if (measured === undefined) return [];
    const yardstick = 'fsyncs' in to ? to.fsyncs * fsync.p50Ms + to.addMs : figures.get(to.join('\n'))?.value;
    if (yardstick === undefined) return [];
    const { value, digits } = measured;
    return [[what, fixed(value, digits), fixed(yardstick, digits), fixed(value / yardstick)]];
  });
}
