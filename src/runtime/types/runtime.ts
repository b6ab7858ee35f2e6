import type { Json } from '../../../machines/json.ts';
import type { Caller } from './caller.ts';
import type { CancelSignal } from './cancel-signal.ts';
import type {
  ApprovalPage,
  ApprovalPageRequest,
  ApprovalsView,
  Budgets,
  Decision,
  ErrorGroups,
  EventReceipt,
  EventRequest,
  EventsRequest,
  EventView,
  ExecutionCounts,
  ExecutionFilter,
  ExecutionPage,
  ExecutionPageRequest,
  ExecutionView,
  IdSearchRequest,
  IgnoredState,
  KeyedEventReceipt,
  KeyedEventRequest,
  LiveUpdate,
  RegisteredWorkflow,
  StartRequest,
  StartResult,
  SubscribeOptions,
  TextDelta,
  UpdateOutcome,
  UpdateReceipt,
  UpdateRequest,
} from './executions.ts';
import type { ExecutionAtView, ForkRequest, ForkResult, ReplayView, SnapshotPage } from './history.ts';
import type { RuntimeMemory } from './memory.ts';
import type { RuntimeThreads } from './threads.ts';
import type {
  ClaimWork,
  CommitOperations,
  CompleteWork,
  FailWork,
  HeartbeatWork,
  WaitingWorkView,
  WorkerView,
  WorkItemView,
  WorkJournal,
} from './work.ts';

/**
 * The durable execution runtime, without HTTP. When a promise resolves, what it reports is on disk.
 *
 * Errors are `RuntimeError` with a stable `code`, or `StoreError` while the store cannot be reached or is full. Methods that
 * change something reject with `overloaded` when too much work is waiting, and with `shutting_down` after `close`. Methods that
 * name an execution or a work item reject with `not_found` if the tenant has none of that id. The other codes are listed at each
 * method.
 *
 * @example
 * const runtime = await createRuntime({ store: await openSqlite({ path: 'jamjet.db' }), tools: { greet: ({ name }) => `Hello ${name}` } });
 * const caller = { tenantId: 'default', actorId: 'me', actorType: 'human' } as const;
 * await runtime.register(caller, document);
 * const { executionId } = await runtime.start(caller, { workflowId: 'greeting', input: { name: 'Ada' } });
 * const { status, state } = await runtime.settled('default', executionId);
 */
export interface Runtime {
  /** The id of this runtime, e.g. in the list of workers. */
  readonly id: string;

  /**
   * Validates, compiles and stores a workflow document, in any accepted spelling. Registering a version again with another
   * content makes a new revision; executions keep the revision that they started with. Rejects with `InvalidWorkflow`, which
   * lists every problem; with `tenant_not_active`; and with `limit_exceeded_workflows` when the id is new and the tenant may not
   * have another workflow.
   */
  register(caller: Caller, document: unknown): Promise<RegisteredWorkflow>;

  /**
   * Starts an execution. Rejects with `not_found` for a workflow or version that is not registered; with `conflict` when the
   * idempotency key was used with another request; with `tenant_not_active`; and with `limit_exceeded_…` when the tenant is at
   * its limit of live executions, tokens or cost. A repeated request is answered whatever the limits are.
   */
  start(caller: Caller, request: StartRequest): Promise<StartResult>;

  execution(tenantId: string, id: string): Promise<ExecutionView>;
  executions(tenantId: string, request: ExecutionPageRequest): Promise<ExecutionPage>;
  /**
   * Counts matching executions by their status. Each counts once, with the status it has when it is reached; what was committed before the call
   * is counted as it is. A million take a fifth of a second, in which other work goes on. Calls at the same time with the same filter
   * share a count. With `error`, it looks at the newest 10,000 of the executions that the other conditions select.
   */
  executionCounts(tenantId: string, filter: ExecutionFilter): Promise<ExecutionCounts>;
  /** Executions whose id ends with `part`; if none does, those whose id contains it. Newest first, among the newest million of each page. */
  searchIds(tenantId: string, request: IdSearchRequest): Promise<ExecutionPage>;
  /** The errors of matching executions, alike ones together. Looks at the newest 10,000 matches. */
  errorGroups(tenantId: string, filter: ExecutionFilter): Promise<ErrorGroups>;

  /**
   * Resolves when the execution has ended or is paused, and after `waitMs` milliseconds (default and maximum 60,000) at the
   * latest: the status tells which.
   */
  settled(tenantId: string, id: string, waitMs?: number, signal?: CancelSignal): Promise<ExecutionView>;

  /** The log so far, from the event after sequence `after` (default 0), read in pages as the consumer asks for them. */
  events(tenantId: string, id: string, page?: EventsRequest): AsyncIterable<EventView>;

