import type { Database, Statement } from 'better-sqlite3';
import type { ActionContext } from '../../port/control.ts';
import {
  finishedData,
  type JobProgress,
  type JobRow,
  type JobStore,
  type NewJob,
  startedData,
} from '../../port/resources/jobs.ts';
import type { ControlLog } from '../control-log.ts';
import { guarded } from '../errors.ts';
import * as sql from '../queries/jobs.ts';

/** Comes after every id. */
const AFTER_ALL = '\uffff';

export class Jobs implements JobStore {
  readonly #log: ControlLog;
  readonly #put: Statement;
  readonly #job: Statement<[string, string], JobRow>;
  readonly #jobs: Statement<[string, string, number], JobRow>;
  readonly #running: Statement<[], JobRow>;
  readonly #progress: Statement;
  readonly #end: Statement;

  constructor(db: Database, log: ControlLog) {
    this.#log = log;
    this.#put = db.prepare(sql.PUT_JOB);
    this.#job = db.prepare<[string, string], JobRow>(sql.JOB_BY_ID);
    this.#jobs = db.prepare<[string, string, number], JobRow>(sql.JOBS);
    this.#running = db.prepare<[], JobRow>(sql.RUNNING_JOBS);
    this.#progress = db.prepare(sql.JOB_PROGRESS);
    this.#end = db.prepare(sql.END_JOB);
  }

  start(job: NewJob, context: ActionContext): Promise<void> {
    return guarded(() =>
      this.#log.act(context, () => {
        const { actorId, actorType, request } = context;
        this.#put.run({ ...job, actorId, actorType, request });
        return { type: 'job_started', data: startedData(job) };
      }),
    );
  }

  job(tenantId: string, id: string): Promise<JobRow | null> {
    return guarded(() => this.#job.get(id, tenantId) ?? null);
  }

  jobs(
    tenantId: string,
    { after, limit }: { readonly after: string | null; readonly limit: number },
  ): Promise<readonly JobRow[]> {
    return guarded(() => this.#jobs.all(tenantId, after ?? AFTER_ALL, limit));
  }

  cancel(tenantId: string, id: string, context: ActionContext): Promise<boolean> {
    return guarded(() => {
      let ended = false;
      this.#log.act(context, () => {
        ended = this.#end.run({ id, tenantId, status: 'cancelled', atMs: context.atMs }).changes === 1;
        return ended ? { type: 'job_cancelled', data: JSON.stringify({ job_id: id }) } : null;
      });
      return ended;
    });
  }

  running(): Promise<readonly JobRow[]> {
    return guarded(() => this.#running.all());
  }

  progress(tenantId: string, id: string, progress: JobProgress, atMs: number): Promise<void> {
    return guarded(() => {
      this.#progress.run({ ...progress, id, tenantId, atMs });
    });
  }

  finish(...[{ id, status, progress }, context]: Parameters<JobStore['finish']>): Promise<boolean> {
    return guarded(() => {
      const { tenantId, atMs } = context;
      let ended = false;
      this.#log.act(context, () => {
        this.#progress.run({ ...progress, id, tenantId, atMs });
        ended = this.#end.run({ id, tenantId, status, atMs }).changes === 1;
        return ended ? { type: 'job_completed', data: finishedData(id, status, progress) } : null;
      });
      return ended;
    });
  }
}
