import { isObject } from './json.ts';

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

/** `840 ms`, `12.3 s`, `4 min 5 s`, `3 h`, `2 d 4 h`. */
export function durationText(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${Math.floor(ms / 100) / 10} s`;
  const [minutes, hours, days] = [Math.floor(ms / 60_000), Math.floor(ms / 3_600_000), Math.floor(ms / 86_400_000)];
  if (hours === 0) return two(minutes, 'min', Math.floor(ms / 1_000) % 60, 's');
  if (days === 0) return two(hours, 'h', minutes % 60, 'min');
  return two(days, 'd', hours % 24, 'h');
}

function two(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}
