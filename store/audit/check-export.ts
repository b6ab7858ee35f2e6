import { createHash } from 'node:crypto';
import type { LogEntry } from '../log/entry.ts';
import type { StoredEvent } from '../log/stored-event.ts';
import type { UnsignedBlocks } from '../port/resources/audit.ts';
import { digestEntries, digestRows, hashBlock, type StreamDigest, signBlock } from './digest.ts';
import { type ExportFault, ExportFaultError } from './export-fault.ts';
import { ExportedChains } from './exported-chains.ts';
import {
  type BlockLine,
  type ChainLine,
  createdOf,
  type EndLine,
  EXPORT_VERSION,
  entryOf,
  eventOf,
  type HeaderLine,
  type HeadsLine,
  type OwnStream,
  type StreamLine,
} from './format.ts';
import { removedBy } from './removals.ts';
import { UnsignedCount } from './unsigned-blocks.ts';

export interface ExportReport {
  readonly tenantId: string | null;
  /** The first block, and the hash of the block before it. Where every writer has a chain, blocks are identified by their positions. */
  readonly fromBlock: number;
  readonly previous: string | null;
  /** The last valid block and its hash; for several chains one hash over all of them, once it is known. */
  readonly toBlock: number;
  readonly head: string | null;
  readonly events: number;
  /** Executions that retention removed. */
  readonly removed: number;
  /** Every signature was present and verified with the key. */
  readonly signed: boolean;
  /** Blocks without a signature, by their positions; null = none, or there is no key. */
  readonly unsigned: UnsignedBlocks | null;
  /** Whether the end of the file is signed, which proves that no stream was left out. Null without a key. */
  readonly sealSigned: boolean | null;
  readonly fault: ExportFault | null;
}

export interface CheckOptions {
  /** Verifies the signatures; null = they are not checked. */
  readonly key: string | Uint8Array | null;
  /** The hash that the last block must have, known from another source; null = any. */
  readonly head: string | null;
}

/** What a stream of the tenant logged, and its digest matched. */
export interface ExportedStream {
  readonly executionId: string | null;
  readonly rows: readonly StoredEvent[];
  readonly entries: readonly LogEntry[];
}

/** Verifies an exported audit log line by line, from the file alone. Lines come without their line ends. */
export async function checkExport(lines: AsyncIterable<string>, options: CheckOptions): Promise<ExportReport> {
  const streams = exportedStreams(lines, options);
  for (;;) {
    const { done, value } = await streams.next();
    if (done === true) return value;
  }
}

/** Does the same, and yields every stream once it is verified. Whether the file is complete is known at its end only. */
export async function* exportedStreams(
  lines: AsyncIterable<string>,
  options: CheckOptions,
): AsyncGenerator<ExportedStream, ExportReport, undefined> {
  const check = new ExportCheck(options);
  try {
    for await (const line of lines) {
      const stream = check.read(line);
      if (stream !== null) yield stream;
    }
    check.finish();
    return check.report(null);
  } catch (error) {
    if (!(error instanceof ExportFaultError)) throw error;
    return check.report(error);
  }
}

