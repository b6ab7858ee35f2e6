import { createHmac, hash } from 'node:crypto';
import type { ExecutionWrite } from '../port/commit.ts';
import type { EventRow, NewExecution } from '../port/executions.ts';

/**
 * The audit chain's hashes, the same for every engine. Everything hashed is text in which each field carries its length, so
 * that no two records read alike; it is built from stored columns only, so that a verifier can rebuild it byte for byte.
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
 * `created` comes with the range that begins an execution: what it runs is part of the record. Rows are the whole range, in
 * order, so that their sequences need no mention. The data stands behind the rest: long texts join cheapest when nothing is between.
 */
export function digestStream(range: StreamRange, created: NewExecution | null, rows: readonly EventRow[]): string {
  let text = `stream 1 ${field(range.tenantId)}${field(range.executionId)}${range.firstSeq} ${range.lastSeq}\n`;
  if (created !== null) {
    text += `${field(created.workflowId)}${field(created.workflowVersion)}${field(created.revision)}${field(created.labels)}`;
    text += `${field(created.parentId)}${created.depth} ${created.createdAtMs}\n`;
  }
  let data = '';
  let context: EventRow | undefined;
  for (const row of rows) {
    if (context === undefined || !sameContext(context, row)) {
      context = row;
      // Absent when null: rows written before the field existed keep their digests.
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

/** What a commit appends to the log of an execution. */
export function digestWrite({ id, tenantId, fromSeq, progress: head, create, events }: ExecutionWrite): StreamDigest {
  const range = { tenantId, executionId: id, firstSeq: fromSeq + 1, lastSeq: head.seq };
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

/** Events of one step share time and author: both the log and the digest name them once for the run. */
export function sameContext(a: EventRow, b: EventRow): boolean {
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

/** The streams of a block as the engines store them. */
export function packStreams(streams: readonly StreamDigest[]): string {
  return JSON.stringify(streams.map((s): PackedStream => [s.tenantId, s.executionId, s.firstSeq, s.lastSeq, s.digest]));
}

/** Text that is no such list reads as an empty one: whoever changed it changed what the block's hash covers, and that is found. */
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
