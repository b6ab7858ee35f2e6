import { shortened } from '../../machines/shortened.ts';

/** Why the runtime refused or failed a request. */
export type RuntimeErrorCode =
  | 'not_found'
  | 'bad_request'
  /** The workflow has `strict_input`, and the input does not fit its state schema. */
  | 'invalid_input'
  /**
   * The request conflicts with the execution's state, e.g. a decision that was made already, or with an idempotency key in use.
   */
  | 'conflict'
  /** A live execution of the workflow has the key. */
  | 'already_running'
  /** The handler of an update has thrown an error. */
  | 'update_failed'
  /** The log of a fork's origin does not replay with the given workflow version. */
  | 'does_not_fit'
  /** A fork would carry over a decision to something else than the person was shown. */
  | 'decision_would_change'
  /** A cancel of an execution that has ended. For clients this is a bad request, not a conflict. */
  | 'already_terminal'
  /** The work item is settled, or its lease has expired or is another worker's. */
  | 'stale_fence'
  /** Too much work is waiting: retry after `retryAfterMs`. */
  | 'overloaded'
  /** The runtime is stopping, or the request was abandoned. */
  | 'shutting_down'
  /** Another server, called for a client, could not be reached or sent an invalid reply. */
  | 'remote_failed'
  /** The tenant is suspended or archived. */
  | 'tenant_not_active'
  /** The tenant is at a limit: retry after `retryAfterMs`. The limit of workflows does not free itself. */
  | 'limit_exceeded_concurrency'
  | 'limit_exceeded_requests'
  | 'limit_exceeded_tokens'
  | 'limit_exceeded_cost'
  | 'limit_exceeded_storage'
  | 'limit_exceeded_workflows'
  /** The tenant's memory is full, until something is removed. */
  | 'limit_exceeded_memory'
  /** The thread is full, until it is deleted. */
  | 'limit_exceeded_thread'
  /** The execution would hold more than it may: 16 MiB of state, 8 MiB in one output. */
  | 'state_too_large'
  | 'output_too_large'
  /** The execution has buffered or logged as many events as it may for which no node waits. */
  | 'too_many_events'
  /** A retry replays the whole log in memory: at most 256 MiB. */
  | 'log_too_large'
  /** The execution has ended, and its data policy has erased what the request needs. */
  | 'redacted'
  /** The stored execution cannot be loaded or stepped. */
  | 'corrupt';

/**
 * An error of the runtime. The `code` is stable; the message says what is wrong, where, and what to do.
 *
 * @example
 * try {
 *   await runtime.start(caller, { workflowId: 'greeting' });
 * } catch (error) {
 *   if (error instanceof RuntimeError && error.retryAfterMs !== null) await setTimeout(error.retryAfterMs);
 *   else throw error;
 * }
 */
export class RuntimeError extends Error {
  readonly code: RuntimeErrorCode;
  /** When a retry may succeed, in milliseconds from now; null = not known, or never. */
  readonly retryAfterMs: number | null;

  constructor(code: RuntimeErrorCode, message: string, options?: ErrorOptions & { retryAfterMs?: number }) {
    super(message, options);
    this.name = 'RuntimeError';
    this.code = code;
    this.retryAfterMs = options?.retryAfterMs ?? null;
  }
}

/** The first event of a log that a workflow version would not have written. */
export interface ForkMismatch {
  readonly sequence: number;
  readonly type: string | null;
  readonly nodeId: string | null;
  readonly problem: string;
}

/**
 * The log of a fork's origin does not replay with the given workflow version. Code `does_not_fit`.
 *
 * @example
 * await runtime.fork(caller, id, { atSequence: 12, workflowVersion: '2' }).catch((error: unknown) => {
 *   if (error instanceof ForkDoesNotReplay) console.error(`event ${error.mismatch.sequence}: ${error.mismatch.problem}`);
 * });
 */
export class ForkDoesNotReplay extends RuntimeError {
  readonly mismatch: ForkMismatch;

  constructor(message: string, mismatch: ForkMismatch) {
    super('does_not_fit', message);
    this.name = 'DoesNotFit';
    this.mismatch = mismatch;
  }
}

/** A decision that a person made before the fork point. */
export interface PastDecision {
  /** The descendant of the origin in which it was made; absent: the origin itself. */
  readonly executionId?: string;
  readonly nodeId: string;
  /** Of its event `approval_received`. */
  readonly sequence: number;
  readonly decision: 'approved' | 'rejected';
  readonly userId: string;
  /** The caller that decided; `userId` is what that caller named. */
  readonly actorId: string;
  /** Would the person have been shown something else under the patched state? */
  readonly wouldChange: boolean;
  /** The last sequence of the origin from which a fork does not copy the decision. */
  readonly lastFree: number;
}

/**
 * A fork would copy decisions that people made on something else than the patched state. Code `decision_would_change`.
 *
 * @example
 * await runtime.fork(caller, id, { atSequence: 12, statePatch: { amount: 5 } }).catch((error: unknown) => {
 *   if (error instanceof DecisionWouldChange) console.error(error.decisions.map(({ nodeId, userId }) => `${userId} on ${nodeId}`));
 * });
 */
export class DecisionWouldChange extends RuntimeError {
  /** The decisions that would change, in the order of the log; at least one. */
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

/**
 * A live execution of the workflow has the key that another one should start with, or go on with. Code `already_running`.
 *
 * @example
 * await runtime.start({ workflowId: 'order', key: 'order-42' }).catch((error: unknown) => {
 *   if (error instanceof AlreadyRunning) console.error(`${error.executionId} is running`);
 *   else throw error;
 * });
 */
export class AlreadyRunning extends RuntimeError {
  /** The execution that has the key. */
  readonly executionId: string;

  constructor(executionId: string, key: string) {
    super('already_running', `execution ${executionId} has the key '${truncated(key)}' and has not ended`);
    this.name = 'AlreadyRunning';
    this.executionId = executionId;
  }
}

/** A text that a client sent, shortened to a line for an error message. */
export function truncated(given: string): string {
  return shortened(given, 120);
}
