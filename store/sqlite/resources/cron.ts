import type { Database, Statement } from 'better-sqlite3';
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
import type { ControlLog } from '../control-log.ts';
import { guarded } from '../errors.ts';
import * as sql from '../queries/cron.ts';
import type { Transactions } from '../transactions.ts';

/** As SQLite keeps it: it has no booleans. */
type Stored<T> = Omit<T, 'enabled'> & { readonly enabled: number };

export class CronJobs implements CronStore {
  readonly #transactions: Transactions;
  readonly #log: ControlLog;
  readonly #put: Statement;
  readonly #drop: Statement;
  readonly #enable: Statement;
  readonly #triggered: Statement;
  readonly #ran: Statement;
  readonly #omitted: Statement;
  readonly #job: Statement<[string, string], Stored<CronJob>>;
  readonly #jobs: Statement<[string, string, number], Stored<CronJob>>;
  readonly #due: Statement<[number, number], Stored<CronJobSummary>>;
  readonly #next: Statement<[], number>;
  readonly #input: Statement<[string, string], string>;

  constructor(db: Database, transactions: Transactions, log: ControlLog) {
    this.#transactions = transactions;
    this.#log = log;
    this.#put = db.prepare(sql.PUT_CRON_JOB);
    this.#drop = db.prepare(sql.DROP_CRON_JOB);
    this.#enable = db.prepare(sql.SET_CRON_NEXT);
    this.#triggered = db.prepare(sql.CRON_TRIGGERED);
    this.#ran = db.prepare(sql.CRON_RAN);
    this.#omitted = db.prepare(sql.CRON_OMITTED);
    this.#job = db.prepare<[string, string], Stored<CronJob>>(sql.CRON_JOB);
    this.#jobs = db.prepare<[string, string, number], Stored<CronJob>>(sql.CRON_JOBS);
    this.#due = db.prepare<[number, number], Stored<CronJobSummary>>(sql.DUE_CRON_JOBS);
    this.#next = db.prepare<[], number>(sql.NEXT_CRON_RUN).pluck();
    this.#input = db.prepare<[string, string], string>(sql.CRON_INPUT).pluck();
  }

  put(job: CronJob, context: ActionContext): Promise<void> {
    return guarded(() =>
      this.#log.act(context, () => {
        this.#drop.run(job.tenantId, job.name);
        this.#put.run({ ...job, enabled: job.enabled ? 1 : 0 });
        return { type: 'cron_job_stored', data: storedData(job) };
      }),
    );
  }

  remove(name: string, context: ActionContext): Promise<void> {
    return guarded(() =>
      this.#log.act(context, () => {
        if (this.#drop.run(context.tenantId, name).changes === 0)
          throw new StoreError('unknown_cron_job', `cron job ${name.slice(0, 120)}`);
        return { type: 'cron_job_deleted', data: JSON.stringify({ name }) };
      }),
    );
  }

  enable(...[{ id, name, enabled, nextRunAtMs }, context]: Parameters<CronStore['enable']>): Promise<void> {
    return guarded(() =>
      this.#log.act(context, () => {
        const { changes } = this.#enable.run({ id, tenantId: context.tenantId, enabled: enabled ? 1 : 0, nextRunAtMs });
        const type = enabled ? 'cron_job_resumed' : 'cron_job_paused';
        return changes === 0 ? null : { type, data: JSON.stringify({ name }) };
      }),
    );
  }

  job(tenantId: string, name: string): Promise<CronJob | null> {
    return guarded(() => {
      const row = this.#job.get(tenantId, name);
      return row === undefined ? null : { ...row, enabled: row.enabled === 1 };
    });
  }

  jobs(tenantId: string, { after, limit }: { readonly after: string; readonly limit: number }): Promise<readonly CronJob[]> {
    return guarded(() => this.#jobs.all(tenantId, after, limit).map((row) => ({ ...row, enabled: row.enabled === 1 })));
  }

  due(nowMs: number, limit: number): Promise<readonly CronJobSummary[]> {
    return guarded(() => this.#due.all(nowMs, limit).map((row) => ({ ...row, enabled: row.enabled === 1 })));
  }

  nextRunAtMs(): Promise<number | null> {
    return guarded(() => this.#next.get() ?? null);
  }

  input(tenantId: string, id: string): Promise<string | null> {
    return guarded(() => this.#input.get(id, tenantId) ?? null);
  }

  recordRuns(runs: readonly CronRun[]): Promise<void> {
    return guarded(() =>
      this.#transactions.write(() => {
        for (const run of runs) this.#ran.run(run);
        return { commit: true, result: undefined };
      }),
    );
  }

  recordOmission(omission: CronOmission, context: ActionContext): Promise<void> {
    return guarded(() =>
      this.#log.act(context, () => {
        const { changes } = this.#omitted.run({ ...omission, tenantId: context.tenantId });
        return changes === 0 ? null : omissionEvent(omission);
      }),
    );
  }

  recordTrigger(...[{ id, name, executionId }, context]: Parameters<CronStore['recordTrigger']>): Promise<void> {
    return guarded(() =>
      this.#log.act(context, () => {
        this.#triggered.run(context.atMs, executionId, id, context.tenantId);
        return { type: 'cron_job_triggered', data: JSON.stringify({ name, execution_id: executionId }) };
      }),
    );
  }
}
