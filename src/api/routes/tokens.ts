import type { TokenRow } from '../../../store/port/control.ts';
import { RuntimeError, truncated } from '../../runtime/errors.ts';
import { durationMs } from '../../server/times.ts';
import { type Grant, mintToken } from '../../server/tokens.ts';
import { ANONYMOUS, type Identity } from '../auth/identity.ts';
import { RequestError } from '../errors.ts';
import { defined } from '../schemas/fields.ts';
import { CreatedToken, CreateToken, RevokedToken, type Token, TokenById, TokenList } from '../schemas/tokens.ts';
import { type Api, actionContext, callerOf, identityOf, type Services } from '../services.ts';
import { parseTime, timeOrNull, timestamp } from '../time.ts';

export function tokenRoutes(app: Api, { store, tokens, nowMs }: Services): void {
  app.post(
    '/tokens',
    {
      config: { access: 'operator' },
      schema: {
        summary: 'Create a token',
        description:
          'The plaintext is returned here and never again. A token that comes from a sign-in link makes only tokens that expire with it, at the latest, and are revoked with it.',
        tags: ['Tokens'],
        operationId: 'createToken',
        body: CreateToken,
        response: { 201: CreatedToken },
      },
    },
    async (request, reply) => {
      const { role, name, queues } = request.body;
      const caller = callerOf(request);
      const tenantId = request.body.tenant_id ?? caller.tenantId;
      if (tenantId !== caller.tenantId) {
        if (caller.tenantId !== ANONYMOUS.tenantId)
          throw new RequestError('forbidden', `only operators of tenant ${ANONYMOUS.tenantId} make tokens for other tenants`);
        if ((await store.tenantRow(tenantId)) === null)
          throw new RuntimeError('not_found', `tenant ${truncated(tenantId)} not found`);
      }
      if (queues != null && role !== 'worker')
        throw new RuntimeError('bad_request', `queues restrict role worker only, not ${role}`);
      const now = nowMs();
      const end = endOf(identityOf(request), expiryOf(request.body, now));
      const named = { ...defined('name', name), ...defined('queues', queues) };
      const { plaintext, row } = mintToken({ tenantId, role, ...named, nowMs: now, ...end });
      await store.control({ type: 'token_created', token: row }, actionContext(request, now));
      void reply.code(201);
      return { ...toToken(row), token: plaintext };
    },
  );

  app.get(
    '/tokens',
    {
      config: { access: 'operator' },
      schema: {
        summary: 'List the tokens of the tenant',
        tags: ['Tokens'],
        operationId: 'listTokens',
        response: { 200: TokenList },
      },
    },
    async (request) => {
      const rows = await store.tenant(identityOf(request).tenantId).tokens();
      return { tokens: rows.map(toToken) };
    },
  );

  app.delete(
    '/tokens/:id',
    {
      config: { access: 'operator' },
      schema: {
        summary: 'Revoke a token',
        description: 'Tokens that come from its sign-in links, and those that they made, are revoked with it.',
        tags: ['Tokens'],
        operationId: 'revokeToken',
        params: TokenById,
        response: { 200: RevokedToken },
      },
    },
    async (request) => {
      const { id } = request.params;
      await store.control({ type: 'token_revoked', id }, actionContext(request, nowMs()));
      tokens.invalidate();
      return { id, revoked: true as const };
    },
  );
}

/** What a session makes ends with it. */
function endOf({ tokenId, parentId, expiresAtMs }: Identity, wantedMs: number | null): Pick<Grant, 'expiresAtMs' | 'parentId'> {
  if (parentId === null) return { expiresAtMs: wantedMs };
  if (expiresAtMs === null) return { expiresAtMs: wantedMs, parentId: tokenId };
  return { expiresAtMs: Math.min(wantedMs ?? expiresAtMs, expiresAtMs), parentId: tokenId };
}

/** Null = never. */
function expiryOf({ expires_in, expires_at }: CreateToken, nowMs: number): number | null {
  if (expires_in != null && expires_at != null) throw new RuntimeError('bad_request', 'give expires_in or expires_at, not both');
  if (expires_in != null) return nowMs + lifetimeMs(expires_in);
  if (expires_at == null) return null;
  const atMs = parseTime(expires_at);
  if (atMs === null) throw new RuntimeError('bad_request', `expires_at must be an RFC 3339 time, not "${truncated(expires_at)}"`);
  if (atMs <= nowMs) throw new RuntimeError('bad_request', `expires_at is past: ${truncated(expires_at)}`);
  return atMs;
}

function lifetimeMs(text: string): number {
  const ms = durationMs(text);
  if (ms === null)
    throw new RuntimeError('bad_request', `expires_in must be like 90s, 15m, 12h, 30d or 4w, not "${truncated(text)}"`);
  return ms;
}

function toToken(row: TokenRow): Token {
  return {
    id: row.id,
    name: row.name,
    role: row.role,
    tenant_id: row.tenantId,
    created_at: timestamp(row.createdAtMs),
    expires_at: timeOrNull(row.expiresAtMs),
    parent_id: row.parentId,
    queues: row.queues === null ? null : (JSON.parse(row.queues) as string[]),
    revoked_at: timeOrNull(row.revokedAtMs),
  };
}
