import { createHash } from 'node:crypto';
import { digestStream, hashBlock, type StreamDigest, signBlock } from '../digest.ts';
import {
  type BlockLine,
  createdOf,
  type EndLine,
  EXPORT_VERSION,
  eventOf,
  type HeaderLine,
  type OwnStream,
  type StreamLine,
} from './format.ts';
import { removedBy } from './removals.ts';

export interface ExportReport {
  readonly tenantId: string | null;
  /** The first block, and the hash that the chain had before it. */
  readonly fromBlock: number;
  readonly previous: string | null;
  /** The last sound block and its hash. */
  readonly toBlock: number;
  readonly head: string | null;
  readonly events: number;
  /** Executions that retention removed. */
  readonly removed: number;
  /** Every signature was checked with the key. */
  readonly signed: boolean;
  readonly fault: ExportFault | null;
}

export interface ExportFault {
  /** Counted from 1. */
  readonly line: number;
  readonly block: number | null;
  /**
   * `format`: not the line that should stand here · `missing_block`, `block_hash`, `signature`, `stream_digest`: as in `AuditFault` · `unexplained_removal`:
   * rows are gone, and no event says that they were removed · `seal`: lines were changed, added or taken away · `truncated`: the end is missing ·
   * `head`: the chain does not end with the given hash.
   */
  readonly reason:
    | 'format'
    | 'missing_block'
    | 'block_hash'
    | 'signature'
    | 'stream_digest'
    | 'unexplained_removal'
    | 'seal'
    | 'truncated'
    | 'head';
  readonly executionId: string | null;
}

export interface CheckOptions {
  /** Of the signatures; null = they are not checked. */
  readonly key: string | Uint8Array | null;
  /** The hash that the last block must have, known from elsewhere. */
  readonly head: string | null;
}

/** Ends the check of a file at its first fault. */
class Unsound extends Error {
  readonly reason: ExportFault['reason'];
  readonly executionId: string | null;
  /** Where it lies; null = at the line being read. */
  readonly at: { readonly line: number; readonly block: number } | null;

  constructor(reason: ExportFault['reason'], executionId: string | null = null, at: Unsound['at'] = null) {
    super(reason);
    this.reason = reason;
    this.executionId = executionId;
    this.at = at;
  }
}

/** Checks an exported audit log line by line, with the file alone. Lines come without their line ends. */
export async function checkExport(lines: AsyncIterable<string>, options: CheckOptions): Promise<ExportReport> {
  const check = new ExportCheck(options);
  try {
    for await (const line of lines) check.read(line);
    check.finish();
    return check.report(null);
  } catch (error) {
    if (!(error instanceof Unsound)) throw error;
    return check.report(error);
  }
}

class ExportCheck {
  readonly #options: CheckOptions;
  readonly #sha256 = createHash('sha256');
  #lines = 0;
  #header: HeaderLine | null = null;
  #head: { readonly block: number; readonly hash: string } | null = null;
  /** The block being read, its hash, and the streams whose lines are still to come. */
  #open: { readonly block: number; readonly hash: string; readonly streams: OwnStream[] } | null = null;
  #ended = false;
  #events = 0;
  #removed = 0;
  /** Executions without rows whose removal has not been told yet. */
  readonly #gone = new Map<string, { readonly lastSeq: number; readonly line: number; readonly block: number }>();

  constructor(options: CheckOptions) {
    this.#options = options;
  }

