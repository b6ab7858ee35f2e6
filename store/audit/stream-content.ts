import { decodeStored } from '../log/decode.ts';
import type { LogEntry } from '../log/entry.ts';
import type { StoredEvent } from '../log/stored-event.ts';
import { DamagedEntryError } from '../port/errors.ts';
import type { NewExecution } from '../port/executions.ts';
import { digestEntries, digestStream, type StreamDigest, type StreamRange } from './digest.ts';

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
export function isSealed(stream: StreamDigest, content: StreamContent): boolean {
  const { created, entries } = content;
  if (stream.version === 2) return digestEntries(stream, created, entries) === stream.digest;
  const rows = rowsIn(stream, content);
  return rows !== null && digestStream(stream, created, rows) === stream.digest;
}

/** The rows of a range that was sealed as rows. Null = the entries in which they are stored now are damaged. */
export function rowsIn({ executionId, firstSeq, lastSeq }: StreamRange, content: StreamContent): readonly StoredEvent[] | null {
  if (executionId === null) return content.events;
  try {
    return content.entries.flatMap(decodeStored).filter(({ seq }) => seq >= firstSeq && seq <= lastSeq);
  } catch (error) {
    if (error instanceof DamagedEntryError) return null;
    throw error;
  }
}
