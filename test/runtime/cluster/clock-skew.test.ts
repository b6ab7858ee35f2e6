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
  ])('%s the database’s is reported once, and a correct clock never', async (text, offsetMs) => {
    const store = await postgresDatabase(server).open();
    const errors: unknown[] = [];
    // The clock stands still, so the difference grows only by the duration of the test.
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

  it('of a SQLite database is that of the machine', async () => {
    const store = await sqliteDatabase().open();
    const errors: unknown[] = [];
    const watch = new ClockSkewMonitor({ store, clock: new FakeClock(0), onError: (error) => errors.push(error) });
    await watch.check();
    expect([watch.aheadMs, errors]).toEqual([0, []]);
  });
});
