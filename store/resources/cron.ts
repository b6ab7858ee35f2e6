import type { ActionContext } from '../port/control.ts';
import { StoreError } from '../port/errors.ts';
import {
  type CronJob,
  type CronJobSummary,
  type CronOmission,
  type CronRun,
  type CronStore,
  omissionEvent,
  storedData,
} from '../port/resources/cron.ts';
import type { ResourceDatabase } from './database.ts';
import * as sql from './queries/cron.ts';
import { run, runEach } from './script.ts';

export class CronJobs implements CronStore {
  readonly #db: ResourceDatabase;

  constructor(db: ResourceDatabase) {
    this.#db = db;
  }

  put(job: CronJob, context: ActionContext): Promise<void> {
    return this.#db.act(context, function* () {
      yield* run(sql.DELETE_CRON_JOB, job);
      yield* run(sql.INSERT_CRON_JOB, job);
      return { event: { type: 'cron_job_stored', data: storedData(job) } };
    });
  }

  remove(name: string, context: ActionContext): Promise<void> {
    return this.#db.act(context, function* () {
      if ((yield* run(sql.DELETE_CRON_JOB, { tenantId: context.tenantId, name })) === 0)
        throw new StoreError('unknown_cron_job', `cron job ${name.slice(0, 120)} not found`);
      return { event: { type: 'cron_job_deleted', data: JSON.stringify({ name }) } };
    });
  }

  enable(...[job, context]: Parameters<CronStore['enable']>): Promise<void> {
    return this.#db.act(context, function* () {
      const { name, enabled } = job;
      const changed = yield* run(sql.ENABLE_CRON_JOB, { ...job, tenantId: context.tenantId });
      const type = enabled ? 'cron_job_resumed' : 'cron_job_paused';
      return { event: changed === 0 ? null : { type, data: JSON.stringify({ name }) } };
    });
  }

  job(tenantId: string, name: string): Promise<CronJob | null> {
    return this.#db.tenant(tenantId).get(sql.CRON_JOB, { tenantId, name });
  }

  jobs(tenantId: string, page: { readonly after: string; readonly limit: number }): Promise<readonly CronJob[]> {
    return this.#db.tenant(tenantId).all(sql.CRON_JOBS, { ...page, tenantId });
  }

  due(nowMs: number, limit: number): Promise<readonly CronJobSummary[]> {
    return this.#db.runtime.all(sql.DUE_CRON_JOBS, { nowMs, limit });
  }

  async nextRunAtMs(): Promise<number | null> {
    return (await this.#db.runtime.get(sql.NEXT_CRON_RUN))?.atMs ?? null;
  }

  async input(tenantId: string, id: string): Promise<string | null> {
    return (await this.#db.tenant(tenantId).get(sql.CRON_INPUT, { tenantId, id }))?.input ?? null;
  }

  async recordRuns(runs: readonly CronRun[]): Promise<void> {
    await this.#db.transaction(() => runEach(sql.RECORD_CRON_RUN, runs));
  }

  recordOmission(omission: CronOmission, context: ActionContext): Promise<void> {
    return this.#db.act(context, function* () {
      const changed = yield* run(sql.RECORD_CRON_OMISSION, { ...omission, tenantId: context.tenantId });
      return { event: changed === 0 ? null : omissionEvent(omission) };
    });
  }

  recordTrigger(...[{ id, name, executionId }, context]: Parameters<CronStore['recordTrigger']>): Promise<void> {
    return this.#db.act(context, function* () {
      const { tenantId, atMs } = context;
      yield* run(sql.RECORD_CRON_TRIGGER, { id, tenantId, atMs, executionId });
      return { event: { type: 'cron_job_triggered', data: JSON.stringify({ name, execution_id: executionId }) } };
    });
  }
}
