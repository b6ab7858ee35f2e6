import type { StorageOfTenant } from './storage.ts';

/** What waits in a database, of all tenants, and what they store. Counts end at the limit that was asked for, so that reading them takes little time. */
export interface Backlog {
  /** Queues with unclaimed work items, by tenant and name. */
  readonly queues: readonly WaitingQueue[];
  /** Executions that have not ended. */
  readonly executions: { readonly pending: number; readonly running: number; readonly paused: number };
  /** Work items that workers hold under a lease. */
  readonly leases: number;
  /** Timers that should have fired; `oldestAtMs`: when the first of them was due. */
  readonly overdueTimers: Waiting;
  /** Deliveries to enabled webhooks that have not succeeded yet; `oldestAtMs`: when the first of them was matched with its event. */
  readonly webhookDeliveries: Waiting;
  /** Of the tenants with a limit, by id; of those whose first count is complete. */
  readonly storage: readonly StorageOfTenant[];
}

export interface Waiting {
  readonly count: number;
  /** Milliseconds since the epoch; null = none waits. */
  readonly oldestAtMs: number | null;
}

export interface WaitingQueue extends Waiting {
  readonly tenantId: string;
  readonly queue: string;
}

export interface BacklogStore {
  /** Counts each kind, by tenant, up to `limit`; of the first 10,000 tenants, and of as many webhooks as the limit. */
  read(limit: number, nowMs: number): Promise<Backlog>;
}
