import type { ApprovalPage, ApprovalRow, ApprovalStore } from '../port/resources/approvals.ts';
import type { ResourceDatabase } from './database.ts';
import * as sql from './queries/approvals.ts';
import { get, run, runEach } from './script.ts';

/** Sorts after every id. */
const AFTER_ALL = '\uffff';

export class Approvals implements ApprovalStore {
  readonly #db: ResourceDatabase;

  constructor(db: ResourceDatabase) {
    this.#db = db;
  }

  page(tenantId: string, { status, workflowId, after, limit }: ApprovalPage): Promise<readonly ApprovalRow[]> {
    const first =
      status === 'pending'
        ? { atMs: Number.MIN_SAFE_INTEGER, executionId: '', seq: 0 }
        : { atMs: Number.MAX_SAFE_INTEGER, executionId: AFTER_ALL, seq: 0 };
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
    const row =
      workflowId === undefined
        ? await reads.get(sql.COUNT_PENDING, { tenantId })
        : await reads.get(sql.COUNT_PENDING_OF_WORKFLOW, { tenantId, workflowId });
    return row?.count ?? 0;
  }

  async unlisted(page: { readonly after: string; readonly limit: number }): Promise<readonly string[]> {
    return (await this.#db.runtime.all(sql.UNLISTED, page)).map(({ executionId }) => executionId);
  }

  enter(executionId: string, seq: number, open: readonly ApprovalRow[]): Promise<boolean> {
    return this.#db.transaction(function* () {
      if ((yield* get(sql.EXECUTION_AT, { executionId, seq })) === null) return false;
      yield* runEach(sql.ENTER_APPROVAL, open);
      yield* run(sql.FORGET_UNLISTED, { executionId });
      return true;
    });
  }

  async forget(executionId: string): Promise<void> {
    await this.#db.runtime.run(sql.FORGET_UNLISTED, { executionId });
  }
}
