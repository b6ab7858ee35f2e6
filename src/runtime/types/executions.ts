import type { Diagnostic } from '../../../machines/diagnostics.ts';
import type { Json, JsonObject } from '../../../machines/json.ts';
import type { UsageTotals } from '../../../machines/messages.ts';
import type { Status } from '../../../machines/run.ts';

/** A workflow that was registered. */
export interface RegisteredWorkflow {
  readonly workflowId: string;
  readonly version: string;
  /** SHA-256 of the normalised document, hex. */
  readonly revision: string;
  readonly warnings: readonly Diagnostic[];
}

/** An execution to start. */
export interface StartRequest {
  readonly workflowId: string;
  /** Default: the most recently registered version. */
  readonly version?: string;
  /** Default: an empty object. */
  readonly input?: Json;
  /** Whether the input must fit the state schema of a workflow that asks for no check; rejects with `invalid_input` otherwise. Default: false. */
  readonly checkInput?: boolean;
  /** No key may begin with `jamjet.`. */
  readonly labels?: Readonly<Record<string, string>>;
  /**
   * Id of the thread that models and agents without a thread of their own continue. Rejects with `bad_request` for an id that is none, and if the workflow
   * has no such node.
   */
  readonly thread?: string;
  /**
   * One live execution of the workflow has a key at most; it has it from its start until it ends. 1 to 256 characters. Rejects with `already_running`
   * (`AlreadyRunning`) while one has it. Default: none.
   */
  readonly key?: string;
  /** What is done while an execution has the key; `return`: that one is the result. Default: the request is rejected. */
  readonly ifRunning?: 'return';
  /** When it begins; it is `pending` until then. Default: at once. */
  readonly startAtMs?: number;
  /** Milliseconds after which it begins, in the place of `startAtMs`. */
  readonly delayMs?: number;
  /** A request with the same key is answered with the execution that the first one started. */
  readonly idempotencyKey?: string;
  /**
   * The place in a trace that the execution becomes part of, as in the header `traceparent` (https://www.w3.org/TR/trace-context/).
   * One that is not valid is ignored.
   */
  readonly traceparent?: string;
  /**
   * Token of the person on whose behalf the execution acts, which nodes with `oauth_scopes` exchange for access tokens. Stored sealed, or
   * kept in memory without a `secretKey`; gone with the end of the execution. Needs a workflow with `oauth`.
   */
  readonly subjectToken?: string;
}

/** What was left out of the state that a request or a result gives. */
export interface IgnoredState {
  /** Keys that only the runtime writes, such as the conversations of agents. Absent = none. */
  readonly ignored?: readonly string[];
}

/** An execution that a request has started, or found. */
export interface StartResult extends IgnoredState {
  /** `exec_` and 32 hex digits, which sort by the time of the start. */
  readonly executionId: string;
  /** An earlier request with the same idempotency key started the execution. */
  readonly replayed: boolean;
  /** It was running already with the key of the request, which has started nothing. Absent = it was not. */
  readonly alreadyRunning?: true;
}

/** Totals that an execution may use from now on. */
export interface Budgets {
  readonly tokenBudget?: { readonly inputTokens?: number; readonly outputTokens?: number; readonly totalTokens?: number };
  readonly costBudgetUsd?: number;
}

