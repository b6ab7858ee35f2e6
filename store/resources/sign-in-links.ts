import { type ActionContext, controlData } from '../port/control.ts';
import { StoreError } from '../port/errors.ts';
import type {
  FoundSignInLink,
  SignIn,
  SignInLinkLimits,
  SignInLinkRow,
  SignInLinkStore,
} from '../port/resources/sign-in-links.ts';
import { lockParent } from './control-actions.ts';
import type { ResourceDatabase } from './database.ts';
import { INSERT_TOKEN } from './queries/control-actions.ts';
import * as sql from './queries/sign-in-links.ts';
import { run } from './script.ts';

export class SignInLinks implements SignInLinkStore {
  readonly #db: ResourceDatabase;

  constructor(db: ResourceDatabase) {
    this.#db = db;
  }

  put(row: SignInLinkRow, { expiredBeforeMs, keptPerToken }: SignInLinkLimits): Promise<void> {
    return this.#db.transaction(function* () {
      yield* run(sql.DELETE_EXPIRED_LINKS, { expiredBeforeMs });
      yield* run(sql.INSERT_LINK, row);
      yield* run(sql.DELETE_OLDEST_LINKS, { ...row, keptPerToken });
    });
  }

  find(codeHash: string): Promise<FoundSignInLink | null> {
    return this.#db.runtime.get(sql.LINK_BY_CODE, { codeHash });
  }

  use({ codeHash, token, expiredBeforeMs }: SignIn, context: ActionContext): Promise<void> {
    return this.#db.act(context, function* () {
      yield* lockParent(token.parentId, token.tenantId);
      if ((yield* run(sql.USE_LINK, { codeHash, tenantId: token.tenantId, atMs: context.atMs })) === 0)
        throw new StoreError('sign_in_link_used', 'this sign-in link has been used; each works once');
      yield* run(sql.DELETE_EXPIRED_CHILDREN, { tenantId: token.tenantId, expiredBeforeMs });
      yield* run(INSERT_TOKEN, token);
      return { event: { type: 'token_created', data: controlData({ type: 'token_created', token }) } };
    });
  }
}
