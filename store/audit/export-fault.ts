export interface ExportFault {
  /** Counted from 1. */
  readonly line: number;
  readonly block: number | null;
  /**
   * `format`: not the line that should stand here · `missing_block`, `block_hash`, `signature`, `stream_digest`: as in `AuditFault` · `unexplained_removal`:
   * rows are gone, and no event says that they were removed · `seal`: lines were changed, added or taken away · `truncated`: the end is missing ·
   * `head`: the chain does not end with the given hash.
   */
  readonly reason:
    | 'format'
    | 'missing_block'
    | 'block_hash'
    | 'signature'
    | 'stream_digest'
    | 'unexplained_removal'
    | 'seal'
    | 'truncated'
    | 'head';
  readonly executionId: string | null;
}

/** Ends the check of a file at its first fault. */
export class ExportFaultError extends Error {
  readonly reason: ExportFault['reason'];
  readonly executionId: string | null;
  /** Where it lies; null = at the line being read. */
  readonly at: { readonly line: number; readonly block: number } | null;

  constructor(reason: ExportFault['reason'], executionId: string | null = null, at: ExportFaultError['at'] = null) {
    super(reason);
    this.reason = reason;
    this.executionId = executionId;
    this.at = at;
  }
}
