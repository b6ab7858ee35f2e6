import { nextTurn } from '../loop-turns.ts';
import type { ApprovalPage, ApprovalPosition, ApprovalRow, ApprovalStore } from '../port/resources/approvals.ts';
import type { ResourceDatabase } from './database.ts';
import * as sql from './queries/approvals.ts';

/** Sorts after every id. */
const AFTER_ALL = '\uffff';
const BEFORE_ALL: ApprovalPosition = { atMs: Number.MIN_SAFE_INTEGER, executionId: '', seq: 0 };
/** Approvals counted before other work runs: a millisecond. */
const SLICE = 10_000;

export class Approvals implements ApprovalStore {
  readonly #db: ResourceDatabase;

  constructor(db: ResourceDatabase) {
    this.#db = db;
  }

  page(tenantId: string, { status, workflowId, after, limit }: ApprovalPage): Promise<readonly ApprovalRow[]> {
    const first = status === 'pending' ? BEFORE_ALL : { atMs: Number.MAX_SAFE_INTEGER, executionId: AFTER_ALL, seq: 0 };
    const [all, ofWorkflow] =
      status === 'pending'
        ? [sql.PENDING_APPROVALS, sql.PENDING_APPROVALS_OF_WORKFLOW]
        : [sql.DECIDED_APPROVALS, sql.DECIDED_APPROVALS_OF_WORKFLOW];
    const range = { tenantId, ...(after ?? first), limit };
    const reads = this.#db.tenant(tenantId);
    return workflowId === undefined ? reads.all(all, range) : reads.all(ofWorkflow, { ...range, workflowId });
  }

  async countPending(tenantId: string, workflowId?: string): Promise<number> {
    const reads = this.#db.tenant(tenantId);
    const [endOf, countOf] =
      workflowId === undefined
        ? [sql.END_OF_PENDING, sql.COUNT_PENDING]
        : [sql.END_OF_PENDING_OF_WORKFLOW, sql.COUNT_PENDING_OF_WORKFLOW];
    const of = { tenantId, slice: SLICE, ...(workflowId === undefined ? {} : { workflowId }) };
    let count = 0;
    for (let after = BEFORE_ALL; ; count += SLICE) {
      const end = await reads.get(endOf, { ...of, ...after });
      if (end === null) return count + ((await reads.get(countOf, { ...of, ...after }))?.count ?? 0);
      after = end;
      await nextTurn(tenantId);
    }
  }
}
