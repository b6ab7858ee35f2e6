import type { Json, JsonObject } from '../machines/json.ts';
import type { AcceptedDecision, Approvals, Approve } from './api/schemas/approvals.ts';
import type { ApiErrorBody } from './api/schemas/errors.ts';
import type { AcceptedEvent, Event, EventList } from './api/schemas/events.ts';
import type {
  CancelledExecution,
  Execution,
  ExecutionList,
  ExecutionsQuery,
  StartExecution,
  StartedExecution,
} from './api/schemas/executions.ts';
import type { Health } from './api/schemas/health.ts';
import type { CreatedToken, CreateToken, RevokedToken, TokenList } from './api/schemas/tokens.ts';
import type {
  ClaimedWork,
  ClaimWork,
  CompletedWork,
  CompleteWork,
  EnqueuedWork,
  EnqueueWork,
  FailedWork,
  FailWork,
  Heartbeat,
  RenewedLease,
} from './api/schemas/work-items.ts';
import type { WorkerList } from './api/schemas/workers.ts';
import type { RegisteredWorkflow, WorkflowDetail, WorkflowList } from './api/schemas/workflows.ts';

export type { Execution } from './api/schemas/executions.ts';

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
const FOLLOW_WAIT_MS = 20_000;
const EVENTS_PER_PAGE = 1_000;
const TERMINAL: ReadonlySet<string> = new Set(['completed', 'failed', 'cancelled', 'limit_exceeded']);

interface Call extends CallOptions {
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** How long the server was asked to wait. */
  readonly waitMs?: number;
}

/** The REST API, one method per route. Every method rejects with `ApiError` or `Unreachable`, or with the reason of an aborted signal. */
export class JamjetClient {
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

  health(options?: CallOptions): Promise<Health> {
    return this.#call('GET', '/health', options);
  }

  registerWorkflow(ir: JsonObject, options?: CallOptions): Promise<RegisteredWorkflow> {
    return this.#call('POST', '/workflows', { ...options, body: { ir } });
  }

  workflows(page: { readonly limit?: number; readonly offset?: number } = {}, options?: CallOptions): Promise<WorkflowList> {
    return this.#call('GET', '/workflows', { ...options, query: { ...page } });
  }

  workflow(id: string, version?: string, options?: CallOptions): Promise<WorkflowDetail> {
    return this.#call('GET', `/workflows/${segment(id)}`, { ...options, query: { version } });
  }

  start(request: StartExecution, options: CallOptions & { readonly idempotencyKey?: string } = {}): Promise<StartedExecution> {
    return this.#call('POST', '/executions', { ...options, body: request, headers: keyHeader(options.idempotencyKey) });
  }

  executions(query: ExecutionsQuery = {}, options?: CallOptions): Promise<ExecutionList> {
    return this.#call('GET', '/executions', { ...options, query: { ...query } });
  }

  /** With `waitMs`: answers when the execution is terminal or paused, at the latest after that time. */
  execution(id: string, options: CallOptions & { readonly waitMs?: number } = {}): Promise<Execution> {
    return this.#call('GET', `/executions/${segment(id)}`, { ...options, query: { wait_ms: options.waitMs } });
  }

  /** One page of the log; without a limit the whole of it. With `waitMs`: waits for the next event when there is none. */
  async events(
    id: string,
    page: CallOptions & { readonly after?: number; readonly limit?: number; readonly waitMs?: number } = {},
  ): Promise<readonly Event[]> {
    const query = { after: page.after, limit: page.limit, wait_ms: page.waitMs, format: 'seed' };
    const list: EventList = await this.#call('GET', `/executions/${segment(id)}/events`, { ...page, query });
    return list.events;
  }

  /** The log from `after` on, page by page, then live until the execution has ended. */
  async *follow(id: string, options: CallOptions & { readonly after?: number } = {}): AsyncGenerator<Event, void, undefined> {
    let after = options.after ?? 0;
    for (;;) {
      const page = await this.events(id, { ...options, after, limit: EVENTS_PER_PAGE, waitMs: FOLLOW_WAIT_MS });
      for (const event of page) {
        yield event;
        after = event.sequence;
      }
      if (page.length > 0) continue;
      // An ended execution writes nothing more, so its `sequence` is the end of the log.
      const { status, sequence } = await this.execution(id, options);
      if (TERMINAL.has(status) && sequence <= after) return;
    }
  }

