import { InvalidWorkflow } from '../../machines/diagnostics.ts';
import { shortened } from '../../machines/shortened.ts';
import { DamagedEntryError, StoreError, type StoreErrorCode } from '../../store/port/errors.ts';
import {
  AlreadyRunning,
  DecisionWouldChange,
  ForkDoesNotReplay,
  RuntimeError,
  type RuntimeErrorCode,
} from '../runtime/errors.ts';
import { toMismatch, toPastDecision } from './replies/fork-views.ts';
import type { ApiErrorBody } from './schemas/errors.ts';

type RequestErrorCode =
  | 'unauthorized'
  | 'forbidden'
  | 'tenant_not_active'
  | 'method_not_allowed'
  | 'too_large'
  | 'client_error'
  | 'unknown_field'
  | 'sign_in_link_expired';
type ErrorCode = RuntimeErrorCode | StoreErrorCode | RequestErrorCode | 'invalid_workflow' | 'internal';

/** A request that is refused before its content is considered. */
export class RequestError extends Error {
  readonly code: RequestErrorCode;
  readonly required: string | null;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: RequestErrorCode,
    message: string,
    details: { readonly required?: string; readonly headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(message);
    this.name = 'Refusal';
    this.code = code;
    this.required = details.required ?? null;
    this.headers = details.headers ?? {};
  }
}

const STATUS: Readonly<Record<ErrorCode, number>> = {
  bad_request: 400,
  invalid_input: 400,
  invalid_workflow: 400,
  already_terminal: 400,
  unknown_position: 400,
  client_error: 400,
  unknown_field: 400,
  unauthorized: 401,
  forbidden: 403,
  tenant_not_active: 403,
  limit_exceeded_workflows: 403,
  limit_exceeded_memory: 403,
  limit_exceeded_thread: 403,
  not_found: 404,
  unknown_token: 404,
  unknown_block: 404,
  unknown_webhook: 404,
  unknown_tenant: 404,
  unknown_cron_job: 404,
  method_not_allowed: 405,
  conflict: 409,
  already_running: 409,
  sign_in_link_used: 409,
  sign_in_link_expired: 409,
  redacted: 409,
  does_not_fit: 409,
  decision_would_change: 409,
  too_many_webhooks: 409,
  tenant_exists: 409,
  stale_fence: 409,
  too_many_events: 409,
  log_too_large: 409,
  too_large: 413,
  state_too_large: 413,
  update_failed: 422,
  output_too_large: 413,
  limit_exceeded_concurrency: 429,
  limit_exceeded_requests: 429,
  limit_exceeded_tokens: 429,
  limit_exceeded_cost: 429,
  limit_exceeded_storage: 429,
  internal: 500,
  corrupt: 500,
  not_a_database: 500,
  schema_too_new: 500,
  remote_failed: 502,
  overloaded: 503,
  shutting_down: 503,
  store_locked: 503,
  store_unavailable: 503,
  store_full: 503,
  store_read_only: 503,
  store_replaced: 503,
};

/** The class at the beginning of an error text; 401 and 403 have none. */
const TEXT_PREFIX: Readonly<Record<number, string>> = {
  400: 'bad request: ',
  404: 'not found: ',
  405: 'method not allowed: ',
  409: 'conflict: ',
  413: 'bad request: ',
  429: 'too many requests: ',
  500: 'internal error: ',
  502: 'bad gateway: ',
  503: 'service unavailable: ',
};

const RETRY_AFTER_SECS = 1;

export interface ErrorReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: ApiErrorBody;
}

/**
 * The reply to an error. Internal errors are only logged, under the id of the request. All errors with status 404 have the code
 * `not_found`.
 */
