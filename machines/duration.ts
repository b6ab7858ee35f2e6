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
