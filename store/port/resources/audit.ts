import type { UnsignedBlocks } from '../../audit/unsigned-blocks.ts';
import type { EventRow } from '../executions.ts';

/** What happened: an event of an execution, or (without one) an action on the tenant's control plane. */
export interface AuditEntry extends EventRow {
  readonly executionId: string | null;
}

/** All of what is given must hold. */
export interface AuditFilter {
  /** Leaves out the control plane. */
  readonly executionId?: string;
  /** Who acted, or on whose behalf. */
  readonly actorId?: string;
  /** snake_case. */
  readonly type?: string;
  /** Itself included. */
  readonly fromMs?: number;
  /** Itself excluded. */
  readonly beforeMs?: number;
}

/** The entry that a page ended with. */
export interface AuditPosition {
  readonly atMs: number;
  readonly executionId: string | null;
  readonly seq: number;
}

export interface AuditPage {
  /** Everything that matches, whatever the page. Exact, at the moment the page was cut. */
  readonly total: number;
  /** Newest first, by commit time; what shares a millisecond in the order it was written, last first. Read as the consumer asks for them. */
  readonly entries: AsyncIterable<AuditEntry>;
  /** Null = there is no more. */
  readonly next: AuditPosition | null;
}

export interface AuditPageRequest {
  readonly limit: number;
  /** Matches to pass over. */
  readonly offset: number;
  /** `next` of the page before, with the same filter; what is written meanwhile moves nothing. */
  readonly after: AuditPosition | null;
}

export interface AuditExportRequest {
  /** Number of the first block; 1 = from the beginning. */
  readonly fromBlock: number;
  readonly atMs: number;
  /** Ends the export, which then rejects with the signal's reason. */
  readonly signal: AbortSignal;
}

/** The event log and the control log of a tenant, read as one audit log. */
export interface AuditStore {
  /** Others have their turn while it counts, however long the log is. */
  find(tenantId: string, filter: AuditFilter, page: AuditPageRequest): Promise<AuditPage>;
  /**
   * The tenant's log with the proof that it is whole, as lines of JSON (docs/audit.md): up to what had been committed when it began.
   * Rejects with `unknown_block` when the chain does not reach up to `fromBlock`.
   */
  export(tenantId: string, request: AuditExportRequest): AsyncIterable<string>;
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
