import { lookup } from 'node:dns';
import http from 'node:http';
import https from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { pipeline, type Readable } from 'node:stream';
import { shortened } from '../../../machines/shortened.ts';
import { WorkError } from '../executor.ts';
import { asWorkError } from '../failure.ts';
import { withoutSecrets } from '../secrets.ts';
import { reachOf } from './addresses.ts';
import { displayUrl, firstHop, type Hop, redirected } from './hop.ts';
import { readText } from './response-text.ts';
import { WithoutSecrets } from './secret-filter.ts';

const MAX_REDIRECTS = 5;
const DEFAULT_MAX_BYTES = 2 * 1024 * 1024;
/** How long an idle connection is kept: less than the 5 s after which most servers close it. */
const IDLE_CONNECTION_MS = 4_000;
const IDEMPOTENT_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

interface Agents {
  readonly 'http:': http.Agent;
  readonly 'https:': https.Agent;
}

export interface OutboundOptions {
  /** Allows loopback, private networks and carrier-grade NAT. Link-local, metadata and reserved addresses are always refused. */
  readonly allowPrivateAddresses: boolean;
  /** Largest response after decompression; default 2 MiB. */
  readonly maxBytes?: number;
}

export interface OutboundRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  /** Bounds the whole exchange, redirects included. */
  readonly signal: AbortSignal;
  /** Taken out of the response, in which a server may repeat them. Default: none. */
  readonly secrets?: readonly string[];
}

export interface OutboundResponse {
  readonly status: number;
  /** Names in lower case; several values of one name are joined by `, `. */
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** A response whose body has not been read, as it is sent. */
export interface OpenResponse extends Omit<OutboundResponse, 'text'> {
  readonly body: Readable;
}

/**
 * HTTP client for all requests to addresses that a client or workflow names. The scheme and every resolved address are checked when
 * connecting, again for each redirect, so that DNS rebinding has no effect. Rejects with `WorkError` of class `blocked_address`,
 * `validation` (the request itself), `io_error`, `connection_reset`, `timeout`, `rate_limit` (429), `server_error` (5xx), `client_error`
 * (any other status outside 2xx) or `response_too_large`.
 */
export class Outbound {
  readonly #allowPrivate: boolean;
  readonly #maxBytes: number;
  readonly #keepAliveAgents: Agents;
  readonly #singleUseAgents: Agents;

  constructor(options: OutboundOptions) {
    this.#allowPrivate = options.allowPrivateAddresses;
    this.#maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES;
    const settings = { timeout: IDLE_CONNECTION_MS, lookup: this.#lookup };
    this.#keepAliveAgents = agentsWith({ ...settings, keepAlive: true });
    this.#singleUseAgents = agentsWith({ ...settings, keepAlive: false });
  }

  /** Whether addresses without TLS and in private networks are allowed. */
  get allowsPrivateAddresses(): boolean {
    return this.#allowPrivate;
  }

  async request(request: OutboundRequest): Promise<OutboundResponse> {
    let hop = firstHop(request);
    for (let redirects = 0; ; redirects += 1) {
      const response = await this.#exchange(hop, request.signal);
      const location = response.headers.location;
      if (location === undefined || ![301, 302, 303, 307, 308].includes(response.status))
        return requireSuccess(response, hop.url);
      if (redirects === MAX_REDIRECTS) throw clientError(`${displayUrl(hop.url)}: more than ${MAX_REDIRECTS} redirects`);
      hop = redirected(hop, response.status, location);
    }
  }

  /**
   * Sends one request and resolves with any status: redirects are not followed, and the body of a 2xx response is not read. Otherwise
   * rejects like `request`.
   */
  async notify(request: OutboundRequest): Promise<OutboundResponse> {
    return this.#exchange(firstHop(request), request.signal, isSuccess);
  }

  /** Sends one request and resolves with any status: redirects are not followed. Otherwise rejects like `request`. */
  async send(request: OutboundRequest): Promise<OutboundResponse> {
    return this.#exchange(firstHop(request), request.signal);
  }

  /**
   * Sends one request on a new connection and resolves with any status once its headers have come. Redirects are not followed. The caller
   * reads the body, or destroys it; `signal` ends it too. Otherwise rejects like `request`.
   */
  async open(request: OutboundRequest): Promise<OpenResponse> {
    const hop = firstHop(request);
    try {
      this.#checkLiteral(hop.url);
      return await new Promise((resolve, reject) => {
        const sent = this.#begin(hop, request.signal, this.#singleUseAgents, 'identity');
        sent.on('error', reject);
        sent.on('response', (message) => {
          const { secrets } = hop;
          // An error of either stream reaches the reader of the body.
          const body = secrets.length === 0 ? message : pipeline(message, new WithoutSecrets(secrets), () => {});
          resolve({ status: message.statusCode ?? 0, headers: joinedHeaders(message.headers), body });
        });
        sent.end(hop.body ?? undefined);
      });
    } catch (error) {
      throw failureOf(error, hop, request.signal);
    }
  }

  /**
   * A request that is not idempotent (RFC 9110, 9.2.2) is sent once, on a new connection: if a reused one closes without a response, it is
   * unknown whether the server acted. An idempotent request may reuse a connection, and is repeated once if the server had closed it.
   */
  async #exchange(hop: Hop, signal: AbortSignal, isEnough: (status: number) => boolean = () => false): Promise<OutboundResponse> {
    const attempt = { reused: false, answered: false, isEnough };
    try {
      return await this.#send(
        hop,
        signal,
        IDEMPOTENT_METHODS.has(hop.method) ? this.#keepAliveAgents : this.#singleUseAgents,
        attempt,
      );
    } catch (error) {
      const isStaleConnection = attempt.reused && !attempt.answered && asWorkError(error).errorClass === 'connection_reset';
      if (!isStaleConnection || signal.aborted) throw failureOf(error, hop, signal);
    }
    try {
      return await this.#send(hop, signal, this.#singleUseAgents, attempt);
    } catch (error) {
      throw failureOf(error, hop, signal);
    }
  }

