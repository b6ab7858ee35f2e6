import { describe, expect, it } from 'vitest';
import { ago, duration } from '../../src/views/time.ts';

describe('duration', () => {
  it.each([
    [0, '0 ms'],
    [999.4, '999 ms'],
    [1000, '1 s'],
    [59_949, '59.9 s'],
    [59_950, '1 m'],
    [3_599_000, '59 m 59 s'],
    [3_600_000, '1 h'],
    [86_340_000, '23 h 59 m'],
    [5_000_000, '1 h 23 m'],
    [86_399_000, '1 d'],
    [86_400_000, '1 d'],
    [-5, '–'],
    [Number.NaN, '–'],
  ])('%d ms is %s', (ms, text) => {
    expect(duration(ms)).toBe(text);
  });
});

describe('ago', () => {
  it.each([
    [0, 'now'],
    [-50, 'now'],
    [45_000, '45 s ago'],
    [60_000, '1 m ago'],
    [7_200_000, '2 h ago'],
    [400_000_000, '4 d ago'],
  ])('%d ms is %s', (elapsed, text) => {
    expect(ago(1e12, 1e12 + elapsed)).toBe(text);
  });
});
