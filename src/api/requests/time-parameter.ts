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
