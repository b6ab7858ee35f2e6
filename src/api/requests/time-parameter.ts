import { secondsOf } from '../../../machines/duration.ts';
import { MAX_SECONDS } from '../../../machines/limits.ts';
import { RuntimeError, truncated } from '../../runtime/errors.ts';
import { parseTime } from '../time.ts';

/** The time of a parameter in milliseconds since the epoch; null if it is absent. Throws `bad_request` for anything but a time. */
export function timeOf(name: string, text: string | null | undefined): number | null {
  if (text === undefined || text === null) return null;
  const ms = parseTime(text);
  if (ms === null)
    throw new RuntimeError('bad_request', `${name} must be a time like 2026-03-12T10:00:00Z, not "${truncated(text)}"`);
  return ms;
}

/** The milliseconds of a delay: seconds, or a duration as documents write it. Null if it is absent. Throws `bad_request` for anything else. */
export function delayOf(given: number | string | null | undefined): number | null {
  if (given === undefined || given === null) return null;
  const seconds = secondsOf(given);
  if (seconds === null || seconds < 0 || seconds > MAX_SECONDS)
    throw new RuntimeError('bad_request', `delay must be a duration like 90, 90s, 1.5h or 2d, not "${truncated(String(given))}"`);
  return Math.round(seconds * 1_000);
}
