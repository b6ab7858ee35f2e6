import { describe, expect, it } from 'vitest';
import { rankTest } from '../../../bench/compare/rank-test.ts';

describe('rank test', () => {
  it('gives the exact probability of samples that do not overlap', () => {
    expect(rankTest([1, 2, 3, 4, 5], [6, 7, 8, 9, 10])).toBeCloseTo(2 / 252, 12);
    expect(rankTest([5, 6, 7, 8], [1, 2, 3, 4])).toBeCloseTo(2 / 70, 12);
  });

  it('counts the orderings that are at least as extreme', () => {
    expect(rankTest([1, 2, 3, 4, 6], [5, 7, 8, 9, 10])).toBeCloseTo(4 / 252, 12);
  });

  it('sees no difference between equal or interleaved samples', () => {
    expect(rankTest([1, 1, 1], [1, 1, 1])).toBe(1);
    expect(rankTest([1, 3, 5, 7], [2, 4, 6, 8])).toBeGreaterThan(0.5);
  });
});
