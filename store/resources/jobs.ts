import type { ActionContext } from '../port/control.ts';
import { finishedData, type JobProgress, type JobRow, type JobStore, type NewJob, startedData } from '../port/resources/jobs.ts';
import type { ResourceDatabase } from './database.ts';
import * as sql from './queries/jobs.ts';
import { run } from './script.ts';

/** Sorts after every id. */
const AFTER_ALL = '\uffff';

export class Jobs implements JobStore {
  readonly #db: ResourceDatabase;

  constructor(db: ResourceDatabase) {
    this.#db = db;
  }

  start(job: NewJob, context: ActionContext): Promise<void> {
    return this.#db.act(context, function* () {
      const { actorId, actorType, request } = context;
      yield* run(sql.INSERT_JOB, { ...job, actorId, actorType, request });
      return { event: { type: 'job_started', data: startedData(job) } };
    });
  }

  job(tenantId: string, id: string): Promise<JobRow | null> {
    return this.#db.tenant(tenantId).get(sql.JOB_BY_ID, { tenantId, id });
  }

  jobs(
    tenantId: string,
    { after, limit }: { readonly after: string | null; readonly limit: number },
  ): Promise<readonly JobRow[]> {
    return this.#db.tenant(tenantId).all(sql.JOBS, { tenantId, after: after ?? AFTER_ALL, limit });
  }

  cancel(tenantId: string, id: string, context: ActionContext): Promise<boolean> {
    return this.#db.act(context, function* () {
      const result = (yield* run(sql.END_JOB, { id, tenantId, status: 'cancelled', atMs: context.atMs })) === 1;
      return { event: result ? { type: 'job_cancelled', data: JSON.stringify({ job_id: id }) } : null, result };
    });
  }

  running(): Promise<readonly JobRow[]> {
    return this.#db.runtime.all(sql.RUNNING_JOBS);
  }

  async progress(tenantId: string, id: string, progress: JobProgress, atMs: number): Promise<void> {
    await this.#db.runtime.run(sql.RECORD_PROGRESS, { ...progress, id, tenantId, atMs });
  }

  finish(...[{ id, status, progress }, context]: Parameters<JobStore['finish']>): Promise<boolean> {
    return this.#db.act(context, function* () {
      const { tenantId, atMs } = context;
      yield* run(sql.RECORD_PROGRESS, { ...progress, id, tenantId, atMs });
      const result = (yield* run(sql.END_JOB, { id, tenantId, status, atMs })) === 1;
      return { event: result ? { type: 'job_completed', data: finishedData(id, status, progress) } : null, result };
    });
  }
}
