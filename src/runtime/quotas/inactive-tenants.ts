import type { TenantRegistry } from '../../../store/port/resources/tenants.ts';
import type { TenantRow } from '../../../store/port/rows.ts';

/** Which tenants are not active, known without asking the store: nothing of theirs may begin. */
export class InactiveTenants {
  readonly #tenants: Pick<TenantRegistry, 'inactive'>;
  readonly #onReactivated: (tenantId: string) => void;
  #inactive = new Set<string>();
  /** Counts changes by this process: what was read before one does not count. */
  #changes = 0;

  /** `opened`: told of each tenant that has become active. */
  constructor(tenants: Pick<TenantRegistry, 'inactive'>, onReactivated: (tenantId: string) => void) {
    this.#tenants = tenants;
    this.#onReactivated = onReactivated;
  }

  isActive(tenantId: string): boolean {
    return !this.#inactive.has(tenantId);
  }

  /** Changed by this process. */
  changed(tenantId: string, status: TenantRow['status']): void {
    this.#changes += 1;
    if (status !== 'active') this.#inactive.add(tenantId);
    else if (this.#inactive.delete(tenantId)) this.#onReactivated(tenantId);
  }

  /** Another process may have changed any. */
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
