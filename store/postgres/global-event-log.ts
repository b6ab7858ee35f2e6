import { StoreError } from '../port/errors.ts';
import type { GlobalEventLog, LogEntry, LogSlice } from '../port/resources/event-log.ts';
import type { Connections } from './connections.ts';
import * as sql from './queries/positions.ts';

type SliceRow = { readonly [Field in keyof Omit<LogEntry, 'position'>]: LogEntry[Field] | null } & {
  readonly looked: number;
  readonly last: number | null;
  readonly position: number | null;
};

const POSITION = /^\d{1,15}$/;
/** In the log of an SQLite file that was copied here: `<epoch>.<row number>`. */
const POSITION_IN_FILE = /^(\d{1,15})\.(\d{1,15})$/;

/** The table `events` by position, which transactions take while they write; read only up to where no transaction is in progress. */
export class PostgresLog implements GlobalEventLog {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async end(): Promise<string> {
    return String(await this.#settled());
  }

  async after(position: string, { limit, tenantId }: { readonly limit: number; readonly tenantId?: string }): Promise<LogSlice> {
    const settled = await this.#settled();
    const after = POSITION.test(position) ? Number(position) : await this.#placeOf(position);
    if (after === null || after > settled)
      throw new StoreError('unknown_position', 'this is not a position in the log of this database');
    const rows = await this.#connections.query<SliceRow>(sql.LOG_SLICE, [after, settled, limit, tenantId ?? null]);
    const { looked = 0, last = null } = rows[0] ?? {};
    return { entries: rows.flatMap(entryOf), position: String(last ?? after), end: looked < limit };
  }

  async key(): Promise<Uint8Array> {
    const [row] = await this.#connections.query<{ key: Buffer }>(sql.LOG_KEY);
    if (row === undefined) throw new Error('the database has no key for positions');
    return Uint8Array.from(row.key);
  }

  /** The position here for a position in the copied file; null = it is not one. */
  async #placeOf(position: string): Promise<number | null> {
    const [, epoch = '', row = ''] = POSITION_IN_FILE.exec(position) ?? [];
    if (epoch === '') return null;
    const [cut] = await this.#connections.query<{ known: boolean; lowest: number | null }>(sql.LOWEST_CUT, [Number(epoch)]);
    return cut?.known === true ? Math.min(Number(row), cut.lowest ?? Number(row)) : null;
  }

  /** Waits for the transactions that are in progress when it is called. */
  async #settled(): Promise<number> {
    const [row] = await this.#connections.query<{ event: number }>(sql.SETTLED);
    return row?.event ?? 0;
  }
}

function entryOf({ looked: _looked, last: _last, position, ...entry }: SliceRow): readonly LogEntry[] {
  return position === null ? [] : [{ ...(entry as Omit<LogEntry, 'position'>), position: String(position) }];
}
