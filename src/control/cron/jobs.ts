import { randomUUID } from 'node:crypto';
import type { Json } from '../../../machines/json.ts';
import type { ActionContext } from '../../../store/port/control.ts';
import type { CronJob } from '../../../store/port/resources/cron.ts';
import { RuntimeError, truncated } from '../../runtime/errors.ts';
import type { Caller } from '../../runtime/types/caller.ts';
import { CRON_LABEL, type CronDeps, CronRunner } from './runner.ts';
import { Schedule } from './schedule.ts';

const PAGE_SIZE = 50;

type Nullable<T> = { readonly [K in keyof T]?: T[K] | null };

/** What is absent or null has its default. */
export type CronDefinition = Pick<CronJob, 'name' | 'cronExpression' | 'workflowId'> &
  Nullable<Pick<CronJob, 'timezone' | 'workflowVersion' | 'missed' | 'overlap' | 'enabled'>> & { readonly input?: Json };

/** Manages the cron jobs of all tenants, which are stored in the database and run by `runner`. */
export class CronJobs {
  readonly runner: CronRunner;
  readonly #deps: CronDeps;

  constructor(deps: CronDeps) {
    this.#deps = deps;
    this.runner = new CronRunner(deps);
  }

  /**
   * Creates a job, or replaces the one of that name together with its history. Rejects with `bad_request` for an invalid expression or time
   * zone and for a workflow that is not registered.
   */
  async put(definition: CronDefinition, context: ActionContext): Promise<CronJob> {
    const { store } = this.#deps;
    const { workflowId, cronExpression } = definition;
    // An empty text means the same as none.
    const workflowVersion = definition.workflowVersion || null;
    const timezone = definition.timezone ?? 'UTC';
    const enabled = definition.enabled ?? true;
    const name = checkedName(definition.name);
    const firstMs = new Schedule(cronExpression, timezone).first(context.atMs);
    if ((await store.tenant(context.tenantId).revisionOf(workflowId, workflowVersion ?? undefined)) === null) {
      const version = workflowVersion === null ? '' : ` v${workflowVersion}`;
      throw new RuntimeError('bad_request', `workflow ${workflowId}${version} is not registered`);
    }
    const job: CronJob = {
      name,
      id: randomUUID(),
      tenantId: context.tenantId,
      cronExpression,
      timezone,
      workflowId,
      workflowVersion,
      input: JSON.stringify(definition.input ?? {}),
      missed: definition.missed ?? 'skip',
      overlap: definition.overlap ?? 'allow',
      enabled,
      nextRunAtMs: enabled ? firstMs : null,
      lastRunAtMs: null,
      lastExecutionId: null,
      lastError: null,
      createdAtMs: context.atMs,
    };
    await store.cron.put(job, context);
    this.runner.scheduleAt(job.nextRunAtMs);
    return job;
  }

  /** Rejects with `not_found`, like all methods that name a job. */
  async get(tenantId: string, name: string): Promise<CronJob> {
    const job = await this.#deps.store.cron.job(tenantId, name);
    if (job === null) throw new RuntimeError('not_found', `cron job ${truncated(name)} not found`);
    return job;
  }

  /** Ordered by name. Reads the store in pages. */
  async *list(tenantId: string): AsyncGenerator<CronJob> {
    let after = '';
    for (;;) {
      const page = await this.#deps.store.cron.jobs(tenantId, { after, limit: PAGE_SIZE });
      yield* page;
      const last = page.at(-1);
      if (last === undefined) return;
      after = last.name;
    }
  }

  async remove(name: string, context: ActionContext): Promise<void> {
    await this.get(context.tenantId, name);
    await this.#deps.store.cron.remove(name, context);
  }

  async pause(name: string, context: ActionContext): Promise<CronJob> {
    const { id } = await this.get(context.tenantId, name);
    await this.#deps.store.cron.enable({ id, name, enabled: false, nextRunAtMs: null }, context);
    return this.get(context.tenantId, name);
  }

  /** Schedules the next run after now. Runs that fell into the pause do not count as missed. */
  async resume(name: string, context: ActionContext): Promise<CronJob> {
    const { id, cronExpression, timezone } = await this.get(context.tenantId, name);
    const nextRunAtMs = new Schedule(cronExpression, timezone).first(context.atMs);
    await this.#deps.store.cron.enable({ id, name, enabled: true, nextRunAtMs }, context);
    this.runner.scheduleAt(nextRunAtMs);
    return this.get(context.tenantId, name);
  }

  /** Runs the job now, outside its schedule, even if it is paused or its last execution is still running. Rejects like `Runtime.start`. */
  async trigger(
    name: string,
    caller: Caller,
    context: ActionContext,
    idempotencyKey?: string,
  ): Promise<{ readonly executionId: string; readonly replayed: boolean }> {
    const { store, runtime } = this.#deps;
    const job = await this.get(context.tenantId, name);
    const started = await runtime.start(caller, {
      workflowId: job.workflowId,
      input: JSON.parse(job.input) as Json,
      systemLabels: { [CRON_LABEL]: name },
      ...(job.workflowVersion === null ? {} : { version: job.workflowVersion }),
      ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    });
    if (!started.replayed) await store.cron.recordTrigger({ id: job.id, name, executionId: started.executionId }, context);
    return started;
  }
}

/** Throws `bad_request` for a name that cannot be a path segment of a URL. */
function checkedName(name: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this rejects
  if (name === '.' || name === '..' || !name.isWellFormed() || /[\u0000-\u001f\u007f]/.test(name))
    throw new RuntimeError('bad_request', `name must not be ${JSON.stringify(truncated(name))}: it cannot be used in a URL`);
  return name;
}
