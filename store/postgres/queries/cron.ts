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
  WHERE next_run_at_ms IS NOT NULL AND next_run_at_ms <= $1 ORDER BY next_run_at_ms DESC, id DESC LIMIT $2`);
export const CRON_INPUT = sql('SELECT input FROM cron_jobs WHERE id = $1 AND tenant_id = $2');
export const NEXT_CRON_RUN = sql('SELECT min(next_run_at_ms) AS "atMs" FROM cron_jobs WHERE next_run_at_ms IS NOT NULL');

export const SET_CRON_NEXT = sql(`UPDATE cron_jobs SET enabled = $3, next_run_at_ms = $4
  WHERE id = $1 AND tenant_id = $2 AND enabled <> $3 RETURNING id`);
/** A run outside the schedule. */
export const CRON_TRIGGERED = sql(
  'UPDATE cron_jobs SET last_run_at_ms = $3, last_execution_id = $4, last_error = NULL WHERE id = $1 AND tenant_id = $2',
);

/** Lists of equal length: id, tenant, from, to, when it ran, the execution. A job may be in them more than once, in the order of its times. */
export const CRON_RAN = sql(`WITH run AS (
    SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[])
      AS r (id, tenant_id, from_ms, to_ms, ran_at_ms, execution_id)
  ), latest AS (
    SELECT DISTINCT ON (id, tenant_id) id, tenant_id, to_ms, ran_at_ms, execution_id,
      min(from_ms) OVER (PARTITION BY id, tenant_id) AS from_ms
    FROM run ORDER BY id, tenant_id, from_ms DESC
  )
  UPDATE cron_jobs c SET next_run_at_ms = l.to_ms, last_run_at_ms = l.ran_at_ms, last_execution_id = l.execution_id, last_error = NULL
  FROM latest l WHERE c.id = l.id AND c.tenant_id = l.tenant_id AND c.next_run_at_ms = l.from_ms`);
/** Skipping says nothing about the last error. */
export const CRON_OMITTED = sql(`UPDATE cron_jobs SET next_run_at_ms = $4, last_error = coalesce($5, last_error)
  WHERE id = $1 AND tenant_id = $2 AND next_run_at_ms = $3 RETURNING id`);