  read(text: string): void {
    this.#lines += 1;
    if (this.#ended) throw new Unsound('seal');
    const line = parse(text);
    if (line.end === true) {
      this.#readEnd(line as unknown as EndLine, text);
      return;
    }
    this.#sha256.update(`${text}\n`);
    try {
      if (this.#header === null) this.#readHeader(line as unknown as HeaderLine);
      else if (this.#open !== null && this.#open.streams.length > 0) this.#readStream(line as unknown as StreamLine);
      else this.#readBlock(line as unknown as BlockLine);
    } catch (error) {
      // Whatever a line of another shape makes of us.
      throw error instanceof TypeError ? new Unsound('format') : error;
    }
  }

  finish(): void {
    if (!this.#ended) throw new Unsound('truncated');
    const { head } = this.#options;
    if (head !== null && this.#head?.hash !== head) throw new Unsound('head');
    const [unexplained] = [...this.#gone].sort(([, a], [, b]) => a.line - b.line);
    if (unexplained !== undefined) throw new Unsound('unexplained_removal', unexplained[0], unexplained[1]);
  }

  report(found: Unsound | null): ExportReport {
    const sound = this.#head;
    const { line, block } = found?.at ?? { line: this.#lines, block: this.#open?.block ?? null };
    return {
      tenantId: this.#header?.tenant_id ?? null,
      fromBlock: this.#header?.from_block ?? 0,
      previous: this.#header?.previous ?? null,
      toBlock: sound?.block ?? 0,
      head: sound?.hash ?? null,
      events: this.#events,
      removed: this.#removed,
      signed: this.#options.key !== null && found === null,
      fault: found === null ? null : { line, block, reason: found.reason, executionId: found.executionId },
    };
  }

  #readHeader(line: HeaderLine): void {
    const { jamjet_audit, tenant_id, chain_id, from_block, previous } = line;
    const known = jamjet_audit === EXPORT_VERSION && typeof tenant_id === 'string' && Number.isSafeInteger(from_block);
    if (!known || from_block < 1 || typeof previous !== 'string') throw new Unsound('format');
    if (from_block === 1 && previous !== chain_id) throw new Unsound('block_hash');
    this.#header = line;
    this.#head = { block: from_block - 1, hash: previous };
  }

  #readBlock({ block, at_ms: atMs, writer, streams, hash, signature }: BlockLine): void {
    const { tenant_id: tenantId } = this.#header ?? { tenant_id: '' };
    const before = this.#head ?? { block: 0, hash: '' };
    if (!Number.isSafeInteger(block) || !Array.isArray(streams)) throw new Unsound('format');
    this.#open = { block, hash, streams: streams.filter((stream) => typeof stream !== 'string') };
    if (block !== before.block + 1) throw new Unsound('missing_block');
    const digests = streams.map((stream) => digestOf(stream, tenantId));
    if (hashBlock(before.hash, { block, atMs, writer, streams: digests }) !== hash) throw new Unsound('block_hash');
    this.#checkSignature(hash, signature);
    this.#closeIfRead();
  }

  #readStream({ execution_id: executionId, first_seq: firstSeq, created, events }: StreamLine): void {
    const open = this.#open;
    const stream = open?.streams.shift();
    if (open === null || stream === undefined) throw new Unsound('format');
    if (stream.execution_id !== executionId || stream.first_seq !== firstSeq) throw new Unsound('format');
    const { last_seq: lastSeq, digest } = stream;
    if (events === null && executionId !== null) {
      if (!this.#gone.has(executionId)) this.#removed += 1;
      this.#gone.set(executionId, { line: this.#lines, block: open.block, ...this.#gone.get(executionId), lastSeq });
    } else {
      const rows = (events ?? []).map((event, index) => eventOf(event, firstSeq + index));
      const range = { tenantId: this.#header?.tenant_id ?? '', executionId, firstSeq, lastSeq };
      const begun = created === null ? null : createdOf(created);
      if (digestStream(range, begun, rows) !== digest) throw new Unsound('stream_digest', executionId);
      this.#events += rows.length;
      if (executionId === null) for (const row of rows) for (const { id, last_seq } of removedBy(row)) this.#told(id, last_seq);
    }
    this.#closeIfRead();
  }

  #readEnd({ to_block, head, lines, sha256, signature }: EndLine, text: string): void {
    if (this.#header === null || this.#open !== null) throw new Unsound('format');
    // Nothing else covers this line, so it must be written exactly as we write it.
    const written: EndLine = { end: true, to_block, head, lines, sha256, signature };
    if (text !== JSON.stringify(written)) throw new Unsound('seal');
    if (lines !== this.#lines - 1 || sha256 !== this.#sha256.digest('base64url')) throw new Unsound('seal');
    if (to_block !== this.#head?.block || head !== this.#head.hash) throw new Unsound('seal');
    this.#checkSignature(sha256, signature);
    this.#ended = true;
  }

  #told(executionId: string, lastSeq: number): void {
    if (lastSeq >= (this.#gone.get(executionId)?.lastSeq ?? Number.POSITIVE_INFINITY)) this.#gone.delete(executionId);
  }

  #checkSignature(signed: string, signature: string | null): void {
    const { key } = this.#options;
    if (key !== null && signature !== signBlock(key, signed)) throw new Unsound('signature');
  }

  #closeIfRead(): void {
    if (this.#open === null || this.#open.streams.length > 0) return;
    this.#head = { block: this.#open.block, hash: this.#open.hash };
    this.#open = null;
  }
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    const line: unknown = JSON.parse(text);
    if (typeof line === 'object' && line !== null) return line as Readonly<Record<string, unknown>>;
  } catch {
    // Not JSON: not a line of ours.
  }
  throw new Unsound('format');
}

/** A block's hash asks of a stream for its digest alone. */
function digestOf(stream: OwnStream | string, tenantId: string): StreamDigest {
  if (typeof stream === 'string') return { tenantId: '', executionId: null, firstSeq: 0, lastSeq: 0, digest: stream };
  const { execution_id: executionId, first_seq: firstSeq, last_seq: lastSeq, digest } = stream;
  return { tenantId, executionId, firstSeq, lastSeq, digest };
}
