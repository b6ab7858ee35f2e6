import { Cron } from 'croner';

const FIELDS = 5;
const MAX_LENGTH = 256;

/** The expression or the time zone is not valid; the message says why. */
export class InvalidSchedule extends Error {
  readonly field: 'expression' | 'timezone';

  constructor(field: InvalidSchedule['field'], message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'InvalidSchedule';
    this.field = field;
  }
}

/**
 * Parses a cron expression in a time zone. Five fields: minute, hour, day of month, month, day of week; names, ranges with steps, `7` for
 * Sunday, `L`, `#` and `W`, and nicknames (`@daily`). Throws `InvalidSchedule`.
 */
export function parseCron(expression: string, timezone: string): Cron {
  if (!isTimeZone(timezone))
    throw new InvalidSchedule(
      'timezone',
      `unknown time zone: ${timezone.slice(0, 64)} (write an IANA name such as Europe/Berlin)`,
    );
  const text = expression.trim();
  const fields = text.split(/\s+/);
  if (text.length > MAX_LENGTH) throw invalid(`longer than ${MAX_LENGTH} characters`);
  // Without this check croner would accept seconds, years and single dates.
  if (!text.startsWith('@') && fields.length !== FIELDS)
    throw invalid(
      `${fields.length} fields instead of ${FIELDS} (minute, hour, day of month, month, day of week; there are no seconds)`,
    );
  try {
    return new Cron(text, { timezone, paused: true, mode: '5-part', fixedTimeRule: 'no-wildcard' });
  } catch (cause) {
    // croner's messages count days and months from 0, so the value is left out.
    const problem = cause instanceof Error ? cause.message : String(cause);
    throw invalid(
      problem.replace(/^CronPattern: /, '').replace(/^Invalid value for (\w+): -?\d+$/, 'invalid value for the $1'),
      cause,
    );
  }
}

function invalid(problem: string, cause?: unknown): InvalidSchedule {
  return new InvalidSchedule('expression', `invalid cron expression: ${problem}`, cause);
}

/** Offsets such as `+02:00` are refused: they have no daylight-saving time. */
function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z][\w+/-]*$/.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
