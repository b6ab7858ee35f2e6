import { statSync } from 'node:fs';
import type { Database } from 'better-sqlite3';
import { StoreError } from '../port/errors.ts';

export interface FileIdentity {
  readonly dev: number;
  readonly ino: number;
}

/** Null = the file does not exist. */
export function identityOf(path: string): FileIdentity | null {
  const found = statSync(path, { throwIfNoEntry: false });
  return found === undefined ? null : { dev: found.dev, ino: found.ino };
}

export function isSameFile(one: FileIdentity | null, other: FileIdentity | null): boolean {
  return one !== null && other !== null && one.dev === other.dev && one.ino === other.ino;
}

/** The files of a database, most important first: the database, its write-ahead log, and the index of that. */
const SUFFIXES = ['', '-wal', '-shm'];

/**
 * The files of an open database. SQLite continues to write to files that were removed or replaced, and reports success for data that the next start
 * will not find.
 */
export class DatabaseFiles {
  readonly #files: { readonly path: string; opened: FileIdentity | null }[];

  constructor({ name, memory }: Pick<Database, 'name' | 'memory'>) {
    const paths = memory ? [] : SUFFIXES.map((suffix) => `${name}${suffix}`);
    this.#files = paths.map((path) => ({ path, opened: identityOf(path) }));
  }

  /**
   * Throws `store_replaced` when a path leads to another file than the open one, or to none. Checks the first `count` files: the database, its log,
   * its index.
   */
  check(count: 1 | 2 | 3): void {
    for (const file of this.#files.slice(0, count)) {
      const now = identityOf(file.path);
      // The log and its index are created when they are first needed.
      if (file.opened === null) file.opened = now;
      else if (!isSameFile(file.opened, now)) {
        const what = now === null ? 'was removed' : 'was replaced by another file';
        throw new StoreError('store_replaced', `${file.path} ${what} while it was open: restart the process that uses it`);
      }
    }
  }
}

/**
 * Throws `store_locked` for a file with several hard links: SQLite derives the path of the log, and a runtime that of its lock, from one name, so a
 * process that uses another name would damage the database.
 */
export function rejectHardLinks(path: string): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isFile() === true && found.nlink > 1)
    throw new StoreError(
      'store_locked',
      `the database file has ${found.nlink} names (hard links), and SQLite can be used under one of them alone: remove the others`,
    );
}
