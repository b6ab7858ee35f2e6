import { setImmediate } from 'node:timers/promises';
import Database, { type Statement } from 'better-sqlite3';
import { digestStream, hashBlock, type StreamDigest, signBlock } from '../../digest.ts';
import type { AuditFault, AuditReport, EventRow, ExecutionRow } from '../../rows.ts';
import * as auditSql from '../queries/audit.ts';
import * as controlSql from '../queries/control.ts';
import * as executionsSql from '../queries/executions.ts';
import { chainId, unpackStreams } from './chain.ts';

interface StoredBlock {
  readonly block: number;
  readonly atMs: number;
  readonly writer: string;
  readonly streams: string;
  readonly hash: string;
  readonly signature: string | null;
}

const BLOCKS_PER_PAGE = 16;

/**
 * Walks the chain from its beginning; between blocks other work gets its turn. Reads on a connection of its own, whose snapshot
 * no commit moves, so that a running system can be verified. With a key, every block must be signed by it.
 */
export async function verifyChain(path: string, key: string | Uint8Array | null): Promise<AuditReport> {
  const db = new Database(path, { readonly: true });
  try {
    db.exec('BEGIN');
    return await walk(db, key);
  } finally {
    db.close();
  }
}

async function walk(db: Database.Database, key: string | Uint8Array | null): Promise<AuditReport> {
  const blocks = db.prepare<[number, number], StoredBlock>(auditSql.BLOCKS);
  const rows = new StreamRows(db);
  let tail = { block: 0, hash: chainId(db) };
  for (;;) {
    const page = blocks.all(tail.block, BLOCKS_PER_PAGE);
    if (page.length === 0) return { blocks: tail.block, head: tail.hash, fault: rows.unsealed(tail.block) };
    for (const stored of page) {
      const streams = unpackStreams(stored.streams);
      const fault = blockFault(stored, streams, tail, key) ?? rows.fault(stored.block, streams);
      if (fault !== null) return { blocks: tail.block, head: tail.hash, fault };
      tail = { block: stored.block, hash: stored.hash };
      await setImmediate();
    }
  }
}

function blockFault(
  stored: StoredBlock,
  streams: readonly StreamDigest[],
  previous: { readonly block: number; readonly hash: string },
  key: string | Uint8Array | null,
): AuditFault | null {
  const fault = (block: number, reason: AuditFault['reason']): AuditFault => ({
    block,
    reason,
    tenantId: null,
    executionId: null,
  });
  if (stored.block !== previous.block + 1) return fault(previous.block + 1, 'missing_block');
  if (hashBlock(previous.hash, { ...stored, streams }) !== stored.hash) return fault(stored.block, 'block_hash');
  if (key !== null && stored.signature !== signBlock(key, stored.hash)) return fault(stored.block, 'signature');
  return null;
}

/** Compares the stored rows with the digests that sealed them. */
class StreamRows {
  readonly #execution: Statement<[string, string], ExecutionRow>;
  readonly #events: Statement<[string, string, number, number], EventRow>;
  readonly #controlEvents: Statement<[string, number, number], EventRow>;
  readonly #count: Statement<[], number>;
  #sealed = 0;

  constructor(db: Database.Database) {
    this.#execution = db.prepare<[string, string], ExecutionRow>(executionsSql.TENANT_EXECUTION);
    this.#events = db.prepare<[string, string, number, number], EventRow>(auditSql.EVENT_RANGE);
    this.#controlEvents = db.prepare<[string, number, number], EventRow>(controlSql.CONTROL_EVENTS);
    this.#count = db.prepare<[], number>(auditSql.COUNT_AUDITED).pluck();
  }

  fault(block: number, streams: readonly StreamDigest[]): AuditFault | null {
    for (const stream of streams) {
      const { tenantId, executionId, firstSeq, lastSeq, digest } = stream;
      if (this.#digest(stream) !== digest) return { block, reason: 'stream_digest', tenantId, executionId };
      this.#sealed += lastSeq - firstSeq + 1;
    }
    return null;
  }

  /** Rows that no block seals were not written by a commit. */
  unsealed(block: number): AuditFault | null {
    return this.#count.get() === this.#sealed ? null : { block, reason: 'unsealed_rows', tenantId: null, executionId: null };
  }

  #digest(stream: StreamDigest): string {
    const { tenantId, executionId, firstSeq, lastSeq } = stream;
    if (executionId === null) return digestStream(stream, null, this.#controlEvents.all(tenantId, firstSeq, lastSeq));
    const created = firstSeq === 1 ? (this.#execution.get(executionId, tenantId) ?? null) : null;
    return digestStream(stream, created, this.#events.all(executionId, tenantId, firstSeq, lastSeq));
  }
}
