import Database from 'better-sqlite3';
import { StoreError } from '../port/errors.ts';

/** Runs synchronous store work behind the asynchronous port; errors of the driver reject as a `StoreError`. */
export async function guarded<T>(work: () => T): Promise<T> {
  try {
    return work();
  } catch (error) {
    throw asStoreError(error);
  }
}

/** Converts errors of the driver. Other errors (a violated invariant of the caller) pass unchanged. */
export function asStoreError(error: unknown): unknown {
  if (error instanceof TypeError && error.message === 'The database connection is not open') {
    return storeClosed({ cause: error });
  }
  if (!(error instanceof Database.SqliteError)) return error;
  const cause = { cause: error };
  // The index of the write-ahead log could not grow, for lack of disk space alone.
  if (error.code === 'SQLITE_IOERR_SHMSIZE') return full(cause);
  switch (primaryCode(error.code)) {
    case 'SQLITE_FULL':
      return full(cause);
    case 'SQLITE_BUSY':
    case 'SQLITE_LOCKED':
      return new StoreError('store_unavailable', 'the database is busy: another process holds its write lock', cause);
    case 'SQLITE_NOTADB':
      return new StoreError('not_a_database', 'the file is not an SQLite database', cause);
    case 'SQLITE_CORRUPT':
      return new StoreError('not_a_database', `the database file is damaged (${error.message}): restore it from a backup`, cause);
    case 'SQLITE_READONLY':
    case 'SQLITE_PERM':
    case 'SQLITE_AUTH':
      return new StoreError(
        'store_read_only',
        'the database cannot be written: check the permissions of the file and its folder',
        cause,
      );
    case 'SQLITE_CANTOPEN':
      return new StoreError(
        'store_unavailable',
        'the database cannot be opened: check the path and the permissions of its folder',
        cause,
      );
    case 'SQLITE_IOERR':
    case 'SQLITE_NOMEM':
    case 'SQLITE_PROTOCOL':
      return new StoreError('store_unavailable', `the database cannot be read or written (${error.code})`, cause);
    default:
      return error;
  }
}

function full(cause: ErrorOptions): StoreError {
  return new StoreError('store_full', 'the disk is full: free some space and try again', cause);
}

/** Whether another connection holds the lock. */
export function isBusy(error: unknown): boolean {
  return error instanceof Database.SqliteError && primaryCode(error.code) === 'SQLITE_BUSY';
}

export function storeClosed(options?: ErrorOptions): StoreError {
  return new StoreError('store_unavailable', 'the store is closed', options);
}

/** `SQLITE_IOERR_FSYNC` → `SQLITE_IOERR`. */
function primaryCode(code: string): string {
  return code.split('_').slice(0, 2).join('_');
}
