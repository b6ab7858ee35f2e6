import { statSync } from 'node:fs';
import { StoreError } from '../port/errors.ts';

export interface FileIdentity {
  readonly dev: number;
  readonly ino: number;
}

/** Null = there is no such file. */
export function identityOf(path: string): FileIdentity | null {
  const found = statSync(path, { throwIfNoEntry: false });
  return found === undefined ? null : { dev: found.dev, ino: found.ino };
}

export function isSameFile(one: FileIdentity | null, other: FileIdentity | null): boolean {
  return one !== null && other !== null && one.dev === other.dev && one.ino === other.ino;
}

/** What SQLite keeps of a database: its file, and its write-ahead log with the index of that. What is needed most comes first. */
const SUFFIXES = ['', '-wal', '-shm'];

/**
 * The files of an open database. SQLite goes on writing to files that were removed or replaced, and says that it has stored what the next
 * start will not find.
 */
export class DatabaseFiles {
  readonly #files: { readonly path: string; opened: FileIdentity | null }[];

  constructor(path: string) {
    this.#files = SUFFIXES.map((suffix) => ({ path: `${path}${suffix}`, opened: identityOf(`${path}${suffix}`) }));
  }

  /**
   * Throws `store_replaced` when a path leads to another file than the open one, or to none. Looks at as many of the files as it is asked to:
   * the database, its log, its index.
   */
  check(count: 1 | 2 | 3): void {
    for (const file of this.#files.slice(0, count)) {
      const now = identityOf(file.path);
      // The log and its index are made when they are first needed.
      if (file.opened === null) file.opened = now;
      else if (!isSameFile(file.opened, now)) {
        const what = now === null ? 'was removed' : 'was replaced by another file';
        throw new StoreError('store_replaced', `${file.path} ${what} while it was open: restart what works on it`);
      }
    }
  }
}

/**
 * Throws `store_locked` for a file with several names: SQLite keeps the log of a database, and a runtime its lock, under one name, so that
 * what works on it under another would damage it.
 */
export function refuseHardLinks(path: string): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isFile() === true && found.nlink > 1)
    throw new StoreError(
      'store_locked',
      `the database file has ${found.nlink} names (hard links), and SQLite can be used under one of them alone: remove the others`,
    );
}
