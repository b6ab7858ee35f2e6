import { describe, expect, it } from 'vitest';
import { COMPARISONS } from '../../bench/comparisons.ts';
import { type Column, cpu, exact, type Table, wall } from '../../bench/figures.ts';
import { report } from '../../bench/report.ts';
import { isSection } from '../../bench/sections/index.ts';

function oneRow(label: string, columns: readonly Column[], values: readonly (number | null)[]): readonly Table[] {
  return [{ title: 'Measured', columns, rows: [{ label, values }] }];
}

/** The cells of the line that begins with this text. */
function cells(text: string, what: string): readonly string[] {
  const line = text.split('\n').find((each) => each.trimStart().startsWith(what));
  return line?.trim().split(/ {2,}/) ?? [];
}

describe('report', () => {
  it('divides a figure by another one', () => {
    const text = report(
      new Map([
        ['overHttp', oneRow('completed, 64 at once', [wall('a second', 0, 'more')], [6_000])],
        ['rawHttp', oneRow('node:http, 64 at once', [wall('a second', 0, 'more')], [12_000])],
      ]),
    );
    const what = 'over HTTP, 64 at once ÷ node:http, executions a second';
    expect(cells(text, what)).toEqual([what, '6,000', '12,000', '0.50']);
  });

  it('subtracts the time of fsyncs from a latency', () => {
    const columns = [wall('p50 ms', 2), wall('fsync p50 ms', 2)];
    const text = report(new Map([['latency', oneRow('start → done, 4 commits', columns, [1.2, 0.2])]]));
    const what = 'start → done in process, 1 at once, p50 ms beyond 4 fsyncs';
    expect(cells(text, what)).toEqual([what, '1.20', '4 × 0.20', '0.40', '≤ 0.50', 'met']);
  });

  it('gives a figure of its own with its target', () => {
    const text = report(new Map([['inProcess', oneRow('64 at once', [cpu('CPU µs each', 0)], [141])]]));
    const what = 'CPU of an execution in process, 64 at once, µs';
    expect(cells(text, what)).toEqual([what, '141', '141', '≤ 140', 'missed']);
  });

  it('leaves out a comparison with a figure that was not measured', () => {
    const text = report(new Map([['inProcess', oneRow('64 at once', [cpu('CPU µs each', 0)], [null])]]));
    expect(text).not.toContain('Compared');
  });

  it('counts a limit that is reached exactly as met', () => {
    const text = report(
      new Map([['smallExecutions', oneRow('three-node execution', [exact('growth of the file', 0)], [1_200])]]),
    );
    expect(cells(text, 'file bytes of an execution, SQLite').slice(-2)).toEqual(['≤ 1,200', 'met']);
  });

  it('compares figures of sections that exist', () => {
    const sections = COMPARISONS.flatMap(({ of, to, beyond }) => [of[0], to?.[0] ?? of[0], beyond?.fsync[0] ?? of[0]]);
    expect(sections.filter((name) => !isSection(name))).toEqual([]);
  });
});
