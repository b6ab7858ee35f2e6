import { pipeline } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { shortened } from '../../../machines/shortened.ts';
import { WorkError } from '../executor.ts';
import type { Outbound } from '../outbound/index.ts';
import { webBody } from '../outbound/web-body.ts';
import { traceHeaders } from '../trace-headers.ts';
import { type HttpEndpoint, secretsOf } from './endpoint.ts';
import { Exchange } from './exchange.ts';
import { Allowance, LimitedBody } from './reply-limit.ts';

/** Time limit of a message that no exchange waits for, such as the notice of a cancelled one. */
const NOTICE_MS = 5_000;
/** How long the SDK may take to read a result once the body with it has ended. */
const PARSE_MS = 1_000;
/** Answers to requests of the server that are sent at the same time. It gets none to others. */
const MAX_ANSWERS = 16;
const NO_BODY: ReadonlySet<number> = new Set([101, 204, 205, 304]);

export interface GuardedFetchOptions {
  readonly server: string;
  readonly endpoint: HttpEndpoint;
  readonly outbound: Outbound;
  /** `sse`: replies come on the stream of a GET that stays open. */
  readonly mode: 'streamable' | 'sse';
  /** Of the whole connection. */
  readonly allowance: Allowance;
  /** The stream of replies has ended. */
  readonly onLost: (error: WorkError) => void;
}

type Fetch = (url: string | URL, init?: RequestInit) => Promise<Response>;

/**
 * The `fetch` of the SDK's transports: by the outbound client, which guards addresses; with limits; and with the failures of bodies, which
 * the transports only report, passed to the exchange that waits for the reply.
 */
export function guardedFetch(options: GuardedFetchOptions): Fetch {
  const { server, endpoint, outbound, mode, allowance, onLost } = options;
  let answers = 0;
  return async (url, init = {}) => {
    const exchange = Exchange.current();
    const method = init.method ?? 'GET';
    const headers = Object.fromEntries(new Headers(init.headers));
    const isStream = method === 'GET' && mode === 'sse';
    // A stream for messages beside replies would stay open for nothing: as if the server had none.
    const isUnwanted = method === 'GET' && !isStream && (headers['last-event-id'] === undefined || exchange?.isOver !== false);
    if (isUnwanted) return new Response(null, { status: 405 });

    const sends = method === 'GET' ? 'request' : contentOf(init.body);
    const waiting = isStream || sends !== 'request' || exchange === undefined ? null : exchange;
    const isAnswer = sends === 'answer';
    if (isAnswer && answers >= MAX_ANSWERS) return new Response(null, { status: 202 });
    const answer = isAnswer ? 1 : 0;
    answers += answer;
    let isSent = false;
    const sent = (): void => {
      if (!isSent) answers -= answer;
      isSent = true;
    };
    const limits = [waiting?.signal ?? (isStream ? null : AbortSignal.timeout(NOTICE_MS)), init.signal ?? null];
    const signal = AbortSignal.any(limits.filter((limit) => limit !== null));
    const request = {
      url: String(url),
      method,
      headers: { ...headers, ...traceHeaders(), ...endpoint.headers },
      body: typeof init.body === 'string' ? init.body : null,
      signal,
      secrets: secretsOf(endpoint),
    };
    try {
      const response = await outbound.open(request);
      const body = new LimitedBody(server, isStream ? allowance : new Allowance());
      const encoding = response.headers['content-encoding'] ?? 'identity';
      if (encoding !== 'identity') {
        response.body.destroy();
        throw new WorkError(
          `MCP server "${server}" sent the content-encoding "${shortened(encoding, 60)}", which was not asked for`,
          {
            retryable: false,
            errorClass: 'client_error',
          },
        );
      }
      pipeline(response.body, body, (error) => {
        sent();
        const lost = lostReply(server, error);
        if (isStream) onLost(lost);
        else if (waiting !== null && mode === 'streamable' && !body.isResumable)
          void failUnlessReplied(waiting, lost, error != null);
      });
      const isEmpty = NO_BODY.has(response.status);
      if (isEmpty) body.resume();
      return new Response(isEmpty ? null : webBody(body), {
        status: response.status,
        headers: response.headers,
      });
    } catch (error) {
      sent();
      // An answer that cannot be sent leaves the server without one.
      if (error instanceof WorkError && !isAnswer) exchange?.fail(error);
      throw error;
    }
  };
}

/** A message with a method and an id is a request, which is replied to; with an id alone, an answer to a request of the server. */
function contentOf(body: RequestInit['body']): 'request' | 'answer' | 'notice' {
  const message = typeof body === 'string' ? (JSON.parse(body) as object) : {};
  if (!('id' in message)) return 'notice';
  return 'method' in message ? 'request' : 'answer';
}

function lostReply(server: string, error: Error | null | undefined): WorkError {
  if (error instanceof WorkError) return error;
  return new WorkError(`MCP server "${server}" ended its reply without a result`, {
    cause: error,
    retryable: true,
    errorClass: 'connection_reset',
  });
}

/** A body that has ended in order may hold the result, which is read in a moment. */
async function failUnlessReplied(exchange: Exchange, lost: WorkError, atOnce: boolean): Promise<void> {
  if (!atOnce) await setTimeout(PARSE_MS, undefined, { ref: false });
  exchange.fail(lost);
}
