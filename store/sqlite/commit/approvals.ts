import type { Database, Statement } from 'better-sqlite3';
import type { ExecutionWrite } from '../../port/commit.ts';
import { PUT_APPROVAL, REMOVE_APPROVAL } from '../queries/commit.ts';

/** Enters approvals that were asked for or decided, and removes those that were withdrawn. */
export class ApprovalRows {
  readonly #put: Statement;
  readonly #remove: Statement;

  constructor(db: Database) {
    this.#put = db.prepare(PUT_APPROVAL);
    this.#remove = db.prepare(REMOVE_APPROVAL);
  }

  write({ id, tenantId, approvals = [] }: ExecutionWrite): void {
    for (const one of approvals) {
      if (one.op === 'put') this.#put.run({ tenantId, ...one, executionId: id });
      else this.#remove.run(id, one.seq);
    }
  }
}
