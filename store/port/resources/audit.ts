import type { EventRow } from '../executions.ts';

/** An event of an execution or, without an execution, an action on the tenant's control plane. */
export interface AuditEntry extends EventRow {
  readonly executionId: string | null;
}

/** All given conditions must hold. */
export interface AuditFilter {
  /** Excludes the control plane. */
  readonly executionId?: string;
  /** The actor, or the name on whose behalf it acted. */
  readonly actorId?: string;
  /** snake_case. */
  readonly type?: string;
  /** Inclusive. */
  readonly fromMs?: number;
  /** Exclusive. */
  readonly beforeMs?: number;
}

/** The last entry of a page. */
export interface AuditPosition {
  readonly atMs: number;
  readonly executionId: string | null;
  readonly seq: number;
}

export interface AuditPage {
  /** The number of all matches, exact at the time of the request. */
  readonly total: number;
  /** Newest first, by commit time; entries of the same millisecond in reverse order of writing. Read lazily. */
  readonly entries: AsyncIterable<AuditEntry>;
  /** Null = this was the last page. */
  readonly next: AuditPosition | null;
}

export interface AuditPageRequest {
  readonly limit: number;
  /** How many matches to skip. */
  readonly offset: number;
  /** `next` of the previous page, with the same filter. Entries written in the meantime do not shift pages. */
  readonly after: AuditPosition | null;
}

export interface AuditExportRequest {
  /** Number of the first block; 1 = from the beginning. */
  readonly fromBlock: number;
  readonly atMs: number;
  /** Aborts the export, which then rejects with the signal's reason. */
  readonly signal: AbortSignal;
}

/** The event log and the control log of a tenant, read as one audit log. */
export interface AuditStore {
  /** Yields to other work while it counts, however long the log is. */
  find(tenantId: string, filter: AuditFilter, page: AuditPageRequest): Promise<AuditPage>;
  /**
   * The tenant's log with the proof that it is complete, as lines of JSON (docs/audit.md), up to the last commit before the export began. Rejects
   * with `unknown_block` when the chain is shorter than `fromBlock`.
   */
  export(tenantId: string, request: AuditExportRequest): AsyncIterable<string>;
}

export interface AuditReport {
  /** The number of valid blocks, from the beginning. */
  readonly blocks: number;
  /** Hash of the last valid block, or one hash over the last blocks of all chains: kept elsewhere, it proves later that nothing before it was rewritten. */
  readonly head: string;
  /** Null = the chain and every row it covers are unchanged. */
  readonly fault: AuditFault | null;
  /** Blocks up to there that lack a signature; null = none, or there is no key to check signatures with. */
  readonly unsigned: UnsignedBlocks | null;
}

export interface AuditFault {
  /** The writer whose chain it is in; absent where there is only one chain. */
  readonly chain?: string;
  /** Number of the first invalid block, in its chain. */
  readonly block: number;
  /**
   * `missing_block`: the number was skipped · `block_hash`: the block or its place in the chain was changed · `signature`: signed with another
   * key · `stream_digest`: rows of one stream were changed, removed or reordered · `unsealed_rows`: no block covers some events · `snapshot`: the
   * stored snapshot of an execution was changed, its log was not.
   */
  readonly reason: 'missing_block' | 'block_hash' | 'signature' | 'stream_digest' | 'unsealed_rows' | 'snapshot';
  /** The stream, for `stream_digest` and `snapshot`; a null execution is the tenant's control plane. */
  readonly tenantId: string | null;
  readonly executionId: string | null;
}

/** Consecutive unsigned blocks of one chain. */
export interface UnsignedRange {
  /** As in `AuditFault`. */
  readonly chain?: string;
  readonly from: number;
  readonly to: number;
}

/** Blocks without a signature although there is a key to check one: written without the key, or stripped of their signatures. */
export interface UnsignedBlocks {
  readonly blocks: number;
  /** The first twenty ranges. */
  readonly ranges: readonly UnsignedRange[];
}