/** An execution. Times are in milliseconds since the epoch. */
export interface ExecutionView {
  readonly executionId: string;
  readonly tenantId: string;
  readonly workflowId: string;
  readonly workflowVersion: string;
  readonly revision: string;
  readonly status: Status;
  readonly state: JsonObject;
  readonly input: Json;
  readonly error: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly stepsExecuted: number;
  readonly sequence: number;
  readonly parentExecutionId: string | null;
  /** Which segment of a chain it is (`continue_as_new`): 0, 1, 2 … */
  readonly segment: number;
  /** The execution that it continues; null = it is the first of its chain. */
  readonly previousExecutionId: string | null;
  /** The first execution of its chain; null = it is that itself. */
  readonly firstExecutionId: string | null;
  /** The execution that continues it; null = none. */
  readonly nextExecutionId: string | null;
  /** The last execution of its chain so far; null = it is that itself. */
  readonly currentExecutionId: string | null;
  /** When it begins, or began; null = it was not started for later. */
  readonly startAtMs: number | null;
  /** The execution that this one was forked from, and the sequence up to which it shares its log; null = it is not a fork. */
  readonly forkedFrom: { readonly executionId: string; readonly sequence: number } | null;
  /** The key that it has, or had until it ended; null = it was started without. */
  readonly key: string | null;
  /** Id of the thread with which it was started; null = it was started without. */
  readonly thread: string | null;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  readonly completedAtMs: number | null;
  /** Set while an operator has paused the execution; it starts nothing new until it is resumed. */
  readonly suspended: { readonly reason: string | null } | null;
  /** What its nodes and its children that have ended have used so far; null = nothing. */
  readonly usage: UsageTotals | null;
}

/** An execution in a list. */
export type ExecutionSummary = Omit<
  ExecutionView,
  'state' | 'input' | 'suspended' | 'nextExecutionId' | 'currentExecutionId' | 'startAtMs' | 'usage'
>;

/** An execution matches if it meets all conditions that are given. */
export interface ExecutionFilter {
  /** Any of these; an empty list matches nothing. */
  readonly statuses?: readonly Status[];
  readonly workflowId?: string;
  /** Only with `workflowId`. */
  readonly workflowVersion?: string;
  readonly parentId?: string;
  /** All of these; without a value, the label may have any. */
  readonly labels?: readonly { readonly key: string; readonly value?: string }[];
  /** By the time of the start, which the id holds. */
  readonly createdFromMs?: number;
  readonly createdBeforeMs?: number;
  /** An error, or the name of a group of errors: those whose error differs in numbers, ids and quoted texts alone. */
  readonly error?: string;
}

/** Which executions are listed. */
export interface ExecutionPageRequest extends ExecutionFilter {
  /** `next` of the page before. */
  readonly after?: string;
  readonly limit: number;
  /** How many matches to skip; default 0. Not with `error`. */
  readonly offset?: number;
}

/** Executions of a list. */
export interface ExecutionPage {
  /** Newest first. Fewer than `limit` at the end, and where matches are too far apart to look for more of them at once. */
  readonly executions: readonly ExecutionSummary[];
  /** `after` of the next page; null = this is the last one. */
  readonly next: string | null;
}

/** How many executions match a filter. */
export interface ExecutionCounts {
  /** By status; a status without matches may be absent. */
  readonly byStatus: ReadonlyMap<string, number>;
  readonly total: number;
  /** How many executions were looked at: with `error`, the newest 10,000 that the other conditions select; else all that match. */
  readonly examined: number;
  /** Older executions may match as well and were not looked at. */
  readonly more: boolean;
}

/** Executions to find by a part of their id. */
export interface IdSearchRequest {
  /** At least four hex digits, in lower case. */
  readonly part: string;
  /** `next` of the page before. */
  readonly after?: string;
  readonly limit: number;
}

/** What tells the error of an execution. */
export type FailedExecution = Pick<ExecutionSummary, 'executionId' | 'workflowId' | 'error' | 'updatedAtMs' | 'completedAtMs'>;

/** Executions that ended with errors that differ in numbers, ids and quoted texts alone. */
export interface ErrorGroup<T extends FailedExecution = ExecutionSummary> {
  /** The error with `#` in the place of numbers and ids, and `…` in that of quoted texts. */
  readonly error: string;
  readonly count: number;
  /** The first few of their workflows. */
  readonly workflowIds: readonly string[];
  /** The one started last, with its error as it is. */
  readonly newest: T;
}

/** The errors of executions, alike ones together. */
export interface ErrorGroups<T extends FailedExecution = ExecutionSummary> {
  /** The largest first. */
  readonly groups: readonly ErrorGroup<T>[];
  /** How many executions were looked at, those without an error included. */
  readonly examined: number;
  /** Older executions match as well and were not looked at. */
  readonly more: boolean;
}

