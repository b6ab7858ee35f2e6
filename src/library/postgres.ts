/** PostgreSQL for `createRuntime`: `import { openPostgres } from 'jamjet-runtime/postgres'`. */
import { openPostgres as open, type PostgresOptions } from '../../store/postgres/open.ts';
import { opened, type Store } from './store.ts';

export { StoreError, type StoreErrorCode } from '../../store/port/errors.ts';
export type { PostgresOptions } from '../../store/postgres/open.ts';
export type { Store } from './store.ts';

/**
 * Opens a PostgreSQL database, which it migrates. Any number of runtimes may work on it. Rejects with `StoreError`: `schema_too_new`,
 * `store_unavailable` or `store_full`. A text is its URL.
 *
 * @example
 * const store = await openPostgres('postgres://jamjet@localhost:5432/jamjet');
 */
export async function openPostgres(database: string | PostgresOptions): Promise<Store> {
  return opened(await open(typeof database === 'string' ? { url: database } : database));
}
