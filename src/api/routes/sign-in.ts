import { RuntimeError, truncated } from '../../runtime/errors.ts';
import { durationMs } from '../../server/times.ts';
import { createSignInLink, DEFAULT_LINK_LIFETIME_MS, MAX_LINK_LIFETIME_MS, signIn } from '../auth/sign-in.ts';
import { publicUrl } from '../discovery/public-url.ts';
import { CreateSignInLink, SignedIn, SignIn, SignInLink } from '../operations/sign-in.ts';
import { RevokedToken } from '../operations/tokens.ts';
import { type Api, actionContext, actionContextOf, identityOf, type Services } from '../services.ts';
import { timestamp } from '../time.ts';

export function signInRoutes(app: Api, { store, tokens, config, nowMs }: Services, auth: 'on' | 'off'): void {
  app.post(
    '/sign-in-links',
    {
      config: { access: 'read' },
      schema: {
        summary: 'Make a one-time sign-in link',
        description:
          'A link by which a browser signs in to the console as the caller. It works once. A token makes no link that outlives it, and a token that comes from a link makes none.',
        tags: ['Identity'],
        operationId: 'createSignInLink',
        body: CreateSignInLink,
        response: { 201: SignInLink },
      },
      preValidation: async (request) => {
        request.body ??= {};
      },
    },
    async (request, reply) => {
      const lifetimeMs = lifetimeOf(request.body);
      const link = await createSignInLink(store, identityOf(request), { lifetimeMs, nowMs: nowMs() });
      const url = `${publicUrl(app, config)}/`;
      void reply.code(201).header('cache-control', 'no-store');
      if (link === null) return { code: null, url, expires_at: null };
      return { code: link.code, url: `${url}#/sign-in/${link.code}`, expires_at: timestamp(link.expiresAtMs) };
    },
  );

  app.post(
    '/sign-in',
    {
      config: { access: 'open' },
      schema: {
        summary: 'Sign in by a link',
        description: 'Exchanges the code of a sign-in link for a token. A second use of a code is refused.',
        tags: ['Identity'],
        operationId: 'signIn',
        body: SignIn,
        response: { 201: SignedIn },
      },
    },
    async (request, reply) => {
      if (auth === 'off') throw new RuntimeError('conflict', 'authentication is off: no sign-in is needed');
      const now = nowMs();
      const { plaintext, row, role } = await signIn(store, request.body.code, now, (caller) =>
        actionContextOf(request, caller, now),
      );
      void reply.code(201).header('cache-control', 'no-store');
      return {
        token: plaintext,
        token_id: row.id,
        tenant_id: row.tenantId,
        name: row.name,
        role,
        expires_at: timestamp(row.expiresAtMs),
      };
    },
  );

  app.post(
    '/sign-out',
    {
      config: { access: 'read' },
      schema: {
        summary: 'Sign out',
        description: 'Revokes the token of the caller, if it comes from a sign-in link. 409 for other tokens.',
        tags: ['Identity'],
        operationId: 'signOut',
        response: { 200: RevokedToken },
      },
    },
    async (request) => {
      const { tokenId, parentId } = identityOf(request);
      if (tokenId === null || parentId === null)
        throw new RuntimeError('conflict', 'this token does not come from a sign-in link; an operator can revoke it');
      await store.control({ type: 'token_revoked', id: tokenId }, actionContext(request, nowMs()));
      tokens.invalidate();
      return { id: tokenId, revoked: true as const };
    },
  );
}

function lifetimeOf({ expires_in }: CreateSignInLink): number {
  if (expires_in == null) return DEFAULT_LINK_LIFETIME_MS;
  const ms = durationMs(expires_in);
  if (ms === null || ms > MAX_LINK_LIFETIME_MS)
    throw new RuntimeError('bad_request', `expires_in must be like 90s or 5m, at most 1h, not "${truncated(expires_in)}"`);
  return ms;
}
