import type { LogEntry } from '../log/entry.ts';
import type { StoredEvent } from '../log/stored-event.ts';
import type { NewExecution } from '../port/executions.ts';
import { digestEntries, digestRows, type StreamDigest } from './digest.ts';

/** What the digest of a stream covers. */
export interface StreamContent {
  /** Only for the range that starts an execution. */
  readonly created: NewExecution | null;
  /** Rows of the control plane; empty for an execution. */
  readonly events: readonly StoredEvent[];
  /** The entries of an execution that have events of the range, in order; empty for the control plane. */
  readonly entries: readonly LogEntry[];
}

/** Records in which control event an execution was removed, and where its log ended. */
export interface RemovalRecord {
  readonly lastSeq: number;
  readonly controlSeq: number;
}

/** Whether the stored content is what was sealed. */
export function isSealed(stream: StreamDigest, { created, events, entries }: StreamContent): boolean {
  const digest = stream.executionId === null ? digestRows(stream, events) : digestEntries(stream, created, entries);
  return digest === stream.digest;
}
