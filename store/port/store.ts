import type { StoreNotification } from './notifications.ts';
import type { AgentStore } from './resources/agents.ts';
import type { ArtifactStore } from './resources/artifacts.ts';
import type { AuditStore } from './resources/audit.ts';
import type { CronStore } from './resources/cron.ts';
import type { GlobalEventLog } from './resources/event-log.ts';
import type { JobStore } from './resources/jobs.ts';
import type { RetentionStore } from './resources/retention.ts';
import type { TenantRegistry } from './resources/tenants.ts';
import type { WebhookStore } from './resources/webhooks.ts';
import type {
  AuditReport,
  Due,
  EventRow,
  ExecutionRow,
  IdempotencyRow,
  InboxRow,
  TenantRow,
  TokenRow,
  WorkerRow,
  WorkflowRow,
  WorkItemRow,
} from './rows.ts';
import type { ActionContext, Batch, CommitRejection, ControlAction } from './writes.ts';

/**
 * The port every storage engine implements. Snapshots, event data and payloads are opaque JSON text here.
 * Times are milliseconds since the epoch. Every row has a tenant; what answers to API clients goes through `tenant(id)`.
 *
 * Any method may reject with a `StoreError` of code `store_unavailable` (try again later), `store_full`, `store_read_only` or `store_replaced`; each
 * lists the codes it adds.
 */
export interface Store {
  readonly engine: 'sqlite' | 'postgres';
  /** May several runtimes work on the database at the same time? */
  readonly shared: boolean;

  readonly agents: AgentStore;
  readonly artifacts: ArtifactStore;
  readonly audit: AuditStore;
  readonly cron: CronStore;
  readonly jobs: JobStore;
  readonly log: GlobalEventLog;
  readonly webhooks: WebhookStore;
  readonly retention: RetentionStore;
  readonly tenants: TenantRegistry;

  /**
   * Applies all units in one durable transaction and closes one audit block. Answers one entry per unit, in order:
   * null = applied, else why this unit (alone) was left out. Rejects = nothing was applied.
   */
  commit(batch: Batch): Promise<readonly (CommitRejection | null)[]>;

  /** A control-plane action, its event and its audit block in one transaction. */
  control(action: ControlAction, context: ActionContext): Promise<void>;

  tenant(tenantId: string): TenantStore;

  // What the runtime itself reads, across tenants.
  execution(id: string): Promise<ExecutionRow | null>;
  /** Null before the first commit. */
  checkpoint(executionId: string): Promise<StoredCheckpoint | null>;
  /** In order of sequence, `after` exclusive. */
  events(executionId: string, page: EventPage): Promise<readonly EventRow[]>;
  revision(tenantId: string, hash: string): Promise<string | null>;
  /** Executions with in-process work, by id, `after` exclusive. Index-backed: does not scan live executions. */
  executionsWithLocalWork(page: { readonly after: string; readonly limit: number }): Promise<readonly ExecutionRow[]>;
  /** Undelivered messages between executions, oldest first, `after` exclusive. */
  inbox(page: { readonly after: number; readonly limit: number }): Promise<readonly InboxRow[]>;
  /** What is due at `nowMs`, oldest first, at most `limit` in all. Nothing is changed: the commit that acts on it settles it. */
  due(nowMs: number, limit: number): Promise<readonly Due[]>;
  /** When the next timer, lease, work deadline or workflow timeout falls due, of those later than `afterMs` if it is given; null = never. */
  nextDueAtMs(afterMs?: number): Promise<number | null>;

  // Work items.
  /** Marks up to `limit` available items as claimed: oldest first, fence + 1, lease and deadline set. One transaction. */
  claimWork(claim: ClaimRequest): Promise<readonly WorkItemRow[]>;
  workItem(tenantId: string, id: string): Promise<WorkItemRow | null>;
  /** Items of a queue that nobody has claimed, of all tenants, by id, `after` exclusive. */
  unclaimedWork(page: {
    readonly queue: string;
    readonly after: string;
    readonly limit: number;
  }): Promise<readonly WorkItemRow[]>;
  /** Extends the lease of a claimed item; false when it is not claimed by that worker under that fence. */
  renewLease(renewal: LeaseRenewal): Promise<boolean>;

  // Workers and runtimes.
  /** An external worker's first sighting in a tenant, and a runtime's start, are logged: `worker_registered`, `runtime_started`. */
  heartbeat(worker: WorkerHeartbeat): Promise<void>;
  /** Marks a runtime as stopped in good order: its in-process work is handed back, not lost. Logged as `runtime_stopped`. */
  recordStop(runtimeId: string, atMs: number): Promise<void>;
  /** Was the runtime's end an orderly one? False also for an unknown one. */
  stoppedCleanly(runtimeId: string): Promise<boolean>;
  /**
   * By how many milliseconds that clock is ahead of the database's own at least, since asking takes a while; negative: behind. 0 also on a database
   * that has no clock.
   */
  clockAheadMs(nowMs: () => number): Promise<number>;
  /** Ids of the runtimes that were seen at `sinceMs` or later and have not stopped, in no order. */
  activeRuntimes(sinceMs: number): Promise<readonly string[]>;
  /**
   * Takes a named lease, or renews it, until `nowMs + ttlMs`; false = somebody else holds it. `ttlMs` 0 gives it back, and the others are told
   * (`Notice.control`); ten minutes are the most: a lease that runs for longer was written by a clock that was ahead, and counts for nothing.
   * Who lets his lapse may still think that he holds it: what is done under it must be safe to be done twice.
   */
  acquireLease(name: string, holder: string, nowMs: number, ttlMs: number): Promise<boolean>;

