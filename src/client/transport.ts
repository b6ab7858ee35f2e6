import type { ApiErrorBody } from '../api/schemas/errors.ts';
import { readMessages, type ServerSentMessage } from './server-sent.ts';

export interface ClientOptions {
  /** `http://host:port`, with or without a trailing slash or a path prefix. */
  readonly url: string;
  readonly token?: string | null;
  /** How long a reply may take beyond what the request itself waits for. Default 30 s. */
  readonly timeoutMs?: number;
  /** How requests travel; absent = over the network. The embedded runtime brings its own. */
  readonly fetch?: typeof globalThis.fetch;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
}

/** The server answered, but not with success. */
export class ApiError extends Error {
  readonly status: number;
  /** Stable; null when the answer did not come from this server (a proxy, another program on the port). */
  readonly code: string | null;
  readonly body: unknown;

  constructor(status: number, message: string, code: string | null, body: unknown) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.code = code;
    this.body = body;
  }
}

/** Nobody answered: refused, reset, no such host, or too late. */
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
  /** Bytes are sent as they are, anything else as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** How long the server was asked to wait. */
  readonly waitMs?: number;
}

/** A reply that is no JSON. */
export interface Download {
  readonly bytes: Uint8Array;
  readonly mediaType: string | null;
  readonly headers: Headers;
}

/** Sends requests and reads replies; every part of the client goes through one. */
export class Transport {
  readonly url: string;
  readonly #token: string | null;
  readonly #timeoutMs: number;
  readonly #fetch: typeof globalThis.fetch;

  constructor(options: ClientOptions) {
    this.url = options.url.replace(/\/+$/, '');
    this.#token = options.token ?? null;
    this.#timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
    this.#fetch = options.fetch ?? globalThis.fetch;
  }

  /** Rejects with `ApiError` or `Unreachable`, or with the reason of an aborted signal. */
  async call<T>(method: string, path: string, call: RequestOptions = {}): Promise<T> {
    const { response, content } = await this.#exchange(method, path, call, (reply) => reply.text());
    return parseResponse<T>(response.status, content);
  }

  /** Rejects like `call`: errors are JSON here, too. */
  async download(path: string, call: RequestOptions = {}): Promise<Download> {
    const { response, content } = await this.#exchange('GET', path, call, (reply) => reply.arrayBuffer());
    if (response.status !== 200) return parseResponse(response.status, new TextDecoder().decode(content));
    const { headers } = response;
    return { bytes: new Uint8Array(content), mediaType: headers.get('content-type'), headers };
  }

