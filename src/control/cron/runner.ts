import type { Json } from '../../../machines/json.ts';
import { type Status, TERMINAL } from '../../../machines/run.ts';
import type { ActionContext } from '../../../store/port/control.ts';
import { StoreError } from '../../../store/port/errors.ts';
import type { CronJobSummary, CronOmission, CronRun } from '../../../store/port/resources/cron.ts';
import { RecentlyUsed } from '../../../store/recently-used.ts';
import { Coalesced } from '../../runtime/coalesce.ts';
import { RuntimeError } from '../../runtime/errors.ts';
import { DeadlineTimer } from '../../runtime/timers/deadline-timer.ts';
import type { Caller } from '../../runtime/types/caller.ts';
import type { ControlDeps, SingletonService } from '../service.ts';
import { firstRunMs } from './missed.ts';
import { Schedule } from './schedule.ts';

/** Label of executions started by a cron job: the job's name. */
export const CRON_LABEL = 'jamjet.cron';
/** Label with the scheduled time, which differs from the start time for a missed run. */
const SCHEDULED_AT_LABEL = 'jamjet.cron.scheduled_at';

/** Jobs run concurrently, one run each, so that their starts and their schedule updates share commits. */
const JOBS_PER_ROUND = 50;
/** Parsing an expression takes as long as starting a run. */
const MAX_CACHED_SCHEDULES = 1_000;
/** Delay after the store was unavailable or the runtime overloaded. */
const RETRY_MS = 1_000;

export type CronDeps = Pick<ControlDeps, 'store' | 'runtime' | 'clock' | 'onError'>;

/**
 * Starts due jobs. One timer is set to the earliest time of all jobs; nothing polls. A run is started under an idempotency key of job and
 * scheduled time, and the job's schedule advances only after that, conditional on its old position. So each scheduled time is run once, even
 * if the process dies in between or two processes run the job.
 */
export class CronRunner implements SingletonService {
  readonly #deps: CronDeps;
  readonly #timer: DeadlineTimer;
  readonly #schedules = new RecentlyUsed<string, Schedule>(MAX_CACHED_SCHEDULES);
  readonly #runs = new Coalesced(() => this.#runDueJobs());
  #active = false;
  #closed = false;

  constructor(deps: CronDeps) {
    this.#deps = deps;
    this.#timer = new DeadlineTimer(deps.clock, () => this.#request());
  }

  async start(): Promise<void> {
    this.#active = true;
    this.#request();
  }

  async standBy(): Promise<void> {
    this.#active = false;
    await this.#runs.idle();
  }

  /** Call when another process has changed a job. */
  changed(): void {
    this.#request();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer.stop();
    await this.#runs.idle();
  }

