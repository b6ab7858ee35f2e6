export type RuntimeErrorCode =
  | 'not_found'
  | 'bad_request'
  /** The request loses against the execution's state: decided already, stale fence, terminal, key reused with another body. */
  | 'conflict'
  /** Cancel of an execution that has ended: to clients a bad request, no conflict. */
  | 'already_terminal'
  | 'stale_fence'
  /** Queues are full: try again after `retryAfterMs`. */
  | 'overloaded'
  | 'shutting_down'
  /** The stored execution cannot be loaded. */
  | 'corrupt';

/** What the runtime throws; no HTTP inside, `src/api/errors.ts` maps codes to statuses. */
export class RuntimeError extends Error {
  readonly code: RuntimeErrorCode;
  readonly retryAfterMs: number | null;

  constructor(code: RuntimeErrorCode, message: string, options?: ErrorOptions & { retryAfterMs?: number }) {
    super(message, options);
    this.name = 'RuntimeError';
    this.code = code;
    this.retryAfterMs = options?.retryAfterMs ?? null;
  }
}
