import { existsSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { asStoreError } from '../errors.ts';
import { makeFolder } from '../make-folder.ts';
import { whileUnused } from '../run-lock.ts';
import { syncToDisk } from '../whole-file.ts';

/** The database comes last: until then, it can still be opened with what was written to it last. */
const FILES = ['-shm', '-wal', ''];

/** Rejects with `store_locked` when a runtime works on the database. */
export async function assertUnused(file: string): Promise<void> {
  try {
    makeFolder(dirname(file));
    if (existsSync(file)) whileUnused(file, () => {});
  } catch (error) {
    throw asStoreError(error);
  }
}

/**
 * Puts a complete file in the place of a database, which is kept under another name with the files that belong to it. Rejects with
 * `store_locked` when a runtime works on the database. Resolves with false if there was none.
 */
export async function replaceDatabase(file: string, by: string, keptAs: string): Promise<boolean> {
  try {
    await syncToDisk(by);
    const existed = existsSync(file);
    if (existed) {
      whileUnused(file, () => {
        mergeLog(file);
        for (const suffix of FILES) if (existsSync(`${file}${suffix}`)) renameSync(`${file}${suffix}`, `${keptAs}${suffix}`);
        renameSync(by, file);
      });
    } else renameSync(by, file);
    await syncToDisk(dirname(file));
    return existed;
  } catch (error) {
    throw asStoreError(error);
  }
}

/** Writes what is in the log into the database, so that the database is whole without it. A damaged one is kept as it is. */
function mergeLog(file: string): void {
  try {
    const db = new Database(file);
    try {
      db.pragma('wal_checkpoint(TRUNCATE)');
    } finally {
      db.close();
    }
  } catch (error) {
    if (!(error instanceof Database.SqliteError)) throw error;
  }
}
