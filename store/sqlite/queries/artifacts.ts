/** Artifacts, and which executions refer to them. */

const ARTIFACT = 'hash, media_type AS mediaType, size, created_at_ms AS createdAtMs';

/** The media type stored first stays. */
export const PUT_ARTIFACT = `INSERT INTO artifacts (tenant_id, hash, media_type, size, pinned, created_at_ms, content)
  VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (tenant_id, hash) DO NOTHING`;
export const PIN_ARTIFACT = 'UPDATE artifacts SET pinned = 1 WHERE tenant_id = ? AND hash = ? AND pinned = 0';
export const ARTIFACT_HEAD = `SELECT ${ARTIFACT} FROM artifacts WHERE tenant_id = ? AND hash = ?`;
export const ARTIFACT_CONTENT = `SELECT ${ARTIFACT}, content FROM artifacts WHERE tenant_id = ? AND hash = ?`;

export const REFER = 'INSERT INTO artifact_refs (execution_id, hash, tenant_id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING';
export const RELEASE = 'DELETE FROM artifact_refs WHERE execution_id = ? AND tenant_id = ? RETURNING hash';
export const DROP_UNREFERRED = `DELETE FROM artifacts WHERE tenant_id = @tenantId AND hash = @hash AND pinned = 0
  AND NOT EXISTS (SELECT 1 FROM artifact_refs r WHERE r.tenant_id = @tenantId AND r.hash = @hash)`;
