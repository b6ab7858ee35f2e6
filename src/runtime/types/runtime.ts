import type { Json } from '../../../machines/json.ts';
import type { Budgets } from '../../../machines/messages.ts';
import type { StoreErrorCode } from '../../../store/port/errors.ts';
import type { ControlChange } from '../../../store/port/notifications.ts';
import type { TenantRow } from '../../../store/port/resources/tenants.ts';
import type { Caller } from './caller.ts';
import type {
  ApprovalsView,
  Decision,
  EventView,
  ExecutionPage,
  ExecutionPageRequest,
  ExecutionView,
  RegisteredWorkflow,
  StartRequest,
} from './executions.ts';
import type { ExecutionAtView, ForkRequest, ForkResult, ReplayView, SnapshotPage } from './history.ts';
import type { ClaimWork, CompleteWork, FailWork, InProcessView, WorkerView, WorkItemView } from './work.ts';

/** Something was committed for an execution. */
export interface CommitNotification {
  readonly tenantId: string;
  readonly executionId: string;
  /** It was started, or a retry set it going again, in this commit; it came to its end. */
  readonly began: boolean;
  readonly ended: boolean;
}

/** What the API asks about tenants and their limits; `start` and `register` ask for themselves. */
export interface TenantAdmission {
  /** Counts a request. Rejects with `limit_exceeded_requests`, unless it is `exempt` from the limit. */
  request(tenantId: string, exempt?: boolean): Promise<void>;
  /** This process has changed the tenant: it is read again, and its status too when that is not given. A change by another process counts within five seconds. */
  changed(tenantId: string, status?: TenantRow['status']): void;
}

/**
 * The durable execution runtime, without HTTP. What a method has answered is on disk.
 *
 * Errors are `RuntimeError` with a stable code, or `StoreError` when the store is away or full. Any method that changes something rejects with
 * `overloaded` when too much waits and with `shutting_down` after `close`; one that names an execution or work item rejects with
 * `not_found` when the tenant has none of that id. Each says what else it rejects with.
 */
