import type { Carried } from './carried.ts';
import type { LogEvent, VisitProgress } from './events/index.ts';
import type { Journal } from './journal.ts';
import type { Json, JsonObject } from './json.ts';
import type { Queue } from './nodes/kind.ts';
import type { PolicySubject, PolicyVerdict } from './policy.ts';
import type { Configuration } from './step/configuration.ts';

/** The status of an execution. */
export type Status = 'pending' | 'running' | 'paused' | 'completed' | 'failed' | 'cancelled' | 'limit_exceeded';
export const TERMINAL: ReadonlySet<Status> = new Set(['completed', 'failed', 'cancelled', 'limit_exceeded']);

/** The states that a machine is in, and its extended state, which only the step knows (`Context`). */
export interface MachineSnapshot {
  readonly configuration: Configuration;
  readonly context: unknown;
}

/** The size of a run's parts, in bytes of JSON text. */
export interface RunBytes {
  readonly state: number;
  readonly pendingInput: number;
  readonly buffered: number;
}

/** What is known of the size of a run. */
export interface KnownSize {
  /** An upper bound for all parts together. */
  readonly atMost: number;
  /** The last run of this execution that was measured exactly: only differences from it are measured again. */
  readonly measured: (RunBytes & { readonly run: Run }) | null;
}

/** An execution in memory. Immutable, so that the run before a failed commit can be used again. */
export interface Run {
  readonly snapshot: MachineSnapshot;
  /** Sequence of its last event. */
  readonly seq: number;
  readonly status: Status;
  /** Node completions so far. */
  readonly steps: number;
  /** The input of the execution, stored beside the snapshot because it never changes. */
  readonly input: Json;
  /** Why the execution failed or was cancelled; null otherwise. */
  readonly error: string | null;
  /** Number of nodes with in-process work in progress, including child executions that are being started. */
  readonly localWork: number;
  /** Its personal data has been erased: it is what may be shown of an execution that has ended. */
  readonly isErased?: true;
  /** Set by the size limits of the runtime, once they know; no part of the execution. */
  knownSize: KnownSize | null;
}

/** The policy of a tenant, as it is when a node begins; in a replay, as it was. */
export interface TenantPolicy {
  /** The decision about a node that is about to begin an attempt; `narrower` is that of its own policies. */
  verdict(node: string, subject: PolicySubject, narrower: PolicyVerdict | null, item?: number): PolicyVerdict | null;
}

/** Where an execution is in a chain. */
export interface Segment {
  /** 1, 2 …; the first one of a chain, which continues none, is 0. */
  readonly segment: number;
  readonly previousId: string;
  /** What it takes over besides the state; absent = it begins anew, at the start node. */
  readonly carried?: Carried;
}

/** The environment of a step, as data: time, ids and choices. The step itself has none. */
export interface StepEnv {
  readonly executionId: string;
  readonly nowMs: number;
  /** Node completions (handled failures included) after which an execution fails; default 10,000. */
  readonly stepLimit: number;
  /** Id of the runtime that does in-process work: the worker id in `node_started`. */
  readonly runtimeId: string;
  /** Of an execution that continues another one: that one, and which segment of the chain it is. */
  readonly continues?: Segment;
  /** When the execution begins, in milliseconds since 1970, if that is later than now; absent = now. */
  readonly startAtMs?: number;
  /** Place in the trace within which an execution starts; it is logged, and nothing depends on it. Absent = none. */
  readonly traceparent?: string;
  /** Is the node's work done in this process (true) or by an external worker (false)? */
  isLocal(node: string): boolean;
  /** The execution starts with the state of another one, internal state included, as one that continues another does. Absent = no. */
  readonly startsFromState?: boolean;
  /** The evaluation budget in units; absent = the usual one (`STEP_EVALUATION_BUDGET`). */
  readonly work?: number;
  /**
   * May an in-process attempt start within this step? False = it is scheduled and waits for a free slot; a `claimed` message starts it.
   * Absent = always true.
   */
  startsAtOnce?(node: string, item?: number): boolean;
  /** The policy of the tenant; null or absent = it has none. */
  readonly tenantPolicy?: TenantPolicy | null;
  /** What a later retry undoes with the failure that is logged with this sequence, in a replay; null or absent = not even the failure. */
  resetWith?(sequence: number): { readonly endsExecution: boolean } | null;
  /** Record the inputs of attempts in `node_started`? Default true; a replay takes none, because the log has them. */
  readonly recordInputs?: boolean;
  /** Values of the `env` root that the operator allows. Conditions see those that were recorded when the execution started. */
  readonly vars: Readonly<Record<string, string>>;
}

