import type { ClaimRequest, LeaseRenewal, WorkItemRow } from '../port/work-items.ts';
import type { Connections } from './connections.ts';
import * as sql from './queries/work.ts';

/** Hands work items to external workers. */
export class WorkItems {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async claim({ tenantId, workerId, queues, tools, limit, leaseMs, nowMs }: ClaimRequest): Promise<readonly WorkItemRow[]> {
    if (queues.length === 0) return [];
    const values = [tenantId, [...new Set(queues)], limit, workerId, nowMs + leaseMs, nowMs];
    if (tools === null) return this.#connections.query<WorkItemRow>(sql.CLAIM_WORK, values);
    return this.#connections.query<WorkItemRow>(sql.CLAIM_WORK_OF_TOOLS, [...values, [...new Set(tools)]]);
  }

  async item(tenantId: string, id: string): Promise<WorkItemRow | null> {
    const [item] = await this.#connections.query<WorkItemRow>(sql.WORK_BY_ID, [id, tenantId]);
    return item ?? null;
  }

  unclaimed(queue: string, after: string, limit: number): Promise<readonly WorkItemRow[]> {
    return this.#connections.query<WorkItemRow>(sql.UNCLAIMED_WORK, [queue, after, limit]);
  }

  async renewLease({ leaseExpiresAtMs, id, tenantId, workerId, fence }: LeaseRenewal): Promise<boolean> {
    const renewed = await this.#connections.query(sql.RENEW_LEASE, [leaseExpiresAtMs, id, tenantId, workerId, fence]);
    return renewed.length === 1;
  }
}
