import type { TenantRegistry } from '../../../store/resources/tenants.ts';
import type { TenantRow } from '../../../store/rows.ts';

/** Which tenants are not active, known without asking the store: nothing of theirs may begin. */
export class Suspensions {
  readonly #tenants: Pick<TenantRegistry, 'inactive'>;
  readonly #opened: (tenantId: string) => void;
  #inactive = new Set<string>();
  /** Counts changes by this process: what was read before one does not count. */
  #changes = 0;

  /** `opened`: told of each tenant that has become active. */
  constructor(tenants: Pick<TenantRegistry, 'inactive'>, opened: (tenantId: string) => void) {
    this.#tenants = tenants;
    this.#opened = opened;
  }

  isActive(tenantId: string): boolean {
    return !this.#inactive.has(tenantId);
  }

  /** Changed by this process. */
  changed(tenantId: string, status: TenantRow['status']): void {
    this.#changes += 1;
    if (status !== 'active') this.#inactive.add(tenantId);
    else if (this.#inactive.delete(tenantId)) this.#opened(tenantId);
  }

  /** Another process may have changed any. */
  async read(): Promise<void> {
    for (;;) {
      const before = this.#changes;
      const inactive = new Set(await this.#tenants.inactive());
      if (before !== this.#changes) continue;
      const opened = [...this.#inactive].filter((tenantId) => !inactive.has(tenantId));
      this.#inactive = inactive;
      for (const tenantId of opened) this.#opened(tenantId);
      return;
    }
  }
}
