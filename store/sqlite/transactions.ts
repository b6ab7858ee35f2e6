import type { Database, Statement } from 'better-sqlite3';

/** What a transaction's body decides: to keep what it wrote or to undo it, and what it answers. */
export interface TransactionOutcome<T> {
  readonly commit: boolean;
  readonly result: T;
}

export interface TransactionHooks {
  /** Asked before and after each transaction. Throw when nothing is stored where the next start would find it. */
  beforeBegin(): void;
  afterCommit(): void;
  /** Told of what made a transaction fail. */
  onError(error: unknown): void;
}

/** Transactions with prepared statements; what the body throws undoes it. */
export class Transactions {
  readonly #db: Database;
  readonly #begin: Statement;
  readonly #commit: Statement;
  readonly #rollback: Statement;
  readonly #savepoint: Statement;
  readonly #release: Statement;
  readonly #undo: Statement;
  readonly #hooks: TransactionHooks;

  constructor(db: Database, watch: TransactionHooks) {
    this.#db = db;
    this.#hooks = watch;
    // IMMEDIATE: waits for the write lock at the start, where waiting is safe, not at the first write.
    this.#begin = db.prepare('BEGIN IMMEDIATE');
    this.#commit = db.prepare('COMMIT');
    this.#rollback = db.prepare('ROLLBACK');
    this.#savepoint = db.prepare('SAVEPOINT unit');
    this.#release = db.prepare('RELEASE unit');
    this.#undo = db.prepare('ROLLBACK TO unit');
  }

  write<T>(body: () => TransactionOutcome<T>): T {
    this.#hooks.beforeBegin();
    this.#begin.run();
    try {
      const { commit: keep, result } = body();
      (keep ? this.#commit : this.#rollback).run();
      this.#hooks.afterCommit();
      return result;
    } catch (error) {
      // After some errors (disk full, I/O) SQLite has rolled back by itself.
      if (this.#db.inTransaction) this.#rollback.run();
      this.#hooks.onError(error);
      throw error;
    }
  }

  /** Inside `write`: a part that can be undone alone. What it throws undoes the whole. */
  savepoint<T>(body: () => TransactionOutcome<T>): T {
    this.#savepoint.run();
    const { commit: keep, result } = body();
    if (!keep) this.#undo.run();
    this.#release.run();
    return result;
  }
}
