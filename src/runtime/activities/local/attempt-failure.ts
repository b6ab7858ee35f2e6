import type { JsonObject } from '../../../../machines/json.ts';
import type { Fail } from '../../../../machines/messages.ts';
import { WorkError } from '../../../executors/executor.ts';
import { describeFailure } from '../../../executors/failure-description.ts';
import { MIN_SECRET_LENGTH } from '../../../executors/secrets.ts';

/** Values of `env` are named and not given, as in inputs: functions repeat in their errors what they were given. */
export function withNamedVars<T extends Pick<Fail, 'error' | 'details'>>(vars: Readonly<Record<string, string>>, failure: T): T {
  let text = JSON.stringify([failure.error, failure.details ?? null]);
  const before = text;
  for (const [name, value] of Object.entries(vars))
    if (value.length >= MIN_SECRET_LENGTH)
      text = text.replaceAll(JSON.stringify(value).slice(1, -1), JSON.stringify(`{{ env.${name} }}`).slice(1, -1));
  if (text === before) return failure;
  const [error, details] = JSON.parse(text);
  return Object.assign({}, failure, { error }, details === null ? null : { details });
}

/** The failure of an attempt, from what its executor has thrown. */
export function failureOf(
  error: unknown,
  nowMs: number,
): Pick<Fail, 'error' | 'retryable' | 'errorClass' | 'httpStatus' | 'parkedUntilMs' | 'usage' | 'details'> {
  if (!(error instanceof WorkError)) {
    const { error: text, ...details } = describeFailure(error);
    return { error: text, retryable: true, details: details as JsonObject };
  }
  const { message, retryable, errorClass, httpStatus, retryAfterMs, usage, details } = error;
  return {
    error: message,
    retryable,
    ...(errorClass === null ? {} : { errorClass }),
    ...(httpStatus === null ? {} : { httpStatus }),
    ...(details === null ? {} : { details: details as JsonObject }),
    ...(retryAfterMs === null ? {} : { parkedUntilMs: nowMs + retryAfterMs }),
    ...(usage === null ? {} : { usage }),
  };
}
