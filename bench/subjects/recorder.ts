import Database, { type Statement } from 'better-sqlite3';

/** One execution of a statement by the storage engine. */
export interface Executed {
  readonly sql: string;
  readonly values: readonly unknown[];
  /** Statements that begin or end a transaction count as writes. */
  readonly writes: boolean;
}

const METHODS = ['run', 'get', 'all', 'iterate'] as const;
type Methods = Record<(typeof METHODS)[number], (this: Statement, ...values: unknown[]) => unknown>;

/**
 * Records every statement that is executed by any SQLite connection of this process, with its bound values, so that the same rows can be
 * written again without a runtime, and statements, values and bytes can be counted.
 */
export async function recordStatements<T>(
  body: () => Promise<T>,
): Promise<{ readonly result: T; readonly statements: readonly Executed[] }> {
  const memory = new Database(':memory:');
  const prototype = Object.getPrototypeOf(memory.prepare('SELECT 1')) as Methods;
  memory.close();
  const originals = METHODS.map((method) => [method, prototype[method]] as const);
  const statements: Executed[] = [];
  for (const [method, original] of originals) {
    prototype[method] = function record(this: Statement, ...values: unknown[]): unknown {
      statements.push({ sql: this.source, values, writes: method === 'run' || !this.readonly });
      return original.apply(this, values);
    };
  }
  try {
    return { result: await body(), statements };
  } finally {
    for (const [method, original] of originals) prototype[method] = original;
  }
}

/** Bytes of all bound values: texts in UTF-8, numbers as 8 bytes. */
export function boundBytes(statements: readonly Executed[]): number {
  return boundValues(statements).reduce((sum: number, value) => sum + bytesOf(value), 0);
}

/** All bound values; those of an object are bound by name. */
export function boundValues(statements: readonly Executed[]): readonly unknown[] {
  return statements.flatMap(({ values }) => values.flatMap((value) => (isNamed(value) ? Object.values(value) : [value])));
}

function isNamed(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !(value instanceof Uint8Array);
}

function bytesOf(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (typeof value === 'number' || typeof value === 'bigint') return 8;
  return value instanceof Uint8Array ? value.byteLength : 0;
}

/** Executes the same writes in the same transactions on `path`, in a plain loop of prepared statements; returns the seconds. */
export function repeat(path: string, executed: readonly Executed[]): number {
  const db = new Database(path);
  try {
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL');
    db.pragma('foreign_keys = ON');
    const prepared = new Map<string, Statement>();
    const statementOf = (sql: string): Statement => {
      const statement = prepared.get(sql) ?? db.prepare(sql);
      prepared.set(sql, statement);
      return statement;
    };
    const steps = executed.filter(({ writes }) => writes).map(({ sql, values }) => [statementOf(sql), values] as const);
    const startedMs = performance.now();
    for (const [statement, values] of steps) statement.run(...values);
    return (performance.now() - startedMs) / 1000;
  } finally {
    db.close();
  }
}

/** Copies the database, for `repeat`. */
export function copyDatabase(from: string, to: string): void {
  const db = new Database(from, { readonly: true });
  try {
    db.prepare('VACUUM INTO ?').run(to);
  } finally {
    db.close();
  }
}

/** Rows of all tables. */
export function countRows(path: string): number {
  const db = new Database(path, { readonly: true });
  try {
    const tables = db
      .prepare<[], string>("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
      .pluck();
    return tables
      .all()
      .reduce((sum, name) => sum + (db.prepare<[], number>(`SELECT count(*) FROM "${name}"`).pluck().get() ?? 0), 0);
  } finally {
    db.close();
  }
}
