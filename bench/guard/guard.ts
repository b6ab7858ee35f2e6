import { readFileSync, writeFileSync } from 'node:fs';
import { type Figure, figuresOf } from '../figures.ts';
import { measure } from '../measuring.ts';
import { SECTIONS, type SectionName } from '../sections/index.ts';
import { fixed, table } from '../table.ts';

/** Measures what does not depend on the load of the machine. */
export const GUARDED: readonly SectionName[] = [
  'perExecution',
  'survivors',
  'counts',
  'smallExecutions',
  'imports',
  'postgresCounts',
];

/** How far a figure may be from the table: what two runs differ by is less. */
const TOLERANCE = 0.03;

/** The table: values by section, row and column. */
export type Guarded = Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, number>>>>>>;

/** Measures the guarded sections; those that cannot be measured here are left out. */
export async function guardedFigures(dist: string, folder: string): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const name of GUARDED) {
    const missing = SECTIONS[name].missing?.();
    process.stderr.write(`${name} … ${missing ?? ''}\n`);
    if (missing !== undefined) continue;
    const measured = figuresOf(name, await measure(dist, name, folder));
    figures.push(...measured.filter(({ noise }) => noise === 'none'));
  }
  return figures;
}

export interface Verdict {
  readonly text: string;
  readonly holds: boolean;
}

/** Compares the figures with the table: what is less than there is to be written into it too, so that it is not lost again. */
export function judge(figures: readonly Figure[], known: Guarded): Verdict {
  const rows = figures.map((figure): readonly string[] => {
    const before = known[figure.section]?.[figure.label]?.[figure.name] ?? null;
    return [
      `${figure.section}: ${figure.label}`,
      figure.name,
      fixed(before, figure.digits),
      fixed(figure.value, figure.digits),
      before === null ? 'new' : verdict(figure, before),
    ];
  });
  const sections = new Set(figures.map(({ section }) => section));
  const found = new Set(figures.map(keyOf));
  const gone = [...entries(known)].filter(
    ([section, label, name]) => sections.has(section) && !found.has([section, label, name].join('\n')),
  );
  for (const [section, label, name, value] of gone) rows.push([`${section}: ${label}`, name, fixed(value), '–', 'not measured']);
  return { text: table(['', '', 'table', 'measured', ''], rows), holds: rows.every((row) => row.at(-1) === '') };
}

function verdict({ value, tolerance = TOLERANCE }: Figure, before: number): string {
  if (Math.abs(value - before) <= Math.abs(before) * tolerance) return '';
  return `${value > before ? '+' : ''}${fixed(((value - before) / before) * 100, 1)} %`;
}

function keyOf({ section, label, name }: Figure): string {
  return [section, label, name].join('\n');
}

function* entries(known: Guarded): Generator<readonly [section: string, label: string, name: string, value: number]> {
  for (const [section, rows] of Object.entries(known))
    for (const [label, columns] of Object.entries(rows))
      for (const [name, value] of Object.entries(columns)) yield [section, label, name, value];
}

export function readGuarded(file: string): Guarded {
  return JSON.parse(readFileSync(file, 'utf8')) as Guarded;
}

/** Writes the table. */
export function writeGuarded(file: string, figures: readonly Figure[]): void {
  const known: Record<string, Record<string, Record<string, number>>> = {};
  for (const { section, label, name, value } of figures) {
    known[section] ??= {};
    known[section][label] ??= {};
    known[section][label][name] = Number(value.toPrecision(4));
  }
  writeFileSync(file, `${JSON.stringify(known, null, 2)}\n`);
}
