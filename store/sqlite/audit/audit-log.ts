import type { Database, Statement } from 'better-sqlite3';
import { signBlock } from '../../audit/digest.ts';
import { type ExportSource, exportLines, type SealedBlock } from '../../audit/export.ts';
import type { AuditEntryRef } from '../../audit/newest-first.ts';
import { unpackStreams } from '../../audit/packed-streams.ts';
import { decodeEntry } from '../../log/decode.ts';
import { eventRow, type StoredEvent } from '../../log/stored-event.ts';
import type { EventRow } from '../../port/executions.ts';
import type {
  AuditEntry,
  AuditExportRequest,
  AuditFilter,
  AuditPage,
  AuditPageRequest,
  AuditPosition,
  AuditStore,
} from '../../port/resources/audit.ts';
import { asStoreError, storeClosed } from '../errors.ts';
import type { LogNames } from '../log/log-names.ts';
import { logEntry, type StoredEntry } from '../log/stored-entry.ts';
import * as auditSql from '../queries/audit.ts';
import { CONTROL_EVENTS } from '../queries/control.ts';
import { chainId, type StoredBlock } from './chain.ts';
import { AuditSearch } from './find.ts';
import { StreamRows } from './stream-rows.ts';

type AuditedEntry = StoredEntry & Pick<AuditEntry, 'executionId'>;

export class SqliteAudit implements AuditStore {
  readonly #db: Database;
  readonly #names: LogNames;
  readonly #key: string | Uint8Array | null;
  readonly #search: AuditSearch;
  readonly #rows: StreamRows;
  readonly #entryAt: Statement<[object], AuditedEntry>;
  readonly #controlEvents: Statement<[string, number, number], StoredEvent>;
  readonly #blocks: Statement<[number, number], StoredBlock>;
  readonly #blockHash: Statement<[number], string>;
  readonly #tail: Statement<[], { readonly block: number }>;

  constructor(db: Database, names: LogNames, key: string | Uint8Array | null) {
    this.#db = db;
    this.#names = names;
    this.#key = key;
    this.#search = new AuditSearch(db);
    this.#rows = new StreamRows(db, names);
    this.#entryAt = db.prepare<[object], AuditedEntry>(auditSql.AUDITED_ENTRY);
    this.#controlEvents = db.prepare<[string, number, number], StoredEvent>(CONTROL_EVENTS);
    this.#blocks = db.prepare<[number, number], StoredBlock>(auditSql.BLOCKS);
    this.#blockHash = db.prepare<[number], string>(auditSql.BLOCK_HASH).pluck();
    this.#tail = db.prepare<[], { readonly block: number }>(auditSql.CHAIN_TAIL);
  }

  async find(tenantId: string, filter: AuditFilter, page: AuditPageRequest): Promise<AuditPage> {
    try {
      if (!this.#db.open) throw storeClosed();
      const { total, refs, more } = await this.#search.find(tenantId, filter, page);
      const next = more ? this.#lastOf(tenantId, refs) : null;
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

  /** The place of the last entry that retention has not removed since the page was cut. */
  #lastOf(tenantId: string, refs: readonly AuditEntryRef[]): AuditPosition | null {
    const read = this.#reader(tenantId);
    for (const ref of refs.toReversed()) {
      const entry = read(ref);
      if (entry !== null) return { atMs: entry.atMs, executionId: entry.executionId, seq: entry.seq };
    }
    return null;
  }

  async *#entries(tenantId: string, refs: readonly AuditEntryRef[]): AsyncGenerator<AuditEntry, void, undefined> {
    try {
      const read = this.#reader(tenantId);
      for (const ref of refs) {
        const entry = read(ref);
        if (entry !== null) yield entry;
      }
    } catch (error) {
      throw asStoreError(error);
    }
  }

  /**
   * Reads what is at a place; null when retention removed it since the page was cut. Events of one entry follow each other on a page: the entry is
   * decoded once for them.
   */
  #reader(tenantId: string): (ref: AuditEntryRef) => AuditEntry | null {
    let entry: AuditedEntry | undefined;
    let events: readonly EventRow[] = [];
    return ({ source, position }) => {
      if (source === 0) {
        const row = this.#controlEvents.get(tenantId, position, position);
        return row === undefined ? null : { ...eventRow(row), executionId: null };
      }
      if (entry === undefined || position > entry.position || position <= entry.position - entry.events) {
        entry = this.#entryAt.get({ tenantId, position });
        events = entry === undefined ? [] : decodeEntry(logEntry(entry, this.#names));
      }
      const event = entry === undefined ? undefined : events[events.length - 1 - (entry.position - position)];
      return entry === undefined || event === undefined ? null : { ...event, executionId: entry.executionId };
    };
  }

  #source(): ExportSource {
    return {
      chains: { kind: 'one', id: chainId(this.#db), hashOf: (block) => this.#blockHash.get(block) ?? '' },
      last: () => this.#tail.get()?.block ?? 0,
      blocksAfter: (block, limit) => this.#blocks.all(block, limit).map(sealed),
      rows: (ranges) => ranges.map((range) => this.#rows.read(range)),
      removal: (tenantId, executionId) => this.#rows.removal(tenantId, executionId),
      sign: (text) => (this.#key === null ? null : signBlock(this.#key, text)),
    };
  }
}

function sealed({ streams, ...block }: StoredBlock): SealedBlock {
  return { ...block, streams: unpackStreams(streams), position: block.block };
}
