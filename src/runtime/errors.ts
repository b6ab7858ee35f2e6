export type RuntimeErrorCode =
  | 'not_found'
  | 'bad_request'
  /** The request loses against the execution's state: decided already, stale fence, terminal, key reused with another body. */
  | 'conflict'
  /** The log of a fork's origin does not fold with the version it shall go on with. */
  | 'does_not_fit'
  /** A fork would carry a person's decision over to something else than that person was shown. */
  | 'decision_would_change'
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
  /** The execution would hold more than it may; `limits.ts` has the limits. */
  | 'state_too_large'
  | 'output_too_large'
  /** The execution buffers, or has logged, as many events as it may that no node waits for. */
  | 'too_many_events'
  /** A retry replays the whole log in memory, which takes more than it may. */
  | 'log_too_large'
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
export interface ForkMismatch {
  /** Of the event that the version would not have written. */
  readonly sequence: number;
  readonly type: string | null;
  readonly nodeId: string | null;
  readonly problem: string;
}

/** A fork that would not go on from its origin, but from something that never happened. */
export class ForkDoesNotReplay extends RuntimeError {
  readonly mismatch: ForkMismatch;

  constructor(message: string, mismatch: ForkMismatch) {
    super('does_not_fit', message);
    this.name = 'DoesNotFit';
    this.mismatch = mismatch;
  }
}

/** A decision that a person made before the point of a fork. */
export interface PastDecision {
  /** The descendant of the origin in which it was made; absent = the origin itself. */
  readonly executionId?: string;
  readonly nodeId: string;
  /** Of its `approval_received`. */
  readonly sequence: number;
  readonly decision: 'approved' | 'rejected';
  readonly userId: string;
  /** Who decided: `userId` is what that one said. */
  readonly actorId: string;
  /** What that person was shown would not be the same under the patched state. */
  readonly wouldChange: boolean;
  /** The last sequence of the origin from which a fork is free of it. */
  readonly lastFree: number;
}

/** A fork that would go on as if people had decided on what they never saw. */
export class DecisionWouldChange extends RuntimeError {
  /** All that would change, in the order of the log; at least one. */
  readonly decisions: readonly PastDecision[];

  constructor(decisions: readonly PastDecision[]) {
    const [first] = decisions;
    const lastFree = Math.min(...decisions.map((each) => each.lastFree));
    const where = first?.executionId === undefined ? '' : ` of child execution ${first.executionId}`;
    super(
      'decision_would_change',
      `${first?.actorId} ${first?.decision} node '${first?.nodeId}'${where} (sequence ${first?.sequence}) on something else than the patched state: ` +
        `fork from sequence ${lastFree} or before, where it is still to be decided; operators may insist with keep_decisions`,
    );
    this.name = 'DecisionWouldChange';
    this.decisions = decisions;
  }
}

/** What a client sent, in an error text: not longer than a line. */
export function truncated(given: string): string {
  return given.length <= 120 ? given : `${given.slice(0, 120)}…`;
}
