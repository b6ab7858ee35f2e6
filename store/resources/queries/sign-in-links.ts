import type { FoundSignInLink } from '../../port/resources/sign-in-links.ts';
import { sql } from '../statement.ts';

/** Sign-in links, and the tokens that come from them. */

interface StoredLink {
  readonly tenantId: string;
  readonly expiresAtMs: number;
  readonly usedAtMs: number | null;
  readonly id: string;
  readonly name: string;
  readonly role: string;
  readonly tokenExpiresAtMs: number | null;
  readonly revokedAtMs: number | null;
}

function linkOf({ tenantId, expiresAtMs, usedAtMs, tokenExpiresAtMs, ...token }: StoredLink): FoundSignInLink {
  return { tenantId, expiresAtMs, usedAtMs, token: { ...token, expiresAtMs: tokenExpiresAtMs } };
}

export const INSERT_LINK =
  sql(`INSERT INTO sign_in_links (code_hash, tenant_id, token_id, created_at_ms, expires_at_ms, used_at_ms)
  VALUES (@codeHash, @tenantId, @tokenId, @createdAtMs, @expiresAtMs, @usedAtMs)`);
export const LINK_BY_CODE = sql<FoundSignInLink>(
  `SELECT l.tenant_id AS "tenantId", l.expires_at_ms AS "expiresAtMs", l.used_at_ms AS "usedAtMs", t.id, t.name, t.role,
    t.expires_at_ms AS "tokenExpiresAtMs", t.revoked_at_ms AS "revokedAtMs"
  FROM sign_in_links l JOIN tokens t ON t.id = l.token_id AND t.tenant_id = l.tenant_id WHERE l.code_hash = @codeHash`,
  linkOf,
);
export const USE_LINK = sql(
  'UPDATE sign_in_links SET used_at_ms = @atMs WHERE code_hash = @codeHash AND tenant_id = @tenantId AND used_at_ms IS NULL',
);
export const DELETE_EXPIRED_LINKS = sql('DELETE FROM sign_in_links WHERE expires_at_ms < @expiredBeforeMs');
export const DELETE_OLDEST_LINKS = sql(`DELETE FROM sign_in_links WHERE code_hash IN (SELECT code_hash FROM (
  SELECT code_hash, row_number() OVER (ORDER BY created_at_ms DESC, code_hash DESC) AS place FROM sign_in_links
  WHERE tenant_id = @tenantId AND token_id = @tokenId) AS numbered WHERE place > @keptPerToken)`);

export const DELETE_EXPIRED_CHILDREN = sql(
  'DELETE FROM tokens WHERE tenant_id = @tenantId AND parent_id IS NOT NULL AND expires_at_ms < @expiredBeforeMs',
);
