import type { Comparison, Summary } from '../../evaluation/compare.ts';
import type { EvalResult } from '../../evaluation/run.ts';
import type { TrajectoryDiff } from '../../evaluation/trajectory.ts';
import type { Paint } from '../terminal/paint.ts';
import { table } from '../terminal/table.ts';
import { count, cut, plain } from '../terminal/text.ts';

const BAR = 24;
const MAX_DETAILS = 90;

/** `███████░░░░░░░░░  7/16  6 passed, 1 failed`. */
export function progressLine(results: readonly EvalResult[], total: number, paint: Paint): string {
  const failed = results.filter(({ passed }) => !passed).length;
  const filled = Math.round((BAR * results.length) / total);
  const bar = `${'█'.repeat(filled)}${paint.dim('░'.repeat(BAR - filled))}`;
  const counts = `${results.length - failed} passed${failed === 0 ? '' : `, ${paint.red(`${failed} failed`)}`}`;
  return `${bar}  ${results.length}/${total}  ${counts}`;
}

/** One row as it ends. */
export function resultLine(result: EvalResult, paint: Paint): string {
  const mark = result.passed ? paint.green('✓') : paint.red('✗');
  return `${mark} ${plain(result.row_id)}  ${paint.dim(cut(detailsOf(result), MAX_DETAILS))}`;
}

/** The table of all rows, and the sums below it. */
export function resultsText(results: readonly EvalResult[], paint: Paint): string {
  const hasTrajectory = results.some(({ scorers }) => scorers.some(({ scorer }) => scorer === 'trajectory'));
  const columns = [
    { title: '' },
    { title: 'row' },
    { title: 'score', align: 'right' as const },
    ...(hasTrajectory ? [{ title: 'trajectory' }] : []),
    { title: 'ms', align: 'right' as const },
    { title: 'USD', align: 'right' as const },
    { title: 'details' },
  ];
  const rows = results.map((result) => [
    result.passed ? paint.green('✓') : paint.red('✗'),
    plain(result.row_id),
    result.overall_score === null ? '–' : result.overall_score.toFixed(2),
    ...(hasTrajectory ? [trajectoryMark(result, paint)] : []),
    result.duration_ms === null ? '–' : String(Math.round(result.duration_ms)),
    dollars(result.cost_usd),
    cut(detailsOf(result), MAX_DETAILS),
  ]);
  const passed = results.filter((result) => result.passed).length;
  const rate = `${((100 * passed) / results.length).toFixed(1)}%`;
  const verdict = `${passed}/${count(results.length, 'row')} passed (${rate})`;
  const costs = results.flatMap(({ cost_usd }) => (cost_usd === null ? [] : [cost_usd]));
  const cost = costs.length === 0 ? '' : paint.dim(`, ${dollars(costs.reduce((sum, one) => sum + one, 0))} USD`);
  return `${table(columns, rows, paint)}\n\n${passed === results.length ? paint.green(`✓ ${verdict}`) : paint.red(`✗ ${verdict}`)}${cost}`;
}

function trajectoryMark({ scorers }: EvalResult, paint: Paint): string {
  const found = scorers.find(({ scorer }) => scorer === 'trajectory');
  return found === undefined ? '–' : found.passed ? paint.green('✓') : paint.red('✗');
}

function detailsOf({ error, scorers }: EvalResult): string {
  if (error !== null) return plain(error);
  return plain(scorers.map(({ scorer, passed, message }) => `${passed ? '' : '✗ '}${scorer}: ${message}`).join('; '));
}

function dollars(usd: number | null): string {
  return usd === null ? '–' : usd === 0 ? '0' : usd.toFixed(6).replace(/0{1,4}$/, '');
}

export function comparisonText(comparison: Comparison, paint: Paint): string {
  const { before, after, rows, regressions, improvements, onlyBefore, onlyAfter, p } = comparison;
  const line = (title: string, of: (summary: Summary) => number | null, digits: number): string[] => {
    const [a, b] = [of(before), of(after)];
    const shown = (value: number | null): string => (value === null ? '–' : value.toFixed(digits));
    const difference = a === null || b === null ? '' : `${b - a > 0 ? '+' : ''}${(b - a).toFixed(digits)}`;
    return [title, shown(a), shown(b), difference];
  };
  const right = 'right' as const;
  const columns = [
    { title: '' },
    { title: 'before', align: right },
    { title: 'after', align: right },
    { title: 'change', align: right },
  ];
  const lines = [
    line('pass rate %', ({ passRate }) => passRate, 1),
    line('score', ({ score }) => score, 2),
    line('ms', ({ durationMs }) => durationMs, 0),
    line('USD', ({ costUsd }) => costUsd, 6),
  ];
  const listed = (title: string, ids: readonly string[], colour: (text: string) => string): string[] =>
    ids.length === 0 ? [] : [`${colour(`${title} (${ids.length})`)}  ${ids.map((id) => plain(id)).join(', ')}`];
  return [
    table(columns, lines, paint),
    '',
    ...listed('regressions', regressions, paint.red),
    ...listed('improvements', improvements, paint.green),
    ...listed('only before', onlyBefore, paint.dim),
    ...listed('only after', onlyAfter, paint.dim),
    paint.dim(`${count(rows, 'row')} compared; p = ${p.toFixed(3)}: ${p < 0.05 ? 'more than chance' : 'may be chance'}`),
  ].join('\n');
}

export function trajectoryDiffText({ changed, added, removed, reordered, before, after }: TrajectoryDiff, paint: Paint): string {
  const shown = (tools: readonly string[]): string =>
    tools.length === 0 ? '(no tools)' : tools.map((name) => plain(name)).join(' → ');
  if (!changed) return `${paint.green('✓ the same tools in the same order')}\n  ${shown(after)}`;
  return [
    paint.red('✗ the tools have changed'),
    `  before  ${shown(before)}`,
    `  after   ${shown(after)}`,
    ...(added.length === 0 ? [] : [paint.green(`  added   ${shown(added)}`)]),
    ...(removed.length === 0 ? [] : [paint.red(`  removed ${shown(removed)}`)]),
    ...(reordered ? ['  the same calls in another order'] : []),
  ].join('\n');
}
