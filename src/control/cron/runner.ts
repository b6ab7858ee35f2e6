import { LRUCache } from 'lru-cache';
import type { Json } from '../../../machines/json.ts';
import { type Status, TERMINAL } from '../../../machines/run.ts';
import { StoreError } from '../../../store/errors.ts';
import type { CronJobHead, CronOmission, CronRun } from '../../../store/resources/cron.ts';
import type { ActionContext } from '../../../store/writes.ts';
import { Alarm } from '../../runtime/alarm.ts';
import { RuntimeError } from '../../runtime/errors.ts';
import type { Caller } from '../../runtime/types.ts';
import type { Parts, Single } from '../parts.ts';
import { firstToRun } from './missed.ts';
import { Schedule } from './schedule.ts';

/** Label of every execution that a job started: the job's name. */
export const LABEL = 'jamjet.cron';
/** The time it was scheduled for, which is not when it ran if it had been missed. */
const SCHEDULED_LABEL = 'jamjet.cron.scheduled_at';

/** Jobs that are served at the same time, one run each: their starts share commits, and so do their moves. */
const JOBS_PER_ROUND = 50;
/** Making one takes as long as starting a run. */
const SCHEDULES_KEPT = 1_000;
/** After the store was away, or too much was waiting. */
const RETRY_MS = 1_000;

/**
 * Starts what is due. One alarm, set to the earliest time of all jobs; nothing polls. A run is started under an idempotency key made of
 * job and time, and only then does the job move on, from where it stood: whatever is cut short or done twice in between, each time is run once.
 */
