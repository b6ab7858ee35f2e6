import type { ActionContext, TokenRow } from '../../../store/port/control.ts';
import { StoreError } from '../../../store/port/errors.ts';
import type { Store } from '../../../store/port/store.ts';
import { RuntimeError } from '../../runtime/errors.ts';
import { hashToken, isRole, isSignInCode, mintSignInCode, mintToken, type Role } from '../../server/tokens.ts';
import { RequestError } from '../errors.ts';
import { requireActive } from './authenticator.ts';
import type { Identity } from './identity.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

export const DEFAULT_LINK_LIFETIME_MS = 5 * MINUTE_MS;
export const MAX_LINK_LIFETIME_MS = HOUR_MS;
/** Lifetime of a token that comes from a link. */
const TOKEN_LIFETIME_MS = 12 * HOUR_MS;

/** Links are kept for so long after they expired, to say why they do not work. */
const KEPT_LINK_MS = DAY_MS;
/** Tokens that come from links are kept for so long after they expired, for the list of tokens. */
const KEPT_TOKEN_MS = 7 * DAY_MS;
/** Of the links of a token, the newest work. */
const LINKS_PER_TOKEN = 20;

const USED = 'this sign-in link has been used; each works once';

const SUFFIX = ' (console)';
const MAX_NAME_CHARS = 256;

export interface NewLink {
  readonly code: string;
  readonly expiresAtMs: number;
}

type Stores = Pick<Store, 'signInLinks' | 'tenantRow'>;

/**
 * Makes a link by which a browser signs in as the caller; null when authentication is off. Rejects with `RequestError` `forbidden` for a token that comes
 * from a link itself.
 */
export async function createSignInLink(
  { signInLinks }: Stores,
  { tenantId, tokenId, expiresAtMs: ends, parentId }: Identity,
  { lifetimeMs, nowMs }: { readonly lifetimeMs: number; readonly nowMs: number },
): Promise<NewLink | null> {
  if (tokenId === null) return null;
  if (parentId !== null)
    throw new RequestError('forbidden', 'this token comes from a sign-in link; another link needs the token that made that one');
  const code = mintSignInCode();
  const expiresAtMs = Math.min(nowMs + lifetimeMs, ends ?? Number.POSITIVE_INFINITY);
  await signInLinks.put(
    { codeHash: hashToken(code), tenantId, tokenId, createdAtMs: nowMs, expiresAtMs, usedAtMs: null },
    { expiredBeforeMs: nowMs - KEPT_LINK_MS, keptPerToken: LINKS_PER_TOKEN },
  );
  return { code, expiresAtMs };
}

export interface NewSession {
  readonly plaintext: string;
  readonly row: TokenRow & { readonly expiresAtMs: number };
  readonly role: Role;
}

/**
 * Exchanges the code of a link for a token. Rejects with `not_found`, `sign_in_link_used`, `sign_in_link_expired` (also when the token that
 * made it is no longer valid) or `tenant_not_active`. `contextOf` says how the action of the token that made the link is recorded.
 */
export async function signIn(
  store: Stores,
  code: string,
  nowMs: number,
  contextOf: (owner: Pick<Identity, 'tenantId' | 'name' | 'tokenId' | 'role'>) => ActionContext,
): Promise<NewSession> {
  const codeHash = hashToken(code);
  const link = isSignInCode(code) ? await store.signInLinks.find(codeHash) : null;
  if (link === null) throw new RuntimeError('not_found', 'this sign-in link: it is incomplete, or has expired');
  const { tenantId, token } = link;
  if (link.usedAtMs !== null) throw new StoreError('sign_in_link_used', USED);
  if (link.expiresAtMs <= nowMs) throw new RequestError('sign_in_link_expired', 'this sign-in link has expired');
  if (token.revokedAtMs !== null || (token.expiresAtMs !== null && token.expiresAtMs <= nowMs))
    throw new RequestError('sign_in_link_expired', 'the token that made this sign-in link is revoked or has expired');
  requireActive(tenantId, await store.tenantRow(tenantId));

  const role = isRole(token.role) ? token.role : 'viewer';
  const expiresAtMs = Math.min(nowMs + TOKEN_LIFETIME_MS, token.expiresAtMs ?? Number.POSITIVE_INFINITY);
  const { plaintext, row } = mintToken({ tenantId, role, name: nameOfSession(token.name), nowMs, expiresAtMs });
  const session = { ...row, expiresAtMs, parentId: token.id };
  await store.signInLinks.use(
    { codeHash, token: session, expiredBeforeMs: nowMs - KEPT_TOKEN_MS },
    contextOf({ tenantId, name: token.name, tokenId: token.id, role }),
  );
  return { plaintext, row: session, role };
}

function nameOfSession(name: string): string {
  return `${name.slice(0, MAX_NAME_CHARS - SUFFIX.length)}${SUFFIX}`;
}
