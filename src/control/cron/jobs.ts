import { randomUUID } from 'node:crypto';
import type { Json } from '../../../machines/json.ts';
import type { CronJob, Missed, Overlap } from '../../../store/resources/cron.ts';
import type { ActionContext } from '../../../store/writes.ts';
import { RuntimeError, shown } from '../../runtime/errors.ts';
import type { Caller } from '../../runtime/types.ts';
import type { Parts } from '../parts.ts';
import { CronRunner, LABEL } from './runner.ts';
import { Schedule } from './schedule.ts';

const JOBS_PER_PAGE = 50;

export interface CronDefinition {
  readonly name: string;
  readonly expression: string;
  readonly timezone: string;
  readonly workflowId: string;
  /** Null = the latest version when it runs. */
  readonly workflowVersion: string | null;
  readonly input: Json;
  readonly missed: Missed;
  readonly overlap: Overlap;
  readonly enabled: boolean;
}

/** The cron jobs of every tenant: kept in the store, run by `runner`. */
export class CronJobs {
  readonly runner: CronRunner;
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.runner = new CronRunner(parts);
  }

  /**
   * Creates the job, or replaces the one of that name: its history begins anew. Rejects with `bad_request` for an expression or time zone that
   * is not right and for a workflow that is not registered.
   */
  async put(definition: CronDefinition, context: ActionContext): Promise<CronJob> {
    const { store } = this.#parts;
    const { workflowId, workflowVersion, enabled, input, ...rest } = definition;
    // As a database keeps it, and gives it back.
    const name = addressable(definition.name);
    const firstMs = new Schedule(definition.expression, definition.timezone).first(context.atMs);
    if ((await store.tenant(context.tenantId).revisionOf(workflowId, workflowVersion ?? undefined)) === null) {
      const version = workflowVersion === null ? '' : ` v${workflowVersion}`;
      throw new RuntimeError('bad_request', `workflow ${workflowId}${version} is not registered`);
    }
    const job: CronJob = {
      ...rest,
      name,
      id: randomUUID(),
      tenantId: context.tenantId,
      workflowId,
      workflowVersion,
      input: JSON.stringify(input),
      enabled,
      nextRunAtMs: enabled ? firstMs : null,
      lastRunAtMs: null,
      lastExecutionId: null,
      lastError: null,
      createdAtMs: context.atMs,
    };
    await store.cron.put(job, context);
    this.runner.noLaterThan(job.nextRunAtMs);
    return job;
  }

  /** Rejects with `not_found`, like all that name a job. */
  async get(tenantId: string, name: string): Promise<CronJob> {
    const job = await this.#parts.store.cron.job(tenantId, name);
    if (job === null) throw new RuntimeError('not_found', `cron job ${shown(name)}`);
    return job;
  }

  /** By name, read in pages. */
  async *list(tenantId: string): AsyncGenerator<CronJob> {
    let after = '';
    for (;;) {
      const page = await this.#parts.store.cron.jobs(tenantId, { after, limit: JOBS_PER_PAGE });
      yield* page;
      const last = page.at(-1);
      if (last === undefined) return;
      after = last.name;
    }
  }

  async remove(name: string, context: ActionContext): Promise<void> {
    await this.get(context.tenantId, name);
    await this.#parts.store.cron.remove(name, context);
  }

  async pause(name: string, context: ActionContext): Promise<CronJob> {
    const { id } = await this.get(context.tenantId, name);
    await this.#parts.store.cron.enable({ id, name, enabled: false, nextRunAtMs: null }, context);
    return this.get(context.tenantId, name);
  }

  /** Goes on with the next time from now: what passed meanwhile was not missed. */
  async resume(name: string, context: ActionContext): Promise<CronJob> {
    const { id, expression, timezone } = await this.get(context.tenantId, name);
    const nextRunAtMs = new Schedule(expression, timezone).first(context.atMs);
    await this.#parts.store.cron.enable({ id, name, enabled: true, nextRunAtMs }, context);
    this.runner.noLaterThan(nextRunAtMs);
    return this.get(context.tenantId, name);
  }

  /**
   * Runs the job now, outside its schedule, paused or not, whatever its last execution does. Rejects like `Runtime.start`.
   */
  async trigger(
    name: string,
    caller: Caller,
    context: ActionContext,
    idempotencyKey?: string,
  ): Promise<{ readonly executionId: string; readonly replayed: boolean }> {
    const { store, runtime } = this.#parts;
    const job = await this.get(context.tenantId, name);
    const started = await runtime.start(caller, {
      workflowId: job.workflowId,
      input: JSON.parse(job.input) as Json,
      systemLabels: { [LABEL]: name },
      ...(job.workflowVersion === null ? {} : { version: job.workflowVersion }),
      ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    });
    if (!started.replayed) await store.cron.triggered({ id: job.id, name, executionId: started.executionId }, context);
    return started;
  }
}

/** A name stands in paths: there `.` and `..` mean something else, and control characters get lost. */
function addressable(name: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (name === '.' || name === '..' || !name.isWellFormed() || /[\u0000-\u001f\u007f]/.test(name))
    throw new RuntimeError('bad_request', `name must not be ${JSON.stringify(shown(name))}: it could not be asked for`);
  return name;
}