class ExportCheck {
  readonly #options: CheckOptions;
  readonly #sha256 = createHash('sha256');
  #lines = 0;
  #header: HeaderLine | null = null;
  #chains: ExportedChains | null = null;
  /** The block being read, its hash, and the streams whose lines are still to come. */
  #open: {
    readonly position: number;
    readonly chain: string;
    readonly block: number;
    readonly hash: string;
    readonly streams: OwnStream[];
  } | null = null;
  #ended = false;
  #sealSigned = false;
  readonly #unsigned = new UnsignedCount();
  #events = 0;
  #removed = 0;
  /** Executions without rows whose removal was not recorded so far. */
  readonly #unexplained = new Map<string, { readonly lastSeq: number; readonly line: number; readonly block: number }>();

  constructor(options: CheckOptions) {
    this.#options = options;
  }

  /** Returns a stream that has events. */
  read(text: string): ExportedStream | null {
    this.#lines += 1;
    if (this.#ended) throw new ExportFaultError('seal');
    const line = parse(text);
    if (line.end === true) {
      this.#readEnd(line as unknown as EndLine, text);
      return null;
    }
    this.#sha256.update(`${text}\n`);
    try {
      if (this.#header === null) this.#readHeader(line as unknown as HeaderLine);
      else if (this.#open !== null && this.#open.streams.length > 0) return this.#readStream(line as unknown as StreamLine);
      else if ('chain_id' in line) this.#chains?.begin(line as unknown as ChainLine);
      else if ('heads' in line) this.#chains?.end(line as unknown as HeadsLine);
      else this.#readBlock(line as unknown as BlockLine);
      return null;
    } catch (error) {
      // A line of another shape.
      throw error instanceof TypeError ? new ExportFaultError('format') : error;
    }
  }

  finish(): void {
    if (!this.#ended) throw new ExportFaultError('truncated');
    const { head } = this.#options;
    if (head !== null && this.#chains?.head !== head) throw new ExportFaultError('head');
    const [unexplained] = [...this.#unexplained].sort(([, a], [, b]) => a.line - b.line);
    if (unexplained !== undefined) throw new ExportFaultError('unexplained_removal', unexplained[0], unexplained[1]);
  }

  report(found: ExportFaultError | null): ExportReport {
    const unsigned = this.#unsigned.report;
    const { line, block } = found?.at ?? { line: this.#lines, block: this.#open?.position ?? null };
    return {
      tenantId: this.#header?.tenant_id ?? null,
      fromBlock: this.#header?.from_block ?? 0,
      previous: this.#header !== null && 'previous' in this.#header ? this.#header.previous : null,
      toBlock: this.#chains?.last ?? 0,
      head: this.#chains?.head ?? null,
      events: this.#events,
      removed: this.#removed,
      signed: this.#options.key !== null && found === null && unsigned === null && this.#sealSigned,
      unsigned,
      sealSigned: this.#options.key === null ? null : this.#sealSigned,
      fault: found === null ? null : { line, block, reason: found.reason, executionId: found.executionId },
    };
  }

  #readHeader(line: HeaderLine): void {
    const { jamjet_audit, tenant_id, from_block } = line;
    if (jamjet_audit !== EXPORT_VERSION || typeof tenant_id !== 'string' || !Number.isSafeInteger(from_block) || from_block < 1)
      throw new ExportFaultError('format');
    this.#chains = new ExportedChains(line);
    this.#header = line;
  }

  #readBlock(line: BlockLine): void {
    const { block, at_ms: atMs, writer, chain = writer, streams, hash, signature, position = block } = line;
    const { tenant_id: tenantId } = this.#header ?? { tenant_id: '' };
    if (!Number.isSafeInteger(block) || !Number.isSafeInteger(position) || !Array.isArray(streams))
      throw new ExportFaultError('format');
    this.#open = { position, chain, block, hash, streams: streams.filter((stream) => typeof stream !== 'string') };
    const before = this.#chains?.before(line) ?? '';
    const digests = streams.map((stream) => digestOf(stream, tenantId));
    if (hashBlock(before, { block, atMs, writer, streams: digests }) !== hash) throw new ExportFaultError('block_hash');
    if (!this.#isSigned(hash, signature)) this.#unsigned.add(position);
    this.#closeIfRead();
  }

  #readStream(line: StreamLine): ExportedStream | null {
    const { execution_id: executionId, first_seq: firstSeq } = line;
    const open = this.#open;
    const stream = open?.streams.shift();
    if (open === null || stream === undefined) throw new ExportFaultError('format');
    if (stream.execution_id !== executionId || stream.first_seq !== firstSeq) throw new ExportFaultError('format');
    const { last_seq: lastSeq } = stream;
    let content: ExportedStream | null = null;
    if (line.events === null && executionId !== null) {
      if (!this.#unexplained.has(executionId)) this.#removed += 1;
      this.#unexplained.set(executionId, {
        line: this.#lines,
        block: open.position,
        ...this.#unexplained.get(executionId),
        lastSeq,
      });
    } else {
      content = this.#readContent(stream, line);
      this.#events += lastSeq - firstSeq + 1;
    }
    this.#closeIfRead();
    return content;
  }

  #readContent({ last_seq: lastSeq, digest }: OwnStream, line: StreamLine): ExportedStream {
    const { execution_id: executionId, first_seq: firstSeq, created, events, entries: parts } = line;
    if ((executionId === null) !== (parts === undefined) || (executionId === null) !== (events !== undefined))
      throw new ExportFaultError('format');
    const range = { tenantId: this.#header?.tenant_id ?? '', executionId, firstSeq, lastSeq };
    const entries = (parts ?? []).map(entryOf);
    const rows = (events ?? []).map((event, index) => eventOf(event, firstSeq + index));
    const sealed =
      executionId === null
        ? digestRows(range, rows)
        : digestEntries(range, created === null ? null : createdOf(created), entries);
    if (sealed !== digest) throw new ExportFaultError('stream_digest', executionId);
    for (const row of rows) for (const { id, last_seq } of removedBy(row)) this.#recordRemoval(id, last_seq);
    return { executionId, rows, entries };
  }

  #readEnd({ to_block, head, lines, sha256, signature }: EndLine, text: string): void {
    if (this.#header === null || this.#open !== null || this.#chains?.head == null) throw new ExportFaultError('format');
    // Nothing else covers this line, so it must be written exactly as we write it.
    const written: EndLine = { end: true, to_block, head, lines, sha256, signature };
    if (text !== JSON.stringify(written)) throw new ExportFaultError('seal');
    if (lines !== this.#lines - 1 || sha256 !== this.#sha256.digest('base64url')) throw new ExportFaultError('seal');
    if (to_block !== this.#chains.last || head !== this.#chains.head) throw new ExportFaultError('seal');
    this.#sealSigned = this.#isSigned(sha256, signature);
    this.#ended = true;
  }

  #recordRemoval(executionId: string, lastSeq: number): void {
    if (lastSeq >= (this.#unexplained.get(executionId)?.lastSeq ?? Number.POSITIVE_INFINITY))
      this.#unexplained.delete(executionId);
  }

  /** False when there is a key, but no signature to verify. Throws `ExportFaultError` for a signature by another key. */
  #isSigned(signed: string, signature: string | null): boolean {
    const { key } = this.#options;
    if (key === null) return true;
    if (signature === null) return false;
    if (signature !== signBlock(key, signed)) throw new ExportFaultError('signature');
    return true;
  }

  #closeIfRead(): void {
    if (this.#open === null || this.#open.streams.length > 0) return;
    this.#chains?.advance(this.#open);
    this.#open = null;
  }
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    const line: unknown = JSON.parse(text);
    if (typeof line === 'object' && line !== null) return line as Readonly<Record<string, unknown>>;
  } catch {
    // Not JSON.
  }
  throw new ExportFaultError('format');
}

/** The hash of a block needs only the digests of its streams. */
function digestOf(stream: OwnStream | string, tenantId: string): StreamDigest {
  if (typeof stream === 'string') return { tenantId: '', executionId: null, firstSeq: 0, lastSeq: 0, digest: stream };
  const { execution_id: executionId, first_seq: firstSeq, last_seq: lastSeq, digest } = stream;
  return { tenantId, executionId, firstSeq, lastSeq, digest };
}