  /**
   * The log from the event after sequence `after`, then live, without gaps, until the execution has ended, `signal` aborts or the
   * runtime stops.
   */
  subscribe(tenantId: string, id: string, options?: SubscribeOptions): AsyncIterable<EventView>;

  /**
   * The texts that models write for an execution, while they do: first what there is, then each part as it comes, until `signal`
   * aborts. What they write in another process on the database comes at most ten times a second. The parts of a text follow one
   * another; it begins again (`index` 0) when that process was not heard of for a while. Nothing of it is stored; `node_completed`
   * has the whole.
   */
  deltas(tenantId: string, id: string, signal: AbortSignal): AsyncIterable<TextDelta>;

  /**
   * `deltas`, and what tools report by `context.progress`: the last report of each attempt, then each further one, at most ten times a
   * second. Nothing of it is stored.
   */
  live(tenantId: string, id: string, signal: AbortSignal): AsyncIterable<LiveUpdate>;

  /**
   * Suspends an execution: work in progress goes on, and decisions, events and timers are processed, but no node and no attempt
   * starts until `resume`, and unclaimed work is not handed out. Child executions go on. Rejects with `conflict` when it is
   * suspended already or has ended.
   */
  pause(caller: Caller, id: string, reason?: string): Promise<void>;

  /**
   * Starts what was deferred while the execution was suspended. `budgets`: new totals of what it may use. Rejects with `conflict`
   * when it is not suspended (the message says what it waits for), or when it has used more than it may.
   */
  resume(caller: Caller, id: string, budgets?: Budgets): Promise<void>;

  /**
   * Continues a failed execution: the nodes whose failure ended it run again (a new activation, attempts from 0), completed nodes
   * stay completed, and the workflow timeout starts anew. Reads the whole log. Rejects with `conflict` when it has not failed,
   * when it failed by its step limit or a budget or by a node that its policy blocks or that it has left because of a
   * budget, and when it is a child; with
   * `tenant_not_active` or `limit_exceeded_…` as `start` does.
   */
  retry(caller: Caller, id: string): Promise<{ readonly nodes: readonly string[] }>;

  /**
   * The execution as it was at a sequence: after the last step that had ended by then (within the first step: after that). Reads
   * the log up to there. Rejects with `bad_request` for a sequence beyond the log. Like `snapshots` and `replay`, rejects with
   * `overloaded` when too many logs are being replayed, and with `shutting_down` once `signal` is aborted.
   */
  stateAt(tenantId: string, id: string, sequence: number, signal?: AbortSignal): Promise<ExecutionAtView>;

  /**
   * The machine after each step that ended after sequence `after`, including failures that a later retry has reset. A page ends
   * before `limit` when it has a megabyte or a retry follows; it is empty only at the end of the log. The next page continues
   * without another replay.
   */
  snapshots(
    tenantId: string,
    id: string,
    page: { readonly after: number; readonly limit: number },
    signal?: AbortSignal,
  ): Promise<SnapshotPage>;

  /** Replays the whole log and compares the result with what is stored. Has no effects. */
  replay(tenantId: string, id: string, signal?: AbortSignal): Promise<ReplayView>;

  /**
   * Starts a new execution from a point of another one: it shares the log up to there, what was in progress starts anew, and
   * timers are set anew from now. Rejects with `bad_request` for a sequence beyond the log, or too long a log to copy; with
   * `conflict` when the execution had ended at that point, or the idempotency key was used with another request; with
   * `does_not_fit` when the log does not replay with the given version; with `decision_would_change` when a person decided on
   * something else than the patched state and `keepDecisions` is not set (which only operators should be allowed to set); and as
   * `start` does.
   */
  fork(caller: Caller, id: string, request: ForkRequest): Promise<ForkResult>;

  /** Ends an execution: work in progress is aborted, child executions are cancelled. Rejects with `already_terminal`. */
  cancel(caller: Caller, id: string, reason?: string): Promise<void>;

  /**
   * Decides a pending approval. Rejects with `bad_request` when the decision is neither `approved` nor `rejected`, or when
   * several approvals are pending and no node is named; with `conflict` when none is pending: not yet, already decided, or the
   * execution has ended.
   */
  approve(caller: Caller, id: string, decision: Decision): Promise<IgnoredState & { readonly nodeId: string }>;

  approvals(tenantId: string, id: string): Promise<ApprovalsView>;

  /** The approvals of all executions, pages of one index. */
  approvalInbox(tenantId: string, request: ApprovalPageRequest): Promise<ApprovalPage>;

  /** How many approvals await a decision: the number of those that `approvalInbox` lists as pending. */
  pendingApprovals(tenantId: string, workflowId?: string): Promise<number>;

