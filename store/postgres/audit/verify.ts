import { hash } from 'node:crypto';
import type { Client } from 'pg';
import { digestStream, hashBlock, type StreamDigest, signBlock } from '../../digest.ts';
import type { AuditFault, AuditReport, EventRow, ExecutionRow } from '../../rows.ts';
import { ask, sql } from '../connections.ts';
import * as auditSql from '../queries/audit.ts';
import { CONTROL_EVENTS } from '../queries/control.ts';
import { TENANT_EXECUTION } from '../queries/executions.ts';
import { predecessor, unpackStreams } from './chain.ts';

const SNAPSHOT = sql('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
const END = sql('COMMIT');
const BLOCKS_PER_PAGE = 64;

interface StoredBlock {
  readonly block: number;
  readonly atMs: number;
  readonly writer: string;
  readonly streams: string;
  readonly hash: string;
  readonly signature: string | null;
}

/** Walks every writer's chain from its beginning, in one snapshot of the database. With a key, every block must be signed by it. */
export async function verifyChains(client: Client, key: string | Uint8Array | null): Promise<AuditReport> {
  await ask(client, SNAPSHOT, []);
  const walk = new Walk(client, key);
  const report = await walk.all();
  await ask(client, END, []);
  return report;
}

class Walk {
  readonly #client: Client;
  readonly #key: string | Uint8Array | null;
  #blocks = 0;
  #sealed = 0;
  /** `writer hash` of each chain walked so far. */
  readonly #heads: string[] = [];

  constructor(client: Client, key: string | Uint8Array | null) {
    this.#client = client;
    this.#key = key;
  }

  async all(): Promise<AuditReport> {
    for (const { writer, id } of await ask<{ writer: string; id: string }>(this.#client, auditSql.CHAINS, [])) {
      const fault = await this.#chain(writer, id);
      if (fault !== null) return this.#report(fault);
    }
    const [count] = await ask<{ rows: number }>(this.#client, auditSql.COUNT_AUDITED, []);
    return this.#report(count?.rows === this.#sealed ? null : faultAt(this.#blocks, 'unsealed_rows'));
  }

  #report(fault: AuditFault | null): AuditReport {
    return { blocks: this.#blocks, head: hash('sha256', this.#heads.join('\n'), 'base64url'), fault };
  }

  async #chain(writer: string, id: string): Promise<AuditFault | null> {
    let tail = { block: 0, hash: '' };
    for (;;) {
      const page = await ask<StoredBlock>(this.#client, auditSql.BLOCKS, [writer, tail.block, BLOCKS_PER_PAGE]);
      if (page.length === 0) {
        this.#heads.push(`${writer} ${predecessor({ id, hash: tail.hash })}`);
        return null;
      }
      for (const stored of page) {
        const streams = unpackStreams(stored.streams);
        const fault = this.#blockFault(stored, streams, tail.block, predecessor({ id, hash: tail.hash }));
        if (fault !== null) return fault;
        for (const stream of streams) {
          const { tenantId, executionId } = stream;
          if ((await this.#digest(stream)) !== stream.digest)
            return faultAt(stored.block, 'stream_digest', tenantId, executionId);
          this.#sealed += stream.lastSeq - stream.firstSeq + 1;
        }
        tail = { block: stored.block, hash: stored.hash };
        this.#blocks += 1;
      }
    }
  }

  #blockFault(stored: StoredBlock, streams: readonly StreamDigest[], before: number, previous: string): AuditFault | null {
    if (stored.block !== before + 1) return faultAt(before + 1, 'missing_block');
    if (hashBlock(previous, { ...stored, streams }) !== stored.hash) return faultAt(stored.block, 'block_hash');
    if (this.#key !== null && stored.signature !== signBlock(this.#key, stored.hash)) return faultAt(stored.block, 'signature');
    return null;
  }

  async #digest(stream: StreamDigest): Promise<string> {
    const { tenantId, executionId, firstSeq, lastSeq } = stream;
    if (executionId === null)
      return digestStream(stream, null, await ask<EventRow>(this.#client, CONTROL_EVENTS, [tenantId, firstSeq, lastSeq]));
    const [events, [created]] = await Promise.all([
      ask<EventRow>(this.#client, auditSql.EVENT_RANGE, [executionId, tenantId, firstSeq, lastSeq]),
      firstSeq === 1 ? ask<ExecutionRow>(this.#client, TENANT_EXECUTION, [executionId, tenantId]) : [],
    ]);
    return digestStream(stream, created ?? null, events);
  }
}

function faultAt(
  block: number,
  reason: AuditFault['reason'],
  tenantId: string | null = null,
  executionId: string | null = null,
): AuditFault {
  return { block, reason, tenantId, executionId };
}
