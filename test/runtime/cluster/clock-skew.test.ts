import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/runtime/clock.ts';
import { ClockSkewMonitor } from '../../../src/runtime/cluster/clock-skew.ts';
import { FakeClock } from '../../support/clock.ts';
import { postgresDatabase, postgresServer } from '../../support/postgres.ts';
import { sqliteDatabase } from '../../support/stores.ts';

const server = postgresServer();
const HOUR_MS = 3_600_000;

describe('a clock', () => {
  it.each([
    ['ahead of', 2 * HOUR_MS],
    ['behind', -2 * HOUR_MS],
  ])('that is %s the database’s is told once, and one that is right never', async (text, offsetMs) => {
    const store = await postgresDatabase(server).open();
    const errors: unknown[] = [];
    // It stands still: what passes meanwhile is no more than the test takes.
    const clock = new FakeClock(Date.now() + offsetMs);
    const watch = new ClockSkewMonitor({ store, clock, onError: (error) => errors.push(error) });
    await watch.check();
    expect(Math.abs(watch.aheadMs - offsetMs)).toBeLessThan(HOUR_MS);
    await watch.check();
    expect(errors.map(String)).toEqual([expect.stringContaining(`${text} the database's`)]);
    const right = new ClockSkewMonitor({ store, clock: systemClock, onError: (error) => errors.push(error) });
    await right.check();
    expect(right.aheadMs).toBe(0);
    expect(errors).toHaveLength(1);
  });

  it('is that of the machine where the database is a file', async () => {
    const store = await sqliteDatabase().open();
    const errors: unknown[] = [];
    const watch = new ClockSkewMonitor({ store, clock: new FakeClock(0), onError: (error) => errors.push(error) });
    await watch.check();
    expect([watch.aheadMs, errors]).toEqual([0, []]);
  });
});
