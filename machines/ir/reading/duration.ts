import { isObject } from '../../json.ts';

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