export interface Runtime {
  readonly id: string;
  readonly tenants: TenantAdmission;
  /** What kept this runtime from showing, some seconds ago, that it is there; null = it could: the store can be written. */
  readonly storeFault: StoreErrorCode | null;
  /** By how many milliseconds the machine's clock was ahead of the database's, some seconds ago; negative: behind, 0 = by less than five seconds. */
  readonly clockAheadMs: number;
  /**
   * Executions that this runtime has found to be corrupt since it started: they ended as failed with an internal error, or cannot be loaded.
   * `onError` was told of each.
   */
  readonly corruptExecutions: number;
  /**
   * Validates, compiles and stores a document, in any accepted spelling. Registering the same version with another content makes
   * a new revision; executions keep the one they started with. Rejects with `InvalidWorkflow`, which carries every problem found; with `tenant_not_active`; with
   * `limit_exceeded_workflows` when the id is new and the tenant has no room for it.
   */
  register(caller: Caller, document: unknown): Promise<RegisteredWorkflow>;
  /**
   * `replayed`: an earlier request with the same idempotency key made the execution. Rejects with `not_found` for a workflow or version
   * that is not registered, and with `conflict` when the key came with another request; with `tenant_not_active`, or `limit_exceeded_…` when
   * the tenant is at a limit of its executions, tokens or cost. A replay is answered whatever the limits are.
   */
  start(caller: Caller, request: StartRequest): Promise<{ readonly executionId: string; readonly replayed: boolean }>;
  execution(tenantId: string, id: string): Promise<ExecutionView>;
  executions(tenantId: string, request: ExecutionPageRequest): Promise<ExecutionPage>;
  /** 32 hex digits that sort, as `exec_` and these, after the ids of all executions started here so far and before those of all started later. */
  idWatermark(): string;
  /** Resolves when terminal or paused, at the latest after `waitMs` (60,000 at most): look at the status to know which. */
  settled(tenantId: string, id: string, waitMs: number, signal?: AbortSignal): Promise<ExecutionView>;
  /** The log so far, `after` exclusive, read in pages as the consumer asks for them. */
  events(
    tenantId: string,
    id: string,
    page?: { readonly after?: number; readonly limit?: number; readonly type?: string; readonly nodeId?: string },
  ): AsyncIterable<EventView>;
  /** The log after `after`, then live, without gaps, until the execution has ended, the signal aborts or the runtime stops. */
  subscribe(
    tenantId: string,
    id: string,
    options?: { readonly after?: number; readonly signal?: AbortSignal },
  ): AsyncIterable<EventView>;
  /**
   * Holds an execution: what is under way goes on and decisions, events and timers are taken, but no node and no attempt begins until
   * `resume`; work that no worker has claimed is not handed out. Children go on. Rejects with `conflict` when it is held already, or has
   * ended.
   */
  pause(caller: Caller, id: string, reason?: string): Promise<void>;
  /**
   * What the hold has kept begins. `budgets`: new totals of what it may use. Rejects with `conflict`, which says what it waits for, when
   * nobody holds it, and when it has used more than it may.
   */
  resume(caller: Caller, id: string, budgets?: Budgets): Promise<void>;
  /**
   * The same execution goes on: the nodes whose failure ended it run again (a new activation, attempts from 0), what has completed stays
   * so, and its workflow timeout starts anew. Reads the whole log. Rejects with `conflict` when it has not failed, or failed by its step
   * limit or a budget, by a node that its policy blocks, or when it is a child; with `tenant_not_active` or `limit_exceeded_…` as `start` does.
   */
  retry(caller: Caller, id: string): Promise<{ readonly nodes: readonly string[] }>;
  /**
   * The execution as it was at a sequence: after the last step that had ended by then (within the first step: after that). Reads the log up
   * to there. Rejects with `bad_request` for a sequence that the log does not have. Like `snapshots` and `replay`, rejects with `overloaded`
   * when too many logs are being replayed, and gives up with `shutting_down` once `signal` is aborted.
   */
  stateAt(tenantId: string, id: string, sequence: number, signal?: AbortSignal): Promise<ExecutionAtView>;
  /**
   * The machine after each step that ended after `after`, as it was then: a failure that a retry has forgiven since, too. A page ends before
   * `limit` when it has a megabyte or a retry follows; it is empty only at the end of the log. Where a page ended, the next one begins without
   * folding the log again.
   */
  snapshots(
    tenantId: string,
    id: string,
    page: { readonly after: number; readonly limit: number },
    signal?: AbortSignal,
  ): Promise<SnapshotPage>;
  /** Folds the whole log again and compares with what is stored. Nothing is asked of the world. */
  replay(tenantId: string, id: string, signal?: AbortSignal): Promise<ReplayView>;
  /**
   * A new execution that goes on from a point of another: it has the log up to there, what was under way begins anew, and times are set anew
   * from now. Rejects with `bad_request` for a sequence that the log does not have, or too much log to copy; with `conflict` when the
   * execution had ended there, or the idempotency key came with another request; with `DoesNotFit` when the log is not one of the
   * version asked for; with `DecisionWouldChange` when a person decided on something else than the patched state and `keepDecisions` is not
   * set (whoever offers it must see to it that operators alone may); and as `start` does.
   */
  fork(caller: Caller, id: string, request: ForkRequest): Promise<ForkResult>;
  /** Work under way is aborted, children are cancelled. Rejects with `already_terminal`. */
  cancel(caller: Caller, id: string, reason?: string): Promise<void>;
  /**
   * Decides one open approval. Rejects with `bad_request` when the decision is neither `approved` nor `rejected`, or several are open and none is
   * named; with `conflict` when none is open: not yet, decided already, or the execution has ended.
   */
  approve(caller: Caller, id: string, decision: Decision): Promise<{ readonly nodeId: string }>;
  approvals(tenantId: string, id: string): Promise<ApprovalsView>;
  /**
   * `matched`: it woke `nodeId`; else it is kept for a wait that may come. Rejects with `conflict` when the execution has ended, or the
   * idempotency key came with another event.
   */
  sendEvent(
    caller: Caller,
    id: string,
    event: { readonly key: string; readonly payload: Json; readonly idempotencyKey?: string },
  ): Promise<{ readonly matched: boolean; readonly nodeId: string | null }>;
  /** For external workers. The lease of each item lasts 30 s; one that lapses is a failed attempt. Empty when there was nothing in time, or the tenant is not active. */
  claim(caller: Caller, claim: ClaimWork): Promise<readonly WorkItemView[]>;
  /** Rejects with `stale_fence` when the item is settled, or its lease has lapsed or is somebody else's; so do `fail` and `heartbeat`. */
  complete(caller: Caller, workItemId: string, result: CompleteWork): Promise<void>;
  fail(caller: Caller, workItemId: string, failure: FailWork): Promise<void>;
  /** Renews the lease for another 30 s. */
  heartbeat(
    caller: Caller,
    workItemId: string,
    lease: { readonly workerId: string; readonly leaseFence: number },
  ): Promise<{ readonly leaseExpiresAtMs: number }>;
  /**
   * Work beside the graph: claimable, its patch is merged, nothing is routed by it. Rejects with `bad_request` for a node that the workflow does
   * not have, with `conflict` when the execution has ended.
   */
  enqueue(
    caller: Caller,
    item: { readonly executionId: string; readonly nodeId: string; readonly queueType: string; readonly payload: Json },
  ): Promise<{ readonly workItemId: string }>;
  workers(tenantId: string): Promise<readonly WorkerView[]>;

  /** What this runtime does in process, of one tenant, or of all. */
  inProcess(tenantId?: string): InProcessView;
  /**
   * Calls `told` after every commit of this runtime, in order, and after those of others on the same database, when they become known (null = some
   * may have been missed); answers how to stop that. For wake-ups: it holds up the loop, so it must be quick, and must not throw.
   */
  onCommit(told: (note: CommitNotification | null) => void): () => void;
  /** Calls `told` when another runtime has changed the control plane (null = it may have); answers how to stop that. By the same rules. */
  onControl(told: (change: ControlChange | null) => void): () => void;
  /** These executions were removed from the store: nothing of them stays in memory. */
  forget(executionIds: readonly string[]): void;
  /**
   * Refuses new work, lets in-process work finish for at most `graceMs` (default 10,000), then aborts it and hands it back: the next runtime on the
   * store goes on with it. The store itself stays open; close it afterwards.
   */
  close(graceMs?: number): Promise<void>;
}
