import type { Coverage, CoverageShare } from '../../testing/coverage.ts';
import type { Exploration, LocatedFinding, TestResult } from '../../testing/examine.ts';
import type { TestMismatch } from '../../testing/mismatches.ts';
import type { Report } from '../../testing/report.ts';
import type { TestEvent } from '../../testing/simulation/play.ts';
import type { Context } from '../context.ts';
import { renderDiagnostics } from '../input/workflow-file.ts';
import type { Paint } from '../terminal/paint.ts';
import { count, inline, pad, plain } from '../terminal/text.ts';

/** Maximum number of uncovered branches and paths that are listed. */
const MAX_NAMED = 10;
/** Number of entries shown from the start and the end of a long timeline. */
const MAX_FIRST = 30;
const MAX_LAST = 10;

/** The output of `jamjet test` for one workflow. */
export function reportText(report: Report, context: Pick<Context, 'cwd'>, paint: Paint): string {
  const { file, title, examination, coverageShortfall } = report;
  const { diagnostics, tests, findings, coverage, exploration } = examination;
  const blocks = [
    paint.bold(plain(title)),
    ...(diagnostics.length === 0 ? [] : [renderDiagnostics(diagnostics, context, paint)]),
    ...tests.map((result) => testText(result, paint)),
    ...findings.map((finding) => findingText(file, finding, paint)),
    ...(exploration === null ? [] : [explorationText(exploration, paint)]),
    ...(coverage === null || tests.length === 0 ? [] : [coverageText(coverage, paint)]),
    ...(examination.workflow !== null && tests.length === 0 ? [paint.dim('  no tests: add some under "tests:"')] : []),
    ...(coverageShortfall === null ? [] : [`  ${paint.red('✗')} ${coverageShortfall}`]),
  ];
  return blocks.join('\n');
}

function testText(result: TestResult, paint: Paint): string {
  const { test, passed, mismatches, played } = result;
  const title = `  ${passed ? paint.green('✓') : paint.red('✗')} ${plain(test.name)}`;
  if (passed) return title;
  const lines = [
    `${title}${paint.dim(`  (line ${test.line})`)}`,
    ...test.problems.map((problem) => `      ${paint.red(plain(problem))}`),
    ...(played.cutShort ? [`      ${paint.red('not ended within 2,000 steps: does a loop always get the same replies?')}`] : []),
    ...mismatches.flatMap((mismatch) => mismatchText(mismatch, paint)),
    `      ${paint.dim('timeline:')}`,
    ...timelineText(played.timeline, paint),
    paint.dim(`        → ${played.status}${played.error === null ? '' : `: ${inline(played.error)}`}`),
  ];
  return lines.join('\n');
}

function mismatchText({ what, expected, actual }: TestMismatch, paint: Paint): readonly string[] {
  const shown = (value: TestMismatch['actual']): string =>
    Array.isArray(value) ? inline(value.join(' → '), 400) : inline(value, 400);
  return [
    `      ${plain(what)}: expected ${paint.green(shown(expected))}`,
    `      ${' '.repeat(what.length)}       got ${paint.red(actual === undefined ? 'nothing' : shown(actual))}`,
  ];
}

function timelineText(timeline: readonly TestEvent[], paint: Paint): readonly string[] {
  const lines = timeline.map((moment) => testEventText(moment, paint));
  const left = lines.length - MAX_FIRST - MAX_LAST;
  if (left <= 1) return lines;
  return [...lines.slice(0, MAX_FIRST), paint.dim(`        … ${count(left, 'more line')}`), ...lines.slice(-MAX_LAST)];
}

function testEventText({ node, what, value, atMs }: TestEvent, paint: Paint): string {
  const shown = value === null ? '' : `  ${paint.dim(inline(value, 80))}`;
  return `        ${pad(`+${duration(atMs)}`, 8)}${pad(plain(node), 18)} ${what}${shown}`;
}

function duration(ms: number): string {
  if (ms < 60_000) return `${Math.round(ms / 100) / 10}s`;
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)}m`;
  return ms < 172_800_000 ? `${Math.round(ms / 3_600_000)}h` : `${Math.round(ms / 86_400_000)}d`;
}

function findingText(file: string, { severity, code, message, hint, line, column }: LocatedFinding, paint: Paint): string {
  const colour = { error: paint.red, warning: paint.yellow, info: paint.dim }[severity];
  const place = `${file}:${line}:${column}`;
  const advice = hint === null ? '' : severity === 'info' ? paint.dim(` — ${hint}`) : `\n      ${paint.cyan('→')} ${plain(hint)}`;
  const text = plain(message);
  return `  ${plain(place)}  ${colour(severity)}  ${severity === 'info' ? paint.dim(text) : text} ${paint.dim(`[${code}]`)}${advice}`;
}

function explorationText({ paths, steps, states, bounded }: Exploration, paint: Paint): string {
  const stopped = bounded.length === 0 ? '' : `, ${paint.yellow(`stopped at the maximum number of ${bounded.join(' and ')}`)}`;
  return `  explored ${count(paths.length, 'path')} ${paint.dim(`(${count(states, 'state')}, ${count(steps, 'step')})`)}${stopped}`;
}

function coverageText({ nodes, branches, paths, percent }: Coverage, paint: Paint): string {
  const shares = (
    [
      ['nodes', nodes],
      ['branches', branches],
      ['paths', paths],
    ] as const
  ).map(([what, { covered, total }]) => `${covered}/${total} ${what}`);
  return [
    `  the tests cover ${shares.join(', ')} (${percent}% of branches)`,
    ...missingText(['branch', 'branches'], branches, paint),
    ...missingText(['path', 'paths'], paths, paint),
  ].join('\n');
}

function missingText([one, many]: readonly [string, string], share: CoverageShare, paint: Paint): readonly string[] {
  const named = share.missing.slice(0, MAX_NAMED).map((text) => paint.dim(`    no test takes the ${one} ${plain(text)}`));
  const rest = share.missing.length - named.length;
  return rest === 0 ? named : [...named, paint.dim(`    … and ${rest} more ${rest === 1 ? one : many}`)];
}
