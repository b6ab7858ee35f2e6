import type { TokenBudget } from './ir/workflow.ts';
import type { Json, JsonObject } from './json.ts';

/** What a node's work cost, as the worker or executor reports it. */
export interface Usage {
  readonly gen_ai_system?: string;
  readonly gen_ai_model?: string;
  readonly input_tokens?: number;
  readonly output_tokens?: number;
  readonly finish_reason?: string;
  readonly cost_usd?: number;
}

/** Names one visit to a node and one try at its work. A message for an older one is stale. */
export interface Visit {
  readonly node: string;
  /** 1, 2, 3 …: how often the node was run or skipped, this time included. */
  readonly activation: number;
  /** 0-based. */
  readonly attempt: number;
}

export interface Done extends Visit {
  readonly type: 'done';
  readonly output: Json;
  /** RFC 7396 patch to the state; absent = what follows from the output, as the node's kind and `output_key` say. */
  readonly patch?: Json;
  readonly durationMs: number;
  readonly usage?: Usage;
}

export interface Fail extends Visit {
  readonly type: 'fail';
  readonly error: string;
  /** `io_error`, `timeout`, `rate_limit`, `server_error`, `connection_reset`, `lost` or a custom class; decides with `retryable_on`. */
  readonly errorClass?: string;
  /** Of an HTTP response that was taken for a failure. */
  readonly httpStatus?: number;
  readonly retryable: boolean;
  /** How long the retry waited according to the log, when it is replayed; absent = as the retry policy says. */
  readonly delayMs?: number;
}

/** The attempt starts: an external worker holds the node's work item now, or in-process work got a slot. */
export interface Claimed extends Visit {
  readonly type: 'claimed';
  readonly workerId: string;
  /** In-process work that waited for a slot. */
  readonly local?: true;
}

/**
 * Begin the same attempt again: of in-process work that an orderly stop handed back, or of work that waits for an external
 * worker while this runtime can do it itself.
 */
export interface Requeue extends Visit {
  readonly type: 'requeue';
  /** Nobody has begun it yet: a node that must not be tried twice may still be done. */
  readonly unbegun?: true;
  /** Refused unless it still waits for a worker. */
  readonly queued?: true;
}

/** A decision on an open approval: of a human_approval node or of a policy hold. */
export interface Decide {
  readonly type: 'decide';
  /** Absent = the only open one. */
  readonly node?: string;
  readonly decision: 'approved' | 'rejected';
  readonly userId: string;
  readonly comment: string | null;
  readonly patch: Json;
}

export interface ExternalEvent {
  readonly type: 'event';
  readonly key: string;
  readonly payload: Json;
}

/** A durable timer is due. `id` is the one `set_timer` gave. */
export interface Timer {
  readonly type: 'timer';
  readonly id: string;
}

export interface Cancel {
  readonly type: 'cancel';
  readonly reason: string;
}

/** A step of the execution has thrown, or nothing is left that could move it on: it ends as failed, whatever state it is in. */
export interface Abort {
  readonly type: 'abort';
  readonly error: string;
}

/** An operator's hold: what is under way goes on, nothing else begins until `Resume`. */
export interface Pause {
  readonly type: 'pause';
  readonly reason: string | null;
}

/** The hold is over: what it kept begins. Refused while more is used than the budgets allow, those of this message included. */
export interface Resume {
  readonly type: 'resume';
  readonly budgets?: Budgets;
}

/** Totals that an execution may use; null = not said. */
export interface Budgets {
  readonly token_budget: TokenBudget | null;
  readonly cost_budget_usd: number | null;
}

/** The failures that ended the run are forgiven: their nodes run again. For the run that `revive` gives alone. */
export interface Retry {
  readonly type: 'retry';
}

/**
 * The log so far is the beginning of another execution's; from here on it is this one's. What that one had under way begins anew, times
 * are set anew from now, and `patch` (RFC 7396) changes the state first.
 */
export interface Fork {
  readonly type: 'fork';
  readonly origin: { readonly executionId: string; readonly sequence: number };
  readonly patch: Json;
  /** Decisions that persons made before the fork point. Absent in logs of earlier releases: there, open approvals keep their texts. */
  readonly decisions?: readonly CopiedDecision[];
  /** An operator insisted on decisions that were made on something else than the patched state. */
  readonly keepDecisions?: true;
}

/** A decision that a fork brings along, in the form in which the log keeps it. */
export interface CopiedDecision extends JsonObject {
  readonly node_id: string;
  /** Of its `approval_received`. */
  readonly sequence: number;
  readonly user_id: string;
}

/**
 * Work beside the graph, asked for from outside: logged, and its patch is merged, but nothing is routed by it. Its visit has
 * activation 0.
 */
export interface Enqueue {
  readonly type: 'enqueue';
  readonly node: string;
  readonly queue: string;
}

/** News of a subgraph node's child execution. */
export interface Child extends Visit {
  readonly type: 'child';
  readonly childId: string;
  readonly childWorkflowId: string;
  readonly change:
    | { readonly status: 'started' }
    /** It cannot start yet: there is no room among the tenant's live executions. It has no id. */
    | { readonly status: 'waiting' }
    | { readonly status: 'running' | 'paused' }
    | { readonly status: 'completed'; readonly result: Json }
    | { readonly status: 'failed'; readonly error: string; readonly delayMs?: number };
}

/** What may happen to an execution. */
export type Message =
  | Done
  | Fail
  | Claimed
  | Requeue
  | Decide
  | ExternalEvent
  | Timer
  | Cancel
  | Abort
  | Child
  | Enqueue
  | Pause
  | Resume
  | Retry
  | Fork;
