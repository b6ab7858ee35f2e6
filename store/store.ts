/**
 * The port every storage engine implements. Snapshots, event data and payloads are opaque JSON text here.
 * Times are milliseconds since the epoch. Every row has a tenant; what answers to API clients goes through `tenant(id)`.
 *
 * Any method may reject with `StoreUnavailable` (try again later) or `StoreFull`; each lists what else it throws.
 */
export interface Store {
  readonly engine: 'sqlite' | 'postgres';

  /**
   * Applies all units in one durable transaction and closes one audit block. Answers one entry per unit, in order:
   * null = applied, else why this unit (alone) was left out. Rejects = nothing was applied.
   */
  commit(batch: Batch): Promise<readonly (Refusal | null)[]>;

  /** A control-plane action, its event and its audit block in one transaction. */
  control(action: ControlAction, context: ActionContext): Promise<void>;

  tenant(tenantId: string): TenantStore;

  // What the runtime itself reads, across tenants.
  execution(id: string): Promise<ExecutionRow | null>;
  /** The stored checkpoint: its text and the sequence it stands at. Null before the first commit. */
  checkpoint(executionId: string): Promise<{ readonly text: string; readonly seq: number } | null>;
  /** In order of sequence, `after` exclusive. */
  events(executionId: string, page: EventPage): Promise<readonly EventRow[]>;
  revision(tenantId: string, hash: string): Promise<string | null>;
  /** Executions with in-process work, by id, `after` exclusive. Index-backed: does not scan live executions. */
  executionsWithLocalWork(page: { readonly after: string; readonly limit: number }): Promise<readonly ExecutionRow[]>;
  /** Undelivered messages between executions, oldest first, `after` exclusive. */
  inbox(page: { readonly after: number; readonly limit: number }): Promise<readonly InboxRow[]>;
  /** What is due at `nowMs`, oldest first, at most `limit` in all. Nothing is changed: the commit that acts on it settles it. */
  due(nowMs: number, limit: number): Promise<readonly Due[]>;
  /** When the next timer, lease, work deadline or workflow timeout falls due; null = never. */
  nextDueAtMs(): Promise<number | null>;

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
  seen(worker: WorkerSighting): Promise<void>;
  /** Marks a runtime as stopped in good order: its in-process work is handed back, not lost. */
  stopped(runtimeId: string, atMs: number): Promise<void>;
  /** Was the runtime's end an orderly one? False also for an unknown one. */
  stoppedCleanly(runtimeId: string): Promise<boolean>;

  /** By SHA-256 of the plaintext, across tenants; null when unknown. */
  tokenByHash(hash: string): Promise<TokenRow | null>;
  tenantRow(id: string): Promise<TenantRow | null>;

  /**
   * Walks the audit chain from its beginning and answers the first thing that does not add up. Opened with a signing key, every
   * block must carry its signature. Sees one moment of the database: a running system may be verified.
   */
  verifyAudit(): Promise<AuditReport>;

  /** Takes the right to run on this database; throws `StoreLocked` naming the holder. Released by `close` or process death. */
  lock(holder: RuntimeHolder): Promise<void>;
  close(): Promise<void>;
}

/** Reads and writes of one tenant: what an API request may touch. */
export interface TenantStore {
  readonly tenantId: string;
  execution(id: string): Promise<ExecutionRow | null>;
  /** Newest first (by id). */
  executions(filter: ExecutionFilter): Promise<readonly ExecutionRow[]>;
  /** The registered workflow; without a version the most recently registered one. */
  workflow(workflowId: string, version?: string): Promise<WorkflowRow | null>;
  /** The latest version of each workflow, by id. */
  workflows(page: { readonly limit: number; readonly offset: number }): Promise<readonly WorkflowRow[]>;
  versions(workflowId: string): Promise<readonly WorkflowRow[]>;
  tokens(): Promise<readonly TokenRow[]>;
  /** All runtimes, then the tenant's external workers, by id; seen at or after `sinceMs` (runtimes: not stopped). */
  workers(sinceMs: number): Promise<readonly WorkerRow[]>;
  /** The remembered answer to an earlier request with this key; null when the key is new. */
  idempotency(scope: string, key: string): Promise<IdempotencyRow | null>;
}

// ---------------------------------------------------------------------------------------------------------- commits

export interface Batch {
  readonly atMs: number;
  readonly units: readonly Unit[];
}

/** Applied or left out as a whole. */
export interface Unit {
  readonly executions: readonly ExecutionWrite[];
  /** Remembers the request; the unit is refused (`idempotency`) when the key exists. */
  readonly idempotency: IdempotencyRow | null;
}

