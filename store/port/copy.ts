/** A value being copied from one engine to another. Booleans are 0 or 1. */
export type Cell = string | number | Uint8Array | null;

export interface CopiedTable {
  readonly name: string;
  readonly columns: readonly string[];
}

/** Rows of one table, in the order of its columns. */
export interface CopiedRows {
  readonly table: CopiedTable;
  readonly rows: readonly (readonly Cell[])[];
}

/** A snapshot of a database that is locked against runtimes and writes until `close`. */
export interface CopySource {
  /** All tables to copy, ordered so that a row refers only to rows of earlier tables, or to earlier rows of its own. */
  readonly tables: readonly CopiedTable[];
  /** All rows, table by table, in batches of a few megabytes. */
  rows(): Iterable<CopiedRows>;
  close(): void;
}

/** The number of rows copied, by table. */
export type CopyReceipt = Readonly<Record<string, number>>;

export type CopyErrorCode = 'unknown_database' | 'not_empty' | 'not_copyable' | 'copy_differs';

/** The database cannot be copied, or not to that target; the target is left as it was. */
export class CopyError extends Error {
  readonly code: CopyErrorCode;

  constructor(code: CopyErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'CopyError';
    this.code = code;
  }
}