/** What a timer is for: an attempt is one of a finalizer that an external worker is to do; `start` is that of the execution and has no node. */
export type TimerKind = 'retry' | 'wait' | 'approval' | 'attempt' | 'items' | 'start';

/** Effects of a step, to be applied in order after its commit. All are idempotent by (execution, node, activation[, item][, attempt]) or timer id. */
export type Effect =
  /** Begin an attempt: in process (`local`) or as a work item on `queue`. */
  | {
      readonly type: 'work';
      readonly node: string;
      readonly activation: number;
      readonly attempt: number;
      readonly item?: number | undefined;
      readonly local: boolean;
      /** In-process work that waits for a free slot. */
      readonly waits?: true;
      readonly queue: Queue;
    }
  /** The visit ended without a result: abort in-process work, refuse the work item from now on. */
  | {
      readonly type: 'abandon';
      readonly node: string;
      readonly activation: number;
      readonly item?: number | undefined;
      readonly local: boolean;
    }
  /** Operations of a durable function that works have results, or are to be attempted again. */
  | { readonly type: 'operations_changed'; readonly node: string; readonly activation: number }
  /** Give up what the attempts of a visit have begun elsewhere: the visit has ended without a result. */
  | {
      readonly type: 'release';
      readonly node: string;
      readonly activation: number;
      readonly progress: VisitProgress;
      readonly errorClass: string | null;
    }
  /** Start the node's child execution, and send a `child` message (`started`), or `fail` if it cannot be started. */
  | {
      readonly type: 'spawn';
      readonly node: string;
      readonly activation: number;
      readonly attempt: number;
      readonly item?: number | undefined;
    }
  /** The execution has ended: begin the one that continues it, in the same commit. */
  | {
      readonly type: 'continue_as_new';
      readonly executionId: string;
      readonly segment: number;
      readonly state: JsonObject;
      /** What it takes over besides the state; absent = it begins anew, at the start node. */
      readonly carried?: Carried;
    }
  /** Cancel the child of a visit, if it has one. */
  | { readonly type: 'cancel_child'; readonly node: string; readonly activation: number; readonly childId: string }
  | {
      readonly type: 'set_timer';
      readonly id: string;
      readonly node: string;
      readonly activation: number;
      readonly atMs: number;
      readonly kind: TimerKind;
    }
  | { readonly type: 'clear_timer'; readonly id: string };

export interface StepResult {
  readonly run: Run;
  /** At least one: a message that changes nothing is refused. The first event says which message it was (replays rely on it). */
  readonly events: readonly LogEvent[];
  readonly effects: readonly Effect[];
  /** Problems of this step's expressions, e.g. a condition that could not be evaluated. Not part of the log. */
  readonly diagnostics: readonly string[];
  /** State keys that the message gave and that only the runtime writes: they are left out. */
  readonly ignored: readonly string[];
  /** For `decide`: the node decided. For `event`: the node that took it, or null if the event was buffered. */
  readonly node: string | null;
}

