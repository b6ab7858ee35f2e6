import { setImmediate } from 'node:timers/promises';
import type { Database, Statement } from 'better-sqlite3';
import { hashBlock, type StreamDigest, signBlock } from '../../audit/digest.ts';
import { unpackStreams } from '../../audit/packed-streams.ts';
import { removedBy } from '../../audit/removals.ts';
import { isSealed, type RemovalRecord } from '../../audit/stream-content.ts';
import { UnsignedCount } from '../../audit/unsigned-blocks.ts';
import type { AuditFault, AuditReport } from '../../port/resources/audit.ts';
import { checkSeal, type SealedSnapshot } from '../../snapshot-seal.ts';
import { LogNames } from '../log/log-names.ts';
import { BLOCKS, COUNT_AUDITED } from '../queries/audit.ts';
import { CHECKPOINTS } from '../queries/executions.ts';
import { openSnapshot } from '../snapshot.ts';
import { chainId, type StoredBlock } from './chain.ts';
import { StreamRows } from './stream-rows.ts';

const BLOCKS_PER_PAGE = 16;
/** Each may take megabytes. */
const SNAPSHOTS_PER_PAGE = 16;

/**
 * Verifies the chain from its beginning and yields to other work between blocks. Reads one snapshot on a separate connection, so that a running system
 * can be verified. With a key, signatures must be by this key, and blocks without one are counted.
 */
export async function verifyChain(
  live: Database,
  key: string | Uint8Array | null,
  signal: AbortSignal | undefined,
): Promise<AuditReport> {
  const db = openSnapshot(live);
  try {
    return await verifyBlocks(db, key, signal);
  } finally {
    db.close();
  }
}

async function verifyBlocks(
  db: Database,
  key: string | Uint8Array | null,
  signal: AbortSignal | undefined,
): Promise<AuditReport> {
  const blocks = db.prepare<[number, number], StoredBlock>(BLOCKS);
  const sealed = new SealedRows(db);
  const unsigned = new UnsignedCount();
  let tail = { block: 0, hash: chainId(db) };
  for (;;) {
    const page = blocks.all(tail.block, BLOCKS_PER_PAGE);
    if (page.length === 0) {
      const fault = sealed.unsealed(tail.block) ?? (await changedSnapshot(db, tail.block, key, signal));
      return { ...soundUpTo(tail, unsigned), fault };
    }
    for (const stored of page) {
      const streams = unpackStreams(stored.streams);
      const fault = blockFault(stored, streams, tail, key) ?? sealed.fault(stored.block, streams);
      if (fault !== null) return { ...soundUpTo(tail, unsigned), fault };
      if (key !== null && stored.signature === null) unsigned.add(stored.block);
      tail = { block: stored.block, hash: stored.hash };
      await setImmediate();
      signal?.throwIfAborted();
    }
  }
}

function soundUpTo(tail: { readonly block: number; readonly hash: string }, unsigned: UnsignedCount): Omit<AuditReport, 'fault'> {
  return { blocks: tail.block, head: tail.hash, unsigned: unsigned.report };
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
  const isSigned = key !== null && stored.signature !== null;
  if (isSigned && stored.signature !== signBlock(key, stored.hash)) return fault(stored.block, 'signature');
  return null;
}

/** The first execution whose snapshot was changed after it was stored. */
async function changedSnapshot(
  db: Database,
  block: number,
  key: string | Uint8Array | null,
  signal: AbortSignal | undefined,
): Promise<AuditFault | null> {
  const checkpoints = db.prepare<[string, number, number], SealedSnapshot & { executionId: string; tenantId: string }>(
    CHECKPOINTS,
  );
  for (let after: readonly [string, number] = ['', 0]; ; ) {
    const page = checkpoints.all(...after, SNAPSHOTS_PER_PAGE);
    for (const { executionId, tenantId, ...snapshot } of page) {
      if (checkSeal(key, executionId, snapshot) === 'broken') return { block, reason: 'snapshot', tenantId, executionId };
      after = [executionId, snapshot.seq];
    }
    if (page.length < SNAPSHOTS_PER_PAGE) return null;
    await setImmediate();
    signal?.throwIfAborted();
  }
}

/** Compares the stored rows with the digests that sealed them. */
class SealedRows {
  readonly #rows: StreamRows;
  readonly #count: Statement<[], number>;
  #sealed = 0;
  /** The control event read last, with the removals it records: one event records many. */
  #removal: { readonly key: string; readonly lastSeqs: ReadonlyMap<string, number> } | null = null;

  constructor(db: Database) {
    this.#rows = new StreamRows(db, new LogNames(db));
    this.#count = db.prepare<[], number>(COUNT_AUDITED).pluck();
  }

  fault(block: number, streams: readonly StreamDigest[]): AuditFault | null {
    for (const stream of streams) {
      const { tenantId, executionId, firstSeq, lastSeq } = stream;
      if (isSealed(stream, this.#rows.read(stream))) this.#sealed += lastSeq - firstSeq + 1;
      else if (!this.#wasRemoved(stream)) return { block, reason: 'stream_digest', tenantId, executionId };
    }
    return null;
  }

  /** A fault when there are rows that no block seals. */
  unsealed(block: number): AuditFault | null {
    return this.#count.get() === this.#sealed ? null : { block, reason: 'unsealed_rows', tenantId: null, executionId: null };
  }

  /** Whether a control event records that retention removed the execution. The digest of that event is verified, too. */
  #wasRemoved({ tenantId, executionId, lastSeq }: StreamDigest): boolean {
    const record = executionId === null ? null : this.#rows.removal(tenantId, executionId);
    if (executionId === null || record === null) return false;
    return (this.#removedIn(tenantId, record).get(executionId) ?? 0) >= lastSeq;
  }

  #removedIn(tenantId: string, { controlSeq }: RemovalRecord): ReadonlyMap<string, number> {
    const key = `${controlSeq} ${tenantId}`;
    if (this.#removal?.key !== key) {
      const event = this.#rows.controlEvent(tenantId, controlSeq);
      const removed = event === undefined ? [] : removedBy(event);
      this.#removal = { key, lastSeqs: new Map(removed.map(({ id, last_seq }) => [id, last_seq])) };
    }
    return this.#removal.lastSeqs;
  }
}
