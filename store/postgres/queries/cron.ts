import { sql } from '../connections.ts';

/** Cron jobs. */

/** Without the input, which may be large. */
const JOB = `id, tenant_id AS "tenantId", name, expression, timezone, workflow_id AS "workflowId", workflow_version AS "workflowVersion",
  missed, overlap, enabled, next_run_at_ms AS "nextRunAtMs", last_run_at_ms AS "lastRunAtMs",
  last_execution_id AS "lastExecutionId", last_error AS "lastError", created_at_ms AS "createdAtMs"`;

export const DROP_CRON_JOB = sql('DELETE FROM cron_jobs WHERE tenant_id = $1 AND name = $2 RETURNING id');
export const PUT_CRON_JOB =
  sql(`INSERT INTO cron_jobs (id, tenant_id, name, expression, timezone, workflow_id, workflow_version, input, missed,
    overlap, enabled, next_run_at_ms, last_run_at_ms, last_execution_id, last_error, created_at_ms)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`);
export const CRON_JOB = sql(`SELECT ${JOB}, input FROM cron_jobs WHERE tenant_id = $1 AND name = $2`);
export const CRON_JOBS = sql(`SELECT ${JOB}, input FROM cron_jobs WHERE tenant_id = $1 AND name > $2 ORDER BY name LIMIT $3`);
export const DUE_CRON_JOBS = sql(`SELECT ${JOB} FROM cron_jobs
  WHERE next_run_at_ms IS NOT NULL AND next_run_at_ms <= $1 ORDER BY next_run_at_ms, id LIMIT $2`);
export const CRON_INPUT = sql('SELECT input FROM cron_jobs WHERE id = $1 AND tenant_id = $2');
export const NEXT_CRON_RUN = sql('SELECT min(next_run_at_ms) AS "atMs" FROM cron_jobs WHERE next_run_at_ms IS NOT NULL');

export const SET_CRON_NEXT = sql(`UPDATE cron_jobs SET enabled = $3, next_run_at_ms = $4
  WHERE id = $1 AND tenant_id = $2 AND enabled <> $3 RETURNING id`);
/** A run outside the schedule. */
export const CRON_RAN = sql(
  'UPDATE cron_jobs SET last_run_at_ms = $3, last_execution_id = $4, last_error = NULL WHERE id = $1 AND tenant_id = $2',
);

const FROM = 'WHERE id = $1 AND tenant_id = $2 AND next_run_at_ms = $3 RETURNING id';
export const CRON_RAN_ON_TIME = sql(`UPDATE cron_jobs SET next_run_at_ms = $4, last_run_at_ms = $5, last_execution_id = $6,
  last_error = NULL ${FROM}`);
export const CRON_FAILED = sql(`UPDATE cron_jobs SET next_run_at_ms = $4, last_error = $5 ${FROM}`);
export const CRON_SKIPPED = sql(`UPDATE cron_jobs SET next_run_at_ms = $4 ${FROM}`);
