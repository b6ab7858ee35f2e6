import type { ActionContext } from '../../port/control.ts';
import {
  finishedData,
  type JobProgress,
  type JobRow,
  type JobStore,
  type NewJob,
  startedData,
} from '../../port/resources/jobs.ts';
import type { Connections, Value } from '../connections.ts';
import type { ControlLog } from '../control-log.ts';
import * as sql from '../queries/jobs.ts';
import { first } from '../runtime-reads.ts';

/** Comes after every id. */
const AFTER_ALL = '\uffff';

export class Jobs implements JobStore {
  readonly #connections: Connections;
  readonly #log: ControlLog;

  constructor(connections: Connections, log: ControlLog) {
    this.#connections = connections;
    this.#log = log;
  }

  start(job: NewJob, context: ActionContext): Promise<void> {
    return this.#log.act(context, async (queries) => {
      const { id, tenantId, action, filter, reason, createdAtMs } = job;
      const { actorId, actorType, request } = context;
      await queries.query(sql.PUT_JOB, [id, tenantId, action, filter, reason, actorId, actorType, request, createdAtMs]);
      return { type: 'job_started', data: startedData(job) };
    });
  }

  async job(tenantId: string, id: string): Promise<JobRow | null> {
    return first(await this.#connections.asTenant<JobRow>(tenantId, sql.JOB_BY_ID, [id, tenantId]));
  }

  jobs(
    tenantId: string,
    { after, limit }: { readonly after: string | null; readonly limit: number },
  ): Promise<readonly JobRow[]> {
    return this.#connections.asTenant<JobRow>(tenantId, sql.JOBS, [tenantId, after ?? AFTER_ALL, limit]);
  }

  async cancel(tenantId: string, id: string, context: ActionContext): Promise<boolean> {
    let ended = false;
    await this.#log.act(context, async (queries) => {
      ended = (await queries.query(sql.END_JOB, ['cancelled', context.atMs, id, tenantId])).length === 1;
      return ended ? { type: 'job_cancelled', data: JSON.stringify({ job_id: id }) } : null;
    });
    return ended;
  }

  running(): Promise<readonly JobRow[]> {
    return this.#connections.query<JobRow>(sql.RUNNING_JOBS);
  }

  async progress(tenantId: string, id: string, progress: JobProgress, atMs: number): Promise<void> {
    await this.#connections.query(sql.JOB_PROGRESS, progressValues(tenantId, id, progress, atMs));
  }

  async finish(...[{ id, status, progress }, context]: Parameters<JobStore['finish']>): Promise<boolean> {
    const { tenantId, atMs } = context;
    let ended = false;
    await this.#log.act(context, async (queries) => {
      await queries.query(sql.JOB_PROGRESS, progressValues(tenantId, id, progress, atMs));
      ended = (await queries.query(sql.END_JOB, [status, atMs, id, tenantId])).length === 1;
      return ended ? { type: 'job_completed', data: finishedData(id, status, progress) } : null;
    });
    return ended;
  }
}

function progressValues(tenantId: string, id: string, progress: JobProgress, atMs: number): readonly Value[] {
  const { position, matched, succeeded, skipped, failed, errors } = progress;
  return [position, matched, succeeded, skipped, failed, errors, atMs, id, tenantId];
}
