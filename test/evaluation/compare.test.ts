import { describe, expect, it } from 'vitest';
import { compareResults, exactTest } from '../../src/evaluation/compare.ts';
import { csvRecords } from '../../src/evaluation/csv.ts';
import { exportResults } from '../../src/evaluation/export.ts';
import type { EvalResult } from '../../src/evaluation/run.ts';

const result = (row_id: string, passed: boolean, more: Partial<EvalResult> = {}): EvalResult => ({
  row_id,
  passed,
  overall_score: passed ? 4 : 2,
  duration_ms: 100,
  cost_usd: 0.01,
  error: null,
  scorers: [],
  output: {},
  input: {},
  expected: null,
  trajectory: [],
  execution_id: 'exec_1',
  ...more,
});

describe('a comparison', () => {
  it('is made of the rows that both runs have', () => {
    const before = [result('a', true), result('b', false), result('c', true), result('old', true)];
    const after = [result('c', false, { cost_usd: null }), result('b', true), result('a', true), result('new', false)];
    expect(compareResults(before, after)).toEqual({
      rows: 3,
      onlyBefore: ['old'],
      onlyAfter: ['new'],
      regressions: ['c'],
      improvements: ['b'],
      p: 1,
      before: { passed: 2, passRate: 200 / 3, score: 10 / 3, durationMs: 100, costUsd: 0.01 },
      after: { passed: 2, passRate: 200 / 3, score: 10 / 3, durationMs: 100, costUsd: 0.01 },
    });
  });

  it.each([
    [0, 0, 1],
    [0, 1, 1],
    [0, 5, 0.0625],
    [1, 9, 0.021484375],
    [10, 10, 1],
    [0, 2_000, 0],
  ])('gives %i against %i changes the probability %d', (a, b, p) => {
    expect(exactTest(a, b)).toBeCloseTo(p, 6);
    expect(exactTest(b, a)).toBeCloseTo(p, 6);
  });

  it('hardly differs between the exact test and its approximation', () => {
    expect(exactTest(500, 574)).toBeCloseTo(exactTest(500, 575), 2);
  });
});

describe('an export', () => {
  const results = [result('a "b", c', true), result('=cmd()', false, { error: 'execution failed: 50% off', cost_usd: null })];

  it('as CSV can be read again, and is no formula', () => {
    const records = csvRecords(exportResults(results, 'csv', ''), (problem) => new Error(problem));
    expect(records.map(({ fields }) => fields)).toEqual([
      ['row_id', 'passed', 'score', 'duration_ms', 'cost_usd', 'error'],
      ['a "b", c', 'yes', '4.00', '100', '0.01', ''],
      ["'=cmd()", 'no', '2.00', '100', '', 'execution failed: 50% off'],
    ]);
  });

  it('as LaTeX escapes what means something there', () => {
    const text = exportResults([result('a_b & 5%', true)], 'latex', 'Q & A');
    expect(text).toContain('a\\_b \\& 5\\% & yes & 4.00 & 100 & 0.01 \\\\');
    expect(text).toContain('\\caption{Q \\& A}');
  });

  it('as JSON is the results', () => {
    expect(JSON.parse(exportResults(results, 'json', ''))).toEqual(results);
  });
});
