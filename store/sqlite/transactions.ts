import type { Database, Statement } from 'better-sqlite3';

/** What the body of a transaction decides: whether to commit or roll back, and its result. */
export interface TransactionOutcome<T> {
  readonly commit: boolean;
  readonly result: T;
}

export interface TransactionHooks {
  /** Called before and after each transaction. Both throw when the files of the database were replaced. */
  beforeBegin(): void;
  afterCommit(): void;
  /** Called after a transaction, or a part of it, was rolled back. */
  afterRollback(): void;
  /** Called with the error of a failed transaction. */
  onError(error: unknown): void;
}

/** Transactions with prepared statements; when the body throws, the transaction is rolled back. */
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
    // IMMEDIATE waits for the write lock at the start, where waiting is safe, instead of at the first write.
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
      if (keep) {
        this.#commit.run();
        this.#hooks.afterCommit();
      } else {
        this.#rollback.run();
        this.#hooks.afterRollback();
      }
      return result;
    } catch (error) {
      // After some errors (disk full, I/O) SQLite has rolled back already.
      if (this.#db.inTransaction) this.#rollback.run();
      this.#hooks.afterRollback();
      this.#hooks.onError(error);
      throw error;
    }
  }

  /** Inside `write`: a part that can be rolled back alone. When it throws, the whole transaction is rolled back. */
  savepoint<T>(body: () => TransactionOutcome<T>): T {
    this.#savepoint.run();
    const { commit: keep, result } = body();
    if (!keep) {
      this.#undo.run();
      this.#hooks.afterRollback();
    }
    this.#release.run();
    return result;
  }
}
