import type { AnyMachineSnapshot } from 'xstate';
import type { LogEvent } from './events.ts';
import type { Json, JsonObject } from './json.ts';
import type { Queue } from './nodes/kind.ts';

export type Status = 'running' | 'paused' | 'completed' | 'failed' | 'cancelled' | 'limit_exceeded';
export const TERMINAL: ReadonlySet<Status> = new Set(['completed', 'failed', 'cancelled', 'limit_exceeded']);

/** A hot execution: immutable, so that a failed commit can simply be forgotten. */
export interface Run {
  readonly snapshot: AnyMachineSnapshot;
  /** Sequence of the last event. */
  readonly seq: number;
  readonly status: Status;
  /** Completed, non-skipped nodes. */
  readonly steps: number;
  /** The execution's input, kept beside the snapshot because it never changes. */
  readonly input: Json;
  /** Why the execution failed or was cancelled; null otherwise. */
  readonly error: string | null;
  /** How many nodes have in-process work under way (children being started included). */
  readonly localWork: number;
}

/** Time, ids and choices of the edge, as data: the step itself has none. */
export interface StepEnv {
  readonly executionId: string;
  readonly nowMs: number;
  /** Node completions (handled failures included) after which an execution fails; default 10,000. */
  readonly stepLimit: number;
  /** The language of expressions in which an execution is started, if its workflow needs it; absent = the newest. */
  readonly language?: number;
  /** Who does in-process work: the worker id in `node_started`. */
  readonly runtimeId: string;
  /** Does this runtime do the node's work in process (true) or an external worker (false)? */
  isLocal(node: string): boolean;
  /** The rules that an execution which starts shall follow; default the newest (`RULES`). */
  readonly rules?: number;
  /** Where the log has the work of a node queued, when it is replayed; else as the node's kind says. */
  queueOf?(node: string): Queue | undefined;
  /** The evaluation budget in units (`STEP_WORK`), when it is not the usual one. */
  readonly work?: number;
  /**
   * May an in-process attempt start within this step? False = it is scheduled and waits for a free slot; a `claimed` message starts it.
   * Absent = always.
   */
  startsAtOnce?(node: string): boolean;
  /** Record the inputs of attempts in `node_started`? Default true; a replay takes none, because the log has them. */
  readonly recordInputs?: boolean;
  /** Values of the `env` root, only those the operator allows. Conditions see the ones recorded when the execution started. */
  readonly vars: Readonly<Record<string, string>>;
}

/** What a step asks of the world, in order. All are idempotent by (execution, node, activation[, attempt]) or timer id. */
export type Effect =
  /** Begin an attempt: in process (`local`) or as a work item on `queue`. */
  | {
      readonly type: 'work';
      readonly node: string;
      readonly activation: number;
      readonly attempt: number;
      readonly local: boolean;
      /** In-process work that has not started: it waits for a free slot. */
      readonly waits?: true;
      readonly queue: Queue;
    }
  /** The visit is over without its result: abort in-process work, refuse the work item from now on. */
  | { readonly type: 'abandon'; readonly node: string; readonly activation: number; readonly local: boolean }
  /** Start the node's child execution; answer with a `child` message (`started`), or `fail` when it cannot be started. */
  | { readonly type: 'spawn'; readonly node: string; readonly activation: number; readonly attempt: number }
  /** Cancel the child of a visit, if it has one. */
  | { readonly type: 'cancel_child'; readonly node: string; readonly activation: number; readonly childId: string }
  | {
      readonly type: 'set_timer';
      readonly id: string;
      readonly node: string;
      readonly activation: number;
      readonly atMs: number;
      readonly kind: 'retry' | 'wait' | 'approval';
    }
  | { readonly type: 'clear_timer'; readonly id: string };

export interface StepResult {
  readonly run: Run;
  /** At least one: a message that changes nothing is refused. The first event tells which message it was (folding relies on it). */
  readonly events: readonly LogEvent[];
  readonly effects: readonly Effect[];
  /** Diagnostics of this step, e.g. a condition that could not be evaluated: never part of the log's truth. */
  readonly diagnostics: readonly string[];
  /** Did an expression exceed the evaluation budget of the step? */
  readonly budgetExceeded: boolean;
  /** For `decide`: the node decided. For `event`: the node woken, or null when the event was buffered. */
  readonly node: string | null;
}

export type RefusalCode =
  /** For an older activation or attempt, a lost race, or a timer no longer armed. */
  | 'stale'
  | 'terminal'
  /** A pause of what an operator holds already; a resume of what nobody holds. */
  | 'already_held'
  | 'not_held'
  /** A resume of what has used more than it may. */
  | 'over_budget'
  /** A retry of what has not failed, or not by the failure of nodes. */
  | 'not_retryable'
  | 'unknown_node'
  | 'unknown_decision'
  | 'no_pending_approval'
  | 'no_pending_approval_on_node'
  | 'several_pending_approvals';

export interface Refused {
  readonly refused: RefusalCode;
  /** The open approvals' node ids for `several_pending_approvals`, else empty. */
  readonly nodes: readonly string[];
}

/** One open approval, as the API lists it. */
export interface PendingApproval {
  readonly node_id: string;
  readonly activation: number;
  readonly kind: 'human_approval' | 'tool';
  readonly tool_name: string;
  readonly approver: 'human';
  readonly context: JsonObject;
  /** Of the event that raised it. */
  readonly sequence: number;
  readonly requested_at_ms: number;
}

/**
 * `queued`: waits for a worker, or, `local`, for a free slot of its runtime, or for room for its child; `running`: in process, or claimed; `backoff`: waits for its
 * retry timer; `held`: by policy;
 * `kept`: its attempt begins once an operator's hold is over; `failed`: for good, and forgiven, so that it can begin anew.
 */
export type Phase = 'queued' | 'running' | 'backoff' | 'held' | 'approval' | 'waiting' | 'child' | 'kept' | 'failed';

/** A node that is neither idle nor finished. */
export interface ActiveNode {
  readonly node: string;
  readonly activation: number;
  readonly attempt: number;
  readonly phase: Phase;
  readonly local: boolean;
  /** Correlation key of a wait for an external event. */
  readonly waitsFor: string | null;
  readonly childId: string | null;
  /** Its child cannot start yet: there is no room among the tenant's live executions. */
  readonly waitsForCapacity?: true;
}

/** Everything an attempt at a node's work needs. */
export interface Work {
  readonly node: string;
  readonly activation: number;
  readonly attempt: number;
  readonly maxAttempts: number;
  /** Seconds, null = not limited. */
  readonly timeoutSecs: number | null;
  /** The rendered mapping, or the whole state. */
  readonly input: Json;
  /** What in the mapping could not be rendered, and is null in the input. */
  readonly inputErrors: readonly string[];
  /** The expression of the mapping at which the evaluation budget was used up. */
  readonly inputExceeded?: string;
  readonly state: JsonObject;
  /** `{workflow_id, workflow_version, node_id, kind, input, state, …kind-specific}` */
  readonly payload: JsonObject;
}