/** Which events of a log are read: all, or those that match. */
export interface EventsRequest {
  /** Sequence of the event before the first; default 0. */
  readonly after?: number;
  readonly limit?: number;
  readonly type?: string;
  readonly nodeId?: string;
}

/** From where a log is followed, and until when. */
export interface SubscribeOptions {
  /** Sequence of the event before the first; default 0. */
  readonly after?: number;
  readonly signal?: AbortSignal;
}

/** An event of an execution's log. */
export interface EventView {
  readonly executionId: string;
  readonly sequence: number;
  /** In snake_case, e.g. `node_completed`. */
  readonly type: string;
  readonly nodeId: string | null;
  readonly data: JsonObject;
  readonly createdAtMs: number;
  readonly actorId: string;
  /** On whose behalf the actor said to act, unverified; null = its own. */
  readonly onBehalfOf: string | null;
  /** Personal data was replaced, as the data policy says. */
  readonly redacted: boolean;
}

/** A node of an execution, besides its events. */
export interface NodeView {
  /** Null: the workflow has no such node. */
  readonly kind: string | null;
  /** It was reached while an operator's pause lasts. */
  readonly isDeferred: boolean;
  /** It works on a list. */
  readonly isList: boolean;
  /** Has the execution ended? */
  readonly hasEnded: boolean;
  /** Ids of the nodes of the workflow. */
  nodeIds(): readonly string[];
}

/** A part of the text that an attempt has written before its result, e.g. a model's answer. */
export interface TextDelta {
  readonly executionId: string;
  readonly nodeId: string;
  /** The visit to the node: 1, 2, 3 … */
  readonly activation: number;
  /** 0, 1, 2 … */
  readonly attempt: number;
  /** Which item of the visit; absent = it has none. */
  readonly item?: number;
  /** Where the part begins in the attempt's text. */
  readonly index: number;
  readonly text: string;
}

/** How far an attempt is, as its tool says. */
export interface ProgressUpdate {
  readonly executionId: string;
  readonly nodeId: string;
  readonly activation: number;
  readonly attempt: number;
  /** Which item of the visit; absent = it has none. */
  readonly item?: number;
  readonly progress: {
    /** From 0 to 1; null = not said. */
    readonly fraction: number | null;
    /** Null = not said. */
    readonly text: string | null;
  };
}

/** What running attempts show before their results. */
export type LiveUpdate = TextDelta | ProgressUpdate;

/** An approval that waits for a decision. */
export interface PendingApproval {
  readonly nodeId: string;
  /** The visit to the node: 1, 2, 3 … */
  readonly activation: number;
  /** Which item of the visit; absent = it has none. */
  readonly item?: number;
  readonly kind: 'human_approval' | 'tool';
  readonly toolName: string;
  readonly approver: 'human';
  /** What the person is shown. */
  readonly context: JsonObject;
  /** Of a tool: what it would be given now; absent = the state, or it is large. */
  readonly input?: Json;
  /** Of the event that asked for the approval. */
  readonly sequence: number;
  readonly requestedAtMs: number;
}

/** A decision on an approval. */
export interface ApprovalDecision {
  readonly nodeId: string;
  readonly status: 'approved' | 'rejected';
  /** As logged: the user on whose behalf it was decided, else the actor. */
  readonly userId: string;
  /** The caller that decided. */
  readonly actorId: string;
  readonly onBehalfOf: string | null;
  readonly comment: string | null;
  readonly sequence: number;
  readonly decidedAtMs: number;
}

/** How an external event was received. */
export interface EventReceipt extends IgnoredState {
  /** The execution that received it, which continues the one that it was sent to; absent = that one did. */
  readonly executionId?: string;
  /** Whether a node waited for it. */
  readonly matched: boolean;
  /** The node that received it; null = none yet. */
  readonly nodeId: string | null;
  /** The keys for which nodes of the workflow wait, if its key is none of them; absent otherwise. */
  readonly keys?: readonly string[];
  /** What is wrong with the payload, by the `schema` of the nodes that wait for its key; absent = nothing. */
  readonly payloadProblem?: string;
}

