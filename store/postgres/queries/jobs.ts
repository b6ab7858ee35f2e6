import { sql } from '../connections.ts';

/** Bulk jobs. */

const JOB = `id, tenant_id AS "tenantId", action, filter, reason, actor_id AS "actorId", actor_type AS "actorType", request,
  created_at_ms AS "createdAtMs", updated_at_ms AS "updatedAtMs", completed_at_ms AS "completedAtMs", status, matched, succeeded, skipped, failed,
  errors, position`;

export const PUT_JOB =
  sql(`INSERT INTO jobs (id, tenant_id, action, filter, reason, actor_id, actor_type, request, created_at_ms, updated_at_ms,
    status, succeeded, skipped, failed, errors)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, 'running', 0, 0, 0, '[]')`);
export const JOB_BY_ID = sql(`SELECT ${JOB} FROM jobs WHERE id = $1 AND tenant_id = $2`);
/** In the order of the index, so that the planner does not walk along all tenants' jobs. */
export const JOBS = sql(`SELECT ${JOB} FROM jobs WHERE (tenant_id, id) < ($1, $2) AND tenant_id >= $1
  ORDER BY tenant_id DESC, id DESC LIMIT $3`);
/** From the first job of a tenant to that of the next. The condition of the partial index is a literal on purpose: it holds what has not ended. */
export const RUNNING_JOBS = sql(`WITH RECURSIVE first (tenant_id, id) AS (
    (SELECT tenant_id, id FROM jobs WHERE status = 'running' ORDER BY tenant_id, id LIMIT 1)
    UNION ALL
    SELECT next.tenant_id, next.id FROM first CROSS JOIN LATERAL (SELECT j.tenant_id, j.id FROM jobs j
      WHERE j.status = 'running' AND j.tenant_id > first.tenant_id ORDER BY j.tenant_id, j.id LIMIT 1) AS next
  )
  SELECT job.* FROM first CROSS JOIN LATERAL (SELECT ${JOB} FROM jobs j WHERE j.id = first.id LIMIT 1) AS job`);
export const JOB_PROGRESS =
  sql(`UPDATE jobs SET position = $1, matched = $2, succeeded = $3, skipped = $4, failed = $5, errors = $6,
    updated_at_ms = $7
  WHERE id = $8 AND tenant_id = $9`);
export const END_JOB = sql(`UPDATE jobs SET status = $1, updated_at_ms = $2, completed_at_ms = $2
  WHERE id = $3 AND tenant_id = $4 AND status = 'running' RETURNING id`);
