import type { UnsignedBlocks } from '../audit/unsigned-blocks.ts';

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

export interface ExecutionProgress {
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

export interface ExecutionRow extends NewExecution, ExecutionProgress {
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
  /** For whom the actor says it acts: a name from the body of the request, never the actor's own. Null = for itself. */
  readonly onBehalfOf: string | null;
  /** JSON text of the request context (`{id, method, path, ip, token, role}`), or null. */
  readonly request: string | null;
}

export interface NewWorkItem {
  /** UUID. */
  readonly id: string;
  readonly nodeId: string;
  readonly activation: number;
  /** 0-based. */
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly queue: string;
  /** JSON text, or empty when the runtime makes it at the claim; `{}` once the item is settled: nobody gets it any more. */
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

export interface WorkerRow {
  readonly id: string;
  readonly kind: 'external' | 'runtime';
  readonly queues: readonly string[];
  readonly firstSeenAtMs: number;
  readonly lastSeenAtMs: number;
  readonly claimedTotal: number;
  /** Items claimed and not settled (external), the tenant's executions owned with work under way (runtime). */
  readonly inFlight: number;
}

export interface ArtifactMetadata {
  /** SHA-256 of the bytes, 64 lower-case hex digits. */
  readonly hash: string;
  /** As given by whoever stored these bytes first; null when not given. */
  readonly mediaType: string | null;
  /** Bytes. */
  readonly size: number;
  readonly createdAtMs: number;
}

export interface Artifact extends ArtifactMetadata {
  readonly content: Uint8Array;
}

export interface AuditReport {
  /** Blocks that are sound, counted from the beginning. */
  readonly blocks: number;
  /** Hash of the last sound block, or of those of all chains: kept elsewhere, it proves later that nothing before it was rewritten. */
  readonly head: string;
  /** Null = the chain and every row it covers are as they were written. */
  readonly fault: AuditFault | null;
  /** Blocks up to there that should be signed and are not; null = none, or there is no key to check signatures with. */
  readonly unsigned: UnsignedBlocks | null;
}

export interface AuditFault {
  /** The writer whose chain it is in; absent where there is but one chain. */
  readonly chain?: string;
  /** Number of the first bad block, in its chain. */
  readonly block: number;
  /**
   * `missing_block`: its number was skipped · `block_hash`: the block or its place in the chain was changed · `signature`: signed, but not by
   * this key · `stream_digest`: rows of one stream were changed, removed or reordered · `unsealed_rows`: there are events no block covers ·
   * `snapshot`: the stored snapshot of an execution was changed; its log is sound.
   */
  readonly reason: 'missing_block' | 'block_hash' | 'signature' | 'stream_digest' | 'unsealed_rows' | 'snapshot';
  /** The stream, for `stream_digest` and `snapshot`; a null execution is the tenant's control plane. */
  readonly tenantId: string | null;
  readonly executionId: string | null;
}
