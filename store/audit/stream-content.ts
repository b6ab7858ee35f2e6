import type { StoredEvent } from '../log/stored-event.ts';
import type { NewExecution } from '../port/executions.ts';

/** The rows that the digest of a stream covers. */
export interface StreamContent {
  /** Only for the range that starts an execution. */
  readonly created: NewExecution | null;
  readonly events: readonly StoredEvent[];
}

/** Records in which control event an execution was removed, and where its log ended. */
export interface RemovalRecord {
  readonly lastSeq: number;
  readonly controlSeq: number;
}
