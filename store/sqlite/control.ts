import type { Database, Statement } from 'better-sqlite3';
import { type ActionContext, type ControlAction, controlData } from '../port/control.ts';
import { StoreError } from '../port/errors.ts';
import type { ControlLog } from './control-log.ts';
import * as sql from './queries/control.ts';

/** Carries out the actions on workflows and tokens. */
export class ControlActions {
  readonly #log: ControlLog;
  readonly #putRevision: Statement;
  readonly #putWorkflow: Statement;
  readonly #createToken: Statement;
  readonly #revokeToken: Statement;

  constructor(db: Database, log: ControlLog) {
    this.#log = log;
    this.#putRevision = db.prepare(sql.PUT_REVISION);
    this.#putWorkflow = db.prepare(sql.PUT_WORKFLOW);
    this.#createToken = db.prepare(sql.CREATE_TOKEN);
    this.#revokeToken = db.prepare(sql.REVOKE_TOKEN);
  }

  act(action: ControlAction, context: ActionContext): void {
    this.#log.act(context, (seq) => {
      this.#apply(action, context, seq);
      return { type: action.type, data: controlData(action) };
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
}
