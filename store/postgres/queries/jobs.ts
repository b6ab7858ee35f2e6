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
/** The condition of the partial index is a literal on purpose. It holds only what has not ended. */
export const RUNNING_JOBS = sql(
  `SELECT DISTINCT ON (tenant_id) ${JOB} FROM jobs WHERE status = 'running' ORDER BY tenant_id, id`,
);
export const JOB_PROGRESS =
  sql(`UPDATE jobs SET position = $1, matched = $2, succeeded = $3, skipped = $4, failed = $5, errors = $6,
    updated_at_ms = $7
  WHERE id = $8 AND tenant_id = $9`);
export const END_JOB = sql(`UPDATE jobs SET status = $1, updated_at_ms = $2, completed_at_ms = $2
  WHERE id = $3 AND tenant_id = $4 AND status = 'running' RETURNING id`);
