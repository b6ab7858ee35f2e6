import type { Appended } from './appended-lists.ts';
import type { ProgressType } from './events/index.ts';
import type { ResultRole } from './graph/edges.ts';
import type { TokenBudget } from './ir/workflow.ts';
import type { OperationKind } from './journal.ts';
import type { Json, JsonObject } from './json.ts';
import type { SnapshotChange } from './snapshot-change.ts';

/** Usage of a node's work, as the worker or executor reports it. */
export interface Usage {
  readonly gen_ai_system?: string;
  readonly gen_ai_model?: string;
  readonly input_tokens?: number;
  readonly output_tokens?: number;
  readonly finish_reason?: string;
  readonly cost_usd?: number;
  readonly gen_ai_response_id?: string;
  /** What was reported and is not counted, because it is beyond the limits of a call. */
  readonly usage_refused?: JsonObject;
}

/** Totals of the usage that nodes have reported, their child executions included. */
export interface UsageTotals {
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cost_usd: number;
}

/** One visit to a node, or a piece of its work that has attempts of its own, and one attempt at it. A message for an older one is stale. */
export interface Visit {
  readonly node: string;
  /** 1, 2, 3 …: how often the node was run or skipped, this time included. */
  readonly activation: number;
  /** 0-based. */
  readonly attempt: number;
  /** Which piece of the visit's work: an item of a list (0, 1, 2 …), or the number of a call; absent = the visit has only one. */
  readonly item?: number | undefined;
}

export interface Done extends Visit {
  readonly type: 'done';
  readonly output: Json;
  /** RFC 7396 patch to the state; absent = derived from the output, as the node's kind and `output_key` say. */
  readonly patch?: Json;
  readonly durationMs: number;
  readonly usage?: Usage;
  /** How the log stores the lists of the patch, in a replay: `appended` of `node_completed`, null = whole. Absent = as is shorter. */
  readonly appended?: Appended | null;
  /** The route that the result asks for, if its node names one; absent = the ordinary routes. */
  readonly route?: ResultRole;
  /** What the turn adds to a thread. */
  readonly thread?: ThreadTurn;
}

/** What the commit of a completion appends to a thread, if the thread is still as the work has read it. */
export interface ThreadTurn {
  readonly id: string;
  /** Sequences of its first and last message. */
  readonly first: number;
  readonly last: number;
  /** Absent in a replay: what is said stands in the thread, not in the log. */
  readonly append?: {
    /** Number of the thread that was read; null = there was none. */
    readonly number: number | null;
    /** JSON object texts. */
    readonly messages: readonly string[];
  };
}

/** In-process work logs an event of its attempt, which goes on. Its data is given to later attempts of the visit. */
export interface Progress extends Visit {
  readonly type: 'progress';
  readonly event: ProgressType;
  readonly data: JsonObject;
}

/**
 * A durable function has begun operations, or has results of its own. The whole is taken or refused; each part of it could be a message of its own.
 */
export interface Operations extends Visit {
  readonly type: 'operations';
  readonly entries: readonly OperationEntry[];
  /** The function waits, or is not to go on: the position of the last result that it has been given. Absent = it works. */
  readonly parkedAfter?: number;
  /** The function may do only what the document says of it. Absent = it is code of the server, which may do what it can. */
  readonly isHeldToDocument?: true;
}

