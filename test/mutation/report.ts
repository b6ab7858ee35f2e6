import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

export type Verdict = 'killed' | 'endless' | 'timed out' | 'survived' | 'not covered';

export interface Result {
  readonly area: string;
  readonly mutant: string;
  readonly verdict: Verdict;
  readonly by: string | null;
}

export interface Report {
  readonly seed: number;
  readonly results: readonly Result[];
}

export const isSurvivor = ({ verdict }: Result) => verdict === 'survived' || verdict === 'not covered';

export function writeReport(path: string, report: Report): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(report, null, 2)}\n`);
}

/** The survivors of an earlier run. */
export function survivorsIn(path: string): ReadonlySet<string> {
  const { results } = JSON.parse(readFileSync(path, 'utf8')) as Report;
  return new Set(results.filter(isSurvivor).map((result) => result.mutant));
}

export function summarise({ results }: Report): string {
  const survivors = results.filter(isSurvivor);
  const areas = [...new Set(results.map((result) => result.area))];
  const groups = areas.map((area) => [area, results.filter((result) => result.area === area)] as const);
  const rows = [...groups, ['all areas', results] as const].map(([area, of]) => {
    const killed = of.length - of.filter(isSurvivor).length;
    const count = (verdict: Verdict) => String(of.filter((each) => each.verdict === verdict).length);
    const percent = of.length === 0 ? '-' : `${((100 * killed) / of.length).toFixed(1)} %`;
    return [
      area,
      String(of.length),
      count('killed'),
      count('endless'),
      count('timed out'),
      count('survived'),
      count('not covered'),
      percent,
    ];
  });
  const table = [['area', 'mutants', 'killed', 'endless', 'timed out', 'survived', 'not covered', 'score'], ...rows];
  const lines = table.map((row) => row.map((cell, i) => (i === 0 ? cell.padEnd(20) : cell.padStart(12))).join(''));
  return [...survivors.map((each) => `${each.verdict}: ${each.mutant}`), '', ...lines].join('\n');
}