export type RefusalCode =
  /** The message is for an older activation or attempt, or for a timer that is no longer set. */
  | 'stale'
  /** The message is about an execution that continues the child for which the node waits: that child's own message comes first. */
  | 'early'
  | 'terminal'
  /** The execution is about to end: its finalizers run. */
  | 'ending'
  /** Pause of a suspended execution; resume of one that is not suspended. */
  | 'already_suspended'
  | 'not_suspended'
  /** Resume of an execution that exceeds its budgets. */
  | 'over_budget'
  /** Retry of an execution that has not failed, or not by the failure of nodes. */
  | 'not_retryable'
  /** An event for a state machine, which is to be taken at once or not at all. */
  | 'not_accepted'
  | 'unknown_node'
  | 'unknown_decision'
  /** No durable function has a handler for the update. */
  | 'unknown_update'
  /** The function takes no more updates. */
  | 'too_many_updates'
  | 'no_pending_approval'
  | 'no_pending_approval_on_node'
  | 'several_pending_approvals';

export interface Refused {
  readonly refused: RefusalCode;
  /** The open approvals' node ids for `several_pending_approvals`, the descriptors of accepted events for `not_accepted`, else empty. */
  readonly nodes: readonly string[];
  /** Of `stale`: which of the operations does not fit the state, and why; absent = the journal says it. */
  readonly reason?: string;
}

/** An open approval, as the API lists it. */
export interface PendingApproval {
  readonly node_id: string;
  readonly activation: number;
  /** Which piece of the node's work; absent = the node has only one. */
  readonly item?: number;
  readonly kind: 'human_approval' | 'tool';
  readonly tool_name: string;
  readonly approver: 'human';
  readonly context: JsonObject;
  /** Of the event that raised it. */
  readonly sequence: number;
  readonly requested_at_ms: number;
}

/**
 * Phase of an active node:
 * - `queued`: waits for a worker, for a free slot of its runtime (`local`), or for capacity for its child execution;
 * - `running`: in process, or claimed by a worker;
 * - `backoff`: waits for its retry timer;
 * - `awaiting_approval`: a policy requires an approval before it runs;
 * - `approval`, `waiting`: a human_approval or wait node that is parked;
 * - `child`: its child execution runs;
 * - `items`: the same work is done for every item of a list;
 * - `deferred`: its attempt begins when the execution is resumed;
 * - `failed`: for good, and reset, so that it can begin anew.
 */
export type Phase =
  | 'queued'
  | 'running'
  | 'backoff'
  | 'awaiting_approval'
  | 'approval'
  | 'waiting'
  | 'child'
  | 'items'
  | 'deferred'
  | 'failed';

/** A node whose current visit has begun and not ended. */
export interface ActiveNode {
  readonly node: string;
  readonly activation: number;
  readonly attempt: number;
  /** Which piece of the visit's work; absent = the visit itself. */
  readonly item?: number | undefined;
  readonly phase: Phase;
  readonly local: boolean;
  /** Correlation key of the external event that it waits for; null = none. */
  readonly waitsFor: string | null;
  readonly childId: string | null;
  /** Its child execution cannot start yet: the tenant has too many live executions. */
  readonly waitsForCapacity?: true;
}

/** Everything that an attempt at a node's work needs. */
export interface Work {
  readonly node: string;
  readonly activation: number;
  readonly attempt: number;
  readonly item?: number | undefined;
  readonly maxAttempts: number;
  /** Seconds; null = not limited. */
  readonly timeoutSecs: number | null;
  /** The rendered mapping, or the whole state. */
  readonly input: Json;
  /** Problems of the mapping's expressions, which are null in the input. */
  readonly inputErrors: readonly string[];
  /** The expression of the mapping at which the evaluation budget was exceeded. */
  readonly inputExceeded?: string;
  /** A function, method or filter of the mapping that does not exist. */
  readonly inputUnknown?: string;
  /** What earlier attempts of the visit have logged: the data of the last event of each type. */
  readonly progress: VisitProgress;
  /** Operations of a visit to a durable function; absent = it is another kind of node. */
  readonly journal?: Journal;
  readonly state: JsonObject;
  /** A value as models may see it. Absent: the workflow has no data policy, or the input has been made for models already. */
  readonly forModels?: (value: Json) => Json;
  /** `{workflow_id, workflow_version, node_id, kind, input, state, …kind-specific}` */
  readonly payload: JsonObject;
}