  #send(
    hop: Hop,
    signal: AbortSignal,
    agentSet: Agents,
    attempt: { reused: boolean; answered: boolean; readonly isEnough: (status: number) => boolean },
  ): Promise<OutboundResponse> {
    this.#checkLiteral(hop.url);
    return new Promise((resolve, reject) => {
      const sent = this.#begin(hop, signal, agentSet, 'gzip, deflate, br');
      sent.on('socket', () => {
        attempt.reused = sent.reusedSocket;
      });
      sent.on('error', reject);
      sent.on('response', (message) => {
        attempt.answered = true;
        const status = message.statusCode ?? 0;
        if (attempt.isEnough(status)) {
          resolve({ status, headers: joinedHeaders(message.headers), text: '' });
          message.destroy();
          return;
        }
        readText(message, this.#maxBytes, `${displayUrl(hop.url)}: `).then(
          (text) => resolve({ status, headers: joinedHeaders(message.headers), text: withoutSecrets(hop.secrets, text) }),
          (error: unknown) => {
            message.destroy();
            reject(error);
          },
        );
      });
      sent.end(hop.body ?? undefined);
    });
  }

  #begin(hop: Hop, signal: AbortSignal, agentSet: Agents, acceptEncoding: string): http.ClientRequest {
    const { protocol } = hop.url;
    const { request } = protocol === 'https:' ? https : http;
    return request(hop.url, {
      method: hop.method,
      agent: agentSet[protocol === 'https:' ? 'https:' : 'http:'],
      signal,
      headers: {
        'user-agent': 'jamjet-runtime',
        ...hop.headers,
        'accept-encoding': acceptEncoding,
        ...(hop.body === null ? {} : { 'content-length': String(Buffer.byteLength(hop.body)) }),
      },
    });
  }

  /** Checks an address literal, which is never resolved. The URL parser has already normalised unusual spellings. */
  #checkLiteral(url: URL): void {
    const host = url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname;
    if (isIP(host) !== 0) this.#check(host, host);
  }

  readonly #lookup: LookupFunction = (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, []);
      try {
        for (const { address } of addresses) this.#check(hostname, address);
      } catch (refused) {
        return callback(refused as WorkError, []);
      }
      const [first] = addresses;
      if (options.all === true || first === undefined) return callback(null, addresses);
      return callback(null, first.address, first.family);
    });
  };

  #check(host: string, address: string): void {
    const reach = reachOf(address);
    if (reach === 'public' || (reach === 'private' && this.#allowPrivate)) return;
    // The resolved address stays out of the error: it would tell workflow authors about the operator's network.
    const which = host === address ? `${host} is` : `${host} resolves to`;
    const why =
      reach === 'private' ? 'a private address, which this runtime may not reach' : 'an address that requests may not be sent to';
    throw new WorkError(`${which} ${why}`, { retryable: false, errorClass: 'blocked_address' });
  }
}

function agentsWith(settings: http.AgentOptions): Agents {
  return { 'http:': new http.Agent(settings), 'https:': new https.Agent(settings) };
}

/** The failure of a request, with its URL in the message. */
function failureOf(error: unknown, hop: Hop, signal: AbortSignal): WorkError {
  if (signal.aborted) return abortError(signal, hop.url);
  const failure = asWorkError(error);
  if (failure === error) return failure;
  return new WorkError(`${displayUrl(hop.url)}: ${withoutAddresses(failure.message, error, hop.url)}`, {
    cause: error,
    retryable: true,
    errorClass: failure.errorClass ?? 'io_error',
  });
}

/** The message of a system error, with the host name in place of the resolved addresses. */
function withoutAddresses(message: string, error: unknown, { hostname }: URL): string {
  const errors = error instanceof AggregateError ? error.errors : [error];
  let text = message;
  for (const each of errors as readonly (NodeJS.ErrnoException & { readonly address?: unknown })[]) {
    if (typeof each.address === 'string' && each.address !== '') text = text.replaceAll(each.address, hostname);
  }
  return text;
}

function isSuccess(status: number): boolean {
  return status >= 200 && status <= 299;
}

function requireSuccess(response: OutboundResponse, url: URL): OutboundResponse {
  const { status } = response;
  if (isSuccess(status)) return response;
  const excerpt = shortened(response.text.replace(/\s+/g, ' ').trim(), 300);
  const message = `${displayUrl(url)} answered ${status}${excerpt === '' ? '' : `: ${excerpt}`}`;
  if (status === 429) throw new WorkError(message, { retryable: true, errorClass: 'rate_limit', httpStatus: status });
  if (status >= 500) throw new WorkError(message, { retryable: true, errorClass: 'server_error', httpStatus: status });
  throw new WorkError(message, { retryable: false, errorClass: 'client_error', httpStatus: status });
}

function abortError(signal: AbortSignal, url: URL): WorkError {
  if (signal.reason instanceof WorkError) return signal.reason;
  const late = signal.reason instanceof Error && signal.reason.name === 'TimeoutError';
  return new WorkError(`${displayUrl(url)}: ${late ? 'no complete response in time' : 'aborted'}`, {
    cause: signal.reason,
    retryable: true,
    errorClass: late ? 'timeout' : 'io_error',
  });
}

function clientError(message: string): WorkError {
  return new WorkError(message, { retryable: false, errorClass: 'client_error' });
}

function joinedHeaders(headers: http.IncomingHttpHeaders): Record<string, string> {
  const joined: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) joined[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return joined;
}
