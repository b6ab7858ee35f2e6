import type { ApiErrorBody } from '../api/schemas/errors.ts';
import type { Warning } from '../api/schemas/warnings.ts';
import { chunksOf } from './chunks.ts';
import { readMessages, type ServerSentMessage } from './server-sent.ts';

/** What the client reads of a reply. */
export interface HttpReply extends Pick<Response, 'status' | 'body' | 'text' | 'arrayBuffer'> {
  readonly headers: Pick<Headers, 'get'>;
}

/** Which server a client calls, and how. */
export interface ClientOptions {
  /**
   * `http://host:port`, optionally with a path prefix or a trailing slash. In a page of the server, `new URL('.', location.href).href`, which
   * has the path prefix of a proxy.
   */
  readonly url: string;
  /** API token, sent as a bearer token; null or absent = none. */
  readonly token?: string | null;
  /** Timeout of a reply, in addition to the time the request itself asks the server to wait. Default 30,000. */
  readonly timeoutMs?: number;
  /**
   * The server refuses requests with unknown fields and query parameters (400 `unknown_field`), instead of ignoring these with a warning.
   * Default false.
   */
  readonly strict?: boolean;
  /** Called for each warning of a reply, which also has them as `warnings`. */
  readonly onWarning?: (warning: Warning) => void;
  /** Default `globalThis.fetch`. An embedded runtime provides its own, which needs no network. */
  readonly fetch?: (url: string, init: RequestInit) => Promise<HttpReply>;
}

/** How a request is sent. */
export interface CallOptions {
  /** Aborts the request; the promise rejects with the reason of the signal. */
  readonly signal?: AbortSignal;
}

/** How an external event is sent. */
export interface SendEventOptions {
  /** A repeated request is ignored. */
  readonly idempotencyKey?: string;
  /** Whether a payload that does not fit the `schema` of its wait is refused, as with `strict` of the client. */
  readonly strict?: boolean;
}

/** The value of the header `Prefer` by which the server refuses what it would warn of. */
const STRICT = 'handling=strict';

/**
 * The server replied with an error.
 *
 * @example
 * await client.execution(id).catch((error: unknown) => {
 *   if (error instanceof ApiError && error.code === 'not_found') return null;
 *   throw error;
 * });
 */
export class ApiError extends Error {
  /** HTTP status. */
  readonly status: number;
  /** Stable error code (docs/api.md); null if the reply did not come from a JamJet server but, for example, from a proxy. */
  readonly code: string | null;
  /** The parsed body of the reply; the first 1,000 characters of a reply that is not JSON. */
  readonly body: unknown;
  /** When to try again, in milliseconds from the reply; null = the server did not say. */
  readonly retryAfterMs: number | null;

  constructor(status: number, message: string, code: string | null, body: unknown, retryAfterMs: number | null = null) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.code = code;
    this.body = body;
    this.retryAfterMs = retryAfterMs;
  }
}

/**
 * No reply was received: connection refused or reset, unknown host, or timeout.
 *
 * @example
 * await client.health().catch((error: unknown) => {
 *   if (error instanceof Unreachable) console.error(`start the server: ${error.message}`);
 * });
 */
export class Unreachable extends Error {
  readonly code = 'unreachable';
  readonly url: string;

  constructor(url: string, reason: string, options?: ErrorOptions) {
    super(`cannot reach ${url}: ${reason}`, options);
    this.name = 'Unreachable';
    this.url = url;
  }
}

const TIMEOUT_MS = 30_000;

export interface RequestOptions extends CallOptions {
  readonly query?: Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;
  /** A `Uint8Array` is sent unchanged, anything else as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Time the server was asked to wait; added to the timeout. */
  readonly waitMs?: number;
}

/** A reply that is not JSON. */
export interface Download {
  readonly bytes: Uint8Array;
  readonly mediaType: string | null;
  readonly headers: HttpReply['headers'];
}

/** Sends requests and reads replies for all parts of a client. */
export class Transport {
  readonly url: string;
  readonly #token: string | null;
  readonly #timeoutMs: number;
  readonly #strict: boolean;
  readonly #onWarning: (warning: Warning) => void;
  readonly #fetch: NonNullable<ClientOptions['fetch']>;

