import { setTimeout } from 'node:timers/promises';
import { StoreError, type StoreErrorCode } from '../../store/port/errors.ts';
import type { Store } from '../../store/port/store.ts';
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

/**
 * Checks whether the database answers, with one query at a time however many requests ask. Whether it can be written is known from the
 * heartbeats of the runtime.
 */
export class DatabaseHealth {
  readonly #store: Pick<Store, 'tenantRow'>;
  readonly #runtime: Pick<ServerRuntime, 'storeFault'>;
  #check: Promise<StoreErrorCode | null> | null = null;

  constructor({
    store,
    runtime,
  }: { readonly store: Pick<Store, 'tenantRow'>; readonly runtime: Pick<ServerRuntime, 'storeFault'> }) {
    this.#store = store;
    this.#runtime = runtime;
  }

  /** Null if the database can be read and written. */
  async errorCode(): Promise<StoreErrorCode | null> {
    this.#check ??= this.#checkNow().finally(() => {
      this.#check = null;
    });
    return Promise.race([this.#check, setTimeout(TIMEOUT_MS, 'store_unavailable' as const, { ref: false })]);
  }

  async #checkNow(): Promise<StoreErrorCode | null> {
    try {
      await this.#store.tenantRow(DEFAULT_TENANT);
      return this.#runtime.storeFault;
    } catch (error) {
      return error instanceof StoreError ? error.code : 'store_unavailable';
    }
  }
}
