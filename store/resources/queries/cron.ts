import type { CronJob, CronJobSummary } from '../../port/resources/cron.ts';
import { sql } from '../statement.ts';

/** Cron jobs. */

type Stored<Job> = Omit<Job, 'enabled'> & { readonly enabled: number | boolean };

const decode = <Job extends CronJobSummary>(stored: Stored<Job>): Job => ({ ...stored, enabled: Boolean(stored.enabled) }) as Job;

/** Without the input, which may be large. */
const SUMMARY = `id, tenant_id AS "tenantId", name, expression AS "cronExpression", timezone, workflow_id AS "workflowId", workflow_version AS "workflowVersion",
  missed, overlap, enabled, next_run_at_ms AS "nextRunAtMs", last_run_at_ms AS "lastRunAtMs",
  last_execution_id AS "lastExecutionId", last_error AS "lastError", created_at_ms AS "createdAtMs"`;

export const DELETE_CRON_JOB = sql('DELETE FROM cron_jobs WHERE tenant_id = @tenantId AND name = @name');
export const INSERT_CRON_JOB =
  sql(`INSERT INTO cron_jobs (id, tenant_id, name, expression, timezone, workflow_id, workflow_version, input, missed,
    overlap, enabled, next_run_at_ms, last_run_at_ms, last_execution_id, last_error, created_at_ms)
  VALUES (@id, @tenantId, @name, @cronExpression, @timezone, @workflowId, @workflowVersion, @input, @missed,
    @overlap, @enabled, @nextRunAtMs, @lastRunAtMs, @lastExecutionId, @lastError, @createdAtMs)`);
export const CRON_JOB = sql(
  `SELECT ${SUMMARY}, input FROM cron_jobs WHERE tenant_id = @tenantId AND name = @name`,
  decode<CronJob>,
);
export const CRON_JOBS = sql(
  `SELECT ${SUMMARY}, input FROM cron_jobs WHERE tenant_id = @tenantId AND name > @after ORDER BY name LIMIT @limit`,
  decode<CronJob>,
);
export const DUE_CRON_JOBS = sql(
  `SELECT ${SUMMARY} FROM cron_jobs
  WHERE next_run_at_ms IS NOT NULL AND next_run_at_ms <= @nowMs ORDER BY next_run_at_ms DESC, id DESC LIMIT @limit`,
  decode<CronJobSummary>,
);
export const CRON_INPUT = sql<{ readonly input: string }>('SELECT input FROM cron_jobs WHERE id = @id AND tenant_id = @tenantId');
export const NEXT_CRON_RUN = sql<{ readonly atMs: number }>(
  'SELECT next_run_at_ms AS "atMs" FROM cron_jobs WHERE next_run_at_ms IS NOT NULL ORDER BY next_run_at_ms LIMIT 1',
);

export const ENABLE_CRON_JOB = sql(`UPDATE cron_jobs SET enabled = @enabled, next_run_at_ms = @nextRunAtMs
  WHERE id = @id AND tenant_id = @tenantId AND enabled <> @enabled`);
/** A triggered run, outside the schedule. */
export const RECORD_CRON_TRIGGER =
  sql(`UPDATE cron_jobs SET last_run_at_ms = @atMs, last_execution_id = @executionId, last_error = NULL
  WHERE id = @id AND tenant_id = @tenantId`);

/** Only while the job is at the expected time. */
const WHERE_DUE = 'WHERE id = @id AND tenant_id = @tenantId AND next_run_at_ms = @fromMs';
export const RECORD_CRON_RUN =
  sql(`UPDATE cron_jobs SET next_run_at_ms = @toMs, last_run_at_ms = @ranAtMs, last_execution_id = @executionId,
  last_error = NULL ${WHERE_DUE}`);
/** A skipped run leaves the last error as it is. */
export const RECORD_CRON_OMISSION = sql(
  `UPDATE cron_jobs SET next_run_at_ms = @toMs, last_error = coalesce(@error, last_error) ${WHERE_DUE}`,
);
