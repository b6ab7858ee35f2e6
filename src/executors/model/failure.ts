import { APICallError, JSONParseError, TypeValidationError } from '@ai-sdk/provider';
import { shortened } from '../../../machines/shortened.ts';
import { WorkError } from '../executor.ts';
import { asWorkError } from '../failure.ts';
import { withoutSecrets } from '../secrets.ts';

/** Longest time for which a provider may park a node. */
const MAX_PARKED_MS = 3_600_000;
/** Causes that are looked through: the SDK wraps what `fetch` throws. */
const MAX_CAUSES = 8;

/** The failure of a call as the retry policy knows it, without the key in its text. */
export function modelFailure(thrown: unknown, signal: AbortSignal, secrets: readonly string[]): WorkError {
  if (signal.aborted && signal.reason instanceof WorkError) return signal.reason;
  const own = causesOf(thrown).find((cause) => cause instanceof WorkError);
  if (own !== undefined) return own;
  const api = causesOf(thrown).find((cause) => APICallError.isInstance(cause));
  if (api === undefined) {
    // Their texts hold what the provider has sent.
    if (JSONParseError.isInstance(thrown) || TypeValidationError.isInstance(thrown))
      return new WorkError('the provider sent something other than what its interface has', {
        retryable: true,
        errorClass: 'invalid_response',
      });
    const failure = asWorkError(thrown);
    return new WorkError(withoutSecrets(secrets, failure.message), {
      retryable: failure.retryable,
      errorClass: failure.errorClass ?? 'io_error',
    });
  }
  return apiFailure(api, secrets);
}

function apiFailure(error: APICallError, secrets: readonly string[]): WorkError {
  const status = error.statusCode;
  const text = withoutSecrets(
    secrets,
    `${originOf(error.url)}${status === undefined ? '' : ` answered ${status}`}: ${error.message}`,
  );
  const message = shortened(text.replace(/\s+/g, ' '), 600);
  // The connection failed, or the response is not what its status and content type promise.
  if (status === undefined)
    return new WorkError(message, { retryable: true, errorClass: asWorkError(error).errorClass ?? 'io_error' });
  if (status < 400) return new WorkError(message, { retryable: true, errorClass: 'invalid_response', httpStatus: status });
  if (status === 429) {
    const retryAfterMs = retryAfterOf(error.responseHeaders ?? {}, error.responseBody ?? '', Date.now());
    return new WorkError(message, {
      retryable: true,
      errorClass: 'rate_limit',
      httpStatus: status,
      ...(retryAfterMs === null ? {} : { retryAfterMs }),
    });
  }
  if (status >= 500 || status === 408)
    return new WorkError(message, { retryable: true, errorClass: 'server_error', httpStatus: status });
  return new WorkError(message, { retryable: false, errorClass: 'client_error', httpStatus: status });
}

/**
 * When to ask again: `retry-after-ms`, `retry-after` (seconds or a date), or Google's `retryDelay` in the body. Null = not said, or at once:
 * then the retry policy decides.
 */
export function retryAfterOf(headers: Readonly<Record<string, string>>, body: string, nowMs: number): number | null {
  const ms = Number.parseFloat(headers['retry-after-ms'] ?? '');
  if (Number.isFinite(ms)) return limited(ms);
  const after = headers['retry-after'] ?? '';
  const seconds = /^\s*\d+(?:\.\d+)?\s*$/.test(after) ? Number(after) : Number.NaN;
  if (Number.isFinite(seconds)) return limited(seconds * 1000);
  const date = Date.parse(after);
  if (Number.isFinite(date)) return limited(date - nowMs);
  const delay = /"retryDelay"\s*:\s*"(\d+(?:\.\d+)?)s"/.exec(body)?.[1];
  return delay === undefined ? null : limited(Number(delay) * 1000);
}

function limited(ms: number): number | null {
  return ms > 0 ? Math.min(MAX_PARKED_MS, Math.ceil(ms)) : null;
}

function causesOf(thrown: unknown): unknown[] {
  const causes: unknown[] = [];
  for (let cause = thrown; cause instanceof Error && causes.length < MAX_CAUSES; cause = cause.cause) causes.push(cause);
  return causes;
}

/** Without path and query, which may hold secrets. */
function originOf(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : 'the provider';
}
