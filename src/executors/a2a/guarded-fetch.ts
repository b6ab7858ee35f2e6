import { pipeline, Transform } from 'node:stream';
import { shortened } from '../../../machines/shortened.ts';
import { requireHttps } from '../credentials.ts';
import { WorkError } from '../executor.ts';
import type { OpenResponse, Outbound } from '../outbound/index.ts';
import { webBody } from '../outbound/web-body.ts';
import { traceHeaders } from '../trace-headers.ts';

/** Largest response, in bytes. A stream may be that large in all. */
export const MAX_RESPONSE_BYTES = 8 * 1024 * 1024;
const MAX_ERROR_BYTES = 64 * 1024;
const NO_BODY: ReadonlySet<number> = new Set([101, 204, 205, 304]);

export interface GuardedFetchOptions {
  /** Name of the agent, for errors. */
  readonly agent: string;
  readonly outbound: Outbound;
  /** Sent with every request, such as credentials. */
  readonly headers: Readonly<Record<string, string>>;
  /** Taken out of responses. */
  readonly secrets: readonly string[];
}

/**
 * The `fetch` of the A2A SDK: by the outbound client, which guards addresses. A response that is too large is cut off, one of another content
 * type is refused, and no redirect is followed. Rejects with `WorkError`, except for errors in JSON, which the SDK reads.
 */
export function guardedFetch({ agent, outbound, headers, secrets }: GuardedFetchOptions): typeof fetch {
  return async (input, init = {}) => {
    const url = input instanceof Request ? input.url : String(input);
    requireHttps(url, outbound);
    const asked = Object.fromEntries(new Headers(init.headers));
    const response = await outbound.open({
      url,
      method: init.method ?? 'GET',
      headers: { ...asked, ...traceHeaders(), ...headers },
      body: typeof init.body === 'string' ? init.body : null,
      signal: init.signal ?? new AbortController().signal,
      secrets,
    });
    const body = limited(response, agent);
    if (response.status >= 300) return failedResponse(response, body, agent);
    const isEmpty = NO_BODY.has(response.status);
    const type = response.headers['content-type'] ?? '';
    if (!isEmpty && !/^(?:application\/(?:[\w.+-]+\+)?json|text\/event-stream)\b/i.test(type)) {
      response.body.destroy();
      throw new WorkError(
        `agent "${agent}" sent ${type === '' ? 'no content type' : `"${shortened(type, 60)}"`}, not JSON or events`,
        {
          retryable: false,
          errorClass: 'invalid_response',
          httpStatus: response.status,
        },
      );
    }
    if (isEmpty) body.resume();
    return new Response(isEmpty ? null : webBody(body), {
      status: response.status,
      headers: response.headers,
    });
  };
}

function limited(response: OpenResponse, agent: string): Transform {
  const encoding = response.headers['content-encoding'] ?? 'identity';
  let bytes = 0;
  const body = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes <= MAX_RESPONSE_BYTES) done(null, chunk);
      else done(tooLarge(agent));
    },
  });
  // An error of either stream reaches the reader of the body.
  pipeline(response.body, body, () => {});
  if (encoding !== 'identity') {
    const shown = shortened(encoding, 60);
    body.destroy(
      new WorkError(`agent "${agent}" sent the content-encoding "${shown}", which was not asked for`, {
        retryable: false,
        errorClass: 'invalid_response',
      }),
    );
  }
  return body;
}

/** An error in JSON is left to the SDK; any other becomes a `WorkError` with the beginning of its text. */
async function failedResponse(response: OpenResponse, body: Transform, agent: string): Promise<Response> {
  const { status, headers } = response;
  const text = await beginningOf(body);
  response.body.destroy();
  if (isJsonError(text)) return new Response(text, { status, headers: { 'content-type': 'application/json' } });
  const excerpt = shortened(text.replace(/\s+/g, ' ').trim(), 300);
  const message = `agent "${agent}" answered ${status}${excerpt === '' ? '' : `: ${excerpt}`}`;
  if (status === 429) {
    const retryAfterMs = retryAfter(headers['retry-after']);
    throw new WorkError(message, {
      retryable: true,
      errorClass: 'rate_limit',
      httpStatus: status,
      ...(retryAfterMs === null ? {} : { retryAfterMs }),
    });
  }
  const retryable = status >= 500;
  throw new WorkError(message, { retryable, errorClass: retryable ? 'server_error' : 'client_error', httpStatus: status });
}

/** The delay of `Retry-After`, in milliseconds, up to an hour; null = none that can be used. */
function retryAfter(header: string | undefined): number | null {
  if (header === undefined) return null;
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) && ms > 0 ? Math.min(ms, 3_600_000) : null;
}

async function beginningOf(body: Transform): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    chunks.push(chunk as Buffer);
    bytes += (chunk as Buffer).length;
    if (bytes > MAX_ERROR_BYTES) break;
  }
  return Buffer.concat(chunks).toString('utf8');
}

function isJsonError(text: string): boolean {
  try {
    const value = JSON.parse(text) as { readonly error?: unknown } | null;
    return typeof value === 'object' && value !== null && typeof value.error === 'object' && value.error !== null;
  } catch {
    return false;
  }
}

export function tooLarge(agent: string): WorkError {
  return new WorkError(`agent "${agent}": the response is larger than ${MAX_RESPONSE_BYTES} bytes`, {
    retryable: false,
    errorClass: 'response_too_large',
  });
}
