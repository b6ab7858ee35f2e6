import type { JournalPart, KnownJournal } from '../../../machines/journal.ts';
import type { Json, JsonObject } from '../../../machines/json.ts';
import type { ToolContext } from '../../executors/executor.ts';
import type { GivenDetails } from '../../executors/given-details.ts';
import type { ToolLogFields, ToolLogLevel } from '../../executors/tool-context/tool-log.ts';
import type { CancelSignal } from './cancel-signal.ts';

export type { ToolContext };

/**
 * A function that does the work of nodes in process. An error that it throws fails the attempt; with `retryable: false` on it,
 * for good.
 */
export type Tool = (input: never, context: ToolContext) => unknown;

/** Tools by the `tool_ref` of the nodes that call them. */
export type Tools = Readonly<Record<string, Tool>>;

/** A line that a tool wrote to `context.log`. */
export interface ToolLogEntry {
  readonly level: ToolLogLevel;
  readonly message: string;
  readonly fields: ToolLogFields;
  readonly tenantId: string;
  readonly executionId: string;
  readonly nodeId: string;
  readonly attempt: number;
}

/** A work item that an external worker has claimed. */
export interface WorkItemView {
  readonly id: string;
  readonly tenantId: string;
  readonly executionId: string;
  readonly workflowId: string;
  readonly workflowVersion: string;
  readonly nodeId: string;
  readonly queueType: string;
  /** The tool that is asked for; of an item that a client enqueued, its node. */
  readonly tool: string;
  /** The rendered input and the state, as the node's kind says. */
  readonly payload: JsonObject;
  /** The visit to the node: 1, 2, 3 …; 0 = the item was enqueued by a client. */
  readonly activation: number;
  /** 0, 1, 2 … */
  readonly attempt: number;
  /** Which item of the visit; null = it has none. */
  readonly item: number | null;
  readonly maxAttempts: number;
  /** The same for every attempt of one visit to the node, or of one of its items. */
  readonly idempotencyKey: string;
  /** As in `ToolContext`. */
  readonly startedBy: ToolContext['startedBy'];
  /** Labels of the execution. */
  readonly labels: Readonly<Record<string, string>>;
  /** Proves, with the result, that the item is still the worker's. */
  readonly leaseFence: number;
  readonly leaseExpiresAtMs: number;
  /** When the attempt times out, whatever its lease; null = never. */
  readonly deadlineAtMs: number | null;
  /** Place of the attempt in a trace; absent if the execution is not part of one. */
  readonly traceparent?: string;
  /** Of a durable function: what it has done before, or the first part of it. */
  readonly journal?: WorkJournal;
}

/** The journal of a durable function, for a worker: what it does not know of it. */
export interface WorkJournal extends JournalPart {
  /** Of the last event of the execution. */
  readonly sequence: number;
  /** The execution is paused: the function is to go no further. */
  readonly isPaused: boolean;
  /** The function only waits: the work item is settled, and another one comes when there is a result. */
  readonly isParked: boolean;
}

/** What a durable function has begun, or what has come of it: the fields of an `OperationEntry`, unchecked. Null is as absent, but as `output` and `input`. */
export interface GivenOperation {
  readonly type: string;
  readonly operation?: number | null;
  readonly attempt?: number | null;
  readonly update?: number | null;
  readonly kind?: string | null;
  readonly name?: string | null;
  readonly output?: Json;
  readonly durationMs?: number | null;
  readonly error?: string | null;
  readonly errorClass?: string | null;
  readonly details?: JsonObject | null;
  readonly delayMs?: number | null;
  readonly key?: string | null;
  readonly accepts?: readonly string[] | null;
  readonly message?: string | null;
  readonly exposed?: JsonObject | null;
  readonly schema?: JsonObject | null;
  readonly workflow?: string | null;
  readonly version?: string | null;
  readonly input?: Json;
  readonly limitMs?: number | null;
  readonly untilMs?: number | null;
  readonly event?: string | null;
  readonly value?: Json;
  readonly actions?: readonly string[] | null;
  readonly actor?: string | null;
  readonly emitted?: readonly Json[] | null;
  readonly snapshot?: JsonObject | null;
}