export interface Refusal {
  /**
   * `sequence`: the execution is not where the write started from (or exists already, for a new one) · `timer`: the fired
   * timer is not armed any more · `work`: the settled item is not open, or not under that fence · `inbox`: the consumed message is gone ·
   * `idempotency`: the key exists.
   */
  readonly reason: 'sequence' | 'timer' | 'work' | 'inbox' | 'idempotency';
  readonly executionId: string | null;
}

export interface ExecutionWrite {
  readonly id: string;
  readonly tenantId: string;
  /** The sequence the step started from; 0 creates the execution and needs `create`. */
  readonly fromSeq: number;
  readonly create: NewExecution | null;
  readonly head: ExecutionHead;
  /** Null leaves the last checkpoint as it is. */
  readonly snapshot: string | null;
  /** Sequences fromSeq + 1 … head.seq. */
  readonly events: readonly EventRow[];
  /** Applied in order. */
  readonly timers: readonly TimerWrite[];
  readonly work: readonly WorkWrite[];
  readonly send: readonly InboxMessage[];
  /** Ids of inbox messages this commit acts on. */
  readonly consumed: readonly number[];
}

export interface NewExecution {
  readonly workflowId: string;
  readonly workflowVersion: string;
  readonly revision: string;
  /** JSON object text. */
  readonly labels: string;
  readonly parentId: string | null;
  /** 0 for one a client started, parent's + 1 for a child. */
  readonly depth: number;
  /** Workflow timeout, absolute. */
  readonly deadlineAtMs: number | null;
  readonly createdAtMs: number;
}

export interface ExecutionHead {
  readonly status: string;
  readonly seq: number;
  readonly steps: number;
  readonly error: string | null;
  /** Nodes with in-process work under way, and the runtime that does it. */
  readonly localWork: number;
  readonly owner: string | null;
  readonly updatedAtMs: number;
  /** Null until terminal. A terminal head clears the deadline. */
  readonly completedAtMs: number | null;
}

export interface ExecutionRow extends NewExecution, ExecutionHead {
  readonly id: string;
  readonly tenantId: string;
  /** Sequence of the stored checkpoint. */
  readonly snapshotSeq: number;
}

export interface EventRow {
  readonly seq: number;
  /** snake_case. */
  readonly type: string;
  readonly nodeId: string | null;
  /** JSON object text. */
  readonly data: string;
  readonly atMs: number;
  readonly actorId: string;
  readonly actorType: 'human' | 'agent' | 'system';
  /** JSON text of the request context (`{id, method, path, ip}`), or null. */
  readonly request: string | null;
}

export interface EventPage {
  readonly after: number;
  readonly limit: number;
  /** The page ends early, after at least one event, once the data of its events is longer than this. */
  readonly maxChars?: number;
  readonly type?: string;
  readonly nodeId?: string;
}

export type TimerWrite =
  | {
      readonly op: 'set';
      readonly id: string;
      readonly nodeId: string;
      readonly atMs: number;
      /** Sequence of the execution when it was armed: tells a re-armed timer from the one that fired. */
      readonly armedSeq: number;
    }
  /** Idempotent. */
  | { readonly op: 'clear'; readonly id: string }
  /** Like clear, but the unit is refused (`timer`) unless exactly this arming is there. */
  | { readonly op: 'fire'; readonly id: string; readonly armedSeq: number };

export type WorkWrite =
  | { readonly op: 'put'; readonly item: NewWorkItem }
  /** Closes an open (pending or claimed) item; with a fence only if claimed under it. Else the unit is refused (`work`). */
  | {
      readonly op: 'settle';
      readonly id: string;
      readonly fence: number | null;
      readonly status: 'completed' | 'failed' | 'dead_lettered';
    }
  /** Closes whatever item of that visit is open. Idempotent. */
  | { readonly op: 'cancel'; readonly nodeId: string; readonly activation: number };

export interface NewWorkItem {
  /** UUID. */
  readonly id: string;
  readonly nodeId: string;
  readonly activation: number;
  /** 0-based. */
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly queue: string;
  /** JSON text; `{}` once the item is settled, since nobody gets it any more and states are large. */
  readonly payload: string;
  /** Milliseconds an attempt may take once claimed; null = not limited. */
  readonly timeoutMs: number | null;
  readonly createdAtMs: number;
}

