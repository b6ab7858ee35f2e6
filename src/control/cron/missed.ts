import type { Missed } from '../../../store/port/resources/cron.ts';
import type { Schedule } from './schedule.ts';

/** Later than this, a run is missed and no longer just late. */
const LATE_MS = 60_000;
/** Missed runs that are made up for, at most: of more, the oldest are skipped. */
const MAX_CAUGHT_UP = 1_000;
/** No two times of a schedule are nearer. */
const SHORTEST_INTERVAL_MS = 60_000;

/**
 * The time with which a job that is due since `dueMs` goes on; everything before it is skipped. `skip` makes up for nothing: it runs the last
 * time if that is at most a minute ago, else the next to come. `catch_up` runs what was missed, the last 1,000 times of it. Null = none is left.
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
