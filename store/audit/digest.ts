import { createHmac, hash } from 'node:crypto';
import type { StoredEvent } from '../log/stored-event.ts';
import type { EventRow, NewExecution } from '../port/executions.ts';
import type { StoredWrite } from '../well-formed.ts';

/**
 * The hashes of the audit chain, the same for every engine. The hashed text prefixes each field with its length, so that different records cannot
 * produce the same text, and contains stored columns only, so that a verifier can rebuild it byte for byte.
 */

/** A run of rows appended to one stream: an execution, or (`executionId` null) a tenant's control plane. */
export interface StreamRange {
  readonly tenantId: string;
  readonly executionId: string | null;
  readonly firstSeq: number;
  readonly lastSeq: number;
}

export interface StreamDigest extends StreamRange {
  /** Base64url, like every hash here. */
  readonly digest: string;
}

export interface Block {
  readonly block: number;
  readonly atMs: number;
  /** The runtime or command that committed it. */
  readonly writer: string;
  readonly streams: readonly StreamDigest[];
}

/**
 * `created` belongs to the range that starts an execution: what it runs is part of the record. Rows are the whole range in order, so their sequences
 * need not be hashed. The data of all rows follows the other fields, because concatenating long texts is cheapest that way.
 */
export function digestStream(range: StreamRange, created: NewExecution | null, rows: readonly StoredEvent[]): string {
  let text = `stream 1 ${field(range.tenantId)}${field(range.executionId)}${range.firstSeq} ${range.lastSeq}\n`;
  if (created !== null) {
    text += `${field(created.workflowId)}${field(created.workflowVersion)}${field(created.revision)}${field(created.labels)}`;
    text += `${field(created.parentId)}${created.depth} ${created.createdAtMs}\n`;
  }
  let data = '';
  let context: StoredEvent | undefined;
  for (const row of rows) {
    if (context === undefined || !sameContext(context, row)) {
      context = row;
      // Omitted when null, so that rows written before the field existed keep their digests.
      const onBehalfOf = row.onBehalfOf === null ? '' : field(row.onBehalfOf);
      text += `at ${row.atMs} ${field(row.actorId)}${field(row.actorType)}${field(row.request)}${onBehalfOf}\n`;
    }
    const { type, nodeId } = row;
    text += nodeId === null ? `${type.length}:${type} -` : `${type.length}:${type} ${nodeId.length}:${nodeId}`;
    text += ` ${row.data.length}\n`;
    data += row.data;
  }
  return hash('sha256', text + data, 'base64url');
}

/** Digests what a commit appends to the log of an execution. */
export function digestWrite({ id, tenantId, fromSeq, progress, create, events }: StoredWrite): StreamDigest {
  const range = { tenantId, executionId: id, firstSeq: fromSeq + 1, lastSeq: progress.seq };
  return { ...range, digest: digestStream(range, create, events) };
}

/** `previous` is the hash of the block before, or the chain's id for the first. */
export function hashBlock(previous: string, block: Block): string {
  const digests = block.streams.map((stream) => stream.digest).join(' ');
  return hash('sha256', `block 1 ${field(previous)}${block.block} ${block.atMs} ${field(block.writer)}${digests}`, 'base64url');
}

export function signBlock(key: string | Uint8Array, blockHash: string): string {
  return createHmac('sha256', key).update(blockHash).digest('base64url');
}

type EventContext = Omit<EventRow, 'seq' | 'type' | 'nodeId' | 'data'>;

/** Events of one step share time and actor: both the log and the digest name them once for the run. */
export function sameContext(a: EventContext, b: EventContext): boolean {
  return (
    a.atMs === b.atMs &&
    a.actorId === b.actorId &&
    a.actorType === b.actorType &&
    a.onBehalfOf === b.onBehalfOf &&
    a.request === b.request
  );
}

function field(text: string | null): string {
  return text === null ? '- ' : `${text.length}:${text} `;
}

type PackedStream = readonly [tenantId: string, executionId: string | null, firstSeq: number, lastSeq: number, digest: string];

/** Serializes the streams of a block for storage. */
export function packStreams(streams: readonly StreamDigest[]): string {
  return JSON.stringify(streams.map((s): PackedStream => [s.tenantId, s.executionId, s.firstSeq, s.lastSeq, s.digest]));
}

/** Parses stored streams. Invalid text yields an empty list: the block's hash covers it, so the change is detected. */
export function unpackStreams(text: string): readonly StreamDigest[] {
  try {
    return (JSON.parse(text) as readonly PackedStream[]).map(([tenantId, executionId, firstSeq, lastSeq, digest]) => ({
      tenantId,
      executionId,
      firstSeq,
      lastSeq,
      digest,
    }));
  } catch {
    return [];
  }
}
