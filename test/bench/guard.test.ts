import { describe, expect, it } from 'vitest';
import { exact, type Figure } from '../../bench/figures.ts';
import { judge } from '../../bench/guard/guard.ts';

const TABLE = { counts: { execution: { statements: 100, pages: 30 } } };

function measured(values: Readonly<Record<string, number>>): readonly Figure[] {
  return Object.entries(values).map(([name, value]) => ({ ...exact(name, 1), section: 'counts', label: 'execution', value }));
}

describe('guard', () => {
  it('holds when each figure is within 3 % of the table', () => {
    expect(judge(measured({ statements: 103, pages: 29.2 }), TABLE).holds).toBe(true);
  });

  it.each([
    ['more than the table has', { statements: 103.5, pages: 30 }, '3.5 %'],
    ['less than the table has, which would hide the next increase', { statements: 100, pages: 29 }, '-3.3 %'],
    ['not in the table', { statements: 100, pages: 30, turns: 4 }, 'new'],
    ['in the table and no longer measured', { statements: 100 }, 'not measured'],
  ])('fails on a figure that is %s', (_, values, reason) => {
    const { text, holds } = judge(measured(values), TABLE);
    expect(holds).toBe(false);
    expect(text).toContain(reason);
  });

  it('leaves out sections that this machine cannot measure', () => {
    const known = { ...TABLE, postgresCounts: { execution: { 'round trips': 5 } } };
    expect(judge(measured({ statements: 100, pages: 30 }), known).holds).toBe(true);
  });
});
