import { setTimeout } from 'node:timers/promises';
import { StoreError, type StoreErrorCode } from '../../store/port/errors.ts';
import type { Store } from '../../store/port/store.ts';
import type { SchemaVersions } from '../../store/port/survey.ts';
import { DEFAULT_TENANT } from '../control/tenants.ts';
import type { ServerRuntime } from '../runtime/types/server-runtime.ts';

/** After this, the database counts as unavailable. */
const TIMEOUT_MS = 500;

const STATUS_BY_ERROR_CODE: Partial<Record<StoreErrorCode, 'full' | 'read_only' | 'replaced'>> = {
  store_full: 'full',
  store_read_only: 'read_only',
  store_replaced: 'replaced',
};
export type DatabaseStatus = 'unavailable' | 'full' | 'read_only' | 'replaced';

export function databaseStatus(fault: StoreErrorCode): DatabaseStatus {
  return STATUS_BY_ERROR_CODE[fault] ?? 'unavailable';
}

export interface DatabaseState {
  /** Null if the database can be read and written. */
  readonly fault: StoreErrorCode | null;
  /** Null if it cannot be read. */
  readonly schema: SchemaVersions | null;
}

const SILENT: DatabaseState = { fault: 'store_unavailable', schema: null };

interface DatabaseHealthOptions {
  readonly store: Pick<Store, 'tenantRow' | 'schemaVersions'>;
  readonly runtime: Pick<ServerRuntime, 'storeFault'>;
}

/**
 * Checks whether the database answers, one check at a time however many requests ask. Whether it can be written is known from the
 * heartbeats of the runtime.
 */
export class DatabaseHealth {
  readonly #options: DatabaseHealthOptions;
  #check: Promise<DatabaseState> | null = null;

  constructor(options: DatabaseHealthOptions) {
    this.#options = options;
  }

  async state(): Promise<DatabaseState> {
    this.#check ??= this.#checkNow().finally(() => {
      this.#check = null;
    });
    return Promise.race([this.#check, setTimeout(TIMEOUT_MS, SILENT, { ref: false })]);
  }

  async #checkNow(): Promise<DatabaseState> {
    const { store, runtime } = this.#options;
    try {
      const [schema] = await Promise.all([store.schemaVersions(), store.tenantRow(DEFAULT_TENANT)]);
      return { fault: runtime.storeFault, schema };
    } catch (error) {
      return { fault: error instanceof StoreError ? error.code : 'store_unavailable', schema: null };
    }
  }
}
