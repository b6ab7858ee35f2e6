import type { Database, Statement } from 'better-sqlite3';
import { StoreError } from '../port/errors.ts';
import type { GlobalEventLog, LogEntry, LogSlice } from '../port/resources/event-log.ts';
import { guarded } from './errors.ts';
import * as sql from './queries/positions.ts';

type EntryRow = Omit<LogEntry, 'position'> & { readonly rowId: number };
type Range = { readonly after: number; readonly last: number; readonly tenantId?: string };

/** `<epoch>.<row number>` */
const POSITION = /^(\d{1,15})\.(\d{1,15})$/;

/** The table `events` by row number: one process writes at a time, so row numbers follow commit order. */
export class SqliteLog implements GlobalEventLog {
  readonly #epoch: Statement<[], number>;
  readonly #lastRow: Statement<[], number>;
  readonly #lowestCut: Statement<[number], number | null>;
  readonly #sliceEnd: Statement<[number, number], { readonly rows: number; readonly last: number | null }>;
  readonly #entries: Statement<[Range], EntryRow>;
  readonly #tenantEntries: Statement<[Range], EntryRow>;
  readonly #key: Statement<[], Uint8Array>;

  constructor(db: Database) {
    this.#epoch = db.prepare<[], number>(sql.LOG_EPOCH).pluck();
    this.#lastRow = db.prepare<[], number>(sql.LAST_ROW).pluck();
    this.#lowestCut = db.prepare<[number], number | null>(sql.LOWEST_CUT).pluck();
    this.#sliceEnd = db.prepare(sql.SLICE_END);
    this.#entries = db.prepare(sql.LOG_ENTRIES);
    this.#tenantEntries = db.prepare(sql.TENANT_LOG_ENTRIES);
    this.#key = db.prepare<[], Uint8Array>(sql.LOG_KEY).pluck();
  }

  end() {
    return guarded(() => this.endNow());
  }

  /** Inside a transaction. */
  endNow(): string {
    return positionOf(this.#currentEpoch(), this.#lastRow.get() ?? 0);
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
    const after = this.#rowOf(position, epoch);
    const { rows, last } = this.#sliceEnd.get(after, limit) ?? { rows: 0, last: null };
    if (last === null) return { entries: [], position: positionOf(epoch, after), end: true };
    const found =
      tenantId === undefined ? this.#entries.all({ after, last }) : this.#tenantEntries.all({ after, last, tenantId });
    const entries = found.map(({ rowId, ...entry }) => ({ ...entry, position: positionOf(epoch, rowId) }));
    return { entries, position: positionOf(epoch, last), end: rows < limit };
  }

  #currentEpoch(): number {
    return this.#epoch.get() ?? 0;
  }

  /** The row before a position. If rows were cut off since, the row numbers after the cut have been given to new events, which are still to be read. */
  #rowOf(position: string, epoch: number): number {
    const [, since = '', row = ''] = POSITION.exec(position) ?? [];
    const known = since !== '' && Number(since) <= epoch;
    const lowest = known ? (this.#lowestCut.get(Number(since)) ?? null) : null;
    const after = lowest === null ? Number(row) : Math.min(Number(row), lowest);
    if (!known || after > (this.#lastRow.get() ?? 0)) {
      throw new StoreError('unknown_position', 'this is not a position in the log of this database');
    }
    return after;
  }
}

function positionOf(epoch: number, row: number): string {
  return `${epoch}.${row}`;
}
