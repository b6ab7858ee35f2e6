import { StoreError } from '../../errors.ts';
import {
  advanceEvent,
  type CronAdvance,
  type CronJob,
  type CronJobHead,
  type CronStore,
  storedData,
} from '../../resources/cron.ts';
import type { ActionContext } from '../../writes.ts';
import type { Connections, Sql, Value } from '../connections.ts';
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

  due(nowMs: number, limit: number): Promise<readonly CronJobHead[]> {
    return this.#connections.query<CronJobHead>(sql.DUE_CRON_JOBS, [nowMs, limit]);
  }

  async nextRunAtMs(): Promise<number | null> {
    return first(await this.#connections.query<{ atMs: number | null }>(sql.NEXT_CRON_RUN))?.atMs ?? null;
  }

  async input(tenantId: string, id: string): Promise<string | null> {
    return first(await this.#connections.asTenant<{ input: string }>(tenantId, sql.CRON_INPUT, [id, tenantId]))?.input ?? null;
  }

  async advance(advance: CronAdvance, context: ActionContext): Promise<boolean> {
    let moved = false;
    await this.#log.act(context, async (queries) => {
      moved = (await queries.query(...advanceQuery(advance, context.tenantId))).length === 1;
      return moved ? advanceEvent(advance) : null;
    });
    return moved;
  }

  triggered(...[{ id, name, executionId }, context]: Parameters<CronStore['triggered']>): Promise<void> {
    return this.#log.act(context, async (queries) => {
      await queries.query(sql.CRON_RAN, [id, context.tenantId, context.atMs, executionId]);
      return { type: 'cron_job_triggered', data: JSON.stringify({ name, execution_id: executionId }) };
    });
  }
}

function advanceQuery({ id, fromMs, toMs, outcome }: CronAdvance, tenantId: string): readonly [Sql, readonly Value[]] {
  const at = [id, tenantId, fromMs, toMs] as const;
  switch (outcome.kind) {
    case 'ran':
      return [sql.CRON_RAN_ON_TIME, [...at, outcome.atMs, outcome.executionId]];
    case 'failed':
      return [sql.CRON_FAILED, [...at, outcome.error]];
    case 'skipped':
      return [sql.CRON_SKIPPED, at];
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
