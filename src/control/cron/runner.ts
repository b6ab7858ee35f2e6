import type { Json } from '../../../machines/json.ts';
import { type Status, TERMINAL } from '../../../machines/run.ts';
import { StoreError } from '../../../store/errors.ts';
import type { CronJobHead, CronOutcome } from '../../../store/resources/cron.ts';
import type { ActionContext } from '../../../store/writes.ts';
import { Alarm } from '../../runtime/alarm.ts';
import { RuntimeError } from '../../runtime/errors.ts';
import type { Caller } from '../../runtime/types.ts';
import type { Background, Parts } from '../parts.ts';
import { firstToRun } from './missed.ts';
import { Schedule } from './schedule.ts';

/** Label of every execution that a job started: the job's name. */
export const LABEL = 'jamjet.cron';
/** The time it was scheduled for, which is not when it ran if it had been missed. */
const SCHEDULED_LABEL = 'jamjet.cron.scheduled_at';

const JOBS_PER_PAGE = 50;
/** Runs of one job before the others get their turn. */
const RUNS_PER_TURN = 20;
/** After the store was away, or too much was waiting. */
const RETRY_MS = 1_000;

/**
 * Starts what is due. One alarm, set to the earliest time of all jobs; nothing polls. A run is started under an idempotency key made of
 * job and time, and only then does the job move on, from where it stood: whatever is cut short or done twice in between, each time is run once.
 */
export class CronRunner implements Background {
  readonly #parts: Parts;
  readonly #alarm: Alarm;
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
    try {
      while (!this.#stopped) {
        const jobs = await store.cron.due(clock.nowMs(), JOBS_PER_PAGE);
        if (jobs.length === 0) {
          this.#alarm.noLaterThan(await store.cron.nextRunAtMs());
          return;
        }
        // One that fails must not leave the others behind, half done.
        const served = await Promise.allSettled(jobs.map((job) => this.#runDue(job)));
        for (const each of served) if (each.status === 'rejected') throw each.reason;
      }
    } catch (error) {
      if (this.#stopped) return;
      failed(error);
      this.#alarm.noLaterThan(clock.nowMs() + RETRY_MS);
    }
  }

  /** Runs what is due of one job, in order. */
  async #runDue(job: CronJobHead): Promise<void> {
    const { clock } = this.#parts;
    const schedule = scheduleOf(job);
    let atMs = job.nextRunAtMs;
    if (atMs === null) return;
    if (schedule instanceof RuntimeError) {
      await this.#advance(job, atMs, null, { kind: 'failed', error: schedule.message });
      return;
    }
    const firstMs = await firstToRun(schedule, job.missed, atMs, clock.nowMs());
    if (firstMs !== atMs) {
      if (!(await this.#advance(job, atMs, firstMs, { kind: 'skipped', reason: 'missed' }))) return;
      atMs = firstMs;
    }
    let last = job.lastExecutionId;
    for (let runs = 0; runs < RUNS_PER_TURN && atMs !== null && atMs <= clock.nowMs() && !this.#stopped; runs += 1) {
      const outcome = await this.#run(job, atMs, last);
      const toMs = schedule.next(atMs);
      if (outcome === null || !(await this.#advance(job, atMs, toMs, outcome))) return;
      if (outcome.kind === 'ran') last = outcome.executionId;
      atMs = toMs;
    }
  }

  /** What cannot be started is told, and the schedule goes on; throws what will pass by itself. Null = the job is gone. */
  async #run(job: CronJobHead, atMs: number, last: string | null): Promise<CronOutcome | null> {
    const { store, runtime, clock, failed } = this.#parts;
    try {
      if (job.overlap !== 'allow' && last !== null && (await this.#isLive(job.tenantId, last))) {
        if (job.overlap === 'skip') return { kind: 'skipped', reason: 'overlap' };
        await this.#cancel(job, last);
      }
      const input = await store.cron.input(job.tenantId, job.id);
      if (input === null) return null;
      const { executionId } = await runtime.start(callerOf(job), {
        workflowId: job.workflowId,
        input: JSON.parse(input) as Json,
        labels: { [LABEL]: job.name, [SCHEDULED_LABEL]: new Date(atMs).toISOString() },
        idempotencyKey: `cron:${job.id}:${atMs}`,
        ...(job.workflowVersion === null ? {} : { version: job.workflowVersion }),
      });
      return { kind: 'ran', executionId, atMs: clock.nowMs() };
    } catch (error) {
      if (passesByItself(error)) throw error;
      if (!(error instanceof RuntimeError)) failed(error);
      return {
        kind: 'failed',
        error: error instanceof RuntimeError ? error.message : 'unexpected failure, logged by the server',
      };
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

  #advance(job: CronJobHead, fromMs: number, toMs: number | null, outcome: CronOutcome): Promise<boolean> {
    const { store, clock } = this.#parts;
    const { tenantId, actorId, actorType } = callerOf(job);
    const context: ActionContext = { tenantId, atMs: clock.nowMs(), actorId, actorType, request: null };
    return store.cron.advance({ id: job.id, name: job.name, fromMs, toMs, outcome }, context);
  }
}

function callerOf({ tenantId, name }: CronJobHead): Caller {
  return { tenantId, actorId: `cron:${name}`, actorType: 'system' };
}

/** A stored job was right when it was made; only another release, with other time zones, may see it differently. */
function scheduleOf({ expression, timezone }: CronJobHead): Schedule | RuntimeError {
  try {
    return new Schedule(expression, timezone);
  } catch (error) {
    if (error instanceof RuntimeError) return error;
    throw error;
  }
}

function passesByItself(error: unknown): boolean {
  if (error instanceof StoreError) return true;
  return error instanceof RuntimeError && (error.code === 'overloaded' || error.code === 'shutting_down');
}
