import type { Database, Statement } from 'better-sqlite3';
import { nextTurn } from '../loop-turns.ts';
import {
  type ClaimRequest,
  type LeaseRenewal,
  MAX_COUNTED_WORK,
  MAX_WAITING_WORK,
  type WaitingWork,
  type WorkItemRow,
} from '../port/work-items.ts';
import { guarded } from './errors.ts';
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
  readonly #pendingOfTool: Statement<[string, string, string, number], PendingItem>;
  readonly #oldestOfTools: Statement<[object], PendingItem & { readonly tool: string }>;
  readonly #nextWaiting: Statement<[string, string, string], Pick<WaitingWork, 'queue' | 'tool'>>;
  readonly #countWaiting: Statement<[string, string, string, number], Omit<WaitingWork, 'queue' | 'tool'>>;
  readonly #claim: Statement;
  readonly #byPosition: Statement<[number], WorkItemRow>;
  readonly #byId: Statement<[string, string], WorkItemRow>;
  readonly #unclaimed: Statement<[string, string, number], WorkItemRow>;
  readonly #renew: Statement;

  constructor(db: Database, transactions: Transactions) {
    this.#transactions = transactions;
    this.#pending = db.prepare<[string, string, number], PendingItem>(sql.PENDING_WORK);
    this.#pendingOfTool = db.prepare<[string, string, string, number], PendingItem>(sql.PENDING_WORK_OF_TOOL);
    this.#oldestOfTools = db.prepare<[object], PendingItem & { readonly tool: string }>(sql.OLDEST_WORK_OF_TOOLS);
    this.#nextWaiting = db.prepare<[string, string, string], Pick<WaitingWork, 'queue' | 'tool'>>(sql.NEXT_WAITING);
    this.#countWaiting = db.prepare<[string, string, string, number], Omit<WaitingWork, 'queue' | 'tool'>>(sql.COUNT_WAITING);
    this.#claim = db.prepare(sql.CLAIM_WORK);
    this.#byPosition = db.prepare<[number], WorkItemRow>(sql.WORK_BY_POSITION);
    this.#byId = db.prepare<[string, string], WorkItemRow>(sql.WORK_BY_ID);
    this.#unclaimed = db.prepare<[string, string, number], WorkItemRow>(sql.UNCLAIMED_WORK);
    this.#renew = db.prepare(sql.RENEW_LEASE);
  }

  claim(request: ClaimRequest): readonly WorkItemRow[] {
    // A poll that finds nothing must neither take the write lock nor sync the disk.
    // Nothing else runs before the transaction begins, and one runtime at a time hands out the items.
    const oldest = this.#oldest(request);
    if (oldest.length === 0) return [];
    return this.#transactions.write(() => {
      const { workerId, nowMs, leaseMs } = request;
      const items: WorkItemRow[] = [];
      for (const { position } of oldest) {
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

  /** Steps from one pair of queue and tool to the next: the index has them in order. */
  async waiting(tenantId: string): Promise<readonly WaitingWork[]> {
    const all: WaitingWork[] = [];
    for (let last = { queue: '', tool: '' }; all.length < MAX_WAITING_WORK; ) {
      const next = await guarded(() => this.#nextWaiting.get(tenantId, last.queue, last.tool));
      if (next === undefined) break;
      const counted = await guarded(() => this.#countWaiting.get(tenantId, next.queue, next.tool, MAX_COUNTED_WORK));
      if (counted !== undefined) all.push({ queue: next.queue, tool: next.tool, ...counted });
      last = next;
      await nextTurn(tenantId);
    }
    return all;
  }

  renewLease(renewal: LeaseRenewal): boolean {
    return this.#renew.run(renewal).changes === 1;
  }

  /** The index yields the oldest items of each queue in order; merging them here avoids sorting a long queue. */
  #oldest({ tenantId, queues, tools, limit }: ClaimRequest): readonly PendingItem[] {
    const named = tools === null ? null : JSON.stringify([...new Set(tools)]);
    const candidates = [...new Set(queues)].flatMap((queue) =>
      named === null ? this.#pending.all(tenantId, queue, limit) : this.#oldestOfNamed({ tenantId, queue, tools: named }, limit),
    );
    return firstOf(candidates, limit);
  }

  /** Only tools whose own oldest item is among the oldest of all can have more of them. */
  #oldestOfNamed(work: { tenantId: string; queue: string; tools: string }, limit: number): readonly PendingItem[] {
    const oldest = firstOf(this.#oldestOfTools.all(work), limit);
    if (limit === 1) return oldest;
    return oldest.flatMap(({ tool }) => this.#pendingOfTool.all(work.tenantId, work.queue, tool, limit));
  }
}

function firstOf<T extends PendingItem>(items: readonly T[], limit: number): readonly T[] {
  return items.toSorted((a, b) => a.createdAtMs - b.createdAtMs || a.position - b.position).slice(0, limit);
}
