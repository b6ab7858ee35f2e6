import type { RetentionPolicy } from '../../store/port/resources/retention.ts';
import { type MaintenanceOptions, MaintenanceTask } from './maintenance-task.ts';
import { type RemovalOptions, removeEnded } from './removals.ts';
import type { Tenants } from './tenants.ts';

const DAY_MS = 86_400_000;

export interface RetentionOptions extends MaintenanceOptions, RemovalOptions {
  readonly tenants: Pick<Tenants, 'onChange'>;
}

/**
 * Deletes ended executions of tenants with `retention_days`. Runs at start, when a tenant changes and when an execution becomes old enough,
 * at most once a day; so an execution is never deleted early, and up to a day late.
 */
export class Retention extends MaintenanceTask {
  readonly #options: RetentionOptions;
  readonly #unsubscribe: () => void;

  constructor(options: RetentionOptions) {
    super(options);
    this.#options = options;
    this.#unsubscribe = options.tenants.onChange(() => this.request());
  }

  override async close(): Promise<void> {
    this.#unsubscribe();
    await super.close();
  }

  protected override async run(): Promise<number | null> {
    const { store, clock } = this.#options;
    const policies = await store.retention.policies();
    for (const { tenantId, days } of policies) {
      const request = { endedBeforeMs: clock.nowMs() - days * DAY_MS + 1 };
      await removeEnded(this.#options, tenantId, request, () => this.isActive);
    }
    return this.#nextRunMs(policies);
  }

  /** When the oldest ended execution becomes old enough; null = no tenant has a retention policy. */
  async #nextRunMs(policies: readonly RetentionPolicy[]): Promise<number | null> {
    const { store, clock } = this.#options;
    const nowMs = clock.nowMs();
    let next = Number.POSITIVE_INFINITY;
    for (const { tenantId, days } of policies) {
      const oldestMs = (await store.retention.oldestEndMs(tenantId)) ?? nowMs;
      next = Math.min(next, oldestMs + days * DAY_MS);
    }
    return policies.length === 0 ? null : Math.max(next, nowMs + DAY_MS);
  }
}
