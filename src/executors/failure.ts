import { WorkError } from './executor.ts';
import { detailsOf, failureText, property } from './failure-description.ts';

const RESET = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'UND_ERR_SOCKET']);
const TIMEOUT = new Set([
  'ETIMEDOUT',
  'ESOCKETTIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
]);

/**
 * Converts a thrown value to a `WorkError`: the message without the stack; the class from `errorClass`, from a system error's `code` (or its
 * cause's, since `fetch` wraps it) or from an HTTP `status`. `retryable: false` on the value prevents further attempts.
 */
export function asWorkError(thrown: unknown): WorkError {
  if (thrown instanceof WorkError) return thrown;
  const errorClass = classOf(thrown);
  const httpStatus = statusOf(thrown);
  return new WorkError(failureText(thrown), {
    cause: thrown,
    retryable: property(thrown, 'retryable') !== false,
    ...(errorClass === null ? {} : { errorClass }),
    ...(httpStatus === null ? {} : { httpStatus }),
  });
}

/** As `asWorkError`, for what a tool has thrown: with its name, its stack and its causes. */
export function asToolFailure(thrown: unknown): WorkError {
  return thrown instanceof WorkError ? thrown : asWorkError(thrown).with({ details: detailsOf(thrown) });
}

function statusOf(thrown: unknown): number | null {
  const status = property(thrown, 'status') ?? property(thrown, 'statusCode');
  return typeof status === 'number' && Number.isInteger(status) && status >= 100 && status <= 599 ? status : null;
}

function classOf(thrown: unknown): string | null {
  const named = property(thrown, 'errorClass');
  if (typeof named === 'string' && named !== '') return named.slice(0, 100);
  if (property(thrown, 'name') === 'TimeoutError') return 'timeout';
  const code = property(thrown, 'code') ?? property(property(thrown, 'cause'), 'code');
  if (typeof code === 'string') {
    if (RESET.has(code)) return 'connection_reset';
    if (TIMEOUT.has(code)) return 'timeout';
    if (/^E[A-Z]+/.test(code)) return 'io_error';
  }
  const status = statusOf(thrown);
  if (status === 429) return 'rate_limit';
  return status !== null && status >= 500 ? 'server_error' : null;
}
