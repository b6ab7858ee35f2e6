import type { Database, Statement } from 'better-sqlite3';
import type { ClaimRequest, LeaseRenewal, WorkItemRow } from '../port/work-items.ts';
import * as sql from './queries/work.ts';
import type { Transactions } from './transactions.ts';

interface PendingItem {
  readonly position: number;
  readonly createdAtMs: number;
}

/** Hands work items to external workers. */
export class WorkItems {
  readonly #transactions: Transactions;
  readonly #pending: Statement<[string, string, number], PendingItem>;
  readonly #claim: Statement;
  readonly #byPosition: Statement<[number], WorkItemRow>;
  readonly #byId: Statement<[string, string], WorkItemRow>;
  readonly #unclaimed: Statement<[string, string, number], WorkItemRow>;
  readonly #renew: Statement;

  constructor(db: Database, transactions: Transactions) {
    this.#transactions = transactions;
    this.#pending = db.prepare<[string, string, number], PendingItem>(sql.PENDING_WORK);
    this.#claim = db.prepare(sql.CLAIM_WORK);
    this.#byPosition = db.prepare<[number], WorkItemRow>(sql.WORK_BY_POSITION);
    this.#byId = db.prepare<[string, string], WorkItemRow>(sql.WORK_BY_ID);
    this.#unclaimed = db.prepare<[string, string, number], WorkItemRow>(sql.UNCLAIMED_WORK);
    this.#renew = db.prepare(sql.RENEW_LEASE);
  }

  claim(request: ClaimRequest): readonly WorkItemRow[] {
    // A poll that finds nothing must neither take the write lock nor sync the disk.
    if (this.#oldest(request).length === 0) return [];
    return this.#transactions.write(() => {
      const { workerId, nowMs, leaseMs } = request;
      const items: WorkItemRow[] = [];
      for (const { position } of this.#oldest(request)) {
        this.#claim.run({ workerId, nowMs, leaseExpiresAtMs: nowMs + leaseMs, position });
        const item = this.#byPosition.get(position);
        if (item !== undefined) items.push(item);
      }
      return { commit: true, result: items };
    });
  }

  item(tenantId: string, id: string): WorkItemRow | null {
    return this.#byId.get(id, tenantId) ?? null;
  }

  unclaimed(queue: string, after: string, limit: number): readonly WorkItemRow[] {
    return this.#unclaimed.all(queue, after, limit);
  }

  renewLease(renewal: LeaseRenewal): boolean {
    return this.#renew.run(renewal).changes === 1;
  }

  /** The index yields the oldest items of each queue in order; merging them here avoids sorting a long queue. */
  #oldest({ tenantId, queues, limit }: ClaimRequest): readonly PendingItem[] {
    const candidates = [...new Set(queues)].flatMap((queue) => this.#pending.all(tenantId, queue, limit));
    return candidates.sort((a, b) => a.createdAtMs - b.createdAtMs || a.position - b.position).slice(0, limit);
  }
}
