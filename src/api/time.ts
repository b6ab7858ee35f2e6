import { timeMs } from '../server/times.ts';

/** RFC 3339 in UTC with milliseconds. */
export function timestamp(ms: number): string {
  return new Date(ms).toISOString();
}

export function timeOrNull(ms: number | null): string | null {
  return ms === null ? null : timestamp(ms);
}

const RFC_3339 = /^\d{4}-\d\d-\d\d[Tt](?:[01]\d|2[0-3]):\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)$/;
const DAY_OR_TIME = /^\d{4}-\d\d-\d\d(?:T(?:[01]\d|2[0-3]):\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d))?$/;

/** Milliseconds since the epoch from RFC 3339 with any offset; null for anything else. A space stands for a `+` that was not percent-encoded. */
export function parseTime(text: string): number | null {
  const time = text.replace(' ', '+');
  return RFC_3339.test(time) ? timeMs(time) : null;
}

/** The same, also for times without seconds, and for days, which begin at midnight UTC. */
export function parseDayOrTime(text: string): number | null {
  return DAY_OR_TIME.test(text) ? timeMs(text) : null;
}
