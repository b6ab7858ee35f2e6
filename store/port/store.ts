import type { ControlStore } from './control-store.ts';
import type { ExecutionStore } from './execution-store.ts';
import type { StorageCounts } from './resources/storage.ts';
import type { TenantRegistry } from './resources/tenants.ts';

/** The port that a storage engine for servers implements. The runtime alone needs an `ExecutionStore`. */
export interface Store extends ExecutionStore, ControlStore {
  readonly storage: StorageCounts;
  readonly tenants: TenantRegistry;
}
