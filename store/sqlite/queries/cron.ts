/** Cron jobs. */

/** Without the input, which may be large. */
const JOB = `id, tenant_id AS tenantId, name, expression, timezone, workflow_id AS workflowId, workflow_version AS workflowVersion,
  missed, overlap, enabled, next_run_at_ms AS nextRunAtMs, last_run_at_ms AS lastRunAtMs,
  last_execution_id AS lastExecutionId, last_error AS lastError, created_at_ms AS createdAtMs`;

export const DROP_CRON_JOB = 'DELETE FROM cron_jobs WHERE tenant_id = ? AND name = ?';
export const PUT_CRON_JOB = `INSERT INTO cron_jobs (id, tenant_id, name, expression, timezone, workflow_id, workflow_version, input, missed,
    overlap, enabled, next_run_at_ms, last_run_at_ms, last_execution_id, last_error, created_at_ms)
  VALUES (@id, @tenantId, @name, @expression, @timezone, @workflowId, @workflowVersion, @input, @missed,
    @overlap, @enabled, @nextRunAtMs, @lastRunAtMs, @lastExecutionId, @lastError, @createdAtMs)`;
export const CRON_JOB = `SELECT ${JOB}, input FROM cron_jobs WHERE tenant_id = ? AND name = ?`;
export const CRON_JOBS = `SELECT ${JOB}, input FROM cron_jobs WHERE tenant_id = ? AND name > ? ORDER BY name LIMIT ?`;
export const DUE_CRON_JOBS = `SELECT ${JOB} FROM cron_jobs WHERE next_run_at_ms <= ? ORDER BY next_run_at_ms DESC, id DESC LIMIT ?`;
export const CRON_INPUT = 'SELECT input FROM cron_jobs WHERE id = ? AND tenant_id = ?';
export const NEXT_CRON_RUN =
  'SELECT next_run_at_ms FROM cron_jobs WHERE next_run_at_ms IS NOT NULL ORDER BY next_run_at_ms LIMIT 1';

export const SET_CRON_NEXT = `UPDATE cron_jobs SET enabled = @enabled, next_run_at_ms = @nextRunAtMs
  WHERE id = @id AND tenant_id = @tenantId AND enabled <> @enabled`;
/** A run outside the schedule. */
export const CRON_TRIGGERED = `UPDATE cron_jobs SET last_run_at_ms = ?, last_execution_id = ?, last_error = NULL
  WHERE id = ? AND tenant_id = ?`;

const FROM = 'WHERE id = @id AND tenant_id = @tenantId AND next_run_at_ms = @fromMs';
export const CRON_RAN = `UPDATE cron_jobs SET next_run_at_ms = @toMs, last_run_at_ms = @ranAtMs, last_execution_id = @executionId,
  last_error = NULL ${FROM}`;
/** Skipping says nothing about the last error. */
export const CRON_OMITTED = `UPDATE cron_jobs SET next_run_at_ms = @toMs, last_error = coalesce(@error, last_error) ${FROM}`;
