import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import Database from 'better-sqlite3';
import { type Cell, type CopiedRows, type CopiedTable, CopyError, type CopySource } from '../../port/copy.ts';
import { asStoreError } from '../errors.ts';
import { openSqlite } from '../open.ts';
import { COLUMNS, DERIVED, NOT_COPIED, TABLES } from '../queries/copy.ts';
import { RunLock } from '../run-lock.ts';

const MAX_ROWS = 1_000;
/** A single row may be larger. */
const MAX_CHARS = 2 * 1024 * 1024;

export interface SourceOptions {
  readonly path: string;
  readonly nowMs: () => number;
}

/**
 * Migrates the database, then takes its lock and its write lock. Rejects with `store_locked` while a runtime works on it, and `unknown_database`,
 * `not_a_database`, `schema_too_new`.
 */
export async function openSqliteSource({ path, nowMs }: SourceOptions): Promise<SqliteSource> {
  const file = resolve(path);
  if (!existsSync(file)) throw new CopyError('unknown_database', `there is no database at ${file}`);
  await (await openSqlite({ path: file, nowMs })).close();
  try {
    return new SqliteSource(file, nowMs());
  } catch (error) {
    throw asStoreError(error);
  }
}

/** The rows of an SQLite database, in the shape that PostgreSQL stores. */
export class SqliteSource implements CopySource {
  readonly path: string;
  readonly tables: readonly CopiedTable[];
  readonly #db: Database.Database;
  readonly #lock: RunLock;

  constructor(file: string, nowMs: number) {
    this.path = file;
    this.#db = new Database(file);
    this.#lock = new RunLock(this.#db);
    try {
      this.#lock.take({ runtimeId: `copy-${process.pid}`, pid: process.pid, startedAtMs: nowMs });
      this.#db.exec('BEGIN IMMEDIATE');
      this.tables = tablesOf(this.#db);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  *rows(): Generator<CopiedRows> {
    for (const table of this.tables) {
      let rows: Cell[][] = [];
      let chars = 0;
      for (const row of this.#db.prepare<[], Cell[]>(selectOf(table)).raw().iterate()) {
        rows.push(row);
        chars += row.reduce<number>((sum, cell) => sum + lengthOf(cell), 0);
        if (rows.length < MAX_ROWS && chars < MAX_CHARS) continue;
        yield { table, rows };
        rows = [];
        chars = 0;
      }
      if (rows.length > 0) yield { table, rows };
    }
  }

  close(): void {
    this.#db.close();
    this.#lock.release();
  }
}

/** Read from the schema, so that tables of later migrations are copied, too. */
function tablesOf(db: Database.Database): readonly CopiedTable[] {
  const columnsOf = db.prepare<[string], string>(COLUMNS).pluck();
  const own = db.prepare<[], string>(TABLES).pluck().all();
  const made = Object.keys(DERIVED).filter((name) => !own.includes(name));
  return [...own.filter((name) => !NOT_COPIED.has(name)), ...made].map((name) => {
    const { columns = {}, without = [] } = DERIVED[name] ?? {};
    const all = new Set([...columnsOf.all(name), ...Object.keys(columns)]);
    return { name, columns: [...all].filter((column) => !without.includes(column)) };
  });
}

function selectOf({ name, columns }: CopiedTable): string {
  const { columns: made = {}, from = `"${name}" t`, order } = DERIVED[name] ?? {};
  const cells = columns.map((column) => `${made[column] ?? `t."${column}"`} AS "${column}"`);
  return `SELECT ${cells.join(', ')} FROM ${from}${order === undefined ? '' : ` ORDER BY ${order}`}`;
}

function lengthOf(cell: Cell): number {
  return typeof cell === 'string' || cell instanceof Uint8Array ? cell.length : 8;
}
