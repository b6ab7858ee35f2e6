import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { StoreError } from '../port/errors.ts';
import type { AuditExportRequest } from '../port/resources/audit.ts';
import { type ChainHead, combinedHead } from './chain-heads.ts';
import type { Block, StreamDigest, StreamRange } from './digest.ts';
import {
  type BlockLine,
  type ChainLine,
  createdPart,
  type EndLine,
  EXPORT_VERSION,
  entryPart,
  eventPart,
  type HeaderLine,
  type HeadsLine,
  type OwnStream,
  type StreamLine,
} from './format.ts';
import type { StreamContent } from './stream-content.ts';

export interface SealedBlock extends Block {
  readonly hash: string;
  readonly signature: string | null;
  /** Where there are several chains: the name of the block's chain, which is the writer's, except for a chain copied from a database with one chain. */
  readonly chain?: string;
  /** Position among the blocks of all chains, which is the order of the export; the number of the block where there is one chain. */
  readonly position: number;
}

/** What an engine provides to the export. */
export interface ExportSource {
  readonly chains: OneChain | ManyChains;
  /** Position of the last block. */
  last(): Awaitable<number>;
  /** By position, `after` exclusive. */
  blocksAfter(after: number, limit: number): Awaitable<readonly SealedBlock[]>;
  /** The contents of streams, in their order. */
  rows(ranges: readonly StreamRange[]): Awaitable<readonly StreamContent[]>;
  /** The control event that records the removal of an execution. */
  removal(tenantId: string, executionId: string): Awaitable<{ readonly controlSeq: number } | null>;
  /** Null without a key. */
  sign(text: string): string | null;
}

/** A value or a promise of it. */
export type Awaitable<T> = T | Promise<T>;

/** All writers extend one chain. */
export interface OneChain {
  readonly kind: 'one';
  readonly id: string;
  hashOf(block: number): string;
}

/** Every writer has a chain of its own. */
export interface ManyChains {
  readonly kind: 'many';
  /** The state of the block's chain before this block. */
  before(block: SealedBlock): Awaitable<ChainLine>;
  /** The last block of each chain, up to a position; by name. */
  heads(position: number): Awaitable<readonly ChainHead[]>;
}

type SealedLine = HeaderLine | ChainLine | BlockLine | StreamLine | HeadsLine;

const BLOCKS_PER_PAGE = 16;
/** Few, because the data of each may be large. */
const STREAMS_PER_READ = 16;
/** Rows read between two turns of the event loop, in a few milliseconds. */
const ROWS_PER_TURN = 300;

/**
 * A tenant's log as lines of JSON, with their line ends. Uses no database snapshot, which a slow reader would hold open for long: rows never change,
 * and when retention removes some meanwhile, the export continues up to the block that records it.
 */
