import type { ActionContext } from '../../port/control.ts';
import { StoreError } from '../../port/errors.ts';
import {
  type CronJob,
  type CronJobSummary,
  type CronOmission,
  type CronRun,
  type CronStore,
  omissionEvent,
  storedData,
} from '../../port/resources/cron.ts';
import type { Connections, Value } from '../connections.ts';
import type { ControlLog } from '../control-log.ts';
import * as sql from '../queries/cron.ts';
import { first } from '../runtime-reads.ts';

export class CronJobs implements CronStore {
  readonly #connections: Connections;
  readonly #log: ControlLog;

  constructor(connections: Connections, log: ControlLog) {
    this.#connections = connections;
    this.#log = log;
  }

  put(job: CronJob, context: ActionContext): Promise<void> {
    return this.#log.act(context, async (queries) => {
      await queries.query(sql.DROP_CRON_JOB, [job.tenantId, job.name]);
      await queries.query(sql.PUT_CRON_JOB, jobValues(job));
      return { type: 'cron_job_stored', data: storedData(job) };
    });
  }

  remove(name: string, context: ActionContext): Promise<void> {
    return this.#log.act(context, async (queries) => {
      const dropped = await queries.query(sql.DROP_CRON_JOB, [context.tenantId, name]);
      if (dropped.length === 0) throw new StoreError('unknown_cron_job', `cron job ${name.slice(0, 120)}`);
      return { type: 'cron_job_deleted', data: JSON.stringify({ name }) };
    });
  }

  enable(...[{ id, name, enabled, nextRunAtMs }, context]: Parameters<CronStore['enable']>): Promise<void> {
    return this.#log.act(context, async (queries) => {
      const changed = await queries.query(sql.SET_CRON_NEXT, [id, context.tenantId, enabled, nextRunAtMs]);
      const type = enabled ? 'cron_job_resumed' : 'cron_job_paused';
      return changed.length === 0 ? null : { type, data: JSON.stringify({ name }) };
    });
  }

  async job(tenantId: string, name: string): Promise<CronJob | null> {
    return first(await this.#connections.asTenant<CronJob>(tenantId, sql.CRON_JOB, [tenantId, name]));
  }

  jobs(tenantId: string, { after, limit }: { readonly after: string; readonly limit: number }): Promise<readonly CronJob[]> {
    return this.#connections.asTenant<CronJob>(tenantId, sql.CRON_JOBS, [tenantId, after, limit]);
  }

  due(nowMs: number, limit: number): Promise<readonly CronJobSummary[]> {
    return this.#connections.query<CronJobSummary>(sql.DUE_CRON_JOBS, [nowMs, limit]);
  }

  async nextRunAtMs(): Promise<number | null> {
    return first(await this.#connections.query<{ atMs: number | null }>(sql.NEXT_CRON_RUN))?.atMs ?? null;
  }

  async input(tenantId: string, id: string): Promise<string | null> {
    return first(await this.#connections.asTenant<{ input: string }>(tenantId, sql.CRON_INPUT, [id, tenantId]))?.input ?? null;
  }

  async recordRuns(runs: readonly CronRun[]): Promise<void> {
    await this.#connections.query(sql.CRON_RAN, [
      runs.map((run) => run.id),
      runs.map((run) => run.tenantId),
      runs.map((run) => run.fromMs),
      runs.map((run) => run.toMs),
      runs.map((run) => run.ranAtMs),
      runs.map((run) => run.executionId),
    ]);
  }

  recordOmission(omission: CronOmission, context: ActionContext): Promise<void> {
    const { id, fromMs, toMs, error } = omission;
    return this.#log.act(context, async (queries) => {
      const moved = await queries.query(sql.CRON_OMITTED, [id, context.tenantId, fromMs, toMs, error]);
      return moved.length === 0 ? null : omissionEvent(omission);
    });
  }

  recordTrigger(...[{ id, name, executionId }, context]: Parameters<CronStore['recordTrigger']>): Promise<void> {
    return this.#log.act(context, async (queries) => {
      await queries.query(sql.CRON_TRIGGERED, [id, context.tenantId, context.atMs, executionId]);
      return { type: 'cron_job_triggered', data: JSON.stringify({ name, execution_id: executionId }) };
    });
  }
}

/** In the order of `PUT_CRON_JOB`. */
function jobValues(job: CronJob): readonly Value[] {
  const { id, tenantId, name, expression, timezone, workflowId, workflowVersion, input, missed, overlap, enabled } = job;
  const { nextRunAtMs, lastRunAtMs, lastExecutionId, lastError, createdAtMs } = job;
  return [
    ...[id, tenantId, name, expression, timezone, workflowId, workflowVersion, input, missed, overlap, enabled],
    ...[nextRunAtMs, lastRunAtMs, lastExecutionId, lastError, createdAtMs],
  ];
}
