import sqliteWasm from '@sqlite.org/sqlite-wasm';
import Database, { type Statement } from 'better-sqlite3';

/** A read as the store has made it. */
export interface Read {
  readonly sql: string;
  readonly bound: readonly unknown[];
}

const PARAMETER = /\?|@\w+/g;

type Method = 'all' | 'get' | 'iterate';
const METHODS: readonly Method[] = ['all', 'get', 'iterate'];

/** The reads of all connections of this process to SQLite databases while `work` goes on. */
export async function readsDuring(work: () => Promise<unknown>): Promise<readonly Read[]> {
  const reads: Read[] = [];
  const db = new Database(':memory:');
  const prototype = Object.getPrototypeOf(db.prepare('SELECT 1')) as Record<Method, (...bound: unknown[]) => unknown>;
  db.close();
  const originals = METHODS.map((method) => [method, prototype[method]] as const);
  for (const [method, original] of originals)
    prototype[method] = function (this: Statement, ...bound) {
      if (this.readonly) reads.push({ sql: this.source, bound });
      return original.apply(this, bound);
    };
  try {
    await work();
  } finally {
    for (const [method, original] of originals) prototype[method] = original;
  }
  return reads;
}

export interface ReadCost {
  /** Of SQLite's virtual machine: about five for each row that is visited. */
  readonly steps: number;
  /** Rows of a table or an index that were visited one after the other from its beginning. */
  readonly scanned: number;
  readonly rows: number;
}

export interface ReadCounter {
  cost(read: Read): ReadCost;
  plan(sql: string): readonly string[];
  close(): void;
}

export function planOf(db: Database.Database, sql: string): readonly string[] {
  const rows = db.prepare<[], { detail: string }>(`EXPLAIN QUERY PLAN ${sql.replaceAll(PARAMETER, 'NULL')}`).all();
  return rows.map(({ detail }) => detail);
}

/** Makes reads again on a copy of a database in another build of SQLite, which counts what they cost. */
export async function readCounter(path: string): Promise<ReadCounter> {
  const source = new Database(path, { readonly: true });
  const content = source.serialize();
  source.close();
  // The file says that it has a write-ahead log: its reader and writer versions.
  content[18] = 1;
  content[19] = 1;
  const { capi, wasm, oo1 } = await sqliteWasm();
  const db = new oo1.DB(':memory:');
  const flags = capi.SQLITE_DESERIALIZE_FREEONCLOSE | capi.SQLITE_DESERIALIZE_READONLY;
  const result = capi.sqlite3_deserialize(
    db.pointer as never,
    'main',
    wasm.allocFromTypedArray(new Uint8Array(content.buffer, content.byteOffset, content.length)),
    content.length,
    content.length,
    flags,
  );
  db.checkRc(result);
  return {
    cost({ sql, bound }) {
      const statement = db.prepare(sql);
      try {
        bind(statement, bound);
        let rows = 0;
        while (statement.step()) rows += 1;
        const status = (of: Parameters<typeof capi.sqlite3_stmt_status>[1]): number =>
          capi.sqlite3_stmt_status(statement.pointer as never, of, 0);
        return {
          rows,
          steps: status(capi.SQLITE_STMTSTATUS_VM_STEP),
          scanned: status(capi.SQLITE_STMTSTATUS_FULLSCAN_STEP),
        };
      } finally {
        statement.finalize();
      }
    },
    plan: (sql) =>
      db.selectObjects(`EXPLAIN QUERY PLAN ${sql.replaceAll(PARAMETER, 'NULL')}`).map(({ detail }) => String(detail)),
    close: () => db.close(),
  };
}

function bind(
  statement: { parameterCount: number; getParamIndex(name: string): unknown; bind(i: number, value: never): unknown },
  bound: readonly unknown[],
): void {
  const positional = bound.flatMap((value) => (Array.isArray(value) ? (value as unknown[]) : isNames(value) ? [] : [value]));
  for (const [i, value] of positional.entries()) statement.bind(i + 1, value as never);
  for (const names of bound.filter(isNames))
    for (const [name, value] of Object.entries(names)) {
      const index = statement.getParamIndex(`@${name}`);
      if (typeof index === 'number' && index > 0) statement.bind(index, value as never);
    }
}

function isNames(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}
