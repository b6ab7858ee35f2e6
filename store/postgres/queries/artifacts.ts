import { sql } from '../connections.ts';

/** Artifacts, and which executions refer to them. */

const ARTIFACT = 'hash, media_type AS "mediaType", size, created_at_ms AS "createdAtMs"';

/** The media type stored first stays. */
export const PUT_ARTIFACT = sql(`INSERT INTO artifacts (tenant_id, hash, media_type, size, pinned, created_at_ms, content)
  VALUES ($1, $2, $3, $4, true, $5, $6) ON CONFLICT (tenant_id, hash) DO NOTHING RETURNING hash`);
export const PIN_ARTIFACT = sql(
  'UPDATE artifacts SET pinned = true WHERE tenant_id = $1 AND hash = $2 AND NOT pinned RETURNING hash',
);
export const ARTIFACT_HEAD = sql(`SELECT ${ARTIFACT} FROM artifacts WHERE tenant_id = $1 AND hash = $2`);
export const ARTIFACT_CONTENT = sql(`SELECT ${ARTIFACT}, content FROM artifacts WHERE tenant_id = $1 AND hash = $2`);

/**
 * What a commit's events refer to. Bytes that are there already are held on to, so that nobody drops them before the commit: the update
 * changes nothing, and does not write them again.
 */
export const OFFLOAD_ARTIFACT = sql(`WITH put AS (
    INSERT INTO artifacts (tenant_id, hash, media_type, size, pinned, created_at_ms, content)
    VALUES ($1, $2, $3, $4, false, $5, $6) ON CONFLICT (tenant_id, hash) DO UPDATE SET pinned = artifacts.pinned
  )
  INSERT INTO artifact_refs (execution_id, hash, tenant_id) VALUES ($7, $2, $1) ON CONFLICT DO NOTHING`);
export const RELEASE = sql('DELETE FROM artifact_refs WHERE execution_id = $1 AND tenant_id = $2 RETURNING hash');
/** Waits for commits that refer to them: the statement after this one sees their references. */
export const LOCK_ARTIFACTS = sql(`SELECT 1 FROM artifacts WHERE tenant_id = $1 AND hash = ANY($2::text[]) AND NOT pinned
  ORDER BY hash FOR UPDATE`);
export const DROP_UNREFERRED = sql(`DELETE FROM artifacts a WHERE a.tenant_id = $1 AND a.hash = ANY($2::text[]) AND NOT a.pinned
  AND NOT EXISTS (SELECT 1 FROM artifact_refs r WHERE r.tenant_id = a.tenant_id AND r.hash = a.hash) RETURNING a.hash`);
