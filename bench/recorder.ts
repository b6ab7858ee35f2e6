import Database, { type Statement } from 'better-sqlite3';

/** One statement executed by the storage engine. */
export interface Write {
  readonly sql: string;
  readonly values: readonly unknown[];
}

interface StatementPrototype {
  run(this: Statement, ...values: unknown[]): unknown;
}

/**
 * Records every write statement of all SQLite connections of this process, with its bound values, so that the same rows can be written again
 * without a runtime, and their bytes can be counted.
 */
export async function recordWrites<T>(
  body: () => Promise<T>,
): Promise<{ readonly result: T; readonly writes: readonly Write[] }> {
  const memory = new Database(':memory:');
  const prototype = Object.getPrototypeOf(memory.prepare('SELECT 1')) as StatementPrototype;
  memory.close();
  const original = prototype.run;
  const writes: Write[] = [];
  prototype.run = function run(this: Statement, ...values: unknown[]): unknown {
    writes.push({ sql: this.source, values });
    return original.apply(this, values);
  };
  try {
    return { result: await body(), writes };
  } finally {
    prototype.run = original;
  }
}

/** Bytes of all bound values: texts in UTF-8, numbers as 8 bytes. */
export function boundBytes(writes: readonly Write[]): number {
  return writes.reduce((sum, write) => sum + write.values.reduce((bytes: number, value) => bytes + bytesOf(value), 0), 0);
}

function bytesOf(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (typeof value === 'number' || typeof value === 'bigint') return 8;
  if (value instanceof Uint8Array) return value.byteLength;
  if (value === null || value === undefined) return 0;
  return Object.values(value).reduce((bytes: number, part) => bytes + bytesOf(part), 0);
}

/** Executes the same writes in the same transactions on `path`, in a plain loop of prepared statements; returns the seconds. */
export function replay(path: string, writes: readonly Write[]): number {
  const db = new Database(path);
  try {
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL');
    db.pragma('foreign_keys = ON');
    const statements = new Map<string, Statement>();
    for (const { sql } of writes) if (!statements.has(sql)) statements.set(sql, db.prepare(sql));
    const steps = writes.map(({ sql, values }) => [statements.get(sql) as Statement, values] as const);
    const startedMs = performance.now();
    for (const [statement, values] of steps) statement.run(...values);
    return (performance.now() - startedMs) / 1000;
  } finally {
    db.close();
  }
}

/** Copies the database, for `replay`. */
export function copyDatabase(from: string, to: string): void {
  const db = new Database(from, { readonly: true });
  try {
    db.prepare('VACUUM INTO ?').run(to);
  } finally {
    db.close();
  }
}

export function countEvents(path: string): number {
  const db = new Database(path, { readonly: true });
  try {
    return db.prepare<[], number>('SELECT count(*) FROM events').pluck().get() ?? 0;
  } finally {
    db.close();
  }
}
