import { outlineEntry } from '../log/decode.ts';
import { SLICE_BYTES } from '../log/entry.ts';
import { StoreError } from '../port/errors.ts';
import type { GlobalEventLog, LoggedEvent, LogSlice } from '../port/resources/event-log.ts';
import type { Connections } from './connections.ts';
import * as sql from './queries/positions.ts';

interface SliceRow {
  /** Of the last event. */
  readonly position: number;
  readonly events: number;
  readonly tenantId: string;
  /** Null for events without an execution, which exist only if the database was changed by hand. */
  readonly executionId: string | null;
  readonly workflowId: string | null;
  readonly seq: number;
  readonly atMs: number;
  /** Null for other tenants. */
  readonly body: string | null;
  readonly bytes: number;
}

const POSITION = /^\d{1,15}$/;
/** In the log of an SQLite file that was copied here: `<epoch>.<row number>`. */
const POSITION_IN_FILE = /^(\d{1,15})\.(\d{1,15})$/;

/** The entries of the log by position, which transactions take while they write; read only up to where no transaction is in progress. */
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
    return sliceOf(rows, after, limit);
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

/** The events after a position, up to the limit. */
function sliceOf(rows: readonly SliceRow[], after: number, limit: number): LogSlice {
  const events: LoggedEvent[] = [];
  let position = after;
  let left = limit;
  for (const row of rows) {
    const before = row.position - row.events;
    const first = Math.max(before, position);
    const last = Math.min(row.position, first + left);
    events.push(...eventsOf(row).slice(first - before, last - before));
    left -= last - first;
    position = last;
    if (left === 0) break;
  }
  const bytes = rows.reduce((sum, row) => sum + row.bytes, 0);
  return { events, position: String(position), end: left > 0 && bytes <= SLICE_BYTES };
}

/** Empty for events of other tenants, and for those without an execution. */
function eventsOf({ position, events, tenantId, executionId, workflowId, seq, atMs, body }: SliceRow): readonly LoggedEvent[] {
  if (body === null || executionId === null || workflowId === null) return [];
  const first = position - events + 1;
  const outline = outlineEntry({ seq, events, body });
  return outline.map((event, index) => ({ tenantId, executionId, workflowId, ...event, atMs, position: String(first + index) }));
}
