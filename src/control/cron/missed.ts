import type { Missed } from '../../../store/port/resources/cron.ts';
import type { Schedule } from './schedule.ts';

/** A run that starts later than this is missed, not late. */
const LATE_MS = 60_000;
/** The most missed runs that `catch_up` makes up for; older ones are skipped. */
const MAX_CAUGHT_UP = 1_000;
/** The shortest interval a five-field expression can have. */
const SHORTEST_INTERVAL_MS = 60_000;

/**
 * The first time to run for a job that has been due since `dueMs`; earlier times are skipped. `skip` runs the last due time if it is less
 * than a minute ago, else the next future one. `catch_up` runs the missed times, at most the last 1,000. Null = the schedule has no time left.
 */
export async function firstRunMs(schedule: Schedule, missed: Missed, dueMs: number, nowMs: number): Promise<number | null> {
  const isOnTime = nowMs - dueMs < LATE_MS;
  if (isOnTime && (schedule.next(dueMs) ?? Number.POSITIVE_INFINITY) > nowMs) return dueMs;
  if (missed === 'catch_up') {
    if (nowMs - dueMs <= (MAX_CAUGHT_UP - 1) * SHORTEST_INTERVAL_MS) return dueMs;
    return schedule.countBack(MAX_CAUGHT_UP, nowMs + 1, dueMs);
  }
  const lastMs = schedule.previous(nowMs + 1);
  return lastMs !== null && nowMs - lastMs < LATE_MS ? Math.max(lastMs, dueMs) : schedule.next(nowMs);
}