  /**
   * Calls `told` with what other processes commit, soon after they have; answers how to stop that. What is told may be told twice, and late, and in an
   * order of its own; when something may have been missed, that is told (`gap`). Nothing may depend on it but speed.
   */
  subscribe(subscriber: (notice: StoreNotification) => void): () => void;
  /** Tells other processes that they have missed something (`Notice.gap`). */
  notifyGap(): void;

  /** By SHA-256 of the plaintext, across tenants; null when unknown. */
  tokenByHash(hash: string): Promise<TokenRow | null>;
  tenantRow(id: string): Promise<TenantRow | null>;

  /**
   * Walks the audit chain from its beginning and answers the first thing that does not add up. Opened with a signing key, every
   * block must carry its signature. Sees one moment of the database: a running system may be verified. Rejects with the signal's
   * reason once it is aborted.
   */
  verifyAudit(signal?: AbortSignal): Promise<AuditReport>;

  /** Takes the right to run on this database; rejects with `store_locked`, naming the holder. Released by `close` or process death. */
  lock(holder: RuntimeHolder): Promise<void>;
  close(): Promise<void>;
}

/** Reads and writes of one tenant: what an API request may touch. */
export interface TenantStore {
  readonly tenantId: string;
  execution(id: string): Promise<ExecutionRow | null>;
  /** One page of those that match, whatever the conditions, without reading the ones between; see `ExecutionPage`. */
  executions(request: ExecutionPageRequest): Promise<ExecutionPage>;
  /** How many match. Looks at each of them, so it is for what is worth the time; others have their turn meanwhile. */
  countExecutions(filter: ExecutionFilter): Promise<number>;
  /** The registered workflow; without a version the most recently registered one. */
  workflow(workflowId: string, version?: string): Promise<WorkflowRow | null>;
  /** The same, its revision's hash alone: what every start asks, however large the document is. */
  revisionOf(workflowId: string, version?: string): Promise<string | null>;
  /** The latest version of each workflow, by id. */
  workflows(page: { readonly limit: number; readonly offset: number }): Promise<readonly WorkflowRow[]>;
  versions(workflowId: string): Promise<readonly WorkflowRow[]>;
  tokens(): Promise<readonly TokenRow[]>;
  /** All runtimes, then the tenant's external workers, by id; seen at or after `sinceMs` (runtimes: not stopped). */
  workers(sinceMs: number): Promise<readonly WorkerRow[]>;
  /** The remembered answer to an earlier request with this key; null when the key is new. */
  idempotency(scope: string, key: string): Promise<IdempotencyRow | null>;
}

export interface StoredCheckpoint {
  readonly text: string;
  /** The sequence it stands at. */
  readonly seq: number;
  /**
   * There when the text is not to be trusted, and the log is to be replayed instead. `broken`: it is not what was stored · `unsigned`: the
   * store signs what it writes, and this was written without.
   */
  readonly seal?: 'unsigned' | 'broken';
}

export interface EventPage {
  readonly after: number;
  readonly limit: number;
  /** The page ends early, after at least one event, once the data of its events is longer than this, in characters or in bytes of UTF-8. */
  readonly maxChars?: number;
  readonly type?: string;
  readonly nodeId?: string;
}

/** All of what is given must hold. Ids sort by the time they were made. */
export interface ExecutionFilter {
  /** Any of them; none = nothing matches. */
  readonly statuses?: readonly string[];
  readonly workflowId?: string;
  /** Only with `workflowId`. */
  readonly workflowVersion?: string;
  readonly parentId?: string;
  /** Without a value: any. */
  readonly labels?: readonly { readonly key: string; readonly value?: string }[];
  /** Ids from this one on, itself included. */
  readonly from?: string;
  /** Ids before this one. */
  readonly before?: string;
  /** Which end of the ids comes first; default the newest. */
  readonly order?: 'newest' | 'oldest';
}

export interface ExecutionPageRequest extends ExecutionFilter {
  /** `next` of the page before. */
  readonly after?: string;
  readonly limit: number;
  /** How many matches to pass over; default none. */
  readonly offset?: number;
}

export interface ExecutionPage {
  /** Fewer than asked for at the end; and before it when matches lie so far apart that looking for more would take too long. */
  readonly rows: readonly ExecutionRow[];
  /** Where the next page begins (`after`); null = there is no more. What is added meanwhile moves nothing. */
  readonly next: string | null;
}

export interface ClaimRequest {
  readonly tenantId: string;
  readonly workerId: string;
  readonly queues: readonly string[];
  readonly limit: number;
  readonly leaseMs: number;
  readonly nowMs: number;
}

export interface LeaseRenewal {
  readonly tenantId: string;
  readonly id: string;
  readonly workerId: string;
  readonly fence: number;
  readonly leaseExpiresAtMs: number;
}

export interface WorkerHeartbeat {
  readonly id: string;
  /** Null for a runtime: it works for all tenants. */
  readonly tenantId: string | null;
  readonly kind: 'external' | 'runtime';
  readonly queues: readonly string[];
  readonly atMs: number;
  /** Items claimed since the last sighting. */
  readonly claimed: number;
  /** Who is on record for its first sighting. */
  readonly actor: Pick<ActionContext, 'actorId' | 'actorType' | 'request'>;
}

export interface RuntimeHolder {
  readonly runtimeId: string;
  readonly pid: number;
  readonly startedAtMs: number;
}
