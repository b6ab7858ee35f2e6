import type { EventRow, NewExecution } from '../port/executions.ts';

/** What the digest of a stream in a block covers. */
export interface StreamContent {
  /** Comes with the range that begins an execution. */
  readonly created: NewExecution | null;
  readonly events: readonly EventRow[];
}

/** On record in which control event an execution was removed, and up to where its log went. */
export interface RemovalRecord {
  readonly lastSeq: number;
  readonly controlSeq: number;
}