  constructor(options: ClientOptions) {
    this.url = options.url.replace(/\/+$/, '');
    this.#token = options.token ?? null;
    this.#timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
    this.#strict = options.strict ?? false;
    this.#onWarning = options.onWarning ?? (() => undefined);
    // Browsers refuse a `fetch` that is called as a method of something else.
    this.#fetch = options.fetch ?? ((url, init) => globalThis.fetch(url, init));
  }

  /** Sends a request with a JSON reply. Rejects with `ApiError`, `Unreachable`, or the reason of an aborted signal. */
  async call<T>(method: string, path: string, options: RequestOptions = {}): Promise<T> {
    const { response, content } = await this.#exchange(method, path, options, (reply) => reply.text());
    return parseResponse<T>(response, content);
  }

  /** Sends a GET request for a complete body. Rejects like `call`. */
  async download(path: string, options: RequestOptions = {}): Promise<Download> {
    const { response, content } = await this.#exchange('GET', path, options, (reply) => reply.arrayBuffer());
    if (response.status !== 200) return parseResponse(response, new TextDecoder().decode(content));
    const { headers } = response;
    return { bytes: new Uint8Array(content), mediaType: headers.get('content-type'), headers };
  }

  /** Yields the body of a GET request as it arrives. Rejects like `call`, also if the body is cut off or nothing arrives within the timeout. */
  async *bytes(path: string, options: RequestOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    const timeout = new InactivityTimeout(this.#timeoutMs, options.signal);
    try {
      const response = await this.#send('GET', path, options, { accept: '*/*', signal: timeout.signal });
      if (response.status !== 200 || response.body === null) parseResponse(response, await response.text());
      else {
        for await (const chunk of chunksOf(response.body)) {
          timeout.refresh();
          yield chunk;
        }
      }
    } catch (error) {
      throw this.#failure(error, timeout.expired, options);
    } finally {
      timeout.clear();
    }
  }

  /**
   * Opens a stream of server-sent events; resolves to null if there is nothing left to send (204). Rejects like `call`. The generator ends
   * when the server closes the stream, and rejects with `Unreachable` if nothing arrives within the timeout: a live server sends a
   * keep-alive every 15 s.
   */
  async stream(
    path: string,
    options: RequestOptions & { readonly onId: (id: string) => void },
  ): Promise<AsyncGenerator<ServerSentMessage> | null> {
    const timeout = new InactivityTimeout(this.#timeoutMs, options.signal);
    const failure = (error: unknown): unknown => {
      timeout.clear();
      return this.#failure(error, timeout.expired, options);
    };
    let received: AsyncGenerator<ServerSentMessage>;
    try {
      const response = await this.#send('GET', path, options, { accept: 'text/event-stream', signal: timeout.signal });
      const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
      if (response.status !== 200 || !isStream || response.body === null) {
        const text = await response.text();
        timeout.clear();
        return response.status === 204 ? null : parseResponse(response, text);
      }
      received = readMessages(response.body, { onData: () => timeout.refresh(), onId: options.onId });
    } catch (error) {
      throw failure(error);
    }
    return (async function* messages() {
      try {
        yield* received;
      } catch (error) {
        throw failure(error);
      } finally {
        timeout.clear();
      }
    })();
  }

  async #exchange<T>(
    method: string,
    path: string,
    options: RequestOptions,
    read: (response: HttpReply) => Promise<T>,
  ): Promise<{ readonly response: HttpReply; readonly content: T }> {
    const timeout = AbortSignal.timeout(this.#timeoutMs + (options.waitMs ?? 0));
    const signal = options.signal === undefined ? timeout : AbortSignal.any([options.signal, timeout]);
    try {
      const response = await this.#send(method, path, options, { accept: 'application/json', signal });
      return { response, content: await read(response) };
    } catch (error) {
      throw this.#failure(error, timeout.aborted, options);
    }
  }

  async #send(
    method: string,
    path: string,
    { query, body, headers }: RequestOptions,
    { accept, signal }: { readonly accept: string; readonly signal: AbortSignal },
  ): Promise<HttpReply> {
    const init: RequestInit = {
      method,
      signal,
      headers: {
        accept,
        ...(this.#strict ? { prefer: STRICT } : {}),
        ...(this.#token === null ? {} : { authorization: `Bearer ${this.#token}` }),
        ...(body === undefined || isBytes(body) ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
    };
    if (body !== undefined) init.body = isBytes(body) ? body : JSON.stringify(body);
    const response = await this.#fetch(`${this.url}${path}${queryText(query)}`, init);
    for (const warning of warningsOf(response.headers)) this.#onWarning(warning);
    return response;
  }

  /** The error to throw for one of `fetch`: that of the server, the reason of the caller's signal, or `Unreachable`. */
  #failure(error: unknown, isTimeout: boolean, { signal }: RequestOptions): unknown {
    if (error instanceof ApiError) return error;
    if (signal?.aborted === true) return signal.reason;
    return new Unreachable(this.url, isTimeout ? 'timeout' : reasonOf(error), { cause: error });
  }
}

/** Aborts its signal when nothing has arrived for `ms`, or with the signal of the caller. */
class InactivityTimeout {
  readonly signal: AbortSignal;
  readonly #controller = new AbortController();
  readonly #ms: number;
  #timer: ReturnType<typeof setTimeout>;

  constructor(ms: number, signal: AbortSignal | undefined) {
    this.#ms = ms;
    this.#timer = this.#start();
    this.signal = signal === undefined ? this.#controller.signal : AbortSignal.any([signal, this.#controller.signal]);
  }

  get expired(): boolean {
    return this.#controller.signal.aborted;
  }

  refresh(): void {
    clearTimeout(this.#timer);
    this.#timer = this.#start();
  }

  clear(): void {
    clearTimeout(this.#timer);
  }

  #start(): ReturnType<typeof setTimeout> {
    return setTimeout(() => this.#controller.abort(), this.#ms);
  }
}

function isBytes(body: unknown): body is Uint8Array<ArrayBuffer> {
  return body instanceof Uint8Array;
}

function parseResponse<T>({ status, headers }: HttpReply, text: string): T {
  const retryAfterMs = secondsOf(headers.get('retry-after'));
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new ApiError(
      status,
      `HTTP ${status} with a reply that is not JSON: is this a JamJet server?`,
      null,
      text.slice(0, 1_000),
      retryAfterMs,
    );
  }
  if (status >= 200 && status < 300) return body as T;
  const { error, code } = (body ?? {}) as Partial<ApiErrorBody>;
  const message = typeof error === 'string' ? error : `HTTP ${status}`;
  throw new ApiError(status, message, typeof code === 'string' ? code : null, body, retryAfterMs);
}

/** Milliseconds of a `Retry-After` in seconds; null for none, and for a date. */
function secondsOf(header: string | null): number | null {
  return header !== null && /^\d{1,6}$/.test(header) ? Number(header) * 1_000 : null;
}

/** The warnings of a reply, which have a header of their own because not every reply is a JSON object. */
function warningsOf(headers: HttpReply['headers']): readonly Warning[] {
  const text = headers.get('x-jamjet-warnings');
  if (text === null) return [];
  try {
    const warnings: unknown = JSON.parse(text);
    return Array.isArray(warnings) ? warnings.filter(isWarning) : [];
  } catch {
    // A proxy may have cut it.
    return [];
  }
}

function isWarning(value: unknown): value is Warning {
  const { code, message } = (value ?? {}) as Partial<Warning>;
  return typeof code === 'string' && typeof message === 'string';
}

/** The reason of a failed `fetch`, which is in its cause. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code === 'ECONNREFUSED') return 'connection refused';
  if (code === 'ENOTFOUND') return 'unknown host';
  // The error for a plain HTTP reply depends on the version of OpenSSL.
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG')
    return 'the server does not use TLS: use an http:// URL';
  return cause instanceof Error ? cause.message || String(code) : String(cause);
}

/** Escapes an id for use as a path segment. */
export function pathSegment(id: string): string {
  return encodeURIComponent(id);
}

export function idempotencyHeader(key: string | undefined): Readonly<Record<string, string>> {
  return key === undefined ? {} : { 'idempotency-key': key };
}

export function eventHeaders({ idempotencyKey, strict = false }: SendEventOptions): Readonly<Record<string, string>> {
  return { ...idempotencyHeader(idempotencyKey), ...(strict ? { prefer: STRICT } : {}) };
}

function queryText(query: RequestOptions['query']): string {
  const given = Object.entries(query ?? {}).flatMap(([key, value]): [string, string][] =>
    value === undefined ? [] : (Array.isArray(value) ? value : [value]).map((each): [string, string] => [key, String(each)]),
  );
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`;
}
