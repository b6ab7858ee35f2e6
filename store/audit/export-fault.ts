export interface ExportFault {
  /** Counted from 1. */
  readonly line: number;
  readonly block: number | null;
  /**
   * `format`: not a line that may stand here · `missing_block`, `block_hash`, `signature`, `stream_digest`: as in `AuditFault` ·
   * `unexplained_removal`: rows are missing, and no event records their removal · `seal`: lines were changed, added or removed · `truncated`: the end is
   * missing · `head`: the chain does not end with the given hash.
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

/** Stops the verification of a file at its first fault. */
export class ExportFaultError extends Error {
  readonly reason: ExportFault['reason'];
  readonly executionId: string | null;
  /** Where the fault is; null = in the line being read. */
  readonly at: { readonly line: number; readonly block: number } | null;

  constructor(reason: ExportFault['reason'], executionId: string | null = null, at: ExportFaultError['at'] = null) {
    super(reason);
    this.reason = reason;
    this.executionId = executionId;
    this.at = at;
  }
}