export interface WorkItemRow extends NewWorkItem {
  readonly tenantId: string;
  readonly executionId: string;
  readonly workflowId: string;
  readonly workflowVersion: string;
  readonly status: 'pending' | 'claimed' | 'completed' | 'failed' | 'dead_lettered' | 'cancelled';
  readonly workerId: string | null;
  /** 0 = never claimed; each claim adds 1. */
  readonly fence: number;
  readonly leaseExpiresAtMs: number | null;
  readonly deadlineAtMs: number | null;
  readonly claimedAtMs: number | null;
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

/** A durable message from one execution to another. */
export interface InboxMessage {
  readonly toExecutionId: string;
  /** JSON text. */
  readonly message: string;
}

export interface InboxRow extends InboxMessage {
  readonly id: number;
}

export type Due =
  | {
      readonly kind: 'timer';
      readonly executionId: string;
      readonly timerId: string;
      readonly armedSeq: number;
      readonly atMs: number;
    }
  /** A claimed item whose lease lapsed, or whose deadline passed. */
  | { readonly kind: 'lease' | 'deadline'; readonly item: WorkItemRow; readonly atMs: number }
  | { readonly kind: 'workflow_timeout'; readonly executionId: string; readonly atMs: number };

// ---------------------------------------------------------------------------------------------------- control plane

export interface ActionContext {
  readonly tenantId: string;
  readonly atMs: number;
  readonly actorId: string;
  readonly actorType: 'human' | 'agent' | 'system';
  readonly request: string | null;
}

export type ControlAction =
  | {
      readonly type: 'workflow_registered';
      readonly workflowId: string;
      readonly version: string;
      readonly revision: string;
      /** Canonical JSON text of the document. */
      readonly source: string;
    }
  | { readonly type: 'token_created'; readonly token: TokenRow }
  /** Throws `UnknownToken`. */
  | { readonly type: 'token_revoked'; readonly id: string };

export interface WorkflowRow {
  readonly workflowId: string;
  readonly version: string;
  readonly revision: string;
  readonly source: string;
  readonly registeredAtMs: number;
}

export interface TokenRow {
  readonly id: string;
  readonly tenantId: string;
  readonly name: string;
  readonly role: string;
  /** SHA-256 of the plaintext, hex. */
  readonly hash: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number | null;
  readonly revokedAtMs: number | null;
}

export interface TenantRow {
  readonly id: string;
  readonly name: string;
  readonly status: 'active' | 'suspended' | 'archived';
}

export interface IdempotencyRow {
  readonly tenantId: string;
  /** What the key is for: `executions`, `external-event:<execution id>` … */
  readonly scope: string;
  readonly key: string;
  /** Hash of the request body. */
  readonly requestHash: string;
  readonly status: number;
  /** JSON text of the reply. */
  readonly response: string;
  readonly createdAtMs: number;
}

export interface WorkerSighting {
  readonly id: string;
  /** Null for a runtime: it works for all tenants. */
  readonly tenantId: string | null;
  readonly kind: 'external' | 'runtime';
  readonly queues: readonly string[];
  readonly atMs: number;
  /** Items claimed since the last sighting. */
  readonly claimed: number;
}

export interface WorkerRow {
  readonly id: string;
  readonly kind: 'external' | 'runtime';
  readonly queues: readonly string[];
  readonly firstSeenAtMs: number;
  readonly lastSeenAtMs: number;
  readonly claimedTotal: number;
  /** Items claimed and not settled (external), executions owned with work under way (runtime). */
  readonly inFlight: number;
}

export interface ExecutionFilter {
  readonly status?: string;
  readonly workflowId?: string;
  readonly parentId?: string;
  readonly limit: number;
  readonly offset: number;
}

export interface RuntimeHolder {
  readonly runtimeId: string;
  readonly pid: number;
  readonly startedAtMs: number;
}

// ------------------------------------------------------------------------------------------------------------- audit

export interface AuditReport {
  /** Blocks that are sound, counted from the beginning. */
  readonly blocks: number;
  /** Hash of the last sound block: kept elsewhere, it proves later that nothing before it was rewritten. */
  readonly head: string;
  /** Null = the chain and every row it covers are as they were written. */
  readonly fault: AuditFault | null;
}

export interface AuditFault {
  /** Number of the first bad block. */
  readonly block: number;
  /**
   * `missing_block`: its number was skipped · `block_hash`: the block or its place in the chain was changed · `signature`: not signed by
   * this key · `stream_digest`: rows of one stream were changed, removed or reordered · `unsealed_rows`: there are events no block covers.
   */
  readonly reason: 'missing_block' | 'block_hash' | 'signature' | 'stream_digest' | 'unsealed_rows';
  /** The stream, for `stream_digest`; a null execution is the tenant's control plane. */
  readonly tenantId: string | null;
  readonly executionId: string | null;
}

// ------------------------------------------------------------------------------------------------------------ errors

export type StoreErrorCode =
  | 'store_locked'
  | 'store_unavailable'
  | 'store_full'
  | 'schema_too_new'
  | 'not_a_database'
  | 'unknown_token';

/** What a storage engine throws; `code` is stable. */
export class StoreError extends Error {
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StoreError';
    this.code = code;
  }
}
