import { setImmediate } from 'node:timers/promises';
import type { Database, Statement } from 'better-sqlite3';
import { digestStream, hashBlock, type StreamDigest, signBlock } from '../digest.ts';
import type { AuditFault, AuditReport, EventRow, ExecutionRow } from '../store.ts';
import { chainId } from './audit.ts';
import * as sql from './queries.ts';

interface StoredBlock {
  readonly block: number;
  readonly atMs: number;
  readonly writer: string;
  readonly streams: string;
  readonly hash: string;
  readonly signature: string | null;
}

type PackedStream = [tenantId: string, executionId: string | null, firstSeq: number, lastSeq: number, digest: string];

const BLOCKS_PER_TURN = 64;

/** Walks the chain from its beginning; between pages other work gets its turn. With a key, every block must be signed by it. */
export async function verifyChain(db: Database, key: string | Uint8Array | null): Promise<AuditReport> {
  const blocks = db.prepare<[number, number], StoredBlock>(sql.BLOCKS);
  const streams = new StreamVerifier(db);
  let tail = { block: 0, hash: chainId(db) };
  for (;;) {
    const page = blocks.all(tail.block, BLOCKS_PER_TURN);
    for (const stored of page) {
      const fault = blockFault(stored, tail, key) ?? streams.fault(stored);
      if (fault !== null) return { blocks: tail.block, head: tail.hash, fault };
      tail = { block: stored.block, hash: stored.hash };
    }
    if (page.length < BLOCKS_PER_TURN) return { blocks: tail.block, head: tail.hash, fault: streams.uncovered(tail.block) };
    await setImmediate();
  }
}

function blockFault(
  stored: StoredBlock,
  previous: { block: number; hash: string },
  key: string | Uint8Array | null,
): AuditFault | null {
  const fault = (reason: AuditFault['reason']): AuditFault => ({
    block: stored.block,
    reason,
    tenantId: null,
    executionId: null,
  });
  if (stored.block !== previous.block + 1) return { ...fault('missing_block'), block: previous.block + 1 };
  if (hashBlock(previous.hash, { ...stored, streams: unpack(stored.streams) }) !== stored.hash) return fault('block_hash');
  if (key !== null && stored.signature !== signBlock(key, stored.hash)) return fault('signature');
  return null;
}

function unpack(streams: string): readonly StreamDigest[] {
  return (JSON.parse(streams) as PackedStream[]).map(([tenantId, executionId, firstSeq, lastSeq, digest]) => ({
    tenantId,
    executionId,
    firstSeq,
    lastSeq,
    digest,
  }));
}

class StreamVerifier {
  readonly #execution: Statement<[string, string], ExecutionRow>;
  readonly #events: Statement<[string, string, number, number], EventRow>;
  readonly #controlEvents: Statement<[string, number, number], EventRow>;
  readonly #count: Statement<[], number>;
  #rows = 0;

  constructor(db: Database) {
    this.#execution = db.prepare<[string, string], ExecutionRow>(sql.TENANT_EXECUTION);
    this.#events = db.prepare<[string, string, number, number], EventRow>(sql.EVENT_RANGE);
    this.#controlEvents = db.prepare<[string, number, number], EventRow>(sql.CONTROL_EVENTS);
    this.#count = db.prepare<[], number>(sql.COUNT_AUDITED).pluck();
  }

  fault(stored: StoredBlock): AuditFault | null {
    for (const stream of unpack(stored.streams)) {
      if (this.#digest(stream) !== stream.digest) {
        return { block: stored.block, reason: 'stream_digest', tenantId: stream.tenantId, executionId: stream.executionId };
      }
      this.#rows += stream.lastSeq - stream.firstSeq + 1;
    }
    return null;
  }

  /** Rows that no block has sealed were not written by a commit. */
  uncovered(block: number): AuditFault | null {
    return this.#count.get() === this.#rows ? null : { block, reason: 'unsealed_rows', tenantId: null, executionId: null };
  }

  #digest(stream: StreamDigest): string {
    const { tenantId, executionId, firstSeq, lastSeq } = stream;
    if (executionId === null) return digestStream(stream, null, this.#controlEvents.all(tenantId, firstSeq, lastSeq));
    const created = firstSeq === 1 ? (this.#execution.get(executionId, tenantId) ?? null) : null;
    return digestStream(stream, created, this.#events.all(executionId, tenantId, firstSeq, lastSeq));
  }
}
