import { type Figure, figuresOf } from '../figures.ts';
import { median } from '../load/quantile.ts';
import { measure } from '../measuring.ts';
import type { SectionName } from '../sections/index.ts';
import { fixed, table } from '../table.ts';
import { rankTest } from './rank-test.ts';

/** Largest p at which a difference counts as one. */
const BEYOND_NOISE = 0.01;

export interface Comparison {
  readonly rounds: number;
  readonly sections: readonly SectionName[];
  /** The builds that are compared. */
  readonly base: string;
  readonly head: string;
  readonly folder: string;
}

interface Series {
  readonly figure: Figure;
  readonly base: number[];
  readonly head: number[];
}

/** Measures both builds section by section, round by round, in alternating order, and reports which figures differ. */
export async function compare({ rounds, sections, base, head, folder }: Comparison): Promise<string> {
  const series = new Map<string, Series>();
  const absent = new Set<string>();
  for (let round = 0; round < rounds; round += 1)
    for (const name of sections) {
      const sides = round % 2 === 0 ? (['base', 'head'] as const) : (['head', 'base'] as const);
      for (const side of sides) {
        if (absent.has(`${name} in ${side}`)) continue;
        process.stderr.write(`round ${round + 1} of ${rounds}: ${name}, ${side} …\n`);
        try {
          const tables = await measure(side === 'base' ? base : head, name, folder);
          for (const figure of figuresOf(name, tables)) seriesOf(series, figure)[side].push(figure.value);
        } catch (error) {
          process.stderr.write(`${name} cannot be measured in ${side}: ${error instanceof Error ? error.message : error}\n`);
          absent.add(`${name} in ${side}`);
        }
      }
    }
  return report([...series.values()], rounds, [...absent]);
}

function seriesOf(series: Map<string, Series>, figure: Figure): Series {
  const key = [figure.section, figure.label, figure.name].join('\n');
  const known = series.get(key);
  if (known !== undefined) return known;
  const created = { figure, base: [], head: [] };
  series.set(key, created);
  return created;
}

function report(series: readonly Series[], rounds: number, absent: readonly string[]): string {
  const rows = series.map(({ figure, base, head }) => {
    const { section, label, name, digits, noise } = figure;
    const range = (values: readonly number[]) =>
      values.length === 0 ? '–' : `${fixed(Math.min(...values), digits)} … ${fixed(Math.max(...values), digits)}`;
    return [
      `${section}: ${label}`,
      `${name}${noise === 'wall' ? ' (wall)' : ''}`,
      fixed(base.length === 0 ? null : median(base), digits),
      fixed(head.length === 0 ? null : median(head), digits),
      base.length === 0 || head.length === 0 ? '–' : change(median(base), median(head)),
      verdict(figure, base, head),
      range(base),
      range(head),
    ];
  });
  return [
    table(['', '', 'base', 'head', 'change', 'verdict', 'base, range', 'head, range'], rows),
    '',
    `Medians of ${rounds} rounds in alternating order. "better" and "worse": beyond the noise, by the exact two-sided Mann–Whitney rank`,
    `test with p ≤ ${BEYOND_NOISE}, which takes at least five rounds; of 100 figures that do not differ, one gets such a verdict by chance.`,
    'Both sides were measured by the bench of this folder, in the base against the code of the base.',
    'Figures marked (wall) depend on what else the machine does; CPU times much less; bytes and counts hardly.',
    ...absent.map((what) => `Not measured, because it failed (its error is above): ${what}.`),
  ].join('\n');
}

function change(base: number, head: number): string {
  if (base === head) return '0 %';
  const percent = ((head - base) / base) * 100;
  return `${percent > 0 ? '+' : ''}${fixed(percent, 1)} %`;
}

function verdict({ better }: Figure, base: readonly number[], head: readonly number[]): string {
  if (base.length === 0 || head.length === 0) return '';
  if (rankTest(base, head) > BEYOND_NOISE) return '';
  return median(head) > median(base) === (better === 'more') ? 'better' : 'worse';
}