  /** The bytes of a reply of any length as they arrive. Rejects like `call`; once it has begun, also when it breaks off or nothing comes in time. */
  async *bytes(path: string, call: RequestOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    const silence = new AbortController();
    const timer = setTimeout(() => silence.abort(), this.#timeoutMs);
    const signal = call.signal === undefined ? silence.signal : AbortSignal.any([call.signal, silence.signal]);
    const headers = this.#token === null ? {} : { authorization: `Bearer ${this.#token}` };
    try {
      const response = await this.#fetch(`${this.url}${path}${queryText(call.query)}`, { headers, signal });
      if (response.status !== 200 || response.body === null) parseResponse(response.status, await response.text());
      else {
        for await (const chunk of response.body) {
          timer.refresh();
          yield chunk;
        }
      }
    } catch (error) {
      if (error instanceof ApiError) throw error;
      call.signal?.throwIfAborted();
      throw new Unreachable(this.url, silence.signal.aborted ? 'no answer in time' : reasonOf(error), { cause: error });
    } finally {
      clearTimeout(timer);
    }
  }

  async #exchange<T>(
    method: string,
    path: string,
    call: RequestOptions,
    read: (response: Response) => Promise<T>,
  ): Promise<{ readonly response: Response; readonly content: T }> {
    const timeout = AbortSignal.timeout(this.#timeoutMs + (call.waitMs ?? 0));
    const init: RequestInit = {
      method,
      headers: {
        accept: 'application/json',
        ...(this.#token === null ? {} : { authorization: `Bearer ${this.#token}` }),
        ...(call.body === undefined || isBytes(call.body) ? {} : { 'content-type': 'application/json' }),
        ...call.headers,
      },
      signal: call.signal === undefined ? timeout : AbortSignal.any([call.signal, timeout]),
    };
    if (call.body !== undefined) init.body = isBytes(call.body) ? call.body : JSON.stringify(call.body);
    try {
      const response = await this.#fetch(`${this.url}${path}${queryText(call.query)}`, init);
      return { response, content: await read(response) };
    } catch (error) {
      call.signal?.throwIfAborted();
      throw new Unreachable(this.url, timeout.aborted ? 'no answer in time' : reasonOf(error), { cause: error });
    }
  }

  /**
   * The messages of a stream, until the server ends it; null when it has nothing to send any more. Rejects like `call`, also with
   * `Unreachable` when the stream falls silent: a server that lives shows it every fifteen seconds.
   */
  async stream(
    path: string,
    call: RequestOptions & { readonly marked: (id: string) => void },
  ): Promise<AsyncGenerator<ServerSentMessage> | null> {
    const silence = new AbortController();
    const timer = setTimeout(() => silence.abort(), this.#timeoutMs);
    const signal = call.signal === undefined ? silence.signal : AbortSignal.any([call.signal, silence.signal]);
    const broken = (error: unknown): Unreachable => {
      clearTimeout(timer);
      call.signal?.throwIfAborted();
      return new Unreachable(this.url, silence.signal.aborted ? 'no answer in time' : reasonOf(error), { cause: error });
    };
    const headers = {
      accept: 'text/event-stream',
      ...(this.#token === null ? {} : { authorization: `Bearer ${this.#token}` }),
      ...call.headers,
    };
    const response = await this.#fetch(`${this.url}${path}${queryText(call.query)}`, { headers, signal }).catch(
      (error: unknown) => Promise.reject(broken(error)),
    );
    const { body, status } = response;
    const streams = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
    if (status !== 200 || !streams || body === null) {
      const text = await response.text().catch((error: unknown) => Promise.reject(broken(error)));
      clearTimeout(timer);
      return status === 204 ? null : parseResponse(status, text);
    }
    return (async function* messages() {
      try {
        yield* readMessages(body, { onData: () => timer.refresh(), onId: call.marked });
      } catch (error) {
        throw broken(error);
      } finally {
        clearTimeout(timer);
      }
    })();
  }
}

function isBytes(body: unknown): body is Uint8Array<ArrayBuffer> {
  return body instanceof Uint8Array;
}

function parseResponse<T>(status: number, text: string): T {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new ApiError(
      status,
      `HTTP ${status}, and the answer is not JSON: is this a JamJet server?`,
      null,
      text.slice(0, 1_000),
    );
  }
  if (status >= 200 && status < 300) return body as T;
  const { error, code } = (body ?? {}) as Partial<ApiErrorBody>;
  throw new ApiError(status, typeof error === 'string' ? error : `HTTP ${status}`, typeof code === 'string' ? code : null, body);
}

/** `fetch` says "fetch failed"; why is in the cause. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code === 'ECONNREFUSED') return 'connection refused';
  if (code === 'ENOTFOUND') return 'no such host';
  // What OpenSSL reads into the answer of a plain HTTP server depends on its version.
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG')
    return 'it speaks no TLS: is its address an http:// one?';
  return cause instanceof Error ? cause.message || String(code) : String(cause);
}

/** An id as a segment of a path. */
export function pathSegment(id: string): string {
  return encodeURIComponent(id);
}

export function idempotencyHeader(key: string | undefined): Readonly<Record<string, string>> {
  return key === undefined ? {} : { 'idempotency-key': key };
}

function queryText(query: RequestOptions['query']): string {
  const given = Object.entries(query ?? {}).flatMap(([key, value]): [string, string][] =>
    value === undefined ? [] : (Array.isArray(value) ? value : [value]).map((each): [string, string] => [key, String(each)]),
  );
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`;
}
