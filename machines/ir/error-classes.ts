import { isObject, type Json } from '../json.ts';
import { didYouMean } from '../suggest.ts';
import type { Fields } from './reading/fields.ts';

/** Classes of errors that this runtime gives by itself. */
const CLASSES = ['io_error', 'timeout', 'rate_limit', 'server_error', 'connection_reset', 'client_error'] as const;

/** Other words for them, as documents have them. */
const SYNONYMS: Readonly<Record<string, readonly (typeof CLASSES)[number][]>> = {
  rate_limited: ['rate_limit'],
  model_overloaded: ['server_error'],
  overloaded: ['server_error'],
  network_error: ['io_error', 'connection_reset'],
  connection_error: ['io_error', 'connection_reset'],
  timed_out: ['timeout'],
  '5xx': ['server_error'],
};

/**
 * The errors that a retry policy names: classes, their synonyms, HTTP statuses (503 as `"503"`), `{"custom": name}`. A synonym stays
 * beside what it means, since workers may report either.
 */
export function errorClasses(fields: Fields): string[] | undefined {
  const named = fields.list('retryable_on', 'retryable_errors', 'retry_on')?.flatMap((raw, i) => classesOf(fields, raw, i));
  return named === undefined ? undefined : [...new Set(named)];
}

function classesOf(fields: Fields, raw: Json, index: number): readonly string[] {
  const key = `retryable_on[${index}]`;
  const custom = isObject(raw);
  const name = custom ? raw.custom : raw;
  if (typeof name === 'number' && isStatus(String(name))) return [String(name)];
  if (typeof name !== 'string' || name === '') {
    fields.error('wrong_type', key, 'must be the name of an error class or an HTTP status');
    return [];
  }
  const meant = Object.hasOwn(SYNONYMS, name) ? SYNONYMS[name] : undefined;
  if (meant !== undefined) return [name, ...meant];
  if (!custom && !isStatus(name) && !CLASSES.some((known) => known === name)) {
    const hint = () =>
      didYouMean(name, [...CLASSES, ...Object.keys(SYNONYMS)]) ??
      `classes: ${CLASSES.join(', ')}; HTTP statuses as numbers; a class of your own tools as {"custom": …}`;
    fields.warning('unknown_error_class', key, `names "${name.slice(0, 60)}", a class that this runtime never gives`, hint);
  }
  return [name];
}

function isStatus(text: string): boolean {
  return /^[1-5]\d\d$/.test(text);
}

/** What is known of a failed attempt. */
export interface AttemptFailure {
  /** Does whoever did the work think another attempt worth it? */
  readonly retryable: boolean;
  readonly errorClass?: string;
  readonly httpStatus?: number;
}

/** Is the failure among those that a policy retries? `on` absent = all of them, and so is one that nothing is known of. */
export function isRetryable(on: readonly string[] | undefined, { retryable, errorClass, httpStatus }: AttemptFailure): boolean {
  const status = httpStatus === undefined ? undefined : String(httpStatus);
  const named = status !== undefined && on?.includes(status) === true;
  // A status such as 404 or 409 is worth a retry when its author says so.
  if (!retryable) return named && errorClass === 'client_error';
  if (on === undefined || named) return true;
  if (errorClass !== undefined)
    return on.includes(errorClass) || (status === undefined && on.some((one) => mayHaveStatus(errorClass, one)));
  return status === undefined || !on.some(isStatus);
}

/** Might an error of the class, its status unknown, have had this one? */
function mayHaveStatus(errorClass: string, status: string): boolean {
  return errorClass === 'rate_limit' ? status === '429' : errorClass === 'server_error' && /^5\d\d$/.test(status);
}
