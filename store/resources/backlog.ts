import type { Backlog, BacklogStore, Waiting } from '../port/resources/backlog.ts';
import type { ResourceDatabase } from './database.ts';
import * as sql from './queries/backlog.ts';
import { STORAGE_OF_TENANTS } from './queries/storage.ts';

export class BacklogReader implements BacklogStore {
  readonly #db: ResourceDatabase;

  constructor(db: ResourceDatabase) {
    this.#db = db;
  }

  async read(limit: number, nowMs: number): Promise<Backlog> {
    const { runtime } = this.#db;
    const tenants = (await runtime.all(sql.BACKLOG_TENANTS)).map(({ id }) => id);
    const values = { tenants, limit, nowMs };
    const [queues, executions, leases, timers, deliveries, storage] = await Promise.all([
      runtime.all(sql.WAITING_QUEUES, values),
      runtime.all(sql.LIVE_EXECUTIONS, values),
      runtime.get(sql.LEASES, values),
      runtime.get(sql.OVERDUE_TIMERS, values),
      runtime.all(sql.UNDELIVERED_WEBHOOKS, values),
      runtime.all(STORAGE_OF_TENANTS, values),
    ]);
    return {
      queues: [...queues].sort((a, b) => compare(a.tenantId, b.tenantId) || compare(a.queue, b.queue)),
      executions: {
        pending: executions.reduce((sum, { pending }) => sum + pending, 0),
        running: executions.reduce((sum, { running }) => sum + running, 0),
        paused: executions.reduce((sum, { paused }) => sum + paused, 0),
      },
      leases: leases?.count ?? 0,
      overdueTimers: timers ?? { count: 0, oldestAtMs: null },
      webhookDeliveries: deliveries.reduce(together, { count: 0, oldestAtMs: null }),
      storage: storage.flatMap(({ bytes, ...tenant }) => (bytes === null ? [] : [{ ...tenant, bytes }])),
    };
  }
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

function together(one: Waiting, other: Waiting): Waiting {
  const times = [one.oldestAtMs, other.oldestAtMs].filter((time) => time !== null);
  return { count: one.count + other.count, oldestAtMs: times.length === 0 ? null : Math.min(...times) };
}
