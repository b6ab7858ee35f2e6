import { isObject, type Json } from '../json.ts';
import type { Fields } from '../reading/fields.ts';
import { shortened } from '../shortened.ts';
import { didYouMean } from '../suggest.ts';

/** Error classes that the runtime assigns. */
const CLASSES = ['io_error', 'timeout', 'rate_limit', 'server_error', 'connection_reset', 'client_error'] as const;

/** Other names for them in documents. */
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
 * The errors that a retry policy names: classes, their synonyms, HTTP statuses (503 as `"503"`), `{"custom": name}`. A synonym is kept
 * beside the class that it means, because workers may report either.
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
    fields.warning('unknown_error_class', key, `names "${shortened(name, 60)}", a class that this runtime never assigns`, hint);
  }
  return [name];
}

function isStatus(text: string): boolean {
  return /^[1-5]\d\d$/.test(text);
}

/** A failed attempt. */
export interface AttemptFailure {
  /** Did the executor or worker report the failure as retryable? */
  readonly retryable: boolean;
  readonly errorClass?: string;
  readonly httpStatus?: number;
}

/** Does a policy retry the failure? Without `on` it retries all; a failure without class and status is always retried. */
export function isRetryable(on: readonly string[] | undefined, { retryable, errorClass, httpStatus }: AttemptFailure): boolean {
  const status = httpStatus === undefined ? undefined : String(httpStatus);
  const named = status !== undefined && on?.includes(status) === true;
  // A client error such as 404 or 409 is retried only when the policy names its status.
  if (!retryable) return named && errorClass === 'client_error';
  if (on === undefined || named) return true;
  if (errorClass !== undefined)
    return on.includes(errorClass) || (status === undefined && on.some((one) => mayHaveStatus(errorClass, one)));
  return status === undefined || !on.some(isStatus);
}

/** May an error of the class, whose status is unknown, have had this status? */
function mayHaveStatus(errorClass: string, status: string): boolean {
  return errorClass === 'rate_limit' ? status === '429' : errorClass === 'server_error' && /^5\d\d$/.test(status);
}
