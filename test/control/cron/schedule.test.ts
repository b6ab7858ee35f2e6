import { describe, expect, it } from 'vitest';
import { Schedule } from '../../../src/control/cron/schedule.ts';

/** The first `count` times after `afterMs`. */
function times(expression: string, timezone: string, after: string, count: number): readonly string[] {
  const schedule = new Schedule(expression, timezone);
  const found: string[] = [];
  let atMs: number | null = Date.parse(after);
  while (found.length < count) {
    atMs = schedule.next(atMs);
    if (atMs === null) break;
    found.push(new Date(atMs).toISOString().replace(/:00\.000Z$/, 'Z'));
  }
  return found;
}

describe('a cron expression', () => {
  it.each([
    ['*/20 * * * *', ['2026-03-12T10:20Z', '2026-03-12T10:40Z', '2026-03-12T11:00Z']],
    ['0 9-17/4 * * mon-fri', ['2026-03-12T13:00Z', '2026-03-12T17:00Z', '2026-03-13T09:00Z']],
    ['5-15/5 11 * * *', ['2026-03-12T11:05Z', '2026-03-12T11:10Z', '2026-03-12T11:15Z']],
    ['0 0 1 JAN,jul *', ['2026-07-01T00:00Z', '2027-01-01T00:00Z', '2027-07-01T00:00Z']],
    ['0 9 * * 7', ['2026-03-15T09:00Z', '2026-03-22T09:00Z', '2026-03-29T09:00Z']],
    ['0 9 * * 0', ['2026-03-15T09:00Z', '2026-03-22T09:00Z', '2026-03-29T09:00Z']],
    ['0 0 L * *', ['2026-03-31T00:00Z', '2026-04-30T00:00Z', '2026-05-31T00:00Z']],
    ['@daily', ['2026-03-13T00:00Z', '2026-03-14T00:00Z', '2026-03-15T00:00Z']],
    ['  0   0  29 2   * ', ['2028-02-29T00:00Z', '2032-02-29T00:00Z', '2036-02-29T00:00Z']],
  ])('%s', (expression, expected) => {
    expect(times(expression, 'UTC', '2026-03-12T10:00:00Z', 3)).toEqual(expected);
  });

  it('matches either of two restricted day fields, as cron does', () => {
    expect(times('0 9 20 * MON', 'UTC', '2026-03-12T10:00:00Z', 3)).toEqual([
      '2026-03-16T09:00Z',
      '2026-03-20T09:00Z',
      '2026-03-23T09:00Z',
    ]);
  });

  it('is evaluated in the local time of its zone', () => {
    expect(times('0 9 * * *', 'Asia/Kolkata', '2026-03-12T10:00:00Z', 1)).toEqual(['2026-03-13T03:30Z']);
    expect(times('0 9 * * *', 'America/New_York', '2026-03-12T10:00:00Z', 1)).toEqual(['2026-03-12T13:00Z']);
  });

  it.each([
    ['* * * *', 'UTC', /^invalid cron expression: 4 fields instead of 5/],
    ['* * * * * 2030', 'UTC', /^invalid cron expression: 6 fields instead of 5/],
    ['*/0 * * * *', 'UTC', /^invalid cron expression: Syntax error, illegal stepping: 0$/],
    ['@reboot', 'UTC', /^invalid cron expression: @reboot is not supported/],
    [`${'1,'.repeat(200)}1 * * * *`, 'UTC', /^invalid cron expression: longer than 256 characters$/],
    ['* * * * *', 'Mars/Olympus', /^unknown time zone: Mars\/Olympus /],
    ['* * * * *', 'UTC\n', /^unknown time zone: /],
  ])('%j in %j is refused', (expression, timezone, message) => {
    expect(() => new Schedule(expression, timezone)).toThrow(message);
  });

  it('is refused if no date ever matches', () => {
    expect(() => new Schedule('0 0 31 4 *', 'UTC').first(0)).toThrow('invalid cron expression: no date ever matches it');
  });
});

describe('in Europe/Berlin', () => {
  const berlin = (expression: string, after: string, count: number) => times(expression, 'Europe/Berlin', after, count);

  it('runs a fixed time inside the spring gap once, right after it', () => {
    expect(berlin('30 2 * * *', '2026-03-28T12:00:00Z', 2)).toEqual(['2026-03-29T01:00Z', '2026-03-30T00:30Z']);
    expect(berlin('30 2,14 * * *', '2026-03-28T14:00:00Z', 3)).toEqual([
      '2026-03-29T01:00Z',
      '2026-03-29T12:30Z',
      '2026-03-30T00:30Z',
    ]);
  });

  it('skips times of an interval expression inside the spring gap', () => {
    expect(berlin('*/30 2 * * *', '2026-03-28T12:00:00Z', 2)).toEqual(['2026-03-30T00:00Z', '2026-03-30T00:30Z']);
    expect(berlin('0 * * * *', '2026-03-28T23:30:00Z', 3)).toEqual([
      '2026-03-29T00:00Z',
      '2026-03-29T01:00Z',
      '2026-03-29T02:00Z',
    ]);
  });

  it('runs a fixed time once, in the first of the two autumn hours', () => {
    expect(berlin('30 2 * * *', '2026-10-24T12:00:00Z', 2)).toEqual(['2026-10-25T00:30Z', '2026-10-26T01:30Z']);
  });

  it('runs an interval expression in both autumn hours', () => {
    expect(berlin('0 * * * *', '2026-10-24T23:30:00Z', 3)).toEqual([
      '2026-10-25T00:00Z',
      '2026-10-25T01:00Z',
      '2026-10-25T02:00Z',
    ]);
  });
});

describe('counting back', () => {
  it('stops after the given number of times, or at the start time', async () => {
    const schedule = new Schedule('0 * * * *', 'UTC');
    const nowMs = Date.UTC(2026, 2, 12, 10);
    const hour = 3_600_000;
    expect(await schedule.countBack(30, nowMs + 1, 0)).toBe(nowMs - 29 * hour);
    expect(await schedule.countBack(30, nowMs + 1, nowMs - 5 * hour)).toBe(nowMs - 5 * hour);
  });
});
