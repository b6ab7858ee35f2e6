import type { Store as EngineStore } from '../../store/port/store.ts';
import type { SqliteOptions } from '../../store/sqlite/open.ts';

declare const OPEN: unique symbol;

/** An open database, for `createRuntime`. */
export interface Store {
  readonly [OPEN]: true;
  /** Close the runtimes that work on it first. */
  close(): Promise<void>;
}

/**
 * Opens a SQLite database, which it creates or migrates. One runtime at a time may work on it; administrative commands may open it meanwhile.
 * Rejects with `StoreError`: `not_a_database`, `schema_too_new`, `store_full`, `store_unavailable`, or `store_locked` when a runtime of an older
 * release works on the database. A text is its path; `:memory:` opens a database of its own in memory, which ends when it is closed.
 *
 * @example
 * const store = await openSqlite('runs.db');
 */
export async function openSqlite(options: SqliteOptions | string): Promise<Store> {
  const given = typeof options === 'string' ? { path: options } : options;
  if (typeof given?.path !== 'string')
    throw new TypeError("openSqlite needs the path of the database: openSqlite('runs.db'), or openSqlite({ path: 'runs.db' })");
  const sqlite = await import('../../store/sqlite/open.ts');
  return opened(await sqlite.openSqlite(given));
}

/** What the engine opened is opaque to programs. */
export function opened(store: EngineStore): Store {
  return store as EngineStore & Store;
}

export function engineStore(store: Store): EngineStore {
  return store as EngineStore & Store;
}