export class CronRunner implements Single {
  readonly #parts: Parts;
  readonly #alarm: Alarm;
  readonly #schedules = new LRUCache<string, Schedule>({ max: SCHEDULES_KEPT });
  #serving: Promise<void> | null = null;
  #again = false;
  #begun = false;
  #stopped = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#alarm = new Alarm(parts.clock, () => this.#ring());
  }

  async begin(): Promise<void> {
    this.#begun = true;
    this.#ring();
  }

  async rest(): Promise<void> {
    this.#begun = false;
    await this.#serving;
  }

  /** Another process changed a job. */
  changed(): void {
    this.#ring();
  }

  async close(): Promise<void> {
    this.#stopped = true;
    this.#alarm.stop();
    await this.#serving;
  }

  /** A job is due at that time. */
  noLaterThan(atMs: number | null): void {
    if (this.#begun) this.#alarm.noLaterThan(atMs);
  }

  #ring(): void {
    if (!this.#begun) return;
    if (this.#serving !== null) {
      this.#again = true;
      return;
    }
    this.#serving = this.#serve().finally(() => {
      this.#serving = null;
      if (this.#again && !this.#stopped) {
        this.#again = false;
        this.#ring();
      }
    });
  }

  async #serve(): Promise<void> {
    const { store, clock, failed } = this.#parts;
    const catchingUp = new Set<string>();
    try {
      while (this.#begun && !this.#stopped) {
        const jobs = await store.cron.due(clock.nowMs(), JOBS_PER_ROUND);
        if (jobs.length === 0) {
          this.#alarm.noLaterThan(await store.cron.nextRunAtMs());
          return;
        }
        await this.#round(jobs, catchingUp);
      }
    } catch (error) {
      if (this.#stopped) return;
      if (!(error instanceof RuntimeError && error.retryAfterMs !== null)) failed(error);
      this.#alarm.noLaterThan(clock.nowMs() + RETRY_MS);
    }
  }

  /** One time of each job. One that fails must not leave the others behind, half done. */
  async #round(jobs: readonly CronJobHead[], catchingUp: Set<string>): Promise<void> {
    const served = await Promise.allSettled(jobs.map((job) => this.#serveOne(job, catchingUp)));
    const runs = served.flatMap((each) => (each.status === 'fulfilled' && each.value !== null ? [each.value] : []));
    if (runs.length > 0) await this.#parts.store.cron.ran(runs);
    for (const each of served) if (each.status === 'rejected') throw each.reason;
  }

  /** Null = nothing was started, which is recorded. `catchingUp`: jobs of whose backlog the oldest part is skipped already. */
  async #serveOne(job: CronJobHead, catchingUp: Set<string>): Promise<CronRun | null> {
    const { nextRunAtMs: atMs, id, name, tenantId } = job;
    if (atMs === null) return null;
    const schedule = this.#scheduleOf(job);
    if (schedule instanceof RuntimeError) {
      await this.#omit(job, { id, name, fromMs: atMs, toMs: null, reason: 'failed', error: schedule.message });
      return null;
    }
    if (!catchingUp.has(id)) {
      const firstMs = await firstToRun(schedule, job.missed, atMs, this.#parts.clock.nowMs());
      if (job.missed === 'catch_up') catchingUp.add(id);
      if (firstMs !== atMs) {
        await this.#omit(job, { id, name, fromMs: atMs, toMs: firstMs, reason: 'missed', error: null });
        return null;
      }
    }
    const outcome = await this.#run(job, atMs);
    const move = { id, name, fromMs: atMs, toMs: schedule.next(atMs) };
    if (outcome === null) return null;
    if ('executionId' in outcome) return { ...move, ...outcome, tenantId };
    await this.#omit(job, { ...move, ...outcome });
    return null;
  }

  /** What cannot be started is told, and the schedule goes on; throws what will pass by itself. Null = the job is gone. */
  async #run(
    job: CronJobHead,
    atMs: number,
  ): Promise<Pick<CronRun, 'executionId' | 'ranAtMs'> | Pick<CronOmission, 'reason' | 'error'> | null> {
    const { store, runtime, clock, failed } = this.#parts;
    try {
      const last = job.lastExecutionId;
      if (job.overlap !== 'allow' && last !== null && (await this.#isLive(job.tenantId, last))) {
        if (job.overlap === 'skip') return { reason: 'overlap', error: null };
        await this.#cancel(job, last);
      }
      const input = await store.cron.input(job.tenantId, job.id);
      if (input === null) return null;
      const { executionId } = await runtime.start(callerOf(job), {
        workflowId: job.workflowId,
        input: JSON.parse(input) as Json,
        systemLabels: { [LABEL]: job.name, [SCHEDULED_LABEL]: new Date(atMs).toISOString() },
        idempotencyKey: `cron:${job.id}:${atMs}`,
        ...(job.workflowVersion === null ? {} : { version: job.workflowVersion }),
      });
      return { executionId, ranAtMs: clock.nowMs() };
    } catch (error) {
      if (passesByItself(error)) throw error;
      if (error instanceof RuntimeError) return { reason: 'failed', error: error.message };
      failed(error);
      return { reason: 'failed', error: 'unexpected failure, logged by the server' };
    }
  }

  /** A stored job was right when it was made; only another release, with other time zones, may see it differently. */
  #scheduleOf({ expression, timezone }: CronJobHead): Schedule | RuntimeError {
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

  async #isLive(tenantId: string, executionId: string): Promise<boolean> {
    const row = await this.#parts.store.tenant(tenantId).execution(executionId);
    return row !== null && !TERMINAL.has(row.status as Status);
  }

  async #cancel(job: CronJobHead, executionId: string): Promise<void> {
    try {
      await this.#parts.runtime.cancel(callerOf(job), executionId, `the next run of cron job ${job.name} is due`);
    } catch (error) {
      const isGone = error instanceof RuntimeError && (error.code === 'already_terminal' || error.code === 'not_found');
      if (!isGone) throw error;
    }
  }

  #omit(job: CronJobHead, omission: CronOmission): Promise<void> {
    const { store, clock } = this.#parts;
    const { tenantId, actorId, actorType } = callerOf(job);
    const context: ActionContext = { tenantId, atMs: clock.nowMs(), actorId, actorType, request: null };
    return store.cron.omitted(omission, context);
  }
}

function callerOf({ tenantId, name }: CronJobHead): Caller {
  return { tenantId, actorId: `cron:${name}`, actorType: 'system' };
}

function passesByItself(error: unknown): boolean {
  if (error instanceof StoreError) return true;
  return error instanceof RuntimeError && (error.code === 'overloaded' || error.code === 'shutting_down');
}
