import { secondsOf } from '../../../machines/duration.ts';
import type { Json, JsonObject } from '../../../machines/json.ts';
import { WorkError } from '../executor.ts';

/** Characters of the name of an operation, and of the key of an event. */
const MAX_NAME = 200;
/** Milliseconds since 1970 of the last time that JavaScript can write. */
export const LAST_TIME_MS = 8.64e15;

export function textIn(data: JsonObject, key: string): string | null {
  const value = data[key];
  return typeof value === 'string' ? value : null;
}

export function invalid(message: string): WorkError {
  return new WorkError(message, { retryable: false, errorClass: 'validation' });
}

/** The name of an operation, as it is logged and shown. */
export function checkedName(what: string, name: unknown): string {
  if (typeof name !== 'string' || name === '')
    throw invalid(`${what} must be a text, not ${name === '' ? 'an empty one' : typeof name}`);
  if (name.length > MAX_NAME) throw invalid(`${what} must have at most ${MAX_NAME} characters, not ${name.length}`);
  if (/\p{Cc}|\p{Cs}/u.test(name)) throw invalid(`${what} must not have control characters or unpaired surrogates`);
  return name;
}

/** Milliseconds of a duration. */
export function durationMs(what: string, duration: unknown): number {
  const seconds = secondsOf(duration as Json);
  if (seconds === null || seconds < 0)
    throw invalid(`${what} must be seconds, or a number with a unit (250ms, 90s, 5m, 2h, 3d), not ${shown(duration)}`);
  return Math.min(Math.round(seconds * 1_000), LAST_TIME_MS / 2);
}

/** Milliseconds since 1970. */
export function timeMs(what: string, time: unknown): number {
  const ms = time instanceof Date ? time.getTime() : typeof time === 'string' ? Date.parse(time) : time;
  if (typeof ms !== 'number' || !Number.isFinite(ms) || Math.abs(ms) > LAST_TIME_MS)
    throw invalid(`${what} must be a date, an ISO time or milliseconds since 1970, not ${shown(time)}`);
  return Math.round(ms);
}

export function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 50)) : String(value).slice(0, 50);
}
