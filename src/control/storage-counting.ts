import type { StorageCounts } from '../../store/port/resources/storage.ts';
import { type MaintenanceOptions, MaintenanceTask } from './maintenance-task.ts';
import type { Tenants } from './tenants.ts';

export interface StorageCountingOptions extends MaintenanceOptions {
  readonly store: { readonly storage: StorageCounts };
  readonly tenants: Pick<Tenants, 'onChange'>;
}

/** Counts what tenants store that were given a limit, or whose operator asks for it, when they change. */
export class StorageCounting extends MaintenanceTask {
  readonly #options: StorageCountingOptions;
  readonly #unsubscribe: () => void;

  constructor(options: StorageCountingOptions) {
    super(options);
    this.#options = options;
    this.#unsubscribe = options.tenants.onChange(() => this.request());
  }

  override async close(): Promise<void> {
    this.#unsubscribe();
    await super.close();
  }

  protected override async run(): Promise<null> {
    const { storage } = this.#options.store;
    for (const tenantId of await storage.follow()) await storage.count(tenantId, () => this.isActive);
    return null;
  }
}
