import { setImmediate } from 'node:timers/promises';
import { Cron } from 'croner';
import { RuntimeError } from '../../runtime/errors.ts';

const FIELDS = 5;
const MAX_LENGTH = 256;
/** Times that one turn of the event loop looks up: each takes about a tenth of a millisecond. */
const TIMES_PER_TURN = 25;

/**
 * The times of a cron expression in a time zone. Five fields: minute, hour, day of month, month, day of week; names, ranges with steps, `7` for
 * Sunday, `L`, `#` and `W`, and nicknames (`@daily`). Of the two days, either is enough when both are restricted.
 *
 * When clocks change, a job at fixed times (`30 2 * * *`, also lists and ranges of hours) runs once a day: at the first of two, or right after
 * a gap. One with a `*` or a step in minute or hour keeps its pace: it runs in both of two hours, and not in an hour that does not exist.
 */
export class Schedule {
  readonly #cron: Cron;
  /** What was asked last: many jobs share a schedule, and come due together. */
  #lastNext: { readonly afterMs: number; readonly nextMs: number | null } | null = null;

  /** Throws `RuntimeError` `bad_request` for an unknown time zone and for a malformed expression. */
  constructor(expression: string, timezone: string) {
    this.#cron = parse(expression, timezone);
  }

  /** Like `next`; throws `bad_request` when there is none. */
  first(afterMs: number): number {
    const firstMs = this.next(afterMs);
    if (firstMs === null) throw invalid('its time never comes');
    return firstMs;
  }

  /** The first time after that; null = there is none. */
  next(afterMs: number): number | null {
    if (this.#lastNext?.afterMs === afterMs) return this.#lastNext.nextMs;
    const nextMs = this.#cron.nextRun(new Date(afterMs))?.getTime() ?? null;
    this.#lastNext = { afterMs, nextMs };
    return nextMs;
  }

  /** The last time before that; null = there is none. */
  previous(beforeMs: number): number | null {
    return this.#cron.previousRuns(1, new Date(beforeMs))[0]?.getTime() ?? null;
  }

  /** The `count`th time before `beforeMs`, or `fromMs` when that is later. Others get their turn while it counts. */
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
  if (!isTimeZone(timezone))
    throw new RuntimeError(
      'bad_request',
      `unknown time zone: ${timezone.slice(0, 64)} (write an IANA name such as Europe/Berlin)`,
    );
  const text = expression.trim();
  const fields = text.split(/\s+/);
  if (text.length > MAX_LENGTH) throw invalid(`longer than ${MAX_LENGTH} characters`);
  // Otherwise croner would also take seconds, years and single dates.
  if (!text.startsWith('@') && fields.length !== FIELDS)
    throw invalid(
      `${fields.length} fields instead of ${FIELDS} (minute, hour, day of month, month, day of week; there are no seconds)`,
    );
  try {
    return new Cron(text, { timezone, paused: true, mode: '5-part', fixedTimeRule: 'no-wildcard' });
  } catch (cause) {
    // The library counts days and months from 0 in what it says.
    const problem = cause instanceof Error ? cause.message : String(cause);
    throw invalid(
      problem.replace(/^CronPattern: /, '').replace(/^Invalid value for (\w+): -?\d+$/, 'invalid value for the $1'),
      cause,
    );
  }
}

function invalid(problem: string, cause?: unknown): RuntimeError {
  return new RuntimeError('bad_request', `invalid cron expression: ${problem}`, { cause });
}

/** Offsets such as `+02:00` are no zones: they know no summer time. */
function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z][\w+/-]*$/.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