export async function* exportLines(
  source: ExportSource,
  tenantId: string,
  request: AuditExportRequest,
): AsyncGenerator<string, void, undefined> {
  const { chains } = source;
  const sha256 = createHash('sha256');
  let lines = 0;
  const sealed = (line: SealedLine): string => {
    const text = textOf(line);
    sha256.update(text);
    lines += 1;
    return text;
  };
  const until = await source.last();
  if (request.fromBlock > until + 1)
    throw new StoreError('unknown_block', `there is no block ${request.fromBlock - 1} in the audit chain yet`);
  const header = headerLine(chains, tenantId, request);
  yield sealed(header);

  let at = request.fromBlock - 1;
  let lastHash = 'previous' in header ? header.previous : '';
  const started = new Set<string>();
  // The control event exported last, and the one that must be exported so that every removal is recorded.
  let controlSeqWritten = 0;
  let controlSeqNeeded = 0;
  let rows = 0;
  for (let more = true; more; ) {
    await setImmediate();
    request.signal.throwIfAborted();
    const page = await source.blocksAfter(at, BLOCKS_PER_PAGE);
    for (const block of page) {
      if (block.position > until && controlSeqWritten >= controlSeqNeeded) break;
      const chain = block.chain ?? block.writer;
      if (chains.kind === 'many' && !started.has(chain)) {
        started.add(chain);
        yield sealed(await chains.before(block));
      }
      yield sealed(blockLine(block, tenantId, chains.kind));
      rows += 1;
      for await (const [stream, line] of streamLines(source, tenantId, block)) {
        if (stream.executionId === null) controlSeqWritten = stream.lastSeq;
        else if (line.events === null) {
          controlSeqNeeded = Math.max(controlSeqNeeded, (await source.removal(tenantId, stream.executionId))?.controlSeq ?? 0);
        }
        yield sealed(line);
        rows += line.events?.length ?? 1 + stream.lastSeq - stream.firstSeq;
        if (rows >= ROWS_PER_TURN) {
          await setImmediate();
          rows = 0;
        }
      }
      at = block.position;
      lastHash = block.hash;
    }
    more = page.length > 0 && (at < until || controlSeqWritten < controlSeqNeeded);
  }

  let head = lastHash;
  if (chains.kind === 'many') {
    const heads = await chains.heads(at);
    yield sealed({ heads: heads.map(({ chain, block, hash }) => [chain, block, hash] as const) });
    head = combinedHead(heads);
  }
  const digest = sha256.digest('base64url');
  yield textOf({ end: true, to_block: at, head, lines, sha256: digest, signature: source.sign(digest) });
}

function textOf(line: SealedLine | EndLine): string {
  return `${JSON.stringify(line)}\n`;
}

function headerLine(chains: OneChain | ManyChains, tenantId: string, { fromBlock, atMs }: AuditExportRequest): HeaderLine {
  const exported_at = new Date(atMs).toISOString();
  if (chains.kind === 'many') return { jamjet_audit: EXPORT_VERSION, tenant_id: tenantId, from_block: fromBlock, exported_at };
  return {
    jamjet_audit: EXPORT_VERSION,
    tenant_id: tenantId,
    chain_id: chains.id,
    from_block: fromBlock,
    previous: fromBlock === 1 ? chains.id : chains.hashOf(fromBlock - 1),
    exported_at,
  };
}

function blockLine(sealed: SealedBlock, tenantId: string, kind: 'one' | 'many'): BlockLine {
  const { block, atMs, writer, chain = writer, streams, hash, signature, position } = sealed;
  const shown = streams.map((stream): OwnStream | string => {
    if (stream.tenantId !== tenantId) return stream.digest;
    const { executionId, firstSeq, lastSeq, digest } = stream;
    return { execution_id: executionId, first_seq: firstSeq, last_seq: lastSeq, digest };
  });
  const line = { block, at_ms: atMs, writer, streams: shown, hash, signature };
  return kind === 'one' ? line : { ...line, position, ...(chain === writer ? {} : { chain }) };
}

async function* streamLines(
  source: ExportSource,
  tenantId: string,
  block: Block,
): AsyncGenerator<readonly [stream: StreamDigest, line: StreamLine], void, undefined> {
  const own = block.streams.filter((stream) => stream.tenantId === tenantId);
  for (let start = 0; start < own.length; start += STREAMS_PER_READ) {
    const streams = own.slice(start, start + STREAMS_PER_READ);
    const contents = await source.rows(streams);
    for (const [index, content] of contents.entries()) {
      const stream = streams[index];
      if (stream !== undefined) yield [stream, streamLine(stream, content)];
    }
  }
}

function streamLine(stream: StreamDigest, content: StreamContent): StreamLine {
  const { executionId, firstSeq } = stream;
  const { created, events, entries } = content;
  const line = { execution_id: executionId, first_seq: firstSeq, created: created === null ? null : createdPart(created) };
  if (executionId === null) return { ...line, events: events.map(eventPart) };
  return entries.length === 0 ? { ...line, events: null } : { ...line, entries: entries.map(entryPart) };
}
