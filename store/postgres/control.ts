import { type ActionContext, type ControlAction, controlData } from '../port/control.ts';
import { StoreError } from '../port/errors.ts';
import type { Queries } from './connections.ts';
import type { ControlLog } from './control-log.ts';
import * as sql from './queries/control.ts';

/** Carries out the actions on workflows and tokens. */
export class ControlActions {
  readonly #log: ControlLog;

  constructor(log: ControlLog) {
    this.#log = log;
  }

  act(action: ControlAction, context: ActionContext): Promise<void> {
    return this.#log.act(context, async (queries, seq) => {
      await apply(queries, action, context, seq);
      return { type: action.type, data: controlData(action) };
    });
  }
}

async function apply(queries: Queries, action: ControlAction, { tenantId, atMs }: ActionContext, seq: number): Promise<void> {
  switch (action.type) {
    case 'workflow_registered':
      await queries.query(sql.PUT_REVISION, [tenantId, action.revision, action.source, atMs]);
      await queries.query(sql.PUT_WORKFLOW, [tenantId, action.workflowId, action.version, action.revision, seq, atMs]);
      return;
    case 'token_created': {
      const { id, name, role, hash, createdAtMs, expiresAtMs, revokedAtMs } = action.token;
      await queries.query(sql.CREATE_TOKEN, [id, action.token.tenantId, name, role, hash, createdAtMs, expiresAtMs, revokedAtMs]);
      return;
    }
    case 'token_revoked': {
      const revoked = await queries.query(sql.REVOKE_TOKEN, [atMs, action.id, tenantId]);
      if (revoked.length === 0) throw new StoreError('unknown_token', `there is no token "${action.id}"`);
      return;
    }
  }
}
