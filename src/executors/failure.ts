import { WorkError } from './executor.ts';

/** Longest error text that is logged, in characters. */
const MAX_MESSAGE = 2_000;

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
  return new WorkError(messageOf(thrown), {
    cause: thrown,
    retryable: property(thrown, 'retryable') !== false,
    ...(errorClass === null ? {} : { errorClass }),
    ...(httpStatus === null ? {} : { httpStatus }),
  });
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

function messageOf(thrown: unknown): string {
  const own = property(thrown, 'message');
  const said = typeof own === 'string' ? own : '';
  const cause = causeOf(thrown);
  const parts = said.includes(cause) ? [said] : [said, cause];
  const text = parts.filter((part) => part !== '').join(': ') || describe(thrown);
  return text.length > MAX_MESSAGE ? `${text.slice(0, MAX_MESSAGE - 1)}…` : text;
}

/** The cause behind "fetch failed", and behind the empty message of an `AggregateError`. */
function causeOf(thrown: unknown): string {
  const cause = property(thrown, 'cause');
  const attempts = property(thrown, 'errors') ?? property(cause, 'errors');
  const message = property(Array.isArray(attempts) ? attempts[0] : cause, 'message');
  return typeof message === 'string' ? message : '';
}

function describe(thrown: unknown): string {
  if (typeof thrown === 'string' && thrown !== '') return thrown;
  if (thrown instanceof Error) return thrown.name;
  if (typeof thrown === 'object' && thrown !== null) return 'an object that is not an Error was thrown';
  return `${String(thrown) || 'an empty text'} was thrown`;
}

/** Reads a property of any value; a getter that throws counts as absent. */
function property(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  try {
    return (value as Record<string, unknown>)[key];
  } catch {
    return undefined;
  }
}
