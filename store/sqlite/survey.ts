import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import Database from 'better-sqlite3';
import type { SchemaVersions, Survey, SurveyContent } from '../port/survey.ts';
import type { RuntimeHolder } from '../port/workers.ts';
import { checkOwner } from './application-id.ts';
import { guarded } from './errors.ts';
import { migrations } from './open.ts';
import { HOLDER } from './queries/control.ts';
import * as sql from './queries/survey.ts';
import { isLocked, lacksLockFile } from './run-lock.ts';

/** Summarizes a database in one snapshot, also while a runtime works on it; null when the file does not exist. Rejects with `not_a_database`. */
export function surveySqlite(path: string): Promise<Survey | null> {
  return looking(path, survey);
}

/** The schema versions alone, without counting anything. */
export function sqliteVersions(path: string): Promise<SchemaVersions | null> {
  return looking(path, versions);
}

function looking<T>(path: string, look: (db: Database.Database, file: string) => T): Promise<T | null> {
  const file = resolve(path);
  return guarded(() => {
    if (!existsSync(file)) return null;
    const db = new Database(file, { readonly: true });
    try {
      checkOwner(db);
      db.exec('BEGIN');
      return look(db, file);
    } finally {
      db.close();
    }
  });
}

function versions(db: Database.Database): SchemaVersions {
  const migrated = db.prepare(sql.IS_MIGRATED).get() !== undefined;
  return {
    schemaVersion: migrated ? (db.prepare<[], number>(sql.SCHEMA_VERSION).pluck().get() ?? 0) : 0,
    newestVersion: migrations().length,
  };
}

function survey(db: Database.Database, file: string): Survey {
  const migrated = db.prepare(sql.IS_MIGRATED).get() !== undefined;
  const last = migrated ? db.prepare<[], RuntimeHolder>(HOLDER).get() : undefined;
  const holder = last !== undefined && isLocked(file) ? last : undefined;
  const warnings = [...lockWarnings(file, last), ...linkWarnings(file)];
  return {
    engine: 'sqlite',
    ...versions(db),
    sizeBytes: sizeOf(file) + sizeOf(`${file}-wal`),
    content: migrated ? content(db) : null,
    runtimes: holder === undefined ? [] : [{ id: holder.runtimeId, pid: holder.pid, startedAtMs: holder.startedAtMs }],
    ...(warnings.length === 0 ? {} : { warnings }),
  };
}

/** Without the lock file it is unknown whether a runtime works on the database: the last one may still be running. */
function lockWarnings(file: string, last: RuntimeHolder | undefined): readonly string[] {
  if (last === undefined || !lacksLockFile(file) || !isAlive(last.pid)) return [];
  return [
    `the lock file ${file}-lock was removed: runtime ${last.runtimeId} may still work on the database, since process ${last.pid} is alive`,
  ];
}

function linkWarnings(file: string): readonly string[] {
  const names = statSync(file).nlink;
  return names === 1 ? [] : [`the database file has ${names} names (hard links): no runtime can use it until only one is left`];
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function content(db: Database.Database): SurveyContent {
  const executions: Record<string, number> = {};
  for (const row of db.prepare<[], { status: string; executions: number }>(sql.COUNT_BY_STATUS).iterate())
    executions[row.status] = row.executions;
  const events = db.prepare<[], number>(sql.COUNT_EVENTS).pluck().get() ?? 0;
  const rest = db.prepare<[], Omit<SurveyContent, 'executions' | 'events'>>(sql.COUNT_CONTENT).get();
  return { executions, events, ...(rest ?? { workflows: 0, timers: 0, workItems: 0 }) };
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
