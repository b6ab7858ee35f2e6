import type { TokenRow } from '../../../store/port/control.ts';
import { RuntimeError, truncated } from '../../runtime/errors.ts';
import { durationMs } from '../../server/times.ts';
import { type Grant, mintToken } from '../../server/tokens.ts';
import { ANONYMOUS, type Identity } from '../auth/identity.ts';
import { RequestError } from '../errors.ts';
import { type Decoded, parsed, present } from '../operations/codec.ts';
import { type CreateToken, TOKENS } from '../operations/tokens.ts';
import type { Services } from '../services.ts';
import { parseTime } from '../time.ts';
import { implement } from './implement.ts';

export const tokenRoutes = implement(TOKENS, {
  'POST /tokens': async ({ identity, context, body }, { store }) => {
    const { role, name = null, queues = null } = body;
    const tenantId = body.tenantId ?? identity.tenantId;
    if (tenantId !== identity.tenantId) await requireOtherTenant(identity, tenantId, store);
    if (queues !== null && role !== 'worker')
      throw new RuntimeError('bad_request', `queues restrict role worker only, not ${role}`);
    const end = endOf(identity, expiryOf(body, context.atMs));
    const { plaintext, row } = mintToken({ tenantId, role, ...present({ name, queues }), nowMs: context.atMs, ...end });
    await store.control({ type: 'token_created', token: row }, context);
    return { ...shown(row), token: plaintext };
  },

  'GET /tokens': async ({ tenantId }, { store }) => ({ tokens: (await store.tenant(tenantId).tokens()).map(shown) }),

  'DELETE /tokens/:id': async ({ params: { id }, context }, { store, tokens }) => {
    await store.control({ type: 'token_revoked', id }, context);
    tokens.invalidate();
    return { id, revoked: true as const };
  },
});

async function requireOtherTenant(caller: Identity, tenantId: string, store: Services['store']): Promise<void> {
  if (caller.tenantId !== ANONYMOUS.tenantId)
    throw new RequestError('forbidden', `only operators of tenant ${ANONYMOUS.tenantId} make tokens for other tenants`);
  if ((await store.tenantRow(tenantId)) === null) throw new RuntimeError('not_found', `tenant ${truncated(tenantId)} not found`);
}

/** What a session makes ends with it. */
function endOf({ tokenId, parentId, expiresAtMs }: Identity, wantedMs: number | null): Pick<Grant, 'expiresAtMs' | 'parentId'> {
  if (parentId === null) return { expiresAtMs: wantedMs };
  if (expiresAtMs === null) return { expiresAtMs: wantedMs, parentId: tokenId };
  return { expiresAtMs: Math.min(wantedMs ?? expiresAtMs, expiresAtMs), parentId: tokenId };
}

/** Null = never. */
function expiryOf({ expiresIn, expiresAt }: Decoded<CreateToken>, nowMs: number): number | null {
  if (expiresIn != null && expiresAt != null) throw new RuntimeError('bad_request', 'give expires_in or expires_at, not both');
  if (expiresIn != null) return nowMs + lifetimeMs(expiresIn);
  if (expiresAt == null) return null;
  const atMs = parseTime(expiresAt);
  if (atMs === null) throw new RuntimeError('bad_request', `expires_at must be an RFC 3339 time, not "${truncated(expiresAt)}"`);
  if (atMs <= nowMs) throw new RuntimeError('bad_request', `expires_at is past: ${truncated(expiresAt)}`);
  return atMs;
}

function lifetimeMs(text: string): number {
  const ms = durationMs(text);
  if (ms === null)
    throw new RuntimeError('bad_request', `expires_in must be like 90s, 15m, 12h, 30d or 4w, not "${truncated(text)}"`);
  return ms;
}

function shown(row: TokenRow) {
  return { ...row, queues: parsed(row.queues) };
}
