import type { Coverage, CoverageShare } from '../../testing/coverage.ts';
import type { Exploration, LocatedFinding, TestResult } from '../../testing/examine.ts';
import type { TestMismatch } from '../../testing/mismatches.ts';
import type { TestEvent } from '../../testing/play.ts';
import type { Report } from '../../testing/report.ts';
import type { Context } from '../context.ts';
import { renderDiagnostics } from '../input/workflow-file.ts';
import type { Paint } from '../terminal/paint.ts';
import { count, inline, pad, plain } from '../terminal/text.ts';

/** Uncovered ways and paths that are named, at most. */
const MAX_NAMED = 10;
/** Of what happened in a long run: so much of its beginning and of its end. A loop may have gone round a thousand times. */
const MAX_FIRST = 30;
const MAX_LAST = 10;

/** What `jamjet test` prints of one file. */
export function reportText(report: Report, context: Pick<Context, 'cwd'>, paint: Paint): string {
  const { file, examination, coverageShortfall } = report;
  const { diagnostics, tests, findings, coverage, exploration } = examination;
  const blocks = [
    paint.bold(plain(file)),
    ...(diagnostics.length === 0 ? [] : [renderDiagnostics(diagnostics, context, paint)]),
    ...tests.map((result) => testText(result, paint)),
    ...findings.map((finding) => findingText(file, finding, paint)),
    ...(exploration === null ? [] : [explorationText(exploration, paint)]),
    ...(coverage === null || tests.length === 0 ? [] : [coverageText(coverage, paint)]),
    ...(examination.workflow !== null && tests.length === 0 ? [paint.dim('  no tests: write some below "tests:"')] : []),
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
    ...(played.cutShort
      ? [`      ${paint.red('still going on after 2,000 steps: does a loop get the same answers for ever?')}`]
      : []),
    ...mismatches.flatMap((mismatch) => mismatchText(mismatch, paint)),
    `      ${paint.dim('what happened:')}`,
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
  return [...lines.slice(0, MAX_FIRST), paint.dim(`        … ${count(left, 'more moment')}`), ...lines.slice(-MAX_LAST)];
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

function explorationText({ paths, steps, situations, bounded }: Exploration, paint: Paint): string {
  const stopped =
    bounded.length === 0 ? '' : `, ${paint.yellow(`stopped at the bound on ${bounded.join(' and ')}: there is more`)}`;
  return `  explored ${count(paths.length, 'path')} ${paint.dim(`(${count(situations, 'situation')}, ${count(steps, 'step')})`)}${stopped}`;
}

function coverageText({ nodes, ways, paths, percent }: Coverage, paint: Paint): string {
  const shares = (
    [
      ['nodes', nodes],
      ['ways', ways],
      ['paths', paths],
    ] as const
  ).map(([what, { covered, total }]) => `${covered}/${total} ${what}`);
  return [
    `  the tests cover ${shares.join(', ')} (${percent}% of ways)`,
    ...missingText('way', ways, paint),
    ...missingText('path', paths, paint),
  ].join('\n');
}

function missingText(what: string, share: CoverageShare, paint: Paint): readonly string[] {
  const named = share.missing.slice(0, MAX_NAMED).map((text) => paint.dim(`    no test takes the ${what} ${plain(text)}`));
  const rest = share.missing.length - named.length;
  return rest === 0 ? named : [...named, paint.dim(`    … and ${count(rest, `more ${what}`)}`)];
}