export type OperationEntry =
  | {
      readonly type: 'begin';
      /** The next number. */
      readonly operation: number;
      readonly name: string;
      readonly kind: OperationKind;
      /** Of an event. */
      readonly key?: string;
      /** Of an event, in place of `key`: descriptors of those that it takes. */
      readonly accepts?: readonly string[];
      /** Of an approval. */
      readonly message?: string;
      /** What readers see from now on: fields of the state. */
      readonly exposed?: JsonObject;
      /** JSON Schema of the updates that a handler takes. */
      readonly schema?: JsonObject;
      /** Of a call. */
      readonly workflow?: string;
      readonly version?: string;
      readonly input?: Json;
      /** How long it waits. */
      readonly limitMs?: number;
      /** When the wait ends, in place of `limitMs`, in milliseconds since 1970. */
      readonly untilMs?: number;
    }
  /** What has come of an update: a result, or an error. */
  | ({ readonly type: 'update'; readonly update: number } & (
      | { readonly output: Json }
      | { readonly error: string; readonly errorClass?: string }
    ))
  | Transition
  | {
      /** Its result is not wanted any more. One that has its result keeps it. */
      readonly type: 'cancel';
      readonly operation: number;
    }
  | {
      readonly type: 'complete';
      readonly operation: number;
      readonly attempt: number;
      readonly output: Json;
      readonly durationMs?: number;
    }
  | {
      readonly type: 'fail';
      readonly operation: number;
      readonly attempt: number;
      readonly error: string;
      readonly errorClass?: string;
      readonly details?: JsonObject;
      /** Milliseconds until the next attempt; absent = there is none. */
      readonly delayMs?: number;
    };

/** An XState machine that a function runs has taken a macrostep. It is an operation without a result. */
export interface Transition {
  readonly type: 'transition';
  /** The next number. */
  readonly operation: number;
  /** Type of the event that the machine was given. */
  readonly event: string;
  /** The state value that it has led to. */
  readonly value: Json;
  /** Types of the actions that were executed. */
  readonly actions: readonly string[];
  /** Ids of the actors that lead to the machine; absent = the root. */
  readonly actor?: string;
  /** Events that it has emitted. */
  readonly emitted?: readonly Json[];
  /** How the persisted snapshot has changed; absent = it has not. */
  readonly snapshot?: SnapshotChange;
}

export interface Fail extends Visit {
  readonly type: 'fail';
  readonly error: string;
  /** `io_error`, `timeout`, `rate_limit`, `server_error`, `connection_reset`, `lost` or a custom class; `retryable_on` names such classes. */
  readonly errorClass?: string;
  /** Status of the HTTP response with which the attempt failed. */
  readonly httpStatus?: number;
  /** Name, stack and causes of the error, for readers of the log. */
  readonly details?: JsonObject;
  readonly retryable: boolean;
  /** Delay of the retry as logged, in a replay; absent = as the retry policy says. */
  readonly delayMs?: number;
  /** When the service may be asked again, as it says; in place of the delay of the retry policy. */
  readonly parkedUntilMs?: number;
  /** What the attempt used although it failed: an answer that does not fit its schema is paid for. */
  readonly usage?: Usage;
  /** The attempt could not begin. Refused if it has begun elsewhere: with a slot, or with a child execution. */
  readonly unbegun?: true;
  /**
   * Its process is gone, or gives it back: how often in a row a durable function, or an item of a list, begins again as the same attempt then. Absent =
   * the work itself has failed.
   */
  readonly lost?: number;
}

/** An attempt whose outcome is not wanted any more, or which begins again, has used something all the same. */
export interface Used extends Visit {
  readonly type: 'used';
  readonly usage: Usage;
  /** The child execution of the attempt that has. */
  readonly childId?: string;
}

/** The attempt starts: an external worker has claimed the node's work item, or in-process work has got a slot. */
export interface Claimed extends Visit {
  readonly type: 'claimed';
  readonly workerId: string;
  /** In-process work that waited for a slot. */
  readonly local?: true;
}

/**
 * Begins the same attempt again: of in-process work that was handed back by a graceful stop, or of work that waits for an external
 * worker although this runtime can do it.
 */
export interface Requeue extends Visit {
  readonly type: 'requeue';
  /** The attempt has not begun: also a node with a single attempt may be queued again. */
  readonly unbegun?: true;
  /** Refused unless the attempt still waits for a worker. */
  readonly queued?: true;
}

