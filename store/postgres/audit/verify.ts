import type { Client } from 'pg';
import { type ChainHead, combinedHead } from '../../audit/chain-heads.ts';
import { hashBlock, type StreamDigest, signBlock } from '../../audit/digest.ts';
import { unpackStreams } from '../../audit/packed-streams.ts';
import { removedBy } from '../../audit/removals.ts';
import { isSealed, type RemovalRecord } from '../../audit/stream-content.ts';
import { UnsignedCount } from '../../audit/unsigned-blocks.ts';
import type { AuditFault, AuditReport } from '../../port/resources/audit.ts';
import { checkSeal, type SealedSnapshot } from '../../snapshot-seal.ts';
import { type Queries, queriesOn, runQuery, sql } from '../connections.ts';
import * as auditSql from '../queries/audit.ts';
import { CHECKPOINTS } from '../queries/executions.ts';
import { predecessor, type StoredBlock } from './chain.ts';
import { StreamRows } from './stream-rows.ts';

const BEGIN_SNAPSHOT = sql('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
const COMMIT = sql('COMMIT');
/** Limits per statement, so that none takes long however large the log is. */
const CHAINS_PER_PAGE = 64;
const BLOCKS_PER_PAGE = 64;
const STREAMS_AT_ONCE = 64;
/** Each may take megabytes. */
const SNAPSHOTS_PER_PAGE = 16;
const ROWS_PER_COUNT = 2_000;

interface StoredChain {
  readonly writer: string;
  readonly id: string;
  readonly block: number;
  readonly hash: string;
}

interface EventCount {
  readonly events: number;
  readonly position: number;
}

interface ActionCount {
  readonly rows: number;
  readonly tenantId: string;
  readonly seq: number;
}

interface StoredSnapshot extends SealedSnapshot {
  readonly executionId: string;
  readonly tenantId: string;
}

interface Tail {
  readonly block: number;
  readonly hash: string;
}

/**
 * Verifies every writer's chain from its beginning, in one snapshot of the database. With a key, signatures must be by this key, and blocks without one
 * are counted.
 */
export async function verifyChains(
  client: Client,
  key: string | Uint8Array | null,
  signal: AbortSignal | undefined,
): Promise<AuditReport> {
  await runQuery(client, BEGIN_SNAPSHOT, []);
  await runQuery(client, auditSql.IN_ORDER, []);
  const chains = new ChainWalk(queriesOn(client), key, signal);
  const report = await chains.all();
  await runQuery(client, COMMIT, []);
  return report;
}

class ChainWalk {
  readonly #queries: Queries;
  readonly #rows: SealedRows;
  readonly #key: string | Uint8Array | null;
  readonly #signal: AbortSignal | undefined;
  readonly #unsigned = new UnsignedCount();
  #blocks = 0;
  readonly #heads: ChainHead[] = [];

  constructor(queries: Queries, key: string | Uint8Array | null, signal: AbortSignal | undefined) {
    this.#queries = queries;
    this.#rows = new SealedRows(queries);
    this.#key = key;
    this.#signal = signal;
  }

  async all(): Promise<AuditReport> {
    for await (const chain of this.#chains()) {
      const fault = await this.#chain(chain);
      if (fault !== null) return this.#report(fault);
    }
    const last = this.#heads.at(-1);
    const at = [last?.chain ?? '', last?.block ?? 0] as const;
    if (!(await this.#rows.areAllSealed(this.#signal))) return this.#report(faultIn(...at, 'unsealed_rows'));
    const changed = await this.#changedSnapshot();
    return this.#report(changed === null ? null : { ...faultIn(...at, 'snapshot'), ...changed });
  }

  /** The first execution whose snapshot was changed after it was stored. */
  async #changedSnapshot(): Promise<{ readonly tenantId: string; readonly executionId: string } | null> {
    for (let after: readonly [string, number] = ['', 0]; ; ) {
      this.#signal?.throwIfAborted();
      const page = await this.#queries.query<StoredSnapshot>(CHECKPOINTS, [...after, SNAPSHOTS_PER_PAGE]);
      for (const { executionId, tenantId, ...snapshot } of page) {
        if (checkSeal(this.#key, executionId, snapshot) === 'broken') return { tenantId, executionId };
        after = [executionId, snapshot.seq];
      }
      if (page.length < SNAPSHOTS_PER_PAGE) return null;
    }
  }

  async *#chains(): AsyncGenerator<StoredChain> {
    for (let after: string | undefined = ''; after !== undefined; ) {
      const page: readonly StoredChain[] = await this.#queries.query<StoredChain>(auditSql.CHAINS, [after, CHAINS_PER_PAGE]);
      yield* page;
      after = page.at(-1)?.writer;
    }
  }

  #report(fault: AuditFault | null): AuditReport {
    return { blocks: this.#blocks, head: combinedHead(this.#heads), fault, unsigned: this.#unsigned.report };
  }

  async #chain({ writer, id, block, hash }: StoredChain): Promise<AuditFault | null> {
    let tail: Tail = { block: 0, hash: '' };
    let fault: AuditFault | null = null;
    for (let more = true; more && fault === null; ) {
      const page = await this.#queries.query<StoredBlock>(auditSql.BLOCKS, [writer, tail.block, BLOCKS_PER_PAGE]);
      more = page.length === BLOCKS_PER_PAGE;
      for (const stored of page) {
        this.#signal?.throwIfAborted();
        fault = await this.#block(stored, tail, id);
        if (fault !== null) break;
        tail = { block: stored.block, hash: stored.hash };
        this.#blocks += 1;
      }
    }
    if (tail.block > 0) this.#heads.push({ chain: writer, ...tail });
    if (fault !== null) return fault;
    return tail.block === block && tail.hash === hash ? null : faultIn(writer, tail.block + 1, 'missing_block');
  }

  async #block(stored: StoredBlock, tail: Tail, id: string): Promise<AuditFault | null> {
    const { chain, block, hash, signature } = stored;
    const streams = unpackStreams(stored.streams);
    if (block !== tail.block + 1) return faultIn(chain, tail.block + 1, 'missing_block');
    if (hashBlock(predecessor({ id, hash: tail.hash }), { ...stored, streams }) !== hash)
      return faultIn(chain, block, 'block_hash');
    if (this.#key !== null && signature !== null && signature !== signBlock(this.#key, hash))
      return faultIn(chain, block, 'signature');
    const bad = await this.#rows.firstBad(streams);
    if (bad === undefined && this.#key !== null && signature === null) this.#unsigned.add(block, chain);
    return bad === undefined
      ? null
      : { ...faultIn(chain, block, 'stream_digest'), tenantId: bad.tenantId, executionId: bad.executionId };
  }
}

/** Compares the stored rows with the digests that sealed them. */
class SealedRows {
  readonly #queries: Queries;
  readonly #rows: StreamRows;
  #sealed = 0;
  /** The control event read last, with the removals it records: one event records many. */
  #removal: { readonly key: string; readonly lastSeqs: ReadonlyMap<string, number> } | null = null;

  constructor(queries: Queries) {
    this.#queries = queries;
    this.#rows = new StreamRows(queries);
  }

  async firstBad(streams: readonly StreamDigest[]): Promise<StreamDigest | undefined> {
    for (let start = 0; start < streams.length; start += STREAMS_AT_ONCE) {
      const page = streams.slice(start, start + STREAMS_AT_ONCE);
      const contents = await this.#rows.readAll(page);
      for (const [index, stream] of page.entries()) {
        const content = contents[index];
        if (content !== undefined && isSealed(stream, content)) this.#sealed += stream.lastSeq - stream.firstSeq + 1;
        else if (!(await this.#wasRemoved(stream))) return stream;
      }
    }
    return undefined;
  }

  /** False when there are rows that no block seals. */
  async areAllSealed(signal: AbortSignal | undefined): Promise<boolean> {
    let left = this.#sealed;
    for (let position: number | undefined = Number.MIN_SAFE_INTEGER; position !== undefined; ) {
      signal?.throwIfAborted();
      const [page]: readonly EventCount[] = await this.#queries.query<EventCount>(auditSql.COUNT_EVENTS, [
        position,
        ROWS_PER_COUNT,
      ]);
      left -= page?.events ?? 0;
      position = page?.position;
    }
    for (let last: ActionCount | undefined = { tenantId: '', seq: -(2 ** 31), rows: 0 }; last !== undefined; ) {
      signal?.throwIfAborted();
      const behind: readonly [string, number, number] = [last.tenantId, last.seq, ROWS_PER_COUNT];
      [last] = await this.#queries.query<ActionCount>(auditSql.COUNT_ACTIONS, behind);
      left -= last?.rows ?? 0;
    }
    return left === 0;
  }

  /** Whether a control event records that retention removed the execution. The digest of that event is verified, too. */
  async #wasRemoved({ tenantId, executionId, lastSeq }: StreamDigest): Promise<boolean> {
    const record = executionId === null ? null : await this.#rows.removal(tenantId, executionId);
    if (executionId === null || record === null) return false;
    return ((await this.#removedIn(tenantId, record)).get(executionId) ?? 0) >= lastSeq;
  }

  async #removedIn(tenantId: string, { controlSeq }: RemovalRecord): Promise<ReadonlyMap<string, number>> {
    const key = `${controlSeq} ${tenantId}`;
    if (this.#removal?.key !== key) {
      const event = await this.#rows.controlEvent(tenantId, controlSeq);
      const removed = event === null ? [] : removedBy(event);
      this.#removal = { key, lastSeqs: new Map(removed.map(({ id, last_seq }) => [id, last_seq])) };
    }
    return this.#removal.lastSeqs;
  }
}

function faultIn(chain: string, block: number, reason: AuditFault['reason']): AuditFault {
  return { chain, block, reason, tenantId: null, executionId: null };
}
