import { RuntimeError, truncated } from '../../runtime/errors.ts';
import { durationMs } from '../../server/times.ts';
import { createSignInLink, DEFAULT_LINK_LIFETIME_MS, MAX_LINK_LIFETIME_MS, signIn } from '../auth/sign-in.ts';
import { publicUrl } from '../discovery/public-url.ts';
import { SIGN_IN } from '../operations/sign-in.ts';
import { type Api, actionContextOf, type Services } from '../services.ts';
import { implement } from './implement.ts';

export function signInRoutes(app: Api, services: Services, auth: 'on' | 'off'): void {
  implement(SIGN_IN, {
    'POST /sign-in-links': async ({ body, identity, request, reply }, { store, config, nowMs }) => {
      const lifetimeMs = lifetimeOf(body.expiresIn ?? null);
      const link = await createSignInLink(store, identity, { lifetimeMs, nowMs: nowMs() });
      const url = `${publicUrl(request.server, config)}/`;
      void reply.header('cache-control', 'no-store');
      return link === null ? { code: null, url, expiresAtMs: null } : { ...link, url: `${url}#/sign-in/${link.code}` };
    },

    'POST /sign-in': async ({ body, request, reply }, { store, nowMs }) => {
      if (auth === 'off') throw new RuntimeError('conflict', 'authentication is off: no sign-in is needed');
      const now = nowMs();
      const { plaintext, row, role } = await signIn(store, body.code, now, (caller) => actionContextOf(request, caller, now));
      void reply.header('cache-control', 'no-store');
      return { ...row, token: plaintext, tokenId: row.id, role };
    },

    'POST /sign-out': async ({ identity: { tokenId, parentId }, context }, { store, tokens }) => {
      if (tokenId === null || parentId === null)
        throw new RuntimeError('conflict', 'this token does not come from a sign-in link; an operator can revoke it');
      await store.control({ type: 'token_revoked', id: tokenId }, context);
      tokens.invalidate();
      return { id: tokenId, revoked: true as const };
    },
  })(app, services);
}

function lifetimeOf(expiresIn: string | null): number {
  if (expiresIn === null) return DEFAULT_LINK_LIFETIME_MS;
  const ms = durationMs(expiresIn);
  if (ms === null || ms > MAX_LINK_LIFETIME_MS)
    throw new RuntimeError('bad_request', `expires_in must be like 90s or 5m, at most 1h, not "${truncated(expiresIn)}"`);
  return ms;
}