/** A decision on an open approval: of a human_approval node, or one that a policy requires. */
export interface Decide {
  readonly type: 'decide';
  /** Absent = the only open one. */
  readonly node?: string;
  /** Which piece of the node's work; absent = the only open one of the node. */
  readonly item?: number | undefined;
  readonly decision: 'approved' | 'rejected';
  readonly userId: string;
  readonly comment: string | null;
  readonly patch: Json;
}

export interface ExternalEvent {
  readonly type: 'event';
  readonly key: string;
  readonly payload: Json;
  /** Refused if only state machines could take it, and none does in its state. */
  readonly atOnce?: true;
}

/** Something for a durable function that has a handler for it. */
export interface Update {
  readonly type: 'update';
  readonly name: string;
  readonly input: Json;
}

/** A durable timer is due. `id` is that of `set_timer`. */
export interface Timer {
  readonly type: 'timer';
  readonly id: string;
}

export interface Cancel {
  readonly type: 'cancel';
  readonly reason: string;
}

/** A step of the execution has thrown, or no message can move it on: it ends as failed, whatever state it is in. */
export interface Abort {
  readonly type: 'abort';
  readonly error: string;
}

/** Suspends the execution: attempts in progress go on, nothing else begins until `Resume`. */
export interface Pause {
  readonly type: 'pause';
  readonly reason: string | null;
}

/** Ends a suspension: deferred nodes begin. Refused while budgets are exceeded, with those of this message taken into account. */
export interface Resume {
  readonly type: 'resume';
  readonly budgets?: Budgets;
}

/** Totals that an execution may use; null = unchanged. */
export interface Budgets {
  readonly token_budget: TokenBudget | null;
  readonly cost_budget_usd: number | null;
}

/** Nodes whose failures have been reset run again. Only for a run of `replayForRetry`. */
export interface Retry {
  readonly type: 'retry';
}

/**
 * The log so far was copied from another execution; from here on it is this one's. `patch` (RFC 7396) changes the state first. Then
 * everything that was in progress begins anew, and timers are set anew from now.
 */
export interface Fork {
  readonly type: 'fork';
  readonly origin: { readonly executionId: string; readonly sequence: number };
  readonly patch: Json;
  /** Decisions that were made before the fork point. */
  readonly decisions: readonly CopiedDecision[];
  /** An operator keeps decisions that were made on something else than the patched state. */
  readonly keepDecisions?: true;
}

/** A decision that a fork copies, as the log has it. */
export interface CopiedDecision extends JsonObject {
  readonly node_id: string;
  /** Sequence of its `approval_received`. */
  readonly sequence: number;
  readonly user_id: string;
}

/**
 * Detached work, requested from outside the workflow: it is logged and its patch is merged, but it has no transitions. Its visit has
 * activation 0.
 */
export interface Enqueue {
  readonly type: 'enqueue';
  readonly node: string;
  readonly queue: string;
}

/** A change of a subgraph node's child execution. */
export interface Child extends Visit {
  readonly type: 'child';
  readonly childId: string;
  readonly childWorkflowId: string;
  readonly change:
    | { readonly status: 'started' }
    /** It cannot start yet: the tenant has too many live executions. It has no id. */
    | { readonly status: 'waiting' }
    | { readonly status: 'running' | 'paused' }
    /** It has ended, and its next segment continues it. */
    | { readonly status: 'continued'; readonly nextId: string; readonly usage?: UsageTotals }
    | { readonly status: 'completed'; readonly result: Json; readonly usage?: UsageTotals }
    | { readonly status: 'failed'; readonly error: string; readonly delayMs?: number; readonly usage?: UsageTotals };
}

/** Everything that can happen to an execution. */
export type Message =
  | Done
  | Progress
  | Operations
  | Fail
  | Used
  | Claimed
  | Requeue
  | Decide
  | ExternalEvent
  | Update
  | Timer
  | Cancel
  | Abort
  | Child
  | Enqueue
  | Pause
  | Resume
  | Retry
  | Fork;
