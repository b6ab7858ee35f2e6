import type { Batch, CommitRejection } from './commit.ts';
import type { ActionContext, ControlAction, TokenRow, WorkflowRevisionRow, WorkflowRow, WorkflowVersionRow } from './control.ts';
import type { ExecutionSearch } from './execution-search.ts';
import type { EventPage, EventPageRequest, ExecutionRow, IdempotencyRow, InboxRow, StoredCheckpoint } from './executions.ts';
import type { StoreNotification } from './notifications.ts';
import type { ProcessMessages } from './process-messages.ts';
import type { ApprovalStore } from './resources/approvals.ts';
import type { ArtifactStore } from './resources/artifacts.ts';
import type { ErasureStore } from './resources/erasures.ts';
import type { ExecutionKey } from './resources/keys.ts';
import type { MemoryStore } from './resources/memory.ts';
import type { StorageCounts } from './resources/storage.ts';
import type { SubjectTokenStore } from './resources/subject-tokens.ts';
import type { TenantQuotas } from './resources/tenants.ts';
import type { ThreadStore } from './resources/threads.ts';
import type { ClaimRequest, Due, LeaseRenewal, WaitingWork, WorkItemRow } from './work-items.ts';
import type { RuntimeHolder, WorkerHeartbeat, WorkerRow } from './workers.ts';

/**
 * What the runtime needs of a storage engine: executions with their logs and effects, registered workflows, work items, and the processes that
 * work on them. Snapshots and payloads are opaque JSON text here. Times are milliseconds since the epoch. Every row has a tenant.
 *
 * Any method may reject with a `StoreError` of code `store_unavailable` (try again later), `store_full`, `store_read_only` or `store_replaced`;
 * each method lists the codes it adds.
 */
export interface ExecutionStore {
  readonly engine: 'sqlite' | 'postgres';
  /** Whether several runtimes may work on the database at the same time. */
  readonly shared: boolean;

  readonly approvals: ApprovalStore;
  readonly artifacts: ArtifactStore;
  readonly erasures: ErasureStore;
  readonly memory: MemoryStore;
  readonly storage: Pick<StorageCounts, 'of'>;
  readonly subjectTokens: SubjectTokenStore;
  readonly tenants: TenantQuotas;
  readonly threads: ThreadStore;

  /**
   * Applies all units in one durable transaction and closes one audit block. Resolves to one entry per unit, in order: null = committed, otherwise
   * why this unit alone was left out. When it rejects, nothing was applied.
   */
  commit(batch: Batch): Promise<readonly (CommitRejection | null)[]>;
  /** A control-plane action, its event and its audit block in one transaction. */
  control(action: ControlAction, context: ActionContext): Promise<void>;

  tenant(tenantId: string): TenantStore;

  // Reads across tenants.
  execution(id: string): Promise<ExecutionRow | null>;
  /** The newest checkpoint, or the newest at or before a sequence; null = none: the log is replayed from its start. */
  checkpoint(executionId: string, atOrBefore?: number): Promise<StoredCheckpoint | null>;
  /** In order of sequence, `after` exclusive. */
  events(executionId: string, request: EventPageRequest): Promise<EventPage>;
  revision(tenantId: string, hash: string): Promise<string | null>;
  /** Executions with in-process work, by id, `after` exclusive. Reads a partial index, not all live executions. */
  executionsWithLocalWork(page: { readonly after: string; readonly limit: number }): Promise<readonly ExecutionRow[]>;
  /** Undelivered messages between executions, oldest first, `after` exclusive. */
  inbox(page: { readonly after: number; readonly limit: number }): Promise<readonly InboxRow[]>;
  /** What is due at `nowMs`, oldest first, at most `limit` in all. Reads only: the commit that handles it settles it. */
  due(nowMs: number, limit: number): Promise<readonly Due[]>;
  /** The time of the next timer, lease expiry, work deadline or workflow timeout, later than `afterMs` if given; null = none. */
  nextDueAtMs(afterMs?: number): Promise<number | null>;

  // Work items.
  /** Claims up to `limit` available items in one transaction: oldest first, fence + 1, lease and deadline set. */
  claimWork(claim: ClaimRequest): Promise<readonly WorkItemRow[]>;
  workItem(tenantId: string, id: string): Promise<WorkItemRow | null>;
  /** Unclaimed items of a queue, of all tenants, by id, `after` exclusive. */
  unclaimedWork(page: {
    readonly queue: string;
    readonly after: string;
    readonly limit: number;
  }): Promise<readonly WorkItemRow[]>;
  /** Extends the lease of a claimed item; false when it is not claimed by that worker under that fence. */
  renewLease(renewal: LeaseRenewal): Promise<boolean>;

