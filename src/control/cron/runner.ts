import { LRUCache } from 'lru-cache';
import type { Json } from '../../../machines/json.ts';
import { type Status, TERMINAL } from '../../../machines/run.ts';
import { StoreError } from '../../../store/port/errors.ts';
import type { CronJobSummary, CronOmission, CronRun } from '../../../store/port/resources/cron.ts';
import type { ActionContext } from '../../../store/port/writes.ts';
import { RuntimeError } from '../../runtime/errors.ts';
import { DeadlineTimer } from '../../runtime/timers/deadline-timer.ts';
import type { Caller } from '../../runtime/types/caller.ts';
import type { ControlDeps, SingletonService } from '../service.ts';
import { firstRunMs } from './missed.ts';
import { Schedule } from './schedule.ts';

/** Label of every execution that a job started: the job's name. */
export const CRON_LABEL = 'jamjet.cron';
/** The time it was scheduled for, which is not when it ran if it had been missed. */
const SCHEDULED_AT_LABEL = 'jamjet.cron.scheduled_at';

/** Jobs that are served at the same time, one run each: their starts share commits, and so do their moves. */
const JOBS_PER_ROUND = 50;
/** Making one takes as long as starting a run. */
const MAX_CACHED_SCHEDULES = 1_000;
/** After the store was away, or too much was waiting. */
const RETRY_MS = 1_000;

/**
 * Starts what is due. One alarm, set to the earliest time of all jobs; nothing polls. A run is started under an idempotency key made of
 * job and time, and only then does the job move on, from where it stood: whatever is cut short or done twice in between, each time is run once.
 */
export class CronRunner implements SingletonService {
  readonly #deps: ControlDeps;
  readonly #timer: DeadlineTimer;
  readonly #schedules = new LRUCache<string, Schedule>({ max: MAX_CACHED_SCHEDULES });
  #running: Promise<void> | null = null;
  #requested = false;
  #active = false;
  #closed = false;

  constructor(deps: ControlDeps) {
    this.#deps = deps;
    this.#timer = new DeadlineTimer(deps.clock, () => this.#request());
  }

  async start(): Promise<void> {
    this.#active = true;
    this.#request();
  }

  async standBy(): Promise<void> {
    this.#active = false;
    await this.#running;
  }

  /** Another process changed a job. */
  changed(): void {
    this.#request();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer.stop();
    await this.#running;
  }

  /** A job is due at that time. */
  scheduleAt(atMs: number | null): void {
    if (this.#active) this.#timer.scheduleAt(atMs);
  }

  #request(): void {
    if (!this.#active) return;
    if (this.#running !== null) {
      this.#requested = true;
      return;
    }
    this.#running = this.#runDueJobs().finally(() => {
      this.#running = null;
      if (this.#requested && !this.#closed) {
        this.#requested = false;
        this.#request();
      }
    });
  }

  async #runDueJobs(): Promise<void> {
    const { store, clock, onError: failed } = this.#deps;
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
      if (!(error instanceof RuntimeError && error.retryAfterMs !== null)) failed(error);
      this.#timer.scheduleAt(clock.nowMs() + RETRY_MS);
    }
  }

  /** One time of each job. One that fails must not leave the others behind, half done. */
  async #runRound(jobs: readonly CronJobSummary[], catchingUp: Set<string>): Promise<void> {
    const served = await Promise.allSettled(jobs.map((job) => this.#runNext(job, catchingUp)));
    const runs = served.flatMap((each) => (each.status === 'fulfilled' && each.value !== null ? [each.value] : []));
    if (runs.length > 0) await this.#deps.store.cron.recordRuns(runs);
    for (const each of served) if (each.status === 'rejected') throw each.reason;
  }

  /** Null = nothing was started, which is recorded. `catchingUp`: jobs of whose backlog the oldest part is skipped already. */
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

  /** What cannot be started is told, and the schedule goes on; throws what will pass by itself. Null = the job is gone. */
  async #startExecution(
    job: CronJobSummary,
    atMs: number,
  ): Promise<Pick<CronRun, 'executionId' | 'ranAtMs'> | Pick<CronOmission, 'reason' | 'error'> | null> {
    const { store, runtime, clock, onError: failed } = this.#deps;
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
      failed(error);
      return { reason: 'failed', error: 'unexpected failure, logged by the server' };
    }
  }

  /** A stored job was right when it was made; only another release, with other time zones, may see it differently. */
  #scheduleOf({ expression, timezone }: CronJobSummary): Schedule | RuntimeError {
    const key = `${timezone} ${expression}`;
    const known = this.#schedules.get(key);
    if (known !== undefined) return known;
    try {
      const schedule = new Schedule(expression, timezone);
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
