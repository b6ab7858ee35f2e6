import { existsSync, realpathSync } from 'node:fs';
import Database from 'better-sqlite3';
import { StoreError } from '../port/errors.ts';
import type { RuntimeHolder } from '../port/workers.ts';
import { type FileIdentity, identityOf, isSameFile } from './database-files.ts';
import { isBusy } from './errors.ts';
import { HOLDER, SET_HOLDER } from './queries/control.ts';

/**
 * The right to run on a database: a write lock on a second, empty SQLite file beside it. The operating system releases it whenever the process ends,
 * so a crash leaves nothing to clean up; the database itself records the holder.
 */
export class RunLock {
  readonly #db: Database.Database;
  #lockDb: Database.Database | null = null;
  #identity: FileIdentity | null = null;
  /** Why the lock was lost after it was taken. */
  #lost: StoreError | null = null;

  constructor(db: Database.Database) {
    this.#db = db;
  }

  /** Throws `store_locked` naming the holder. */
  take(holder: RuntimeHolder): void {
    const setHolder = this.#db.prepare(SET_HOLDER);
    // No other store reaches a database in memory.
    const lockDb = this.#db.memory ? null : (this.#lockDb ?? this.#lockFile());
    try {
      setHolder.run(holder.runtimeId, holder.pid, holder.startedAtMs);
      if (lockDb !== null) this.#keep(lockDb);
    } catch (error) {
      lockDb?.close();
      this.#lockDb = null;
      throw error;
    }
  }

  /** Runs `body` while no runtime has the lock. Throws `store_locked` naming the holder. */
  whileFree<T>(body: () => T): T {
    const lockDb = this.#lockFile();
    try {
      return body();
    } finally {
      lockDb.close();
    }
  }

  release(): void {
    this.#lockDb?.close();
    this.#lockDb = null;
    this.#lost = null;
  }

  /** Throws `store_locked` once another runtime has taken the lock, which can happen after the lock file was removed. */
  check(): void {
    if (this.#lost !== null) throw this.#lost;
  }

  /** Takes the lock again if its file was removed. Throws `store_locked` when another runtime was faster. */
  renew(): void {
    if (this.#lockDb === null || isSameFile(this.#identity, identityOf(lockFileOf(this.#db.name)))) return;
    let lockDb: Database.Database;
    try {
      lockDb = this.#lockFile();
    } catch (error) {
      if (error instanceof StoreError) this.#lost = error;
      throw error;
    }
    this.#lockDb.close();
    this.#keep(lockDb);
  }

  #keep(lockDb: Database.Database): void {
    this.#lockDb = lockDb;
    this.#identity = identityOf(lockDb.name);
    this.#lost = null;
  }

  #lockFile(): Database.Database {
    return openLockFile(this.#db.name, () => this.#db.prepare<[], RuntimeHolder>(HOLDER).get());
  }
}

/** Opens the lock file of the database and locks it. Throws `store_locked` naming the holder. */
function openLockFile(path: string, holderOf: () => RuntimeHolder | undefined): Database.Database {
  const file = new Database(lockFileOf(path), { timeout: 0 });
  try {
    file.exec('BEGIN EXCLUSIVE');
    return file;
  } catch (error) {
    file.close();
    if (isBusy(error)) throw locked(path, holderOf(), error);
    throw error;
  }
}

function locked(path: string, holder: RuntimeHolder | undefined, cause: unknown): StoreError {
  const who =
    holder === undefined
      ? 'by another runtime'
      : `by runtime ${holder.runtimeId} (process ${holder.pid}, started ${new Date(holder.startedAtMs).toISOString()})`;
  return new StoreError('store_locked', `the database ${path} is in use ${who}: stop it first, or use another database`, {
    cause,
  });
}

/** Runs `body` while no runtime works on the database, which may be damaged. Throws `store_locked` naming the holder. */
export function whileUnused<T>(path: string, body: () => T): T {
  const lock = openLockFile(path, () => readHolder(path));
  try {
    return body();
  } finally {
    lock.close();
  }
}

function readHolder(path: string): RuntimeHolder | undefined {
  const db = new Database(path, { readonly: true });
  try {
    return db.prepare<[], RuntimeHolder>(HOLDER).get();
  } finally {
    db.close();
  }
}

/** Whether a runtime holds the lock. */
export function isLocked(path: string): boolean {
  const lock = lockFileOf(path);
  if (!existsSync(lock)) return false;
  const file = new Database(lock, { readonly: true, timeout: 0 });
  try {
    file.pragma('user_version');
    return false;
  } catch (error) {
    if (isBusy(error)) return true;
    throw error;
  } finally {
    file.close();
  }
}

/** Whether the lock file is missing, so that it cannot show whether a runtime works on the database. */
export function lacksLockFile(path: string): boolean {
  return !existsSync(lockFileOf(path));
}

/** Derived from the real path, so that two paths to one database share one lock. */
function lockFileOf(path: string): string {
  return `${realpathSync(path)}-lock`;
}
