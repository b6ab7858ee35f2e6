import { LRUCache } from 'lru-cache';
import type { TenantAdmission, TenantRegistry } from '../../../store/port/resources/tenants.ts';
import type { Clock } from '../clock.ts';
import type { TenantLimits } from './limits.ts';

export interface TenantStatus {
  readonly status: TenantAdmission['status'];
  readonly limits: TenantLimits;
}

/** How long a change by another process may go unnoticed; one by this process counts at once. */
const CACHE_MS = 5_000;
const MAX_CACHED_TENANTS = 10_000;
/** A library may work for tenants that nobody has created: they are not limited. */
const UNKNOWN_TENANT: TenantStatus = { status: 'active', limits: {} };

interface Cached {
  readonly tenant: TenantStatus;
  readonly readAtMs: number;
}

/** What is known of each tenant that asks for something. */
export class TenantStatusCache {
  readonly #tenants: TenantRegistry;
  readonly #clock: Clock;
  readonly #cache = new LRUCache<string, Cached>({ maxSize: MAX_CACHED_TENANTS, sizeCalculation: () => 1 });
  /** Counts changes: what was read before one must not enter the cache after it. */
  #changes = 0;

  constructor(tenants: TenantRegistry, clock: Clock) {
    this.#tenants = tenants;
    this.#clock = clock;
  }

  /** Null = the store has to be asked first. */
  cached(tenantId: string): TenantStatus | null {
    const cached = this.#cache.get(tenantId);
    return cached !== undefined && this.#clock.nowMs() - cached.readAtMs < CACHE_MS ? cached.tenant : null;
  }

  async read(tenantId: string): Promise<TenantStatus> {
    const before = this.#changes;
    const readAtMs = this.#clock.nowMs();
    const row = await this.#tenants.admission(tenantId);
    const tenant = row === null ? UNKNOWN_TENANT : tenantStatusOf(row);
    if (before === this.#changes) this.#cache.set(tenantId, { tenant, readAtMs });
    return tenant;
  }

  forget(tenantId: string): void {
    this.#changes += 1;
    this.#cache.delete(tenantId);
  }

  forgetAll(): void {
    this.#changes += 1;
    this.#cache.clear();
  }
}

function tenantStatusOf({ status, limits }: TenantAdmission): TenantStatus {
  return { status, limits: limits === null ? {} : (JSON.parse(limits) as TenantLimits) };
}
