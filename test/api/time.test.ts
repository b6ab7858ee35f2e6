import { describe, expect, it } from 'vitest';
import { durationMs, timeMs } from '../../src/server/times.ts';

describe('a lifetime', () => {
  it.each([
    ['90s', 90_000],
    ['15m', 900_000],
    ['12h', 43_200_000],
    ['30d', 2_592_000_000],
    ['4w', 2_419_200_000],
  ])('%s is %i ms', (text, ms) => {
    expect(durationMs(text)).toBe(ms);
  });

  it.each(['', '30', 'd', '0d', '-1d', '1.5h', '30 d', '999999999999w', '1y'])('cannot be %j', (text) => {
    expect(durationMs(text)).toBeNull();
  });
});

describe('a time', () => {
  it.each([
    ['2026-03-12', '2026-03-12T00:00:00.000Z'],
    ['2028-02-29T23:59:59Z', '2028-02-29T23:59:59.000Z'],
    ['2026-12-31T23:00:00-02:00', '2027-01-01T01:00:00.000Z'],
  ])('%s is %s', (text, time) => {
    expect(new Date(timeMs(text) ?? Number.NaN).toISOString()).toBe(time);
  });

  it.each(['2026-02-29', '2026-02-30T00:00:00Z', '2026-04-31', '2026-13-01', '2026-00-10', '2026-03', 'noon', ''])(
    '%j is none',
    (text) => {
      expect(timeMs(text)).toBeNull();
    },
  );
});