  // Workers and runtimes.
  /** The first heartbeat of an external worker in a tenant, and of a runtime, is logged: `worker_registered`, `runtime_started`. */
  heartbeat(worker: WorkerHeartbeat): Promise<void>;
  /** Records an orderly stop of a runtime, whose in-process work is handed over, not lost. Logged as `runtime_stopped`. */
  recordStop(runtimeId: string, atMs: number): Promise<void>;
  /** Whether the runtime stopped in an orderly way; false for an unknown one, too. */
  stoppedCleanly(runtimeId: string): Promise<boolean>;
  /** Ids of the runtimes whose last heartbeat was at `sinceMs` or later and that have not stopped, in no order. */
  activeRuntimes(sinceMs: number): Promise<readonly string[]>;
  /**
   * A lower bound for how many milliseconds that clock is ahead of the database's, considering that the query takes time; negative: behind. 0 for a
   * database without a clock.
   */
  clockAheadMs(nowMs: () => number): Promise<number>;
  /**
   * Acquires a named lease, or renews it, until `nowMs + ttlMs`; false = another holder has it. `ttlMs` 0 releases it, and other processes are
   * notified (`StoreNotification.control`). A lease lasts ten minutes at most: one that runs longer was written by a clock that was ahead, and is
   * ignored. A holder whose lease expired may not know it yet, so work done under a lease must be idempotent.
   */
  acquireLease(name: string, holder: string, nowMs: number, ttlMs: number): Promise<boolean>;

  /**
   * Calls `subscriber` with what other processes commit, soon after they have; returns the function that unsubscribes. Notifications may be
   * repeated, delayed, and out of order; when some may have been lost, one says so (`gap`). They serve speed alone: correctness must not depend on them.
   */
  subscribe(subscriber: (notification: StoreNotification) => void): () => void;
  /** Tells other processes that they have missed notifications (`StoreNotification.gap`). */
  notifyGap(): void;
  /** Null: this engine carries no messages between processes. */
  readonly messages: ProcessMessages | null;

  /** Acquires the right to run on this database; rejects with `store_locked`, naming the holder. Released by `close` or when the process ends. */
  lock(holder: RuntimeHolder): Promise<void>;
  close(): Promise<void>;
}

/** Reads of one tenant: what an API request may see. */
export interface TenantStore extends ExecutionSearch {
  readonly tenantId: string;
  execution(id: string): Promise<ExecutionRow | null>;
  /** The registered workflow; without a version the most recently registered one. */
  workflow(workflowId: string, version?: string): Promise<WorkflowRow | null>;
  /** The hash of the same workflow's revision, without reading its document: looked up by every start. */
  revisionOf(workflowId: string, version?: string): Promise<string | null>;
  /** The latest version of each workflow, by id. */
  workflows(page: { readonly limit: number; readonly offset: number }): Promise<readonly WorkflowVersionRow[]>;
  /** The last registered first, 1,000 at most. */
  versions(workflowId: string): Promise<readonly WorkflowVersionRow[]>;
  /** What was registered under all versions of a workflow, the last registered first. */
  workflowRevisions(
    workflowId: string,
    page: { readonly limit: number; readonly offset: number },
  ): Promise<readonly WorkflowRevisionRow[]>;
  /** Content of a workflow by the first digits of its revision's hash: two rows at most, the second of which says that it is ambiguous. */
  workflowByRevision(workflowId: string, prefix: string): Promise<readonly WorkflowRow[]>;
  tokens(): Promise<readonly TokenRow[]>;
  /** All runtimes, then the tenant's external workers, by id; with a heartbeat at or after `sinceMs` (runtimes: and not stopped). */
  workers(sinceMs: number): Promise<readonly WorkerRow[]>;
  /** Unclaimed items by queue and tool, in order of their names; at most `MAX_WAITING_WORK`. Reads an index, not the items. */
  waitingWork(): Promise<readonly WaitingWork[]>;
  /** The stored reply to an earlier request with this key; null when the key is new. */
  idempotency(scope: string, key: string): Promise<IdempotencyRow | null>;
  /** Id of the execution that has the key; null = none has. */
  keyHolder(key: ExecutionKey): Promise<string | null>;
}
