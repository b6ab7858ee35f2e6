import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { CopyError, type CopyReceipt } from '../../store/port/copy.ts';
import type { EventPage, EventRow } from '../../store/port/executions.ts';
import type { AuditReport } from '../../store/port/resources/audit.ts';
import type { Store } from '../../store/port/store.ts';
import type { SchemaVersions, Survey } from '../../store/port/survey.ts';
import { openSqliteSource, type SqliteSource } from '../../store/sqlite/copy/source.ts';
import { openSqlite } from '../../store/sqlite/open.ts';
import { sqliteVersions, surveySqlite } from '../../store/sqlite/survey.ts';
import { type ReplayCheck, verifyReplays } from '../runtime/history/verify-replays.ts';
import { WORKER_ACTIVE_MS } from '../runtime/queries/views.ts';
import { type Config, type DatabaseConfig, databaseName } from './config.ts';

export type { EventRow } from '../../store/port/executions.ts';
export type { Survey } from '../../store/port/survey.ts';

type Settings = Pick<Config, 'database' | 'auditSigningKey'>;

/** An administrator's command cannot be carried out. */
export class AdminError extends Error {
  readonly code: 'unknown_database' | 'not_migrated' | 'unknown_tenant' | 'unknown_execution';

  constructor(code: AdminError['code'], message: string) {
    super(message);
    this.name = 'AdminError';
    this.code = code;
  }
}

export interface OpenOptions {
  /** Name of the writer in the audit chain. */
  readonly writer: string;
  /** Called with errors of connections that broke while idle. */
  readonly onError?: (error: Error) => void;
}

/** Opens and migrates the configured database. Loads the engine's driver only when it is used. Rejects with `StoreError`. */
export async function openDatabase({ database, auditSigningKey }: Settings, options: OpenOptions): Promise<Store> {
  const common = {
    writer: options.writer,
    nowMs: Date.now,
    ...(auditSigningKey === null ? {} : { hmacKey: auditSigningKey }),
  };
  if (database.engine === 'sqlite') return openSqlite({ ...common, path: database.path });
  const { openPostgres } = await import('../../store/postgres/open.ts');
  const { url, listenUrl, poolSize, statementTimeoutMs } = database;
  return openPostgres({
    ...common,
    url,
    poolSize,
    statementTimeoutMs,
    ...(listenUrl === null ? {} : { listenUrl }),
    ...(options.onError === undefined ? {} : { onError: options.onError }),
  });
}

/** Does the SQLite file exist? Always true for PostgreSQL, which is checked when it is opened. */
export function databaseExists(database: DatabaseConfig): boolean {
  return database.engine === 'postgres' || existsSync(resolve(database.path));
}

/** Reads what a database contains and which runtimes use it. Changes nothing. Rejects with `unknown_database` or `StoreError`. */
export async function surveyDatabase(database: DatabaseConfig): Promise<Survey> {
  if (database.engine === 'sqlite') return requireExisting(database, await surveySqlite(database.path));
  const { surveyPostgres } = await import('../../store/postgres/survey.ts');
  return surveyPostgres(database.url, Date.now() - WORKER_ACTIVE_MS);
}

/** Null if the file does not exist. */
async function versionsOf(database: DatabaseConfig): Promise<SchemaVersions | null> {
  if (database.engine === 'sqlite') return sqliteVersions(database.path);
  const { postgresVersions } = await import('../../store/postgres/survey.ts');
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

/** Migrates the schema to the newest version, creating the database if needed. Rejects with `StoreError`, such as `schema_too_new`. */
export async function migrateDatabase(settings: Settings): Promise<Migrated> {
  const before = await versionsOf(settings.database);
  await (await openDatabase(settings, { writer: 'admin' })).close();
  const after = await versionsOf(settings.database);
  return { from: before?.schemaVersion ?? 0, to: after?.schemaVersion ?? 0 };
}

export interface CheckOptions {
  /** Include ended executions. */
  readonly all: boolean;
  /** Called with each execution after its log has been replayed. */
  readonly onChecked?: (execution: ReplayCheck) => void;
}

export interface CheckReport {
  /** Number of executions replayed. */
  readonly executions: number;
  readonly differing: readonly ReplayCheck[];
  readonly audit: AuditReport;
}

/**
 * Replays executions and verifies the audit chains. Read-only; may run beside a server. Rejects with `unknown_database`, with `not_migrated`
 * if the schema is older than this release's, or with `StoreError`.
 */
export async function checkDatabase(settings: Settings, { all, onChecked }: CheckOptions): Promise<CheckReport> {
  const store = await openMigrated(settings);
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

/** Opens a database that has the schema of this release. Rejects with `unknown_database`, `not_migrated` or `StoreError`. */
async function openMigrated(settings: Settings): Promise<Store> {
  const { schemaVersion, newestVersion } = requireExisting(settings.database, await versionsOf(settings.database));
  if (schemaVersion < newestVersion)
    throw new AdminError(
      'not_migrated',
      `the database has schema version ${schemaVersion}; this release needs version ${newestVersion}`,
    );
  return openDatabase(settings, { writer: 'admin' });
}

const EVENTS_PER_PAGE = 1_000;
const PAGE_CHARS = 4 * 1024 * 1024;

/**
 * Calls `read` with the stored log of an execution, whatever its tenant. Read-only; may run beside a server. Rejects with `unknown_database`,
 * `unknown_execution`, `not_migrated` or `StoreError`. Reading rejects with `DamagedEntryError`.
 */
export async function withStoredLog(
  settings: Settings,
  executionId: string,
  read: (tenantId: string, events: AsyncIterable<EventRow>) => Promise<void>,
): Promise<void> {
  const store = await openMigrated(settings);
  try {
    const head = await store.execution(executionId);
    if (head === null)
      throw new AdminError('unknown_execution', `there is no execution ${executionId} in ${databaseName(settings.database)}`);
    await read(head.tenantId, storedEvents(store, executionId));
  } finally {
    await store.close();
  }
}

async function* storedEvents(store: Store, executionId: string): AsyncGenerator<EventRow> {
  for (let after: number | null = 0; after !== null; ) {
    const { rows, next }: EventPage = await store.events(executionId, { after, limit: EVENTS_PER_PAGE, maxChars: PAGE_CHARS });
    yield* rows;
    after = next;
  }
}

/**
 * Copies an SQLite database into a new file or an empty PostgreSQL database, all or nothing. The source is not changed. Calls `onLocked` once the
 * source is locked against other writers. Rejects with `CopyError`, or `StoreError` (`store_locked`: a runtime uses the source).
 */
export async function copyDatabase(from: DatabaseConfig, to: DatabaseConfig, onLocked: () => void): Promise<CopyReceipt> {
  if (from.engine === 'postgres')
    throw new CopyError('not_copyable', 'only an SQLite database can be copied; use pg_dump for PostgreSQL');
  const source = await openSqliteSource({ path: from.path, nowMs: Date.now });
  try {
    onLocked();
    return await copyInto(source, to);
  } finally {
    source.close();
  }
}

async function copyInto(source: SqliteSource, to: DatabaseConfig): Promise<CopyReceipt> {
  if (to.engine === 'sqlite') {
    const { copyToSqlite } = await import('../../store/sqlite/copy/compact.ts');
    return copyToSqlite(source, to.path);
  }
  const { copyToPostgres } = await import('../../store/postgres/copy/target.ts');
  return copyToPostgres(source, { url: to.url, nowMs: Date.now });
}
