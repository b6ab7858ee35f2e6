import type { Database, Statement } from 'better-sqlite3';
import { digestRows } from '../audit/digest.ts';
import type { ActionContext } from '../port/control.ts';
import type { ControlEvent } from '../resources/database.ts';
import { wellFormedEvent } from '../well-formed.ts';
import type { AuditChain } from './audit/chain.ts';
import * as sql from './queries/control.ts';
import type { Transactions } from './transactions.ts';

/** Records actions on the control plane: their changes, event and audit block in one transaction. */
export class ControlLog {
  readonly #transactions: Transactions;
  readonly #audit: AuditChain;
  readonly #nextSeq: Statement<[string], number>;
  readonly #append: Statement;

  constructor(db: Database, transactions: Transactions, audit: AuditChain) {
    this.#transactions = transactions;
    this.#audit = audit;
    this.#nextSeq = db.prepare<[string], number>(sql.NEXT_CONTROL_SEQ).pluck();
    this.#append = db.prepare(sql.APPEND_CONTROL_EVENT);
  }

  /**
   * `apply` makes the change and returns its event (null = nothing changed, nothing is logged); `seq` is the sequence of the event in the tenant's
   * control log. When it throws, everything is rolled back.
   */
  act(context: ActionContext, apply: (seq: number) => ControlEvent | null): void {
    this.#transactions.write(() => {
      const seq = this.#nextSeq.get(context.tenantId) ?? 1;
      const event = apply(seq);
      if (event !== null) this.#record(event, context, seq);
      return { commit: true, result: undefined };
    });
  }

  #record(event: ControlEvent, context: ActionContext, seq: number): void {
    const { tenantId, atMs, actorId, actorType, request } = context;
    const { type, data } = event;
    const row = wellFormedEvent({ seq, type, nodeId: null, data, atMs, actorId, actorType, onBehalfOf: null, request });
    this.#append.run(tenantId, seq, row.type, atMs, row.actorId, actorType, row.request, row.data);
    const range = { tenantId, executionId: null, firstSeq: seq, lastSeq: seq };
    this.#audit.closeBlock(atMs, [{ digest: digestRows(range, [row]), ...range }]);
  }
}
