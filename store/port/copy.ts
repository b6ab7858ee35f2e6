/** A value on its way from one engine to another. A truth value is 0 or 1. */
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

/** One moment of a database on which nothing works and nothing is written until `close`. */
export interface CopySource {
  /** Everything that is to be copied. What a row refers to is in an earlier table, or in an earlier row. */
  readonly tables: readonly CopiedTable[];
  /** All rows of all tables, table by table, a few megabytes at a time. */
  rows(): Iterable<CopiedRows>;
  close(): void;
}

/** How many rows of each table were copied. */
export type CopyReceipt = Readonly<Record<string, number>>;

export type CopyErrorCode = 'unknown_database' | 'not_empty' | 'not_copyable' | 'copy_differs';

/** A database cannot be copied, or not to there; nothing is at the target then that was not there before. */
export class CopyError extends Error {
  readonly code: CopyErrorCode;

  constructor(code: CopyErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'CopyError';
    this.code = code;
  }
}
