import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { ControlStore } from '../../store/port/control-store.ts';
import type { ExecutionStore } from '../../store/port/execution-store.ts';
import type { Store } from '../../store/port/store.ts';
import { openSqlite, type SqliteOptions } from '../../store/sqlite/open.ts';

/** What the runtime needs, with what its contract checks beside it. */
export type CoreStore = ExecutionStore & Pick<ControlStore, 'tenantRow' | 'tokenByHash' | 'verifyAudit'>;

/** A database that outlives the stores opened on it, until the test is over. */
export interface TestDatabase<S extends CoreStore = Store> {
  /** The store is closed when the test is over, if the test has not done it. */
  open(): Promise<S>;
}

/** What engines differ in. */
export interface Capabilities {
  /** One runtime at a time works on a database. */
  readonly exclusive: boolean;
}

export interface SqliteDatabase extends TestDatabase {
  readonly path: string;
  open(options?: Partial<SqliteOptions>): Promise<Store>;
}

/** An SQLite file of the test's own; nothing is there before the first `open`. */
export function sqliteDatabase(): SqliteDatabase {
  const path = join(temporaryFolder(), 'runtime.db');
  return {
    path,
    async open(options) {
      const store = await openSqlite({ path, nowMs: () => 1_767_225_600_000, ...options });
      onTestFinished(() => store.close());
      return store;
    },
  };
}

/** Removed when the test is over. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'jamjet-store-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
