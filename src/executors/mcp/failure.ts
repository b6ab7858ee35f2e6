import { shortened } from '../../../machines/shortened.ts';
import { WorkError } from '../executor.ts';
import { asWorkError } from '../failure.ts';
import { withoutSecrets } from '../secrets.ts';

/** JSON-RPC: the server has not understood the request. */
const REFUSED: ReadonlySet<number> = new Set([-32_600, -32_601, -32_602]);
const CONNECTION_CLOSED = -32_000;
const MAX_TEXT = 300;

/**
 * The failure of a request to a server, with its name and without its credentials. Errors of the SDK have a JSON-RPC code or an HTTP
 * status.
 */
export function failureOf(error: unknown, server: string, secrets: readonly string[]): WorkError {
  if (error instanceof WorkError) return withoutCredentials(error, secrets);
  const prefix = `MCP server "${server}"`;
  const code = codeOf(error);
  const text = `${prefix}: ${error instanceof Error ? oneLine(withoutSecrets(secrets, error.message)) : 'unknown failure'}`;
  if (error instanceof Error && error.name.endsWith('ZodError'))
    return new WorkError(`${prefix} sent a malformed result`, { cause: error, retryable: true, errorClass: 'server_error' });
  if (code === CONNECTION_CLOSED || /^Not connected\b/.test(error instanceof Error ? error.message : ''))
    return new WorkError(`${prefix} closed the connection`, { cause: error, retryable: true, errorClass: 'connection_reset' });
  if (code === null) {
    const { errorClass, retryable } = asWorkError(error);
    return new WorkError(text, { cause: error, retryable, errorClass: errorClass ?? 'io_error' });
  }
  if (REFUSED.has(code)) return new WorkError(text, { cause: error, retryable: false, errorClass: 'validation' });
  if (code < 100 || code > 599) return new WorkError(text, { cause: error, retryable: true, errorClass: 'server_error' });
  if (code === 429) return new WorkError(text, { cause: error, retryable: true, errorClass: 'rate_limit', httpStatus: code });
  const retryable = code >= 500;
  return new WorkError(text, {
    cause: error,
    retryable,
    errorClass: retryable ? 'server_error' : 'client_error',
    httpStatus: code,
  });
}

function withoutCredentials(error: WorkError, secrets: readonly string[]): WorkError {
  const message = withoutSecrets(secrets, error.message);
  if (message === error.message) return error;
  const { cause, retryable, errorClass, httpStatus } = error;
  return new WorkError(message, {
    cause,
    retryable,
    ...(errorClass === null ? {} : { errorClass }),
    ...(httpStatus === null ? {} : { httpStatus }),
  });
}

/** The numeric code of an error; null = it has none, or it is that of the operating system. */
function codeOf(error: unknown): number | null {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : null;
  return typeof code === 'number' ? code : null;
}

/** The failure of a request whose signal has been aborted. */
export function abortFailure(signal: AbortSignal, server: string): WorkError {
  if (signal.reason instanceof WorkError) return signal.reason;
  const late = signal.reason instanceof Error && signal.reason.name === 'TimeoutError';
  return new WorkError(`MCP server "${server}": ${late ? 'no reply in time' : 'aborted'}`, {
    cause: signal.reason,
    retryable: true,
    errorClass: late ? 'timeout' : 'io_error',
  });
}

function oneLine(message: string): string {
  const text = message.replace(/\s+/g, ' ').trim();
  return shortened(text, MAX_TEXT);
}