  cancel(id: string, reason?: string, options?: CallOptions): Promise<CancelledExecution> {
    return this.#call('POST', `/executions/${segment(id)}/cancel`, { ...options, body: { reason } });
  }

  approve(id: string, decision: Approve, options?: CallOptions): Promise<AcceptedDecision> {
    return this.#call('POST', `/executions/${segment(id)}/approve`, { ...options, body: decision });
  }

  approvals(id: string, options?: CallOptions): Promise<Approvals> {
    return this.#call('GET', `/executions/${segment(id)}/approvals`, options);
  }

  sendEvent(
    id: string,
    event: { readonly key: string; readonly payload: Json },
    options: CallOptions & { readonly idempotencyKey?: string } = {},
  ): Promise<AcceptedEvent> {
    const body = { correlation_key: event.key, payload: event.payload };
    return this.#call('POST', `/executions/${segment(id)}/external-event`, {
      ...options,
      body,
      headers: keyHeader(options.idempotencyKey),
    });
  }

  enqueueWork(item: EnqueueWork, options?: CallOptions): Promise<EnqueuedWork> {
    return this.#call('POST', '/work-items', { ...options, body: item });
  }

  claimWork(claim: ClaimWork, options?: CallOptions): Promise<ClaimedWork> {
    return this.#call('POST', '/work-items/claim', { ...options, body: claim, waitMs: claim.wait_ms ?? 0 });
  }

  completeWork(id: string, result: CompleteWork, options?: CallOptions): Promise<CompletedWork> {
    return this.#call('POST', `/work-items/${segment(id)}/complete`, { ...options, body: result });
  }

  failWork(id: string, failure: FailWork, options?: CallOptions): Promise<FailedWork> {
    return this.#call('POST', `/work-items/${segment(id)}/fail`, { ...options, body: failure });
  }

  heartbeat(id: string, lease: Heartbeat, options?: CallOptions): Promise<RenewedLease> {
    return this.#call('POST', `/work-items/${segment(id)}/heartbeat`, { ...options, body: lease });
  }

  workers(options?: CallOptions): Promise<WorkerList> {
    return this.#call('GET', '/workers', options);
  }

  createToken(grant: CreateToken, options?: CallOptions): Promise<CreatedToken> {
    return this.#call('POST', '/tokens', { ...options, body: grant });
  }

  tokens(options?: CallOptions): Promise<TokenList> {
    return this.#call('GET', '/tokens', options);
  }

  revokeToken(id: string, options?: CallOptions): Promise<RevokedToken> {
    return this.#call('DELETE', `/tokens/${segment(id)}`, options);
  }

  async #call<T>(method: string, path: string, call: Call = {}): Promise<T> {
    const timeout = AbortSignal.timeout(this.#timeoutMs + (call.waitMs ?? 0));
    const init: RequestInit = {
      method,
      headers: {
        accept: 'application/json',
        ...(this.#token === null ? {} : { authorization: `Bearer ${this.#token}` }),
        ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...call.headers,
      },
      signal: call.signal === undefined ? timeout : AbortSignal.any([call.signal, timeout]),
    };
    if (call.body !== undefined) init.body = JSON.stringify(call.body);
    let status: number;
    let text: string;
    try {
      const response = await this.#fetch(`${this.url}${path}${queryText(call.query)}`, init);
      status = response.status;
      text = await response.text();
    } catch (error) {
      call.signal?.throwIfAborted();
      throw new Unreachable(this.url, timeout.aborted ? 'no answer in time' : reasonOf(error), { cause: error });
    }
    return parseReply<T>(status, text);
  }
}

function parseReply<T>(status: number, text: string): T {
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
  return cause instanceof Error ? cause.message || String(code) : String(cause);
}

function segment(id: string): string {
  return encodeURIComponent(id);
}

function keyHeader(key: string | undefined): Readonly<Record<string, string>> {
  return key === undefined ? {} : { 'idempotency-key': key };
}

function queryText(query: Call['query']): string {
  const given = Object.entries(query ?? {}).flatMap(([key, value]): [string, string][] =>
    value === undefined ? [] : [[key, String(value)]],
  );
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`;
}
