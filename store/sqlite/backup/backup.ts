import { closeSync, existsSync, openSync } from 'node:fs';
import { resolve } from 'node:path';
import Database from 'better-sqlite3';
import { CopyError } from '../../port/copy.ts';
import { StoreError } from '../../port/errors.ts';
import { checkOwner } from '../application-id.ts';
import { asStoreError } from '../errors.ts';

export interface CopyProgress {
  readonly copiedBytes: number;
  readonly totalBytes: number;
}

/** 16 MiB of pages of 4 KiB: other work of this process gets its turn in between. */
const PAGES_PER_STEP = 4096;

/**
 * Copies an SQLite database page by page, as it is at this moment, while a runtime may go on writing to it. The copy is a single file without a
 * write-ahead log, readable by its owner alone. Rejects with `unknown_database` or `StoreError`.
 */
export async function copyPages(from: string, to: string, onProgress: (progress: CopyProgress) => void): Promise<void> {
  const file = resolve(from);
  if (!existsSync(file)) throw new CopyError('unknown_database', `there is no database at ${file}`);
  try {
    const db = new Database(file, { readonly: true });
    try {
      checkOwner(db);
      // A snapshot: without it, the copy would begin again whenever a runtime commits.
      db.exec('BEGIN');
      const pageBytes = Number(db.prepare('SELECT page_size FROM pragma_page_size, sqlite_schema LIMIT 1').pluck().get() ?? 4096);
      closeSync(openSync(to, 'wx', 0o600));
      await db.backup(to, {
        progress({ totalPages, remainingPages }) {
          onProgress({ copiedBytes: (totalPages - remainingPages) * pageBytes, totalBytes: totalPages * pageBytes });
          return PAGES_PER_STEP;
        },
      });
    } finally {
      db.close();
    }
    singleFile(to);
  } catch (error) {
    throw asStoreError(error);
  }
}

/**
 * Makes a database that nothing else has open a single file, which can be read where nothing can be written. A copy says that it has a
 * write-ahead log, like its origin, and so does a database that a store has opened; the next runtime that opens it makes one again.
 */
export function singleFile(path: string): void {
  const db = new Database(path);
  try {
    db.pragma('journal_mode = DELETE');
  } finally {
    db.close();
  }
}

const MAX_PROBLEMS = 3;

/** Rejects with `not_a_database` if pages, indexes or constraints of the file are damaged, or if it belongs to another program. */
export async function checkIntegrity(path: string): Promise<void> {
  const damaged = (problem: string, cause?: unknown): StoreError =>
    new StoreError('not_a_database', `${path} is damaged: ${problem}`, cause === undefined ? undefined : { cause });
  let problems: readonly string[];
  try {
    const db = new Database(path, { readonly: true, fileMustExist: true });
    try {
      checkOwner(db);
      problems = db.prepare<[], string>(`PRAGMA integrity_check(${MAX_PROBLEMS})`).pluck().all();
    } finally {
      db.close();
    }
  } catch (error) {
    if (error instanceof Database.SqliteError && error.code === 'SQLITE_CORRUPT') throw damaged(error.message, error);
    throw asStoreError(error);
  }
  if (problems.length !== 1 || problems[0] !== 'ok') throw damaged(problems.join('; '));
}
