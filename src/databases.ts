import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { CopyError, type CopyReceipt } from '../store/port/copy.ts';
import type { AuditReport } from '../store/port/rows.ts';
import type { Store } from '../store/port/store.ts';
import type { SchemaVersions, Survey } from '../store/port/survey.ts';
import { openSqliteSource, type SqliteSource } from '../store/sqlite/copy/source.ts';
import { openSqlite } from '../store/sqlite/open.ts';
import { sqliteVersions, surveySqlite } from '../store/sqlite/survey.ts';
import { type Config, type DatabaseConfig, databaseName } from './config.ts';
import { type ReplayCheck, verifyReplays } from './runtime/history/verify-replays.ts';
import { WORKER_ACTIVE_MS } from './runtime/queries/views.ts';

export type { Survey } from '../store/port/survey.ts';

type Settings = Pick<Config, 'database' | 'auditSigningKey'>;

/** What an administrator's command asks for cannot be done. */
export class AdminError extends Error {
  readonly code: 'unknown_database' | 'not_migrated' | 'unknown_tenant';

  constructor(code: AdminError['code'], message: string) {
    super(message);
    this.name = 'AdminError';
    this.code = code;
  }
}

export interface OpenOptions {
  /** Signs for what it writes in the audit chain. */
  readonly writer: string;
  /** Told of connections that broke while nobody waited for them. */
  readonly onError?: (error: Error) => void;
}

/** The configured database, migrated. The driver of an engine is loaded when it is used. Rejects with `StoreError`. */
export async function openDatabase({ database, auditSigningKey }: Settings, options: OpenOptions): Promise<Store> {
  const common = { writer: options.writer, nowMs: Date.now, ...(auditSigningKey === null ? {} : { hmacKey: auditSigningKey }) };
  if (database.engine === 'sqlite') return openSqlite({ ...common, path: resolve(database.path) });
  const { openPostgres } = await import('../store/postgres/open.ts');
  const { url, listenUrl, poolSize, statementTimeoutMs } = database;
  return openPostgres({
    ...common,
    url,
    poolSize,
    statementTimeoutMs,
    ...(listenUrl === null ? {} : { listenUrl }),
    ...(options.onError === undefined ? {} : { failed: options.onError }),
  });
}

/** Is there something to open? A database server is asked when it is opened. */
export function databaseExists(database: DatabaseConfig): boolean {
  return database.engine === 'postgres' || existsSync(resolve(database.path));
}

/** What is in a database, and who works on it. Changes nothing. Rejects with `unknown_database`, or `StoreError`. */
export async function surveyDatabase(database: DatabaseConfig): Promise<Survey> {
  if (database.engine === 'sqlite') return requireExisting(database, await surveySqlite(database.path));
  const { surveyPostgres } = await import('../store/postgres/survey.ts');
  return surveyPostgres(database.url, Date.now() - WORKER_ACTIVE_MS);
}

/** Null when there is no such file. */
async function versionsOf(database: DatabaseConfig): Promise<SchemaVersions | null> {
  if (database.engine === 'sqlite') return sqliteVersions(database.path);
  const { postgresVersions } = await import('../store/postgres/survey.ts');
  return postgresVersions(database.url);
}

function requireExisting<T>(database: DatabaseConfig, found: T | null): T {
  if (found === null) throw new AdminError('unknown_database', `there is no database at ${databaseName(database)}`);
  return found;
}

export interface Migrated {
  readonly from: number;
  readonly to: number;
}

/** Brings the schema to the newest version, making the database when there is none. Rejects with `StoreError`, `schema_too_new` for one. */
export async function migrateDatabase(settings: Settings): Promise<Migrated> {
  const before = await versionsOf(settings.database);
  await (await openDatabase(settings, { writer: 'admin' })).close();
  const after = await versionsOf(settings.database);
  return { from: before?.schemaVersion ?? 0, to: after?.schemaVersion ?? 0 };
}

export interface CheckOptions {
  /** Ended executions, too. */
  readonly all: boolean;
  /** Called with each execution, as soon as it has been folded. */
  readonly onChecked?: (execution: ReplayCheck) => void;
}

export interface CheckReport {
  /** Executions that were folded again. */
  readonly executions: number;
  readonly differing: readonly ReplayCheck[];
  readonly audit: AuditReport;
}

/**
 * Folds executions again and walks the audit chains. Reads only, and may run beside a server. Rejects with `unknown_database`, with
 * `not_migrated` when the schema is not of this release, or with `StoreError`.
 */
export async function checkDatabase(settings: Settings, { all, onChecked }: CheckOptions): Promise<CheckReport> {
  const { schemaVersion, newestVersion } = requireExisting(settings.database, await versionsOf(settings.database));
  if (schemaVersion < newestVersion)
    throw new AdminError(
      'not_migrated',
      `the database has schema version ${schemaVersion}, this release checks version ${newestVersion}`,
    );
  const store = await openDatabase(settings, { writer: 'admin' });
  try {
    const differing: ReplayCheck[] = [];
    let executions = 0;
    for await (const one of verifyReplays(store, { all })) {
      executions += 1;
      if (one.difference !== null) differing.push(one);
      onChecked?.(one);
    }
    return { executions, differing, audit: await store.verifyAudit() };
  } finally {
    await store.close();
  }
}

/**
 * Copies an SQLite database, on which nothing may run, into a new file or an empty PostgreSQL database: everything, or nothing. The source
 * stays as it is. Rejects with `CopyError`, or `StoreError` (`store_locked`: a runtime works on the source).
 * `begun` is called once nobody else can write to the source.
 */
export async function copyDatabase(from: DatabaseConfig, to: DatabaseConfig, begun: () => void): Promise<CopyReceipt> {
  if (from.engine === 'postgres')
    throw new CopyError('not_copyable', 'only an SQLite database can be copied: use pg_dump for one of PostgreSQL');
  const source = await openSqliteSource({ path: from.path, nowMs: Date.now });
  try {
    begun();
    return await copyInto(source, to);
  } finally {
    source.close();
  }
}

async function copyInto(source: SqliteSource, to: DatabaseConfig): Promise<CopyReceipt> {
  if (to.engine === 'sqlite') {
    const { copyToSqlite } = await import('../store/sqlite/copy/compact.ts');
    return copyToSqlite(source, to.path);
  }
  const { copyToPostgres } = await import('../store/postgres/copy/target.ts');
  return copyToPostgres(source, { url: to.url, nowMs: Date.now });
}
