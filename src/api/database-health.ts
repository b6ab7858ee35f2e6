import { setTimeout } from 'node:timers/promises';
import { StoreError, type StoreErrorCode } from '../../store/errors.ts';
import type { Store } from '../../store/store.ts';
import { DEFAULT_TENANT } from '../control/tenants.ts';
import type { Runtime } from '../runtime/types.ts';

/** How long somebody who asks waits for the database. */
const PATIENCE_MS = 500;

/** What is wrong with it; null = it can be read and written. */
export type Ailment = 'unavailable' | 'full' | 'read_only' | null;

/** Looks whether the database answers: one look at a time, however many ask. Whether it can be written, the runtime's sign of life has shown. */
export class DatabaseHealth {
  readonly #store: Pick<Store, 'tenantRow'>;
  readonly #runtime: Pick<Runtime, 'storeFault'>;
  #look: Promise<Ailment> | null = null;

  constructor({ store, runtime }: { readonly store: Pick<Store, 'tenantRow'>; readonly runtime: Pick<Runtime, 'storeFault'> }) {
    this.#store = store;
    this.#runtime = runtime;
  }

  async ailment(): Promise<Ailment> {
    this.#look ??= this.#lookNow().finally(() => {
      this.#look = null;
    });
    return Promise.race([this.#look, setTimeout(PATIENCE_MS, 'unavailable' as const, { ref: false })]);
  }

  async #lookNow(): Promise<Ailment> {
    try {
      await this.#store.tenantRow(DEFAULT_TENANT);
      return ailmentOf(this.#runtime.storeFault);
    } catch (error) {
      return ailmentOf(error instanceof StoreError ? error.code : 'store_unavailable');
    }
  }
}

function ailmentOf(code: StoreErrorCode | null): Ailment {
  if (code === 'store_full') return 'full';
  return code === 'store_read_only' ? 'read_only' : code === null ? null : 'unavailable';
}
