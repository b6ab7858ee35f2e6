import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import type { Block, StreamRange } from '../digest.ts';
import type { AuditExportRequest } from '../resources/audit.ts';
import type { EventRow, NewExecution } from '../rows.ts';
import {
  type BlockLine,
  createdPart,
  type EndLine,
  EXPORT_VERSION,
  eventPart,
  type HeaderLine,
  type OwnStream,
  type StreamLine,
} from './format.ts';

export interface SealedBlock extends Block {
  readonly hash: string;
  readonly signature: string | null;
}

/** What an engine offers the export. */
export interface ExportSource {
  readonly chainId: string;
  readonly lastBlock: number;
  /** Throws `unknown_block`. */
  hashOf(block: number): string;
  blocksAfter(block: number, limit: number): readonly SealedBlock[];
  rows(range: StreamRange): { readonly created: NewExecution | null; readonly events: readonly EventRow[] };
  /** In which control event the removal of an execution is on record. */
  removal(tenantId: string, executionId: string): { readonly controlSeq: number } | null;
  /** Null without a key. */
  sign(text: string): string | null;
}

const BLOCKS_PER_PAGE = 16;

/**
 * A tenant's log as lines of JSON, with their line ends. Needs no snapshot, which a slow reader would hold for long: rows never change,
 * and when retention removes some meanwhile, the export goes on up to the block that says so.
 */
export async function* exportLines(
  source: ExportSource,
  tenantId: string,
  request: AuditExportRequest,
): AsyncGenerator<string, void, undefined> {
  const sha256 = createHash('sha256');
  let lines = 0;
  const sealed = (line: HeaderLine | BlockLine | StreamLine): string => {
    const text = textOf(line);
    sha256.update(text);
    lines += 1;
    return text;
  };
  const header = headerLine(source, tenantId, request);
  yield sealed(header);

  const until = source.lastBlock;
  let head = { block: header.from_block - 1, hash: header.previous };
  // How far the control plane is exported, and how far it must be so that every removal is on record.
  let told = 0;
  let owed = 0;
  for (let more = true; more; ) {
    await setImmediate();
    request.signal.throwIfAborted();
    const page = source.blocksAfter(head.block, BLOCKS_PER_PAGE);
    for (const block of page) {
      if (block.block > until && told >= owed) break;
      yield sealed(blockLine(block, tenantId));
      for (const stream of block.streams) {
        if (stream.tenantId !== tenantId) continue;
        const line = streamLine(source, stream);
        if (stream.executionId === null) told = stream.lastSeq;
        else if (line.events === null) owed = Math.max(owed, source.removal(tenantId, stream.executionId)?.controlSeq ?? 0);
        yield sealed(line);
      }
      head = { block: block.block, hash: block.hash };
    }
    more = page.length > 0 && (head.block < until || told < owed);
  }

  const digest = sha256.digest('base64url');
  yield textOf({ end: true, to_block: head.block, head: head.hash, lines, sha256: digest, signature: source.sign(digest) });
}

function textOf(line: HeaderLine | BlockLine | StreamLine | EndLine): string {
  return `${JSON.stringify(line)}\n`;
}

function headerLine(source: ExportSource, tenantId: string, { fromBlock, atMs }: AuditExportRequest): HeaderLine {
  return {
    jamjet_audit: EXPORT_VERSION,
    tenant_id: tenantId,
    chain_id: source.chainId,
    from_block: fromBlock,
    previous: fromBlock === 1 ? source.chainId : source.hashOf(fromBlock - 1),
    exported_at: new Date(atMs).toISOString(),
  };
}

function blockLine({ block, atMs, writer, streams, hash, signature }: SealedBlock, tenantId: string): BlockLine {
  const shown = streams.map((stream): OwnStream | string => {
    if (stream.tenantId !== tenantId) return stream.digest;
    const { executionId, firstSeq, lastSeq, digest } = stream;
    return { execution_id: executionId, first_seq: firstSeq, last_seq: lastSeq, digest };
  });
  return { block, at_ms: atMs, writer, streams: shown, hash, signature };
}

function streamLine(source: ExportSource, range: StreamRange): StreamLine {
  const { created, events } = source.rows(range);
  return {
    execution_id: range.executionId,
    first_seq: range.firstSeq,
    created: created === null ? null : createdPart(created),
    events: events.length === 0 ? null : events.map(eventPart),
  };
}