  /**
   * Sends an external event to the execution. `matched`: node `nodeId` waited for it; otherwise it is buffered for a node that
   * waits later. If no node can, `keys` are those that nodes of the workflow wait for. Rejects with `conflict` when the execution has ended, or the idempotency key was used with another event; and
   * with `too_many_events` when too many are buffered. A payload that does not fit the `schema` of the nodes that wait for its key is a
   * `payloadProblem`, or with `strict` rejects with `invalid_input`.
   */
  sendEvent(caller: Caller, id: string, event: EventRequest): Promise<EventReceipt>;

  /**
   * Sends an external event to the live execution of the workflow with the key, and with `start` begins one if there is none. A repeated request with the
   * same idempotency key reaches the same execution. Rejects like `sendEvent` and `start`; with `not_found` if none is live; and with `conflict` if the
   * execution that was started ends before it takes the event.
   */
  sendEventByKey(caller: Caller, event: KeyedEventRequest): Promise<KeyedEventReceipt>;

  /**
   * Sends an update to the durable function of the execution that has a handler for it. It is handled once; `updateOutcome` says what comes of it. While no
   * function has called `ctx.onUpdate` for it, but one is at work or about to begin, waits for that, for `waitMs` (default and at most 60,000). Rejects
   * with `not_found` for a name that no function takes, `invalid_input` for an input that does not fit its schema, `conflict` when the execution has
   * ended, or the idempotency key was used with another update, and with `too_many_events` beyond 10,000 updates of one visit.
   */
  sendUpdate(caller: Caller, id: string, update: UpdateRequest, waitMs?: number, signal?: CancelSignal): Promise<UpdateReceipt>;

  /**
   * What has come of an update, given its receipt, as soon as that is committed; after `waitMs` (default and at most 60,000) it is still `accepted`. Rejects
   * with `conflict` if the function has ended without handling it.
   */
  updateOutcome(tenantId: string, id: string, sequence: number, waitMs?: number, signal?: CancelSignal): Promise<UpdateOutcome>;

  /**
   * Claims work items for an external worker. The lease of each lasts 30 seconds; a lease that expires is a failed attempt.
   * Resolves with an empty list when there was no item in time, or the tenant is not active.
   */
  claim(caller: Caller, claim: ClaimWork): Promise<readonly WorkItemView[]>;

  /**
   * Reports the result of a claimed item. Rejects with `stale_fence` when the item is settled, or its lease has expired or is
   * another worker's.
   */
  complete(caller: Caller, workItemId: string, result: CompleteWork): Promise<IgnoredState>;

  /** Reports a failed attempt. Rejects as `complete` does. */
  fail(caller: Caller, workItemId: string, failure: FailWork): Promise<void>;

  /**
   * Commits what a durable function in a worker has begun and done, as a whole, and resolves with what the worker does not know of the journal. Once the
   * function is parked, the item is settled. Rejects as `complete` does, with `conflict` if an operation does not fit the journal, and with `bad_request`
   * for one that is not valid, or if the item is not of a durable function.
   */
  commitOperations(caller: Caller, workItemId: string, given: CommitOperations): Promise<WorkJournal>;

  /** Renews the lease of a claimed item for 30 seconds. Rejects as `complete` does. */
  heartbeat(caller: Caller, workItemId: string, lease: HeartbeatWork): Promise<{ readonly leaseExpiresAtMs: number }>;

  /**
   * Puts a work item on a queue, outside the graph: the patch of its result is merged into the state, and routes nothing. Rejects
   * with `bad_request` for a node that the workflow does not have, and with `conflict` when the execution has ended.
   */
  enqueue(
    caller: Caller,
    item: { readonly executionId: string; readonly nodeId: string; readonly queueType: string; readonly payload: Json },
  ): Promise<{ readonly workItemId: string }>;

  /** Texts that workflows and tools of the tenant find by their words. */
  readonly memory: RuntimeMemory;

  /** Conversations of the tenant, which agents and models read and continue. */
  readonly threads: RuntimeThreads;

  /** The runtimes, and the tenant's external workers of the last ten minutes. */
  workers(tenantId: string): Promise<readonly WorkerView[]>;

  /** The tenant's unclaimed work by queue and tool, at most 200 of them, and which of these workers do it. */
  waitingWork(tenantId: string, workers: readonly WorkerView[]): Promise<readonly WaitingWorkView[]>;

  /**
   * Stops: refuses new work, lets in-process work finish for at most `graceMs` milliseconds (default 10,000), then aborts it and
   * hands it back. The next runtime on the store continues it. Does not close the store.
   */
  close(graceMs?: number): Promise<void>;
}
