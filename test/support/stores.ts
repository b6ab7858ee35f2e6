import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { ControlStore } from '../../store/port/control-store.ts';
import type { ExecutionStore } from '../../store/port/execution-store.ts';
import type { Store } from '../../store/port/store.ts';
import type { SqliteOptions } from '../../store/sqlite/open.ts';
import { openMigrated } from './migrated-sqlite.ts';

/** The interfaces of a store that the contract tests use. */
export type CoreStore = ExecutionStore & Pick<ControlStore, 'tenantRow' | 'tokenByHash' | 'verifyAudit'>;

/** A database that exists until the end of the test, independent of the stores opened on it. */
export interface TestDatabase<S extends CoreStore = Store> {
  /** The store is closed at the end of the test unless the test has closed it. */
  open(): Promise<S>;
}

/** Differences between the engines. */
export interface Capabilities {
  /** Only one runtime at a time may use a database. */
  readonly exclusive: boolean;
}

export interface SqliteDatabase extends TestDatabase {
  readonly path: string;
  open(options?: Partial<SqliteOptions>): Promise<Store>;
}

/** An SQLite file that only the calling test uses; the first `open` creates it. */
export function sqliteDatabase(): SqliteDatabase {
  const path = join(temporaryFolder(), 'runtime.db');
  return {
    path,
    async open(options) {
      const store = await openMigrated({ path, nowMs: () => 1_767_225_600_000, ...options });
      onTestFinished(() => store.close());
      return store;
    },
  };
}

/** A real store, or a part of one, of which some methods do something else. */
export function withOverrides<T extends object>(real: T, overrides: Partial<T>): T {
  return new Proxy(real, {
    get(target, name) {
      const value: unknown = Reflect.get(overrides, name) ?? Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** A folder that is removed at the end of the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'jamjet-store-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
