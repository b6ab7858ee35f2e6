import { digestEntries, type StreamDigest, type StreamRange } from '../../audit/digest.ts';
import { encodeEntries } from '../../log/encode.ts';
import type { LogEntry } from '../../log/entry.ts';
import { typeTokens } from '../../log/type-tokens.ts';
import type { CommitUnit, ExecutionWrite } from '../../port/commit.ts';
import type { NewExecution } from '../../port/executions.ts';
import { checkSequences, wellFormedExecution } from '../../well-formed.ts';

/** An entry as a row of the log. */
export interface TypedEntry extends LogEntry {
  /** The tokens of its events' types. */
  readonly types: string;
}

type Optional = 'revive' | 'clearsDeadline' | 'approvals' | 'offloaded' | 'redaction' | 'threads' | 'keys';

/** An execution's write with its events as rows of the log. */
export interface EncodedWrite extends Omit<ExecutionWrite, 'events' | Optional> {
  readonly revive: ExecutionWrite['revive'] | undefined;
  readonly clearsDeadline: ExecutionWrite['clearsDeadline'] | undefined;
  readonly approvals: ExecutionWrite['approvals'] | undefined;
  readonly offloaded: ExecutionWrite['offloaded'] | undefined;
  readonly redaction: ExecutionWrite['redaction'] | undefined;
  readonly threads: ExecutionWrite['threads'] | undefined;
  readonly keys: ExecutionWrite['keys'] | undefined;
  readonly entries: readonly TypedEntry[];
  /** Seals what the write appends to the log; null = nothing. */
  readonly stream: StreamDigest | null;
}

export interface EncodedUnit extends Omit<CommitUnit, 'executions'> {
  readonly executions: readonly EncodedWrite[];
}

export function encodeUnit(unit: CommitUnit): EncodedUnit {
  return { ...unit, executions: unit.executions.map(encodeWrite) };
}

/** Field by field, because every write of every commit is copied, and a spread takes longer. */
function encodeWrite(write: ExecutionWrite): EncodedWrite {
  checkSequences(write);
  const {
    id,
    tenantId,
    fromSeq,
    revive,
    clearsDeadline,
    progress,
    checkpoint,
    events,
    timers,
    work,
    send,
    consumed,
    usage,
    approvals,
    offloaded,
    redaction,
    threads,
    keys,
  } = write;
  const create = write.create === null ? null : wellFormedExecution(write.create);
  const entries = withTypes(encodeEntries(events), events);
  const range = { tenantId, executionId: id, firstSeq: fromSeq + 1, lastSeq: progress.seq };
  const stream = entries.length === 0 ? null : streamOf(range, create, entries);
  return {
    id,
    tenantId,
    fromSeq,
    create,
    revive,
    clearsDeadline,
    progress,
    checkpoint,
    timers,
    work,
    send,
    consumed,
    usage,
    approvals,
    offloaded,
    redaction,
    threads,
    keys,
    entries,
    stream,
  };
}

function streamOf(range: StreamRange, create: NewExecution | null, entries: readonly LogEntry[]): StreamDigest {
  const { tenantId, executionId, firstSeq, lastSeq } = range;
  return { tenantId, executionId, firstSeq, lastSeq, digest: digestEntries(range, create, entries) };
}

function withTypes(entries: readonly LogEntry[], events: ExecutionWrite['events']): readonly TypedEntry[] {
  let next = 0;
  return entries.map(({ seq, events: count, body, atMs, actorId, actorType, onBehalfOf, request }) => {
    const types = typeTokens(entries.length === 1 ? events : events.slice(next, next + count));
    next += count;
    return { seq, events: count, types, body, atMs, actorId, actorType, onBehalfOf, request };
  });
}
