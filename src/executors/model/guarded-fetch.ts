import { setImmediate } from 'node:timers/promises';
import { WorkError } from '../executor.ts';
import { SecretFilter } from '../outbound/secret-filter.ts';
import { traceHeaders } from '../trace-headers.ts';

/** Largest response, decompressed. */
export const MAX_RESPONSE_BYTES = 8 * 1024 * 1024;
/** How long chunks are read before the rest of the process has its turn. */
const TURN_MS = 10;

/**
 * `fetch` for the addresses of model providers, which the operator has set: a response that is too large is cut off, and no redirect is
 * followed, because the key would go with it. `secrets` are taken out of what it repeats of them.
 */
export function guardedFetch(maxBytes = MAX_RESPONSE_BYTES, secrets: readonly string[] = []): typeof globalThis.fetch {
  return async (input, init) => {
    const sent = new Headers(init?.headers);
    for (const [name, value] of Object.entries(traceHeaders())) sent.set(name, value);
    const response = await fetch(input, { ...init, headers: sent, redirect: 'manual' });
    if (response.status >= 300 && response.status < 400) {
      await response.body?.cancel();
      throw new WorkError(`${originOf(response.url)} answered ${response.status}: a redirect is not followed`, {
        retryable: false,
        errorClass: 'client_error',
        httpStatus: response.status,
      });
    }
    if (response.status > 599) {
      await response.body?.cancel();
      throw new WorkError(`${originOf(response.url)} answered ${response.status}, which is no status of HTTP`, {
        retryable: true,
        errorClass: 'invalid_response',
      });
    }
    if (response.body === null) return response;
    const filter = secrets.length === 0 ? null : new SecretFilter(secrets);
    let bytes = 0;
    let turnEndsAt = performance.now() + TURN_MS;
    const limited = response.body.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        async transform(chunk, controller) {
          bytes += chunk.byteLength;
          if (bytes > maxBytes) {
            throw new WorkError(`${originOf(response.url)}: the response is larger than ${maxBytes} bytes`, {
              retryable: false,
              errorClass: 'response_too_large',
            });
          }
          controller.enqueue(filter === null ? chunk : filter.take(chunk));
          if (performance.now() < turnEndsAt) return;
          // Without it, a response that comes fast would be read to its end before anything else has its turn.
          await setImmediate();
          turnEndsAt = performance.now() + TURN_MS;
        },
        flush(controller) {
          if (filter !== null) controller.enqueue(filter.end());
        },
      }),
    );
    const { status, statusText, headers } = response;
    return new Response(limited, { status, statusText, headers });
  };
}

function originOf(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : 'the provider';
}
