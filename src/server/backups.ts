import { resolve } from 'node:path';
import { CopyError } from '../../store/port/copy.ts';
import { StoreError } from '../../store/port/errors.ts';
import { type CopyProgress, checkIntegrity, copyPages, singleFile } from '../../store/sqlite/backup/backup.ts';
import { assertUnused, replaceDatabase } from '../../store/sqlite/backup/replace.ts';
import { sqliteVersions } from '../../store/sqlite/survey.ts';
import { withTemporaryFile } from '../../store/sqlite/temporary-file.ts';
import { writeWhole } from '../../store/sqlite/whole-file.ts';
import type { Config, DatabaseConfig } from './config.ts';
import { type CheckReport, checkDatabase } from './databases.ts';

export type { CopyProgress } from '../../store/sqlite/backup/backup.ts';

type Settings = Pick<Config, 'database' | 'auditSigningKey'>;

export interface BackupOptions {
  /** Include ended executions in the check. */
  readonly all: boolean;
  readonly onProgress: (progress: CopyProgress) => void;
  /** Called when the pages are copied. */
  readonly onCopied: () => void;
}

/** What was found of a copy, all of whose pages are sound. */
export interface CheckedCopy {
  readonly schemaVersion: number;
  /** Null: the schema is that of an earlier release, so that executions cannot be replayed before it is migrated. */
  readonly check: CheckReport | null;
}

/**
 * Copies the SQLite database to a new file, beside a server if there is one, and checks the copy before it gets its name. Logs that do not
 * replay are reported and copied all the same. Rejects with `CopyError`, or with `StoreError`: `not_a_database` if pages are damaged.
 */
export async function backUp({ database, auditSigningKey }: Settings, to: string, options: BackupOptions): Promise<CheckedCopy> {
  const { path } = requireSqlite(database, 'pg_dump');
  return writeWhole(resolve(to), async (partial) => {
    await copyPages(path, partial, options.onProgress);
    options.onCopied();
    await checkIntegrity(partial);
    const found = await checked(partial, auditSigningKey, options.all);
    singleFile(partial);
    return found;
  });
}

export interface Restored extends CheckedCopy {
  /** Where the database that was replaced is; null = there was none. */
  readonly keptAs: string | null;
}

/**
 * Puts a copy of a backup in the place of the SQLite database, which is kept. The backup is checked before, and the database that came of it
 * afterwards. Rejects with `store_locked` while a runtime works on the database, with `schema_too_new`, or as `backUp` does.
 */
export async function restore(
  { database, auditSigningKey }: Settings,
  backup: string,
  { nowMs, ...options }: BackupOptions & { readonly nowMs: number },
): Promise<Restored> {
  const file = resolve(requireSqlite(database, 'pg_restore').path);
  if (resolve(backup) === file) throw new CopyError('not_empty', 'a database cannot be restored from itself');
  const keptAs = `${file}.before-restore-${new Date(nowMs).toISOString().slice(0, 19).replaceAll(':', '-')}`;
  await assertUnused(file);
  const existed = await withTemporaryFile(file, 'restoring', async (copy) => {
    await copyBackup(backup, copy, options.onProgress);
    options.onCopied();
    await requireKnownSchema(copy);
    return replaceDatabase(file, copy, keptAs);
  });
  return { keptAs: existed ? keptAs : null, ...(await checked(file, auditSigningKey, options.all)) };
}

/** Copies a sound backup; the error of another one names its file. */
async function copyBackup(backup: string, to: string, onProgress: BackupOptions['onProgress']): Promise<void> {
  try {
    await copyPages(backup, to, onProgress);
    await checkIntegrity(to);
  } catch (cause) {
    if (!(cause instanceof StoreError) || cause.code !== 'not_a_database') throw cause;
    throw new StoreError('not_a_database', `the backup ${backup} cannot be restored: ${cause.message}`, cause);
  }
}

function requireSqlite(database: DatabaseConfig, program: string): DatabaseConfig & { readonly engine: 'sqlite' } {
  if (database.engine === 'sqlite') return database;
  throw new CopyError(
    'not_copyable',
    `only an SQLite database can be backed up and restored here; use ${program} for PostgreSQL`,
  );
}

async function requireKnownSchema(path: string): Promise<void> {
  const versions = await sqliteVersions(path);
  if (versions !== null && versions.schemaVersion > versions.newestVersion)
    throw new StoreError(
      'schema_too_new',
      `the backup has schema version ${versions.schemaVersion}, this release knows versions up to ${versions.newestVersion}`,
    );
}

async function checked(path: string, auditSigningKey: string | null, all: boolean): Promise<CheckedCopy> {
  const { schemaVersion = 0, newestVersion = 0 } = (await sqliteVersions(path)) ?? {};
  if (schemaVersion !== newestVersion) return { schemaVersion, check: null };
  const database = { engine: 'sqlite', path } as const;
  return { schemaVersion, check: await checkDatabase({ database, auditSigningKey }, { all }) };
}
