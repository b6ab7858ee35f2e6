import { closeSync, openSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { type KnownEventType, missingEventTypes } from '../log/event-types.ts';
import { type Migration, type MigrationTarget, migrate, readMigrations } from '../migrate.ts';
import { packageFile } from '../package-files.ts';
import { StoreError } from '../port/errors.ts';
import type { Store } from '../port/store.ts';
import { APPLICATION_ID, checkOwner } from './application-id.ts';
import { rejectHardLinks } from './database-files.ts';
import { asStoreError, isBusy } from './errors.ts';
import { makeFolder } from './make-folder.ts';
import { KNOWN_EVENT_TYPES, PUT_EVENT_TYPES } from './queries/events.ts';
import { RunLock } from './run-lock.ts';
import { SqliteStore } from './sqlite-store.ts';

/** Which SQLite database is opened, and how. */
export interface SqliteOptions {
  /** Path of the database file. The file and its folder are created if missing. `:memory:`: a database of its own in memory, which ends when it is closed. */
  readonly path: string;
  /** The writer named in the audit chain; default `admin`. A runtime writes under its id. */
  readonly writer?: string;
  /** The clock for the times of migrations, in milliseconds since the epoch; default: the system's. */
  readonly nowMs?: () => number;
  /** Signs every audit block with HMAC-SHA256; default: blocks are not signed. */
  readonly hmacKey?: string | Uint8Array;
}

export const migrations = () => readMigrations(packageFile('store/sqlite/migrations/'));
/**
 * Most pages of a commit are the ends of tables and indexes, to which it adds little: with twice the size, it would write half as much again. Takes
 * effect for new databases only.
 */
const PAGE_SIZE = 4096;
/** Of write-ahead log between checkpoints: a page changed by many commits is copied to the database once, by a commit that others wait for. */
const CHECKPOINT_BYTES = 8 * 1024 * 1024;
/** Path of a database without files. */
const IN_MEMORY = ':memory:';
const PRAGMAS = [
  // An acknowledged commit survives a power failure.
  'synchronous = FULL',
  // What is deleted is overwritten: erased personal data must not stay in free pages.
  'secure_delete = ON',
  // Migrations rename tables that others refer to; on once they are done.
  'foreign_keys = OFF',
  // Release the log's disk space after a burst.
  'journal_size_limit = 67108864',
];
/** Several processes may create or migrate the database at once. Afterwards the timeout is shorter, since a waiting commit blocks the event loop. */
const OPEN_TIMEOUT_MS = 10_000;
const OPEN_RETRY_MS = 20;
const BUSY_TIMEOUT_MS = 2_000;

/**
 * Opens a SQLite database, which it creates or migrates. One runtime at a time may work on it; administrative commands may open it meanwhile.
 * Rejects with `StoreError`: `not_a_database`, `schema_too_new`, `store_full`, `store_unavailable`, or `store_locked` when a runtime of an older
 * release works on the database.
 *
 * @example
 * const store = await openSqlite({ path: 'runs.db' });
 */
export async function openSqlite({ path, writer = 'admin', nowMs = Date.now, hmacKey }: SqliteOptions): Promise<Store> {
  const file = path === IN_MEMORY ? IN_MEMORY : resolve(path);
  try {
    const db = await connect(file);
    try {
      const known = migrations();
      await migrate(target(db, nowMs), known);
      addEventTypes(db);
      db.pragma('foreign_keys = ON');
      db.pragma(`busy_timeout = ${BUSY_TIMEOUT_MS}`);
      return new SqliteStore(db, { writer, hmacKey: hmacKey ?? null, newestVersion: known.length });
    } catch (error) {
      db.close();
      throw error;
    }
  } catch (error) {
    throw located(asStoreError(error), file);
  }
}

async function connect(file: string): Promise<Database.Database> {
  if (file !== IN_MEMORY) {
    createFolder(dirname(file));
    createFile(file);
    rejectHardLinks(file);
  }
  const db = new Database(file, { timeout: OPEN_TIMEOUT_MS });
  try {
    checkOwner(db);
    db.pragma(`page_size = ${PAGE_SIZE}`);
    await writeAhead(db);
    for (const pragma of PRAGMAS) db.pragma(pragma);
    // Also what is sorted stays there.
    if (db.memory) db.pragma('temp_store = MEMORY');
    db.pragma(`wal_autocheckpoint = ${CHECKPOINT_BYTES / Number(db.pragma('page_size', { simple: true }))}`);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Retries, because SQLite does not wait for this lock: of several processes that create a database at once, all but one fail. */
async function writeAhead(db: Database.Database): Promise<void> {
  for (let waitedMs = 0; ; waitedMs += OPEN_RETRY_MS) {
    try {
      db.pragma('journal_mode = WAL');
      return;
    } catch (error) {
      if (waitedMs >= OPEN_TIMEOUT_MS || !isBusy(error)) throw error;
    }
    await setTimeout(OPEN_RETRY_MS);
  }
}

/** Workflows carry private data: a folder we create is accessible to its owner alone. */
function createFolder(folder: string): void {
  try {
    makeFolder(folder);
  } catch (error) {
    throw new StoreError('store_unavailable', `its folder cannot be created: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    });
  }
}

/** The database holds secrets: a file we create is readable by its owner alone. SQLite gives the files beside it the same mode. */
function createFile(file: string): void {
  try {
    closeSync(openSync(file, 'a', 0o600));
  } catch {
    // SQLite reports a better error for the path.
  }
}

function target(db: Database.Database, nowMs: () => number): MigrationTarget {
  const version = (): number => {
    const exists = db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'schema_migrations'").get();
    return exists === undefined ? 0 : (db.prepare<[], number>('SELECT max(version) FROM schema_migrations').pluck().get() ?? 0);
  };
  const apply = db.transaction((missing: (version: number) => readonly Migration[]) => {
    const before = version();
    const migrations = missing(before);
    const run = (): void => {
      for (const migration of migrations) applyMigration(db, migration, nowMs());
    };
    if (before === 0 || migrations.length === 0) run();
    // A runtime of an older release would go on with tables that have changed.
    else new RunLock(db).whileFree(run);
  });
  return {
    version: async () => version(),
    // Synchronous: another store of this process may be waiting for the write lock on this thread.
    async upgrade(missing) {
      try {
        apply.immediate(missing);
      } catch (error) {
        // Another process may have migrated, and hold the lock for the conversion.
        if (!isBusy(error) || missing(version()).length > 0) throw error;
      }
    },
  };
}

function applyMigration(db: Database.Database, { version, name, sql }: Migration, atMs: number): void {
  db.pragma(`application_id = ${APPLICATION_ID}`);
  db.exec(
    'CREATE TABLE IF NOT EXISTS schema_migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at_ms INTEGER NOT NULL) STRICT',
  );
  db.exec(sql);
  db.prepare('INSERT INTO schema_migrations (version, name, applied_at_ms) VALUES (?, ?, ?)').run(version, name, atMs);
}

/** A release without a migration may still bring new types of events. */
function addEventTypes(db: Database.Database): void {
  const missing = missingEventTypes(db.prepare<[], KnownEventType>(KNOWN_EVENT_TYPES).all());
  if (missing.length > 0) db.prepare(PUT_EVENT_TYPES).run(JSON.stringify(missing));
}

/** Adds the path to the message. */
function located(error: unknown, file: string): unknown {
  return error instanceof StoreError
    ? new StoreError(error.code, `cannot open ${file}: ${error.message}`, { cause: error })
    : error;
}
