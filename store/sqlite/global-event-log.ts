import type { Database, Statement } from 'better-sqlite3';
import { outlineEntry } from '../log/decode.ts';
import { SLICE_BYTES } from '../log/entry.ts';
import { StoreError } from '../port/errors.ts';
import type { GlobalEventLog, LoggedEvent, LogSlice } from '../port/resources/event-log.ts';
import { guarded } from './errors.ts';
import type { LogNames } from './log/log-names.ts';
import { logEntry, type StoredEntry } from './log/stored-entry.ts';
import * as sql from './queries/positions.ts';

/** `body`: null = of another tenant. `executionId`: null = the execution was removed by hand. */
type Row = Omit<StoredEntry, 'body'> & {
  readonly body: string | null;
  readonly tenant: number;
  readonly executionId: string | null;
  readonly workflowId: string | null;
};

/** `<epoch>.<position>` */
const POSITION = /^(\d{1,15})\.(\d{1,15})$/;
/** Stands for a tenant without entries. */
const NO_TENANT = -1;

/** The table `log_entries` by position: one process writes at a time, so positions follow commit order. */
export class SqliteLog implements GlobalEventLog {
  readonly #names: LogNames;
  readonly #epoch: Statement<[], number>;
  readonly #last: Statement<[], number>;
  readonly #lowestCut: Statement<[number], number | null>;
  readonly #entries: Statement<[{ readonly after: number; readonly tenant: number | null }], Row>;
  readonly #key: Statement<[], Uint8Array>;

  constructor(db: Database, names: LogNames) {
    this.#names = names;
    this.#epoch = db.prepare<[], number>(sql.LOG_EPOCH).pluck();
    this.#last = db.prepare<[], number>(sql.LAST_POSITION).pluck();
    this.#lowestCut = db.prepare<[number], number | null>(sql.LOWEST_CUT).pluck();
    this.#entries = db.prepare(sql.ENTRIES_AFTER);
    this.#key = db.prepare<[], Uint8Array>(sql.LOG_KEY).pluck();
  }

  end() {
    return guarded(() => positionOf(this.#currentEpoch(), this.#last.get() ?? 0));
  }

  after(position: string, slice: { readonly limit: number; readonly tenantId?: string }) {
    return guarded(() => this.#slice(position, slice));
  }

  async key(): Promise<Uint8Array> {
    const key = await guarded(() => this.#key.get());
    if (key === undefined) throw new Error('the database has no key for positions');
    return key;
  }

  #slice(position: string, { limit, tenantId }: { readonly limit: number; readonly tenantId?: string }): LogSlice {
    const epoch = this.#currentEpoch();
    const after = this.#place(position, epoch);
    const tenant = tenantId === undefined ? null : (this.#names.tenantNumber(tenantId) ?? NO_TENANT);
    const events: LoggedEvent[] = [];
    let at = after;
    let left = limit;
    let bytes = 0;
    for (const row of this.#entries.iterate({ after, tenant })) {
      const first = row.position - row.events + 1;
      const from = Math.max(first, at + 1);
      at = Math.min(row.position, from + left - 1);
      left -= at - from + 1;
      for (const event of this.#events(row)) {
        const place = first + event.seq - (row.seq - row.events + 1);
        if (place >= from && place <= at) events.push({ position: positionOf(epoch, place), ...event });
      }
      bytes += row.body?.length ?? 0;
      if (left === 0 || bytes > SLICE_BYTES) return { events, position: positionOf(epoch, at), end: false };
    }
    return { events, position: positionOf(epoch, at), end: true };
  }

  #events({ body, tenant, executionId, workflowId, ...entry }: Row): readonly Omit<LoggedEvent, 'position'>[] {
    const tenantId = this.#names.tenant(tenant);
    if (body === null || tenantId === undefined || executionId === null || workflowId === null) return [];
    const { atMs } = entry;
    return outlineEntry(logEntry({ body, ...entry }, this.#names)).map(({ seq, type, nodeId }) => ({
      tenantId,
      executionId,
      workflowId,
      seq,
      type,
      nodeId,
      atMs,
    }));
  }

  #currentEpoch(): number {
    return this.#epoch.get() ?? 0;
  }

  /** If entries were cut off since a position was read, the positions after the cut have been given to new events, which are still to be read. */
  #place(position: string, epoch: number): number {
    const [, since = '', text = ''] = POSITION.exec(position) ?? [];
    const known = since !== '' && Number(since) <= epoch;
    const lowest = known ? (this.#lowestCut.get(Number(since)) ?? null) : null;
    const place = lowest === null ? Number(text) : Math.min(Number(text), lowest);
    if (!known || place > (this.#last.get() ?? 0)) {
      throw new StoreError('unknown_position', 'this is not a position in the log of this database');
    }
    return place;
  }
}

function positionOf(epoch: number, place: number): string {
  return `${epoch}.${place}`;
}
