import { createHmac, hash } from 'node:crypto';
import { type LogEntry, sameContext } from '../log/entry.ts';
import type { StoredEvent } from '../log/stored-event.ts';
import type { NewExecution } from '../port/executions.ts';

/**
 * The hashes of the audit chain, the same for every engine. The hashed text prefixes each field with its length, so that different records cannot
 * produce the same text, and contains stored columns only, so that a verifier can rebuild it byte for byte.
 */

/** A run of events appended to one stream: an execution, or (`executionId` null) a tenant's control plane. */
export interface StreamRange {
  readonly tenantId: string;
  readonly executionId: string | null;
  readonly firstSeq: number;
  readonly lastSeq: number;
}

export interface StreamDigest extends StreamRange {
  /** Over the rows of the control plane, or the entries of an execution. Base64url, like every hash here. */
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
 * The digest over the rows of a control plane. Rows are the whole range in order, so their sequences need not be hashed. The data of all rows follows
 * the other fields, because concatenating long texts is cheapest that way.
 */
export function digestRows(range: StreamRange, rows: readonly StoredEvent[]): string {
  let text = `rows ${rangeFields(range)}`;
  let data = '';
  let context: StoredEvent | undefined;
  for (const row of rows) {
    if (context === undefined || !sameContext(context, row)) {
      context = row;
      text += `at ${row.atMs} ${field(row.actorId)}${field(row.actorType)}${field(row.onBehalfOf)}${field(row.request)}\n`;
    }
    const { type, nodeId } = row;
    text += nodeId === null ? `${type.length}:${type} -` : `${type.length}:${type} ${nodeId.length}:${nodeId}`;
    text += ` ${row.data.length}\n`;
    data += row.data;
  }
  return hash('sha256', text + data, 'base64url');
}

/**
 * The digest over the entries of an execution: their bodies follow the other fields. `created` belongs to the range that starts the execution: what it
 * runs is part of the record.
 */
export function digestEntries(range: StreamRange, created: NewExecution | null, entries: readonly LogEntry[]): string {
  let text = `entries ${rangeFields(range)}${createdFields(created)}`;
  let bodies = '';
  for (const { seq, events, atMs, actorId, actorType, onBehalfOf, request, body } of entries) {
    text += `${seq} ${events} at ${atMs} ${field(actorId)}${field(actorType)}${field(onBehalfOf)}${field(request)}${body.length}\n`;
    bodies += body;
  }
  return hash('sha256', text + bodies, 'base64url');
}

function rangeFields({ tenantId, executionId, firstSeq, lastSeq }: StreamRange): string {
  return `${field(tenantId)}${field(executionId)}${firstSeq} ${lastSeq}\n`;
}

function createdFields(created: NewExecution | null): string {
  if (created === null) return '';
  const { workflowId, workflowVersion, revision, labels, parentId, depth, createdAtMs } = created;
  const names = `${field(workflowId)}${field(workflowVersion)}${field(revision)}${field(labels)}${field(parentId)}`;
  return `${names}${depth} ${createdAtMs}\n`;
}

/** `previous` is the hash of the block before, or the chain's id for the first. */
export function hashBlock(previous: string, block: Block): string {
  const digests = block.streams.map((stream) => stream.digest).join(' ');
  return hash('sha256', `block 1 ${field(previous)}${block.block} ${block.atMs} ${field(block.writer)}${digests}`, 'base64url');
}

export function signBlock(key: string | Uint8Array, blockHash: string): string {
  return createHmac('sha256', key).update(blockHash).digest('base64url');
}

function field(text: string | null): string {
  return text === null ? '- ' : `${text.length}:${text} `;
}
