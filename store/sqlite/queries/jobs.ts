/** Bulk jobs. */

const JOB = `id, tenant_id AS tenantId, action, filter, reason, actor_id AS actorId, actor_type AS actorType, request,
  created_at_ms AS createdAtMs, updated_at_ms AS updatedAtMs, completed_at_ms AS completedAtMs, status, matched, succeeded, skipped, failed,
  errors, position`;

export const PUT_JOB = `INSERT INTO jobs (id, tenant_id, action, filter, reason, actor_id, actor_type, request, created_at_ms, updated_at_ms,
    status, succeeded, skipped, failed, errors)
  VALUES (@id, @tenantId, @action, @filter, @reason, @actorId, @actorType, @request, @createdAtMs, @createdAtMs, 'running', 0, 0, 0, '[]')`;
export const JOB_BY_ID = `SELECT ${JOB} FROM jobs WHERE id = ? AND tenant_id = ?`;
export const JOBS = `SELECT ${JOB} FROM jobs INDEXED BY jobs_by_tenant WHERE tenant_id = ? AND id < ? ORDER BY id DESC LIMIT ?`;
/** The condition of the partial index is a literal on purpose. It holds only what has not ended. */
export const RUNNING_JOBS = `SELECT ${JOB} FROM jobs j WHERE status = 'running'
  AND NOT EXISTS (SELECT 1 FROM jobs o INDEXED BY jobs_running WHERE o.status = 'running' AND o.tenant_id = j.tenant_id AND o.id < j.id)`;
export const JOB_PROGRESS = `UPDATE jobs SET position = @position, matched = @matched, succeeded = @succeeded, skipped = @skipped,
    failed = @failed, errors = @errors, updated_at_ms = @atMs
  WHERE id = @id AND tenant_id = @tenantId`;
export const END_JOB = `UPDATE jobs SET status = @status, updated_at_ms = @atMs, completed_at_ms = @atMs
  WHERE id = @id AND tenant_id = @tenantId AND status = 'running'`;
