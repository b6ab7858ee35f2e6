import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import type { FaultRun } from './fault-run.ts';
import type { Outcome } from './history.ts';

const BEGIN_MARKER = '<!-- the latest run: written by `npm run faults -- --report docs/faults.md` -->';
const END_MARKER = '<!-- end of the latest run -->';

/** Describes the violations with their context; the last line has the seed. */
export function describeViolations({ engine, seed, history, executionDumps: dossiers }: FaultRun): string {
  const described = history.violations.map((violation) => history.describe(violation));
  return [...described, ...dossiers, `${engine}: ${history.violations.length} violations; the seed was ${seed}`].join('\n\n');
}

/** Replaces the figures of the latest run in a page. */
export function writeReport(file: string, campaigns: readonly FaultRun[]): void {
  const page = readFileSync(file, 'utf8');
  const [from, to] = [page.indexOf(BEGIN_MARKER), page.indexOf(END_MARKER)];
  if (from === -1 || to === -1)
    throw new Error(`${file} has no place for a report: these lines are missing: ${BEGIN_MARKER} and ${END_MARKER}`);
  writeFileSync(file, `${page.slice(0, from)}${BEGIN_MARKER}\n\n${report(campaigns)}\n${page.slice(to)}`);
}

function report(campaigns: readonly FaultRun[]): string {
  const faults = campaigns.reduce((sum, { history }) => sum + history.faults.length, 0);
  const violations = campaigns.reduce((sum, { history }) => sum + history.violations.length, 0);
  const minutes = campaigns.reduce((sum, { durationMs: tookMs }) => sum + tookMs, 0) / 60_000;
  const commit = execFileSync('git', ['log', '-1', '--format=%h, %cs'], { encoding: 'utf8' }).trim();
  const machine = `${cpus().length} cores (${cpus()[0]?.model.trim()}), ${Math.round(totalmem() / 2 ** 30)} GB, Node ${process.versions.node}`;
  return [
    `Commit ${commit}; ${machine}; ${minutes.toFixed(0)} minutes, seed ${campaigns[0]?.seed}.`,
    '',
    `**${faults} faults, ${violations} violations.**`,
    '',
    ...table(
      ['', ...campaigns.map(({ engine }) => NAMES[engine])],
      [
        ['minutes, including the checks', ...campaigns.map(({ durationMs: tookMs }) => (tookMs / 60_000).toFixed(1))],
        ['faults', ...campaigns.map(({ history }) => history.faults.length)],
        ['messages acknowledged', ...campaigns.map((each) => operations(each, 'ok'))],
        ['messages refused', ...campaigns.map((each) => operations(each, 'refused'))],
        ['requests with an unknown outcome', ...campaigns.map((each) => operations(each, 'unknown'))],
        ['executions checked', ...campaigns.map(({ executions }) => executions)],
        ['events in their logs', ...campaigns.map(({ events }) => events)],
        ['streams resumed', ...campaigns.map(({ reconnects }) => reconnects)],
        ['duplicate webhook deliveries', ...campaigns.map(({ duplicateDeliveries: repeated }) => repeated)],
        ['violations', ...campaigns.map(({ history }) => history.violations.length)],
      ],
    ),
    '',
    ...table(['fault', ...campaigns.map(({ engine }) => NAMES[engine])], faultRows(campaigns)),
    '',
    ...campaigns.flatMap(({ unavailable: missing }) => missing.map((what) => `Not available: ${what}.`)),
  ].join('\n');
}

const NAMES = { sqlite: 'SQLite', postgres: 'PostgreSQL' } as const;
/** Requests that change nothing. */
const READS: ReadonlySet<string> = new Set(['read', 'read approvals', 'replay', 'claim']);

function operations({ history }: FaultRun, outcome: Outcome): number {
  return history.operations.filter((operation) => operation.outcome === outcome && !READS.has(operation.action)).length;
}

function faultRows(campaigns: readonly FaultRun[]): readonly (readonly (string | number)[])[] {
  const counts = campaigns.map(({ history }) => history.countFaults());
  const names = [...new Set(counts.flatMap((count) => [...count.keys()]))].sort();
  return names.map((name) => [name, ...counts.map((count) => count.get(name) ?? '–')]);
}

/** Padded as the formatter does. */
function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): readonly string[] {
  const all = [head, ...rows].map((row) => row.map(String));
  const widths = head.map((_, column) => Math.max(3, ...all.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const [first = [], ...others] = all;
  return [line(first), line(widths.map((width) => '-'.repeat(width))), ...others.map(line)];
}
