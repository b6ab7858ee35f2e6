import { durationText } from '../../machines/duration.ts';

/** As `durationText`; a dash for what is no duration. */
export function duration(ms: number): string {
  return ms < 0 || !Number.isFinite(ms) ? '–' : durationText(ms);
}

/** A past time in its largest unit, `3 m ago`; `now` for less than a second. */
export function ago(atMs: number, nowMs: number): string {
  const elapsed = nowMs - atMs;
  if (elapsed < 1000) return 'now';
  return `${coarse(elapsed)} ago`;
}

/** A future time in its largest unit, `in 3 m`; `now` for less than a second, or a past time. */
export function ahead(atMs: number, nowMs: number): string {
  const left = atMs - nowMs;
  return left < 1000 ? 'now' : `in ${coarse(left)}`;
}

/** A duration in its largest unit: `45 s`, `3 m`, `2 h`, `5 d`. */
function coarse(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** The local day: `11-27`. */
export function day(atMs: number): string {
  const at = new Date(atMs);
  return `${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

/** Local wall-clock time with milliseconds: `14:03:07.120`. */
export function clock(atMs: number): string {
  const at = new Date(atMs);
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, '0')}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
