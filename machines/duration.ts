import { isObject } from './json.ts';
import { MAX_SECONDS } from './limits.ts';

const UNITS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3_600, d: 86_400 };

/** Seconds from `90`, `"90"`, `"90s"`, `"1.5m"`, `"250ms"`, `{secs, nanos}`; null when it is none of these. */
export function secondsOf(value: unknown): number | null {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value === 'string') {
    const [, amount, unit = 's'] = /^\s*(\d{1,15}(?:\.\d{1,9})?)\s*(ms|s|m|h|d)?\s*$/.exec(value) ?? [];
    return amount === undefined ? null : Number(amount) * (UNITS[unit] ?? 1);
  }
  if (isObject(value) && typeof value.secs === 'number') {
    const nanos = value.nanos ?? 0;
    return typeof nanos === 'number' ? value.secs + nanos / 1e9 : null;
  }
  return null;
}

/** A date, or a date and a time with its offset from UTC. */
const ISO_TIME = /^(\d{4}-\d\d-\d\d)(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d))?$/;

/** Milliseconds since 1970 of a date (its begin in UTC), or of a time with `Z` or an offset; null when it is neither, or no such day exists. */
export function isoTimeMs(text: string): number | null {
  const [, day = ''] = ISO_TIME.exec(text.trim()) ?? [];
  return isDay(day) ? finite(Date.parse(text.trim())) : null;
}

/** Is the text a date such as `2026-03-12`, of a day that exists? `Date.parse` reads 30 February as 2 March. */
export function isDay(text: string): boolean {
  const midnightMs = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  return !Number.isNaN(midnightMs) && new Date(midnightMs).toISOString().startsWith(text);
}

export function finite(ms: number): number | null {
  return Number.isNaN(ms) ? null : ms;
}

/** What a time or a duration from `nowMs` means, in milliseconds since 1970: an ISO time, or what `secondsOf` reads; null when it is neither. */
export function momentMs(value: unknown, nowMs: number): number | null {
  const seconds = secondsOf(value);
  if (seconds === null) return typeof value === 'string' ? isoTimeMs(value) : null;
  return seconds < 0 || seconds > MAX_SECONDS ? null : nowMs + Math.round(seconds * 1_000);
}

/** Rounded to two units: `840 ms`, `12.3 s`, `4 m 5 s`, `3 h`, `2 d 4 h`. */
export function durationText(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${Number((ms / 1_000).toFixed(1))} s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 3_600) return twoUnits(Math.floor(seconds / 60), 'm', seconds % 60, 's');
  const minutes = Math.round(ms / 60_000);
  if (minutes < 1_440) return twoUnits(Math.floor(minutes / 60), 'h', minutes % 60, 'm');
  const hours = Math.round(ms / 3_600_000);
  return twoUnits(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

function twoUnits(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}