  /** Call when a job is due at that time. */
  scheduleAt(atMs: number | null): void {
    if (this.#active) this.#timer.scheduleAt(atMs);
  }

  #request(): void {
    if (this.#active && !this.#closed) void this.#runs.run();
  }

  /** Never rejects. */
  async #runDueJobs(): Promise<void> {
    const { store, clock, onError } = this.#deps;
    const catchingUp = new Set<string>();
    try {
      while (this.#active && !this.#closed) {
        const jobs = await store.cron.due(clock.nowMs(), JOBS_PER_ROUND);
        if (jobs.length === 0) {
          this.#timer.scheduleAt(await store.cron.nextRunAtMs());
          return;
        }
        await this.#runRound(jobs, catchingUp);
      }
    } catch (error) {
      if (this.#closed) return;
      if (!(error instanceof RuntimeError && error.retryAfterMs !== null)) onError(error);
      this.#timer.scheduleAt(clock.nowMs() + RETRY_MS);
    }
  }

  /** Runs one scheduled time of each job. A failure is thrown only after the other jobs' runs have been recorded. */
  async #runRound(jobs: readonly CronJobSummary[], catchingUp: Set<string>): Promise<void> {
    const results = await Promise.allSettled(jobs.map((job) => this.#runNext(job, catchingUp)));
    const runs = results.flatMap((result) => (result.status === 'fulfilled' && result.value !== null ? [result.value] : []));
    if (runs.length > 0) await this.#deps.store.cron.recordRuns(runs);
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }

  /** Null = nothing was started; the omission is recorded. `catchingUp`: jobs whose oldest missed times were already skipped. */
  async #runNext(job: CronJobSummary, catchingUp: Set<string>): Promise<CronRun | null> {
    const { nextRunAtMs: atMs, id, name, tenantId } = job;
    if (atMs === null) return null;
    const schedule = this.#scheduleOf(job);
    if (schedule instanceof RuntimeError) {
      await this.#recordOmission(job, { id, name, fromMs: atMs, toMs: null, reason: 'failed', error: schedule.message });
      return null;
    }
    if (!catchingUp.has(id)) {
      const firstMs = await firstRunMs(schedule, job.missed, atMs, this.#deps.clock.nowMs());
      if (job.missed === 'catch_up') catchingUp.add(id);
      if (firstMs !== atMs) {
        await this.#recordOmission(job, { id, name, fromMs: atMs, toMs: firstMs, reason: 'missed', error: null });
        return null;
      }
    }
    const outcome = await this.#startExecution(job, atMs);
    const move = { id, name, fromMs: atMs, toMs: schedule.next(atMs) };
    if (outcome === null) return null;
    if ('executionId' in outcome) return { ...move, ...outcome, tenantId };
    await this.#recordOmission(job, { ...move, ...outcome });
    return null;
  }

  /** Starts the run, or resolves with why it was omitted. Throws transient errors, to be retried. Null = the job was removed. */
  async #startExecution(
    job: CronJobSummary,
    atMs: number,
  ): Promise<Pick<CronRun, 'executionId' | 'ranAtMs'> | Pick<CronOmission, 'reason' | 'error'> | null> {
    const { store, runtime, clock, onError } = this.#deps;
    try {
      const last = job.lastExecutionId;
      if (job.overlap !== 'allow' && last !== null && (await this.#isRunning(job.tenantId, last))) {
        if (job.overlap === 'skip') return { reason: 'overlap', error: null };
        await this.#cancel(job, last);
      }
      const input = await store.cron.input(job.tenantId, job.id);
      if (input === null) return null;
      const { executionId } = await runtime.start(callerOf(job), {
        workflowId: job.workflowId,
        input: JSON.parse(input) as Json,
        systemLabels: { [CRON_LABEL]: job.name, [SCHEDULED_AT_LABEL]: new Date(atMs).toISOString() },
        idempotencyKey: `cron:${job.id}:${atMs}`,
        ...(job.workflowVersion === null ? {} : { version: job.workflowVersion }),
      });
      return { executionId, ranAtMs: clock.nowMs() };
    } catch (error) {
      if (isTransient(error)) throw error;
      if (error instanceof RuntimeError) return { reason: 'failed', error: error.message };
      onError(error);
      return { reason: 'failed', error: 'unexpected failure, logged by the server' };
    }
  }

  /** A stored expression was valid when it was stored; only another release with other time zones may reject it. */
  #scheduleOf({ cronExpression, timezone }: CronJobSummary): Schedule | RuntimeError {
    const key = `${timezone} ${cronExpression}`;
    const known = this.#schedules.get(key);
    if (known !== undefined) return known;
    try {
      const schedule = new Schedule(cronExpression, timezone);
      this.#schedules.set(key, schedule);
      return schedule;
    } catch (error) {
      if (error instanceof RuntimeError) return error;
      throw error;
    }
  }

  async #isRunning(tenantId: string, executionId: string): Promise<boolean> {
    const row = await this.#deps.store.tenant(tenantId).execution(executionId);
    return row !== null && !TERMINAL.has(row.status as Status);
  }

  async #cancel(job: CronJobSummary, executionId: string): Promise<void> {
    try {
      await this.#deps.runtime.cancel(callerOf(job), executionId, `the next run of cron job ${job.name} is due`);
    } catch (error) {
      const isGone = error instanceof RuntimeError && (error.code === 'already_terminal' || error.code === 'not_found');
      if (!isGone) throw error;
    }
  }

  #recordOmission(job: CronJobSummary, omission: CronOmission): Promise<void> {
    const { store, clock } = this.#deps;
    const { tenantId, actorId, actorType } = callerOf(job);
    const context: ActionContext = { tenantId, atMs: clock.nowMs(), actorId, actorType, request: null };
    return store.cron.recordOmission(omission, context);
  }
}

function callerOf({ tenantId, name }: CronJobSummary): Caller {
  return { tenantId, actorId: `cron:${name}`, actorType: 'system' };
}

function isTransient(error: unknown): boolean {
  if (error instanceof StoreError) return true;
  return error instanceof RuntimeError && (error.code === 'overloaded' || error.code === 'shutting_down');
}
