import { setImmediate } from 'node:timers/promises';
import type { Cron } from 'croner';
import { InvalidSchedule, parseCron } from '../../cron-expression.ts';
import { RuntimeError } from '../../runtime/errors.ts';

/** Times computed per turn of the event loop; each takes about a tenth of a millisecond. */
const TIMES_PER_TURN = 25;

/**
 * The times of a cron expression in a time zone. Five fields: minute, hour, day of month, month, day of week; names, ranges with steps, `7`
 * for Sunday, `L`, `#` and `W`, and nicknames (`@daily`). If both day fields are restricted, a day that matches either one counts.
 *
 * At daylight-saving changes, a job at fixed times (`30 2 * * *`, also lists and ranges of hours) runs once a day: in the first of two equal
 * hours, or right after the gap. A job with `*` or a step in minute or hour keeps its interval: it runs in both equal hours and skips the
 * missing hour.
 */
export class Schedule {
  readonly #cron: Cron;
  /** The last answer of `next`: many jobs share a schedule and are due at the same time. */
  #lastNext: { readonly afterMs: number; readonly nextMs: number | null } | null = null;

  /** Throws `RuntimeError` `bad_request` for an unknown time zone or a malformed expression. */
  constructor(expression: string, timezone: string) {
    this.#cron = parse(expression, timezone);
  }

  /** Like `next`, but throws `bad_request` if there is none. */
  first(afterMs: number): number {
    const firstMs = this.next(afterMs);
    if (firstMs === null) throw new RuntimeError('bad_request', 'invalid cron expression: no date ever matches it');
    return firstMs;
  }

  /** The first time after `afterMs`; null = none. */
  next(afterMs: number): number | null {
    if (this.#lastNext?.afterMs === afterMs) return this.#lastNext.nextMs;
    const nextMs = this.#cron.nextRun(new Date(afterMs))?.getTime() ?? null;
    this.#lastNext = { afterMs, nextMs };
    return nextMs;
  }

  /** The last time before `beforeMs`; null = none. */
  previous(beforeMs: number): number | null {
    return this.#cron.previousRuns(1, new Date(beforeMs))[0]?.getTime() ?? null;
  }

  /** The `count`th time before `beforeMs`, but not earlier than `fromMs`. Yields to the event loop while it counts. */
  async countBack(count: number, beforeMs: number, fromMs: number): Promise<number> {
    let earliestMs = beforeMs;
    for (let left = count; left > 0; left -= TIMES_PER_TURN) {
      const times = this.#cron.previousRuns(Math.min(left, TIMES_PER_TURN), new Date(earliestMs));
      const last = times.at(-1)?.getTime();
      if (last === undefined || last <= fromMs) return fromMs;
      earliestMs = last;
      await setImmediate();
    }
    return earliestMs;
  }
}

function parse(expression: string, timezone: string): Cron {
  try {
    return parseCron(expression, timezone);
  } catch (error) {
    if (error instanceof InvalidSchedule) throw new RuntimeError('bad_request', error.message, { cause: error.cause });
    throw error;
  }
}
