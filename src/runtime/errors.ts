export type RuntimeErrorCode =
  | 'not_found'
  | 'bad_request'
  /** The request loses against the execution's state: decided already, stale fence, terminal, key reused with another body. */
  | 'conflict'
  /** The log of a fork's origin does not fold with the version it shall go on with. */
  | 'does_not_fit'
  /** Cancel of an execution that has ended: to clients a bad request, no conflict. */
  | 'already_terminal'
  | 'stale_fence'
  /** Queues are full: try again after `retryAfterMs`. */
  | 'overloaded'
  | 'shutting_down'
  /** Another server, asked on a client's behalf, could not be reached or did not answer as it should. */
  | 'remote_failed'
  /** The tenant is suspended or archived. */
  | 'tenant_not_active'
  /** The tenant is at its limit. Try again after `retryAfterMs`; with `workflows` it does not pass by itself. */
  | 'limit_exceeded_concurrency'
  | 'limit_exceeded_requests'
  | 'limit_exceeded_tokens'
  | 'limit_exceeded_cost'
  | 'limit_exceeded_workflows'
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

/** Where a log and a version of its workflow part. */
export interface Mismatch {
  /** Of the event that the version would not have written. */
  readonly sequence: number;
  readonly type: string | null;
  readonly nodeId: string | null;
  readonly problem: string;
}

/** A fork that would not go on from its origin, but from something that never happened. */
export class DoesNotFit extends RuntimeError {
  readonly mismatch: Mismatch;

  constructor(message: string, mismatch: Mismatch) {
    super('does_not_fit', message);
    this.name = 'DoesNotFit';
    this.mismatch = mismatch;
  }
}

/** What a client sent, in an error text: not longer than a line. */
export function shown(given: string): string {
  return given.length <= 120 ? given : `${given.slice(0, 120)}…`;
}
