import type { Database, Statement } from 'better-sqlite3';
import { type StreamRange, signBlock, unpackStreams } from '../../audit/digest.ts';
import { type ExportSource, exportLines, type SealedBlock } from '../../audit/export.ts';
import { eventRow, type StoredEvent } from '../../log/stored-event.ts';
import type {
  AuditEntry,
  AuditExportRequest,
  AuditFilter,
  AuditPage,
  AuditPageRequest,
  AuditStore,
} from '../../port/resources/audit.ts';
import { asStoreError, storeClosed } from '../errors.ts';
import * as auditSql from '../queries/audit.ts';
import { CONTROL_EVENTS } from '../queries/control.ts';
import { chainId, type StoredBlock } from './chain.ts';
import { AuditSearch } from './find.ts';
import type { AuditEntryRef } from './slices.ts';
import { StreamRows } from './stream-rows.ts';

type StoredAuditEntry = StoredEvent & Pick<AuditEntry, 'executionId'>;

export class SqliteAudit implements AuditStore {
  readonly #db: Database;
  readonly #key: string | Uint8Array | null;
  readonly #search: AuditSearch;
  readonly #rows: StreamRows;
  readonly #event: Statement<[number, string], StoredAuditEntry>;
  readonly #controlEvents: Statement<[string, number, number], StoredEvent>;
  readonly #blocks: Statement<[number, number], StoredBlock>;
  readonly #blockHash: Statement<[number], string>;
  readonly #tail: Statement<[], { readonly block: number }>;

  constructor(db: Database, key: string | Uint8Array | null) {
    this.#db = db;
    this.#key = key;
    this.#search = new AuditSearch(db.name);
    this.#rows = new StreamRows(db);
    this.#event = db.prepare<[number, string], StoredAuditEntry>(auditSql.AUDITED_EVENT);
    this.#controlEvents = db.prepare<[string, number, number], StoredEvent>(CONTROL_EVENTS);
    this.#blocks = db.prepare<[number, number], StoredBlock>(auditSql.BLOCKS);
    this.#blockHash = db.prepare<[number], string>(auditSql.BLOCK_HASH).pluck();
    this.#tail = db.prepare<[], { readonly block: number }>(auditSql.CHAIN_TAIL);
  }

  async find(tenantId: string, filter: AuditFilter, page: AuditPageRequest): Promise<AuditPage> {
    try {
      if (!this.#db.open) throw storeClosed();
      const { total, refs, more } = await this.#search.find(tenantId, filter, page);
      const last = more ? refs.at(-1) : undefined;
      const entry = last === undefined ? null : this.#entry(tenantId, last);
      const next = entry === null ? null : { atMs: entry.atMs, executionId: entry.executionId, seq: entry.seq };
      return { total, entries: this.#entries(tenantId, refs), next };
    } catch (error) {
      throw asStoreError(error);
    }
  }

  async *export(tenantId: string, request: AuditExportRequest): AsyncGenerator<string, void, undefined> {
    try {
      if (!this.#db.open) throw storeClosed();
      yield* exportLines(this.#source(), tenantId, request);
    } catch (error) {
      throw asStoreError(error);
    }
  }

  async *#entries(tenantId: string, refs: readonly AuditEntryRef[]): AsyncGenerator<AuditEntry, void, undefined> {
    try {
      for (const ref of refs) {
        const entry = this.#entry(tenantId, ref);
        if (entry !== null) yield entry;
      }
    } catch (error) {
      throw asStoreError(error);
    }
  }

  /** Null when retention removed it since the page was cut. */
  #entry(tenantId: string, { source, position }: AuditEntryRef): AuditEntry | null {
    if (source === 1) {
      const row = this.#event.get(position, tenantId);
      return row === undefined ? null : eventRow(row);
    }
    const row = this.#controlEvents.get(tenantId, position, position);
    return row === undefined ? null : { ...eventRow(row), executionId: null };
  }

  #source(): ExportSource {
    return {
      chains: { kind: 'one', id: chainId(this.#db), hashOf: (block) => this.#blockHash.get(block) ?? '' },
      last: () => this.#tail.get()?.block ?? 0,
      blocksAfter: (block, limit) => this.#blocks.all(block, limit).map(sealed),
      rows: (range: StreamRange) => this.#rows.read(range),
      removal: (tenantId, executionId) => this.#rows.removal(tenantId, executionId),
      sign: (text) => (this.#key === null ? null : signBlock(this.#key, text)),
    };
  }
}

function sealed({ streams, ...block }: StoredBlock): SealedBlock {
  return { ...block, streams: unpackStreams(streams), position: block.block };
}