export function errorReply(error: unknown, requestId: string): ErrorReply {
  const code = codeOf(error);
  const status = STATUS[code];
  const message =
    status === 500 || !(error instanceof Error) ? `unexpected failure, logged under request ${requestId}` : textOf(error);
  return {
    status,
    headers: headersOf(status, error),
    body: {
      error: `${TEXT_PREFIX[status] ?? ''}${status === 404 ? missingThing(message) : message}`,
      code: status === 404 ? 'not_found' : code,
      ...(error instanceof RequestError && error.required !== null ? { required: error.required } : {}),
      ...(error instanceof AlreadyRunning ? { execution_id: error.executionId } : {}),
      ...(error instanceof ForkDoesNotReplay ? { mismatch: toMismatch(error.mismatch) } : {}),
      ...(error instanceof DecisionWouldChange ? { decisions: error.decisions.map(toPastDecision) } : {}),
      ...(error instanceof InvalidWorkflow ? { diagnostics: error.diagnostics.map((d) => ({ ...d })) } : {}),
    },
  };
}

function codeOf(error: unknown): ErrorCode {
  if (
    error instanceof RuntimeError ||
    error instanceof StoreError ||
    error instanceof RequestError ||
    error instanceof InvalidWorkflow
  )
    return error.code;
  if (error instanceof DamagedEntryError) return 'corrupt';
  return fastifyError(error)?.code ?? 'internal';
}

/** `execution … not found` → `execution …`, to follow the class `not found: `. */
export function missingThing(message: string): string {
  return message.replace(/ not found$/, '');
}

/** Errors that Fastify throws for invalid requests. */
const FASTIFY_ERRORS: Readonly<Record<string, { readonly code: ErrorCode; readonly message: string }>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: { code: 'too_large', message: 'the body is larger than 2 MiB' },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: { code: 'bad_request', message: 'the length of the body differs from Content-Length' },
  FST_ERR_BAD_URL: { code: 'bad_request', message: 'the path has a malformed percent escape' },
  FST_ERR_MAX_PARAM_LENGTH: { code: 'not_found', message: 'the path is longer than any id' },
};

function fastifyError(error: unknown): { readonly code: ErrorCode; readonly message: string } | null {
  if (!(error instanceof Error && 'code' in error && 'statusCode' in error)) return null;
  const known = FASTIFY_ERRORS[String(error.code)];
  if (known !== undefined) return known;
  const refused = typeof error.statusCode === 'number' && error.statusCode >= 400 && error.statusCode < 500;
  return refused && String(error.code).startsWith('FST_') ? { code: 'bad_request', message: 'malformed request' } : null;
}

const MAX_LISTED_DIAGNOSTICS = 3;

/** Replace the messages of store errors, which contain paths and hosts. */
const STORE_UNAVAILABLE_TEXT = 'the store cannot answer now; try again';
const STORE_TEXTS: Partial<Record<StoreErrorCode, string>> = {
  store_full: 'the disk of the database is full',
  store_read_only: 'the database can be read but not written',
  store_replaced: 'the file of the database was removed or replaced: restart the server',
};

/** Longest text of an error, in characters. What it quotes is cut where it is quoted; this holds for what was forgotten. */
const MAX_ERROR_TEXT = 4_000;

function textOf(error: Error): string {
  return shortened(wholeTextOf(error), MAX_ERROR_TEXT);
}

function wholeTextOf(error: Error): string {
  if (error instanceof StoreError && STATUS[error.code] === 503) return STORE_TEXTS[error.code] ?? STORE_UNAVAILABLE_TEXT;
  if (!(error instanceof InvalidWorkflow)) return fastifyError(error)?.message ?? error.message;
  const texts = error.diagnostics
    .slice(0, MAX_LISTED_DIAGNOSTICS)
    .map((d) => `${'line' in d ? `line ${String(d.line)}: ` : ''}${d.message}${d.hint === null ? '' : ` (${d.hint})`}`);
  const more = error.diagnostics.length - texts.length;
  return `${texts.join('; ')}${more > 0 ? `; and ${more} more` : ''}`;
}

function headersOf(status: number, error: unknown): Readonly<Record<string, string>> {
  if (status === 401) return { 'www-authenticate': 'Bearer' };
  if (status === 429 || status === 503) {
    const ms = error instanceof RuntimeError ? error.retryAfterMs : null;
    return { 'retry-after': String(Math.max(RETRY_AFTER_SECS, Math.ceil((ms ?? 0) / 1_000))) };
  }
  return error instanceof RequestError ? error.headers : {};
}
