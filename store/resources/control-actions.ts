import { type ActionContext, type ControlAction, controlData } from '../port/control.ts';
import { StoreError } from '../port/errors.ts';
import type { ResourceDatabase } from './database.ts';
import * as sql from './queries/control-actions.ts';
import { all, get, run, type Script } from './script.ts';

/** Carries out the actions on workflows and tokens. */
export class ControlActions {
  readonly #db: ResourceDatabase;

  constructor(db: ResourceDatabase) {
    this.#db = db;
  }

  act(action: ControlAction, context: ActionContext): Promise<void> {
    return this.#db.act(context, function* (seq) {
      yield* apply(action, context, seq);
      return { event: { type: action.type, data: controlData(action) } };
    });
  }
}

function* apply(action: ControlAction, { tenantId, atMs, actorId }: ActionContext, seq: number): Script<void> {
  switch (action.type) {
    case 'workflow_registered':
      yield* run(sql.INSERT_REVISION, { ...action, tenantId, atMs });
      yield* run(sql.PUT_WORKFLOW, { ...action, tenantId, atMs, seq });
      yield* run(sql.PUT_WORKFLOW_REVISION, { ...action, tenantId, atMs, actorId, seq });
      return;
    case 'token_created':
      if (action.token.parentId !== null) yield* lockParent(action.token.parentId, tenantId);
      yield* run(sql.INSERT_TOKEN, action.token);
      return;
    case 'token_revoked':
      if ((yield* run(sql.REVOKE_TOKEN, { id: action.id, tenantId, atMs })) === 0)
        throw new StoreError('unknown_token', `there is no token "${action.id}"`);
      // One generation after the other, in any tenant: each is complete once its parents are locked.
      for (let parentIds = [action.id]; parentIds.length > 0; )
        parentIds = (yield* all(sql.REVOKE_CHILDREN, { parentIds, atMs })).map(({ id }) => id);
      return;
  }
}

/** Throws `unknown_token` if the token that makes another one is revoked; else it is not revoked before the transaction ends. */
export function* lockParent(parentId: string, tenantId: string): Script<void> {
  if ((yield* get(sql.LOCK_VALID_TOKEN, { parentId, tenantId })) === null)
    throw new StoreError('unknown_token', `the token ${parentId} does not exist, or is revoked`);
}
