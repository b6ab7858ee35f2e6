import type { ActionContext } from '../port/control.ts';
import {
  finishedData,
  type JobEnd,
  type JobProgress,
  type JobRow,
  type JobStore,
  type NewJob,
  type RetriedRow,
  startedData,
} from '../port/resources/jobs.ts';
import type { ResourceDatabase } from './database.ts';
import * as sql from './queries/jobs.ts';
import { type Query, run, runTogether } from './script.ts';

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

  retried(...[tenantId, jobId, { before, limit }]: Parameters<JobStore['retried']>): Promise<readonly RetriedRow[]> {
    return this.#db.tenant(tenantId).all(sql.RETRIED_EXECUTIONS, { tenantId, jobId, before: before ?? AFTER_ALL, limit });
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

  progress(tenantId: string, id: string, progress: JobProgress, atMs: number, retried: readonly string[] = []): Promise<void> {
    return this.#db.transaction(() => runTogether(recordings({ tenantId, id, progress, atMs, retried })));
  }

  finish({ id, status, progress, retried = [] }: JobEnd, context: ActionContext): Promise<boolean> {
    return this.#db.act(context, function* () {
      const { tenantId, atMs } = context;
      yield* runTogether(recordings({ tenantId, id, progress, atMs, retried }));
      const result = (yield* run(sql.END_JOB, { id, tenantId, status, atMs })) === 1;
      return { event: result ? { type: 'job_completed', data: finishedData(id, status, progress) } : null, result };
    });
  }
}

interface Recording {
  readonly tenantId: string;
  readonly id: string;
  readonly progress: JobProgress;
  readonly atMs: number;
  readonly retried: readonly string[];
}

function recordings({ tenantId, id, progress, atMs, retried }: Recording): readonly Query[] {
  const recordProgress = { statement: sql.RECORD_PROGRESS, values: { ...progress, id, tenantId, atMs } };
  if (retried.length === 0) return [recordProgress];
  return [recordProgress, { statement: sql.RECORD_RETRIED, values: { id, tenantId, retried } }];
}
