import { sql } from '../statement.ts';

/** Workflows and tokens, as actions on the control plane change them. */

export const INSERT_REVISION = sql(`INSERT INTO revisions (tenant_id, hash, source, created_at_ms)
  VALUES (@tenantId, @revision, @source, @atMs) ON CONFLICT (tenant_id, hash) DO NOTHING`);
export const PUT_WORKFLOW = sql(`INSERT INTO workflows (tenant_id, workflow_id, version, revision, registration, registered_at_ms)
  VALUES (@tenantId, @workflowId, @version, @revision, @seq, @atMs)
  ON CONFLICT (tenant_id, workflow_id, version) DO UPDATE
    SET revision = excluded.revision, registration = excluded.registration, registered_at_ms = excluded.registered_at_ms`);
export const PUT_WORKFLOW_REVISION = sql(`INSERT INTO workflow_revisions (tenant_id, workflow_id, version, revision,
    first_registered_at_ms, first_registered_by, registration, registered_at_ms, registered_by)
  VALUES (@tenantId, @workflowId, @version, @revision, @atMs, @actorId, @seq, @atMs, @actorId)
  ON CONFLICT (tenant_id, workflow_id, revision, version) DO UPDATE SET registration = excluded.registration,
    registered_at_ms = excluded.registered_at_ms, registered_by = excluded.registered_by`);

export const INSERT_TOKEN = sql(`INSERT INTO tokens (id, tenant_id, name, role, hash, created_at_ms, expires_at_ms, revoked_at_ms,
    parent_id, queues)
  VALUES (@id, @tenantId, @name, @role, @hash, @createdAtMs, @expiresAtMs, @revokedAtMs, @parentId, @queues)`);
export const REVOKE_TOKEN = sql(
  'UPDATE tokens SET revoked_at_ms = coalesce(revoked_at_ms, @atMs) WHERE id = @id AND tenant_id = @tenantId',
);
/** After the parents, whose locks keep further ones from coming. */
export const REVOKE_CHILDREN = sql<{ readonly id: string }>(
  ({ in: isIn }) =>
    `UPDATE tokens SET revoked_at_ms = @atMs WHERE parent_id ${isIn('parentIds')} AND revoked_at_ms IS NULL RETURNING id`,
);
/** While it is locked, it cannot be revoked: a revocation that follows finds the token that comes from it. */
export const LOCK_VALID_TOKEN = sql(
  ({ forUpdate }) =>
    `SELECT id FROM tokens WHERE id = @parentId AND tenant_id = @tenantId AND revoked_at_ms IS NULL ${forUpdate}`,
);
