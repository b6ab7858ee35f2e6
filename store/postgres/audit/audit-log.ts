import type { ChainHead } from '../../audit/chain-heads.ts';
import { signBlock } from '../../audit/digest.ts';
import { type ExportSource, exportLines, type SealedBlock } from '../../audit/export.ts';
import type { ChainLine } from '../../audit/format.ts';
import { unpackStreams } from '../../audit/packed-streams.ts';
import type { AuditExportRequest, AuditFilter, AuditPage, AuditPageRequest, AuditStore } from '../../port/resources/audit.ts';
import type { Connections } from '../connections.ts';
import { asStoreError } from '../errors.ts';
import * as sql from '../queries/audit.ts';
import { SETTLED } from '../queries/positions.ts';
import { predecessor, type StoredBlock } from './chain.ts';
import { auditEntries, findAudited } from './find.ts';
import { StreamRows } from './stream-rows.ts';

export class PostgresAudit implements AuditStore {
  readonly #connections: Connections;
  readonly #key: string | Uint8Array | null;
  readonly #rows: StreamRows;

  constructor(connections: Connections, key: string | Uint8Array | null) {
    this.#connections = connections;
    this.#key = key;
    this.#rows = new StreamRows(connections);
  }

  async find(tenantId: string, filter: AuditFilter, page: AuditPageRequest): Promise<AuditPage> {
    const { total, rows, more } = await findAudited(this.#connections, tenantId, filter, page);
    const last = more ? rows.slice(-1).map((row) => ({ ...row, from: row.to - 1 })) : [];
    let next: AuditPage['next'] = null;
    for await (const { atMs, executionId, seq } of auditEntries(this.#connections, tenantId, filter, last)) {
      next = { atMs, executionId, seq };
    }
    return { total, entries: auditEntries(this.#connections, tenantId, filter, rows), next };
  }

  async *export(tenantId: string, request: AuditExportRequest): AsyncGenerator<string, void, undefined> {
    try {
      yield* exportLines(this.#source(), tenantId, request);
    } catch (error) {
      throw asStoreError(error);
    }
  }

  #source(): ExportSource {
    return {
      chains: { kind: 'many', before: (block) => this.#before(block), heads: (position) => this.#heads(position) },
      last: () => this.#settled(),
      blocksAfter: (after, limit) => this.#blocksAfter(after, limit),
      rows: (ranges) => this.#rows.readAll(ranges),
      removal: (tenantId, executionId) => this.#rows.removal(tenantId, executionId),
      sign: (text) => (this.#key === null ? null : signBlock(this.#key, text)),
    };
  }

  async #settled(): Promise<number> {
    const [row] = await this.#connections.query<{ block: number }>(SETTLED);
    return row?.block ?? 0;
  }

  async #blocksAfter(after: number, limit: number): Promise<readonly SealedBlock[]> {
    const values = [after, await this.#settled(), limit];
    const blocks = await this.#connections.query<StoredBlock>(sql.BLOCKS_IN_ORDER, values);
    return blocks.map(({ streams, ...block }) => ({ ...block, streams: unpackStreams(streams) }));
  }

  async #before({ writer, chain = writer, block }: SealedBlock): Promise<ChainLine> {
    const [row] = await this.#connections.query<{ id: string; hash: string | null }>(sql.CHAIN_BEFORE, [chain, block - 1]);
    const { id = '', hash = null } = row ?? {};
    return { chain, chain_id: id, block: block - 1, hash: predecessor({ id, hash: hash ?? '' }) };
  }

  #heads(position: number): Promise<readonly ChainHead[]> {
    return this.#connections.query<ChainHead>(sql.HEADS_AT, [position]);
  }
}
