import type { Artifact, ArtifactMetadata } from '../../port/resources/artifacts.ts';
import { sql } from '../statement.ts';

/** Artifacts, and which executions refer to them. */

const METADATA = 'hash, media_type AS "mediaType", size, created_at_ms AS "createdAtMs"';

/** The media type stored first stays. */
export const INSERT_ARTIFACT = sql(`INSERT INTO artifacts (tenant_id, hash, media_type, size, pinned, created_at_ms, content)
  VALUES (@tenantId, @hash, @mediaType, @size, @pinned, @createdAtMs, @content) ON CONFLICT (tenant_id, hash) DO NOTHING`);
export const PIN_ARTIFACT = sql(
  ({ engine }) =>
    `UPDATE artifacts SET pinned = ${engine === 'sqlite' ? 1 : true} WHERE tenant_id = @tenantId AND hash = @hash AND NOT pinned`,
);
export const ARTIFACT_METADATA = sql<ArtifactMetadata>(
  `SELECT ${METADATA} FROM artifacts WHERE tenant_id = @tenantId AND hash = @hash`,
);
export const ARTIFACT_CONTENT = sql<Artifact>(
  `SELECT ${METADATA}, content FROM artifacts WHERE tenant_id = @tenantId AND hash = @hash`,
);

export const DELETE_REFERENCES = sql<{ readonly hash: string }>(
  ({ in: isIn }) => `DELETE FROM artifact_refs WHERE execution_id ${isIn('ids')} AND tenant_id = @tenantId RETURNING hash`,
);
/** Waits for commits that refer to them: the statement after this one sees their references. */
export const LOCK_ARTIFACTS = sql(
  ({ in: isIn, forUpdate }) => `SELECT hash FROM artifacts WHERE tenant_id = @tenantId AND hash ${isIn('hashes')} AND NOT pinned
  ORDER BY hash ${forUpdate}`,
);
export const DELETE_UNREFERENCED = sql(
  ({ in: isIn }) => `DELETE FROM artifacts WHERE tenant_id = @tenantId AND hash ${isIn('hashes')} AND NOT pinned
  AND NOT EXISTS (SELECT 1 FROM artifact_refs r WHERE r.tenant_id = artifacts.tenant_id AND r.hash = artifacts.hash)`,
);
