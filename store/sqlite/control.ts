import type { Database, Statement } from 'better-sqlite3';
import { digestStream } from '../digest.ts';
import { StoreError } from '../errors.ts';
import { wellFormedEvent } from '../well-formed.ts';
import type { ActionContext, ControlAction } from '../writes.ts';
import type { AuditChain } from './audit/chain.ts';
import * as sql from './queries/control.ts';
import type { Transactions } from './transactions.ts';

/** Writes the control plane: what each action changes, its event and its audit block, in one transaction. */
export class ControlPlane {
  readonly #transactions: Transactions;
  readonly #audit: AuditChain;
  readonly #nextSeq: Statement<[string], number>;
  readonly #append: Statement;
  readonly #putRevision: Statement;
  readonly #putWorkflow: Statement;
  readonly #createToken: Statement;
  readonly #revokeToken: Statement;

  constructor(db: Database, transactions: Transactions, audit: AuditChain) {
    this.#transactions = transactions;
    this.#audit = audit;
    this.#nextSeq = db.prepare<[string], number>(sql.NEXT_CONTROL_SEQ).pluck();
    this.#append = db.prepare(sql.APPEND_CONTROL_EVENT);
    this.#putRevision = db.prepare(sql.PUT_REVISION);
    this.#putWorkflow = db.prepare(sql.PUT_WORKFLOW);
    this.#createToken = db.prepare(sql.CREATE_TOKEN);
    this.#revokeToken = db.prepare(sql.REVOKE_TOKEN);
  }

  act(action: ControlAction, context: ActionContext): void {
    this.#transactions.write(() => {
      const seq = this.#nextSeq.get(context.tenantId) ?? 1;
      this.#apply(action, context, seq);
      this.#record(action, context, seq);
      return { keep: true, result: undefined };
    });
  }

  #apply(action: ControlAction, { tenantId, atMs }: ActionContext, seq: number): void {
    switch (action.type) {
      case 'workflow_registered':
        this.#putRevision.run(tenantId, action.revision, action.source, atMs);
        this.#putWorkflow.run(tenantId, action.workflowId, action.version, action.revision, seq, atMs);
        return;
      case 'token_created':
        this.#createToken.run(action.token);
        return;
      case 'token_revoked':
        if (this.#revokeToken.run(atMs, action.id, tenantId).changes === 0) {
          throw new StoreError('unknown_token', `there is no token "${action.id}"`);
        }
        return;
    }
  }

  #record(action: ControlAction, context: ActionContext, seq: number): void {
    const { tenantId, atMs, actorId, actorType, request } = context;
    const row = wellFormedEvent({
      seq,
      type: action.type,
      nodeId: null,
      data: eventData(action),
      atMs,
      actorId,
      actorType,
      request,
    });
    this.#append.run(tenantId, seq, row.type, atMs, row.actorId, actorType, row.request, row.data);
    const range = { tenantId, executionId: null, firstSeq: seq, lastSeq: seq };
    this.#audit.closeBlock(atMs, [{ ...range, digest: digestStream(range, null, [row]) }]);
  }
}

/** What the log keeps of an action: names, never a secret or its hash. */
function eventData(action: ControlAction): string {
  switch (action.type) {
    case 'workflow_registered':
      return JSON.stringify({ workflow_id: action.workflowId, version: action.version, revision: action.revision });
    case 'token_created': {
      const { id, tenantId, name, role, expiresAtMs } = action.token;
      return JSON.stringify({ token_id: id, tenant_id: tenantId, name, role, expires_at_ms: expiresAtMs });
    }
    case 'token_revoked':
      return JSON.stringify({ token_id: action.id });
  }
}
