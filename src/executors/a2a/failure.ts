import { shortened } from '../../../machines/shortened.ts';
import { WorkError } from '../executor.ts';
import { asWorkError } from '../failure.ts';
import { withoutSecrets } from '../secrets.ts';

/** Reasons for which an agent refuses a request that another attempt would repeat. */
const REFUSED: ReadonlySet<string> = new Set([
  'INVALID_PARAMS',
  'INVALID_REQUEST',
  'REQUEST_MALFORMED',
  'METHOD_NOT_FOUND',
  'UNSUPPORTED_OPERATION',
  'CONTENT_TYPE_NOT_SUPPORTED',
  'VERSION_NOT_SUPPORTED',
  'EXTENSION_SUPPORT_REQUIRED',
  'TASK_NOT_FOUND',
  'TASK_NOT_CANCELABLE',
]);
const MAX_TEXT = 300;

/** The failure of a request to an agent, with its name and without its credentials. Errors of the SDK have a `reason`. */
export function failureOf(error: unknown, agent: string, secrets: readonly string[], signal: AbortSignal): WorkError {
  if (signal.aborted) return abortFailure(signal, agent);
  const known = workErrorIn(error);
  if (known !== null) return rewritten(known, withoutSecrets(secrets, known.message));
  const reason = reasonOf(error);
  const said = error instanceof Error ? error.message : 'unknown failure';
  const text = `agent "${agent}": ${oneLine(withoutSecrets(secrets, said))}`;
  if (/exceeded the maximum allowed size/.test(said))
    return new WorkError(text, { cause: error, retryable: false, errorClass: 'response_too_large' });
  if (reason === null) {
    const { errorClass, retryable } = asWorkError(error);
    // What the SDK cannot read is no fault of the network.
    const isUnreadable = errorClass === null;
    return new WorkError(text, { cause: error, retryable, errorClass: isUnreadable ? 'invalid_response' : errorClass });
  }
  const isRefused = REFUSED.has(reason);
  return new WorkError(text, { cause: error, retryable: !isRefused, errorClass: isRefused ? 'validation' : 'server_error' });
}

export function isReason(error: unknown, reason: string): boolean {
  return reasonOf(error) === reason;
}

/** The failure of a request whose signal has been aborted. */
export function abortFailure(signal: AbortSignal, agent: string): WorkError {
  if (signal.reason instanceof WorkError) return signal.reason;
  const late = signal.reason instanceof Error && signal.reason.name === 'TimeoutError';
  return new WorkError(`agent "${agent}": ${late ? 'no result in time' : 'aborted'}`, {
    cause: signal.reason,
    retryable: true,
    errorClass: late ? 'timeout' : 'io_error',
  });
}

/** The `WorkError` of the guarded `fetch`, which the SDK may have wrapped. */
function workErrorIn(error: unknown): WorkError | null {
  for (let each = error, depth = 0; each instanceof Error && depth < 5; each = each.cause, depth += 1)
    if (each instanceof WorkError) return each;
  return null;
}

function reasonOf(error: unknown): string | null {
  for (let each = error, depth = 0; each instanceof Error && depth < 5; each = each.cause, depth += 1) {
    const { reason } = each as { readonly reason?: unknown };
    if (typeof reason === 'string') return reason;
  }
  return null;
}

function rewritten(error: WorkError, message: string): WorkError {
  if (message === error.message) return error;
  const { cause, retryable, errorClass, httpStatus, retryAfterMs } = error;
  return new WorkError(message, {
    cause,
    retryable,
    ...(errorClass === null ? {} : { errorClass }),
    ...(httpStatus === null ? {} : { httpStatus }),
    ...(retryAfterMs === null ? {} : { retryAfterMs }),
  });
}

function oneLine(message: string): string {
  const text = message.replace(/\s+/g, ' ').trim();
  return shortened(text, MAX_TEXT);
}
