/** Parsers for durations and times in options and requests. */
import { finite, isDay } from '../../machines/duration.ts';

const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
const MAX_DURATION_MS = 100 * 365 * 86_400_000;

/** Milliseconds of `90s`, `15m`, `12h`, `30d` or `4w`; null for any other text, for zero and above a hundred years. */
export function durationMs(text: string): number | null {
  const [, count = '', unit = ''] = /^(\d{1,12})([smhdw])$/.exec(text) ?? [];
  const ms = Number(count) * (UNIT_MS[unit] ?? 0);
  return ms > 0 && ms <= MAX_DURATION_MS ? ms : null;
}

/** Parses a time that begins with a date, such as `2026-03-12`; null if it is invalid. */
export function timeMs(text: string): number | null {
  return isDay(text.slice(0, 10)) ? finite(Date.parse(text)) : null;
}