/** What a worker reports of a durable function. */
export interface CommitOperations {
  /** The fence of the claim. */
  readonly leaseFence: number;
  /** As in `CompleteWork`. */
  readonly workerId?: string;
  /** In order; empty = the worker only asks for what it does not know. */
  readonly operations: readonly GivenOperation[];
  /** What the worker knows of the journal. `sequence`: of the last event that it was told. */
  readonly known: KnownJournal & { readonly sequence: number };
  /** The function only waits: the position of the last result that it was given. Absent = it works. */
  readonly parkedAfter?: number;
  /** How long to wait for something that the worker does not know, in milliseconds; default 0, at most 60,000. Not with operations. */
  readonly waitMs?: number;
  /** Ends the wait early. */
  readonly signal?: CancelSignal;
}

/** Which work a worker asks for. */
export interface ClaimWork {
  readonly workerId: string;
  readonly queueTypes: readonly string[];
  /** The tools that the worker serves: only their items are claimed. Default: all of the queues. */
  readonly tools?: readonly string[];
  /** Default 1, at most 100. */
  readonly maxItems?: number;
  /** How long to wait for the first item, in milliseconds; default 0, at most 60,000. */
  readonly waitMs?: number;
  /** Ends the wait early. */
  readonly signal?: CancelSignal;
}

/** Tokens and cost of an attempt. */
export interface Usage {
  /** The provider of the model, e.g. `openai`. */
  readonly genAiSystem?: string;
  readonly genAiModel?: string;
  readonly inputTokens?: number;
  readonly outputTokens?: number;
  readonly finishReason?: string;
  readonly costUsd?: number;
}

/** The result of a work item. */
export interface CompleteWork {
  readonly output: Json;
  /** A JSON merge patch (RFC 7396) of the state; default: derived from the output, as the node's kind says. */
  readonly statePatch?: Json;
  readonly durationMs?: number;
  /** The fence of the claim. Absent or 0: not checked. */
  readonly leaseFence?: number;
  /** Compared with the item, if given. */
  readonly executionId?: string;
  readonly nodeId?: string;
  readonly usage?: Usage;
  /** Recorded as the worker on whose behalf the caller acts; default: the one that claimed the item, if the fence is given. */
  readonly workerId?: string;
}

/** The failure of an attempt. */
export interface FailWork {
  readonly error: string;
  /** Default true. False: no further attempt. */
  readonly retryable?: boolean;
  /** Compared with `retryable_on` of the retry policy. */
  readonly errorClass?: string;
  /** The status of the HTTP response that was the failure; compared with `retryable_on`, too. */
  readonly httpStatus?: number;
  /** Name, stack and causes of the error; what is too long is cut. */
  readonly details?: GivenDetails;
  /** What the attempt used all the same. */
  readonly usage?: Usage;
  /** The worker gives the item back: a durable function that has got on begins again as the same attempt. */
  readonly isInterrupted?: boolean;
  /** As in `CompleteWork`. */
  readonly leaseFence?: number;
  readonly workerId?: string;
}

/** Renews the lease of a work item. */
export interface HeartbeatWork {
  /** The worker that holds the lease. */
  readonly workerId: string;
  readonly leaseFence: number;
  /** How far the attempt is, to be shown while it runs. */
  readonly progress?: {
    /** From 0 to 1; null = not said. */
    readonly fraction: number | null;
    /** Null = not said. */
    readonly text: string | null;
  };
}

/** An external worker, or a runtime that does work in process. */
export interface WorkerView {
  readonly id: string;
  readonly kind: 'external' | 'runtime';
  readonly queueTypes: readonly string[];
  /** The tools that it serves; null = every tool of its queues. */
  readonly tools: readonly string[] | null;
  /** `active`: seen in the last minute. */
  readonly status: 'active' | 'idle';
  readonly firstSeenAtMs: number;
  readonly lastSeenAtMs: number;
  /** Items that it has claimed and not settled. */
  readonly inFlight: number;
  readonly claimedTotal: number;
}

/** Waiting work of one tool. */
export interface WaitingWorkView {
  readonly queue: string;
  readonly tool: string;
  /** How many items; 10,000 = so many or more. */
  readonly waiting: number;
  readonly oldestAtMs: number;
  /** Ids of the workers and runtimes that do it; empty = it waits until one comes. */
  readonly servedBy: readonly string[];
}

/** The in-process attempts of a tenant, or of all tenants, in one runtime. */
export interface InProcessView {
  readonly running: number;
  /** Attempts that wait for a slot. */
  readonly waiting: number;
  /** When the longest-waiting attempt began to wait; null = none waits. */
  readonly oldestWaitingSinceMs: number | null;
}
