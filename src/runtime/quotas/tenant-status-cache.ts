import type { TenantAdmission, TenantQuotas } from '../../../store/port/resources/tenants.ts';
import { RecentlyUsed } from '../../../store/recently-used.ts';
import type { Clock } from '../clock.ts';
import type { TenantLimits } from './limits.ts';

export interface TenantStatus {
  readonly status: TenantAdmission['status'];
  readonly limits: TenantLimits;
}

/** Upper bound for noticing a change by another process; a change by this process takes effect at once. */
const CACHE_MS = 5_000;
const MAX_CACHED_TENANTS = 10_000;
/** The library may use tenants that were never created: they have no limits. */
const UNKNOWN_TENANT: TenantStatus = { status: 'active', limits: {} };

interface Cached {
  readonly tenant: TenantStatus;
  readonly readAtMs: number;
}

/** Caches the status and limits of the tenants that make requests. */
export class TenantStatusCache {
  readonly #tenants: TenantQuotas;
  readonly #clock: Clock;
  readonly #cache = new RecentlyUsed<string, Cached>(MAX_CACHED_TENANTS);
  /** Counts invalidations: a row read before one must not enter the cache after it. */
  #changes = 0;

  constructor(tenants: TenantQuotas, clock: Clock) {
    this.#tenants = tenants;
    this.#clock = clock;
  }

  /** Null when the store has to be read. */
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