/** Something for a durable function that has a handler for it. */
export interface UpdateRequest {
  /** The name that the function has given to `ctx.onUpdate`. */
  readonly name: string;
  readonly input: Json;
  /** A repeated request is handled once, and has the same answer. */
  readonly idempotencyKey?: string;
}

/** An update that was accepted. */
export interface UpdateReceipt {
  /** The execution that took it: the last one of those that continue the one that it was sent to. */
  readonly executionId: string;
  /** Of its `update_received` event. */
  readonly sequence: number;
}

/** What has come of an update. */
export type UpdateOutcome =
  /** The function has yet to handle it. */
  | { readonly status: 'accepted' }
  | { readonly status: 'completed'; readonly output: Json }
  /** The handler has thrown an error. */
  | { readonly status: 'failed'; readonly error: string; readonly errorClass: string | null };

/** An external event. */
export interface EventRequest {
  /** The correlation key that a node waits for. */
  readonly key: string;
  readonly payload: Json;
  /** A repeated request is ignored. */
  readonly idempotencyKey?: string;
  /**
   * Whether a payload that does not fit the `schema` of the nodes that wait for its key is refused, and with `conflict` an event that the state of a
   * machine does not accept. Default: false.
   */
  readonly strict?: boolean;
}

/** An event for the live execution of a workflow with a key. */
export interface KeyedEventRequest extends EventRequest {
  readonly workflowId: string;
  /** The key with which the execution was started. */
  readonly executionKey: string;
  /** An execution with the key that is started if none is live. Default: the event is rejected with `not_found`. */
  readonly start?: Pick<StartRequest, 'version' | 'input' | 'checkInput' | 'labels' | 'thread' | 'traceparent' | 'subjectToken'>;
}

/** How an event by key was received. */
export interface KeyedEventReceipt extends EventReceipt {
  /** The execution that received it. */
  readonly executionId: string;
  /** The request has started the execution. Absent = it has not. */
  readonly started?: true;
  /** Keys of the input of `start` that were left out. Absent = none. */
  readonly ignoredInput?: readonly string[];
}

/** The approvals of an execution, each list by node id. */
export interface ApprovalsView {
  readonly pending: readonly PendingApproval[];
  readonly decided: readonly ApprovalDecision[];
}

/** Which approvals of a tenant are read. */
export interface ApprovalPageRequest {
  readonly status: 'pending' | 'decided';
  readonly workflowId?: string;
  /** `next` of the page before. */
  readonly after?: ApprovalPosition;
  readonly limit: number;
  /** Read the states for review, too. */
  readonly withState: boolean;
}

/** The place of an approval in a list. */
export interface ApprovalPosition {
  readonly atMs: number;
  readonly executionId: string;
  readonly seq: number;
}

/** Approvals of a tenant. */
export interface ApprovalPage {
  /** Pending ones that have waited longest first, decided ones newest first. */
  readonly items: AsyncIterable<ApprovalItem>;
  /** `after` of the next page; null = this is the last one. */
  readonly next: ApprovalPosition | null;
}

/** An approval in the list of all executions. */
export interface ApprovalItem extends Omit<PendingApproval, 'approver'> {
  readonly executionId: string;
  readonly workflowId: string;
  /** The question. */
  readonly message: string;
  /** The state that the person reviews; null = not read. */
  readonly state: JsonObject | null;
  /** When the node stops waiting; null = never. */
  readonly expiresAtMs: number | null;
  /** Null = not decided yet. */
  readonly decision: Omit<ApprovalDecision, 'nodeId'> | null;
}

/** A decision to make on an approval. */
export interface Decision {
  readonly decision: string;
  readonly nodeId?: string;
  /** Of the list that the node works on; may be left out if only one of its items awaits a decision. */
  readonly item?: number;
  /** Recorded as the user on whose behalf the caller decides; default: the caller. */
  readonly userId?: string;
  readonly comment?: string;
  readonly statePatch?: Json;
}
