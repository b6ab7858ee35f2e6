import { LRUCache } from 'lru-cache';
import type { TenantRegistry, TenantStanding } from '../../../store/resources/tenants.ts';
import type { Clock } from '../clock.ts';
import type { TenantLimits } from './limits.ts';

export interface Standing {
  readonly status: TenantStanding['status'];
  readonly limits: TenantLimits;
}

/** How long a change by another process may go unnoticed; one by this process counts at once. */
const CACHE_MS = 5_000;
const CACHED_TENANTS = 10_000;
/** A library may work for tenants that nobody has created: they are not limited. */
const UNKNOWN: Standing = { status: 'active', limits: {} };

interface Cached {
  readonly standing: Standing;
  readonly readAtMs: number;
}

/** What is known of each tenant that asks for something. */
export class Standings {
  readonly #tenants: TenantRegistry;
  readonly #clock: Clock;
  readonly #cache = new LRUCache<string, Cached>({ maxSize: CACHED_TENANTS, sizeCalculation: () => 1 });
  /** Counts changes: what was read before one must not enter the cache after it. */
  #changes = 0;

  constructor(tenants: TenantRegistry, clock: Clock) {
    this.#tenants = tenants;
    this.#clock = clock;
  }

  /** Null = the store has to be asked first. */
  cached(tenantId: string): Standing | null {
    const cached = this.#cache.get(tenantId);
    return cached !== undefined && this.#clock.nowMs() - cached.readAtMs < CACHE_MS ? cached.standing : null;
  }

  async read(tenantId: string): Promise<Standing> {
    const before = this.#changes;
    const readAtMs = this.#clock.nowMs();
    const row = await this.#tenants.standing(tenantId);
    const standing = row === null ? UNKNOWN : standingOf(row);
    if (before === this.#changes) this.#cache.set(tenantId, { standing, readAtMs });
    return standing;
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

function standingOf({ status, limits }: TenantStanding): Standing {
  return { status, limits: limits === null ? {} : (JSON.parse(limits) as TenantLimits) };
}
