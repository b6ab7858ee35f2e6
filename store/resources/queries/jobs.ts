import type { JobRow, RetriedRow } from '../../port/resources/jobs.ts';
import { sql } from '../statement.ts';

/** Bulk jobs. */

const JOB = `id, tenant_id AS "tenantId", action, filter, reason, actor_id AS "actorId", actor_type AS "actorType", request,
  created_at_ms AS "createdAtMs", updated_at_ms AS "updatedAtMs", completed_at_ms AS "completedAtMs", status, matched, succeeded, skipped, failed,
  errors, position`;

export const INSERT_JOB =
  sql(`INSERT INTO jobs (id, tenant_id, action, filter, reason, actor_id, actor_type, request, created_at_ms, updated_at_ms,
    status, succeeded, skipped, failed, errors)
  VALUES (@id, @tenantId, @action, @filter, @reason, @actorId, @actorType, @request, @createdAtMs, @createdAtMs, 'running', 0, 0, 0, '[]')`);
export const JOB_BY_ID = sql<JobRow>(`SELECT ${JOB} FROM jobs WHERE id = @id AND tenant_id = @tenantId`);
/** A range of the index, in its order: otherwise PostgreSQL's planner may scan the jobs of all tenants. */
export const JOBS = sql<JobRow>(`SELECT ${JOB} FROM jobs WHERE (tenant_id, id) < (@tenantId, @after) AND tenant_id >= @tenantId
  ORDER BY tenant_id DESC, id DESC LIMIT @limit`);
/** The first job of each tenant, from tenant to tenant along the partial index of running jobs, whose condition must be a literal. */
export const RUNNING_JOBS = sql<JobRow>(({ indexedBy, engine }) =>
  engine === 'sqlite'
    ? `SELECT ${JOB} FROM jobs j WHERE status = 'running'
  AND NOT EXISTS (SELECT 1 FROM jobs o ${indexedBy('jobs_running')} WHERE o.status = 'running' AND o.tenant_id = j.tenant_id AND o.id < j.id)`
    : `WITH RECURSIVE first (tenant_id, id) AS (
    (SELECT tenant_id, id FROM jobs WHERE status = 'running' ORDER BY tenant_id, id LIMIT 1)
    UNION ALL
    SELECT next.tenant_id, next.id FROM first CROSS JOIN LATERAL (SELECT j.tenant_id, j.id FROM jobs j
      WHERE j.status = 'running' AND j.tenant_id > first.tenant_id ORDER BY j.tenant_id, j.id LIMIT 1) AS next
  )
  SELECT job.* FROM first CROSS JOIN LATERAL (SELECT ${JOB} FROM jobs j WHERE j.id = first.id LIMIT 1) AS job`,
);
export const RECORD_PROGRESS =
  sql(`UPDATE jobs SET position = @position, matched = @matched, succeeded = @succeeded, skipped = @skipped,
    failed = @failed, errors = @errors, updated_at_ms = @atMs
  WHERE id = @id AND tenant_id = @tenantId`);
export const RECORD_RETRIED = sql(
  ({ each }) => `INSERT INTO retried_executions (job_id, execution_id, tenant_id)
  SELECT @id, each.value, @tenantId FROM ${each('retried')} WHERE true ON CONFLICT DO NOTHING`,
);
/** Along the key, newest first. */
export const RETRIED_EXECUTIONS =
  sql<RetriedRow>(`SELECT r.execution_id AS "executionId", e.status, e.workflow_id AS "workflowId",
  CASE e.status WHEN 'failed' THEN e.error END AS error, e.updated_at_ms AS "updatedAtMs",
  e.completed_at_ms AS "completedAtMs"
  FROM retried_executions r LEFT JOIN executions e ON e.id = r.execution_id
  WHERE r.job_id = @jobId AND r.execution_id < @before AND r.tenant_id = @tenantId
  ORDER BY r.job_id DESC, r.execution_id DESC LIMIT @limit`);
export const END_JOB = sql(`UPDATE jobs SET status = @status, updated_at_ms = @atMs, completed_at_ms = @atMs
  WHERE id = @id AND tenant_id = @tenantId AND status = 'running'`);
