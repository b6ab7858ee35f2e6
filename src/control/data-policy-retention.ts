import { type MaintenanceOptions, MaintenanceTask } from './maintenance-task.ts';
import { type RemovalOptions, removeEnded } from './removals.ts';

const DAY_MS = 86_400_000;

export interface DataPolicyRetentionOptions extends MaintenanceOptions, RemovalOptions {}

/**
 * Deletes ended executions whose data policy has `retention_days`. Runs at start and once a day, so that an execution is never deleted early, and
 * up to a day late.
 */
export class DataPolicyRetention extends MaintenanceTask {
  readonly #options: DataPolicyRetentionOptions;

  constructor(options: DataPolicyRetentionOptions) {
    super(options);
    this.#options = options;
  }

  protected override async run(): Promise<number> {
    const { store, clock } = this.#options;
    const mayGoOn = (): boolean => this.isActive;
    let tenantId = await store.retention.nextExpiring('');
    while (tenantId !== null && mayGoOn()) {
      await removeEnded(this.#options, tenantId, { endedBeforeMs: clock.nowMs() + 1, reason: 'data_policy' }, mayGoOn);
      tenantId = await store.retention.nextExpiring(tenantId);
    }
    return clock.nowMs() + DAY_MS;
  }
}
