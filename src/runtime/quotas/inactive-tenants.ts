import type { TenantRegistry, TenantRow } from '../../../store/port/resources/tenants.ts';

/** The set of tenants that are not active, held in memory so that scheduling need not read the store. */
export class InactiveTenants {
  readonly #tenants: Pick<TenantRegistry, 'inactive'>;
  readonly #onReactivated: (tenantId: string) => void;
  #inactive = new Set<string>();
  /** Counts changes by this process: a set read before one is stale. */
  #changes = 0;

  /** `onReactivated` is called for each tenant that has become active. */
  constructor(tenants: Pick<TenantRegistry, 'inactive'>, onReactivated: (tenantId: string) => void) {
    this.#tenants = tenants;
    this.#onReactivated = onReactivated;
  }

  isActive(tenantId: string): boolean {
    return !this.#inactive.has(tenantId);
  }

  /** Applies a change made by this process. */
  changed(tenantId: string, status: TenantRow['status']): void {
    this.#changes += 1;
    if (status !== 'active') this.#inactive.add(tenantId);
    else if (this.#inactive.delete(tenantId)) this.#onReactivated(tenantId);
  }

  /** Reads the set again, since another process may have changed any tenant. */
  async reload(): Promise<void> {
    for (;;) {
      const before = this.#changes;
      const inactive = new Set(await this.#tenants.inactive());
      if (before !== this.#changes) continue;
      const opened = [...this.#inactive].filter((tenantId) => !inactive.has(tenantId));
      this.#inactive = inactive;
      for (const tenantId of opened) this.#onReactivated(tenantId);
      return;
    }
  }
}
