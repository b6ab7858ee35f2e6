import type { Json } from '../../machines/json.ts';
import { isSameJson } from '../../machines/same-json.ts';
import type { ActionContext } from '../../store/port/control.ts';
import type { CronJob } from '../../store/port/resources/cron.ts';
import type { Decoded } from '../api/operations/codec.ts';
import type { PutCronJob } from '../api/operations/cron.ts';
import type { WorkflowDefinition } from '../builder/definition.ts';
import type { CRON } from '../client/resources.ts';
import type { CronJobs } from '../control/cron/jobs.ts';
import { actorOf } from '../runtime/actor.ts';
import type { Caller } from '../runtime/types/caller.ts';
import type { StartResult } from '../runtime/types/executions.ts';

/** A workflow to be started on a schedule. */
export interface ScheduleRequest extends Decoded<PutCronJob> {}

/** A workflow that is started on a schedule. */
export interface ScheduledWorkflow extends Omit<CronJob, 'tenantId' | 'input'> {
  readonly input: Json;
}

/**
 * The schedules of the tenant, which are the cron jobs of the REST API. Each runtime on the database starts what is due, each time once. Methods that
 * name a schedule reject with `not_found` if there is none.
 *
 * @example
 * await runtime.schedules.put({ name: 'report', cronExpression: '0 8 * * *', timezone: 'Europe/Berlin', workflowId: 'report' });
 */
export interface Schedules extends Record<keyof typeof CRON, unknown> {
  /** Creates a schedule, or replaces that of the same name with its history. Rejects with `bad_request` for an invalid expression or time zone, and for a workflow that is not registered. */
  put(schedule: ScheduleRequest): Promise<ScheduledWorkflow>;
  /** By name. */
  list(): AsyncIterable<ScheduledWorkflow>;
  get(name: string): Promise<ScheduledWorkflow>;
  /** Executions that it has started continue. */
  delete(name: string): Promise<void>;
  /** Times that pass while it is paused are skipped. */
  pause(name: string): Promise<ScheduledWorkflow>;
  resume(name: string): Promise<ScheduledWorkflow>;
  /** Starts an execution now, even if the schedule is paused. Rejects as `start` does. */
  trigger(name: string, options?: { readonly idempotencyKey?: string }): Promise<Pick<StartResult, 'executionId' | 'replayed'>>;
}

/** The schedules as a caller manages them. */
export function schedulesOf(cron: CronJobs, caller: Caller, nowMs: () => number): Schedules {
  const { tenantId } = caller;
  const context = (): ActionContext => {
    const { actorId, actorType, request } = actorOf(caller);
    return { tenantId, atMs: nowMs(), actorId, actorType, request };
  };
  return {
    put: async (schedule) => shown(await cron.put(schedule, context())),
    list: () => eachShown(cron.list(tenantId)),
    get: async (name) => shown(await cron.get(tenantId, name)),
    delete: (name) => cron.remove(name, context()),
    pause: async (name) => shown(await cron.pause(name, context())),
    resume: async (name) => shown(await cron.resume(name, context())),
    trigger: async (name, { idempotencyKey } = {}) => {
      const { executionId, replayed } = await cron.trigger(name, caller, context(), idempotencyKey);
      return { executionId, replayed };
    },
  };
}

/**
 * Makes the schedule of a definition one of its workflow's name; null = it has none. One that says the same stays as it is, with its history and its
 * pause, so that a program may register its workflows whenever it starts.
 */
export async function applySchedule(
  schedules: Schedules,
  { id, version, schedule }: WorkflowDefinition,
): Promise<ScheduledWorkflow | null> {
  if (schedule === null) return null;
  const { cron: cronExpression, timezone, input, enabled } = schedule;
  const wanted = { name: id, cronExpression, timezone, workflowId: id, workflowVersion: version, input };
  for await (const known of schedules.list()) {
    if (known.name !== id) continue;
    const isSame = Object.entries(wanted).every(([key, value]) => isSameJson(known[key as keyof typeof wanted], value));
    if (isSame && (enabled || !known.enabled)) return known;
  }
  return schedules.put({ ...wanted, enabled });
}

function shown({ tenantId: _, input, ...job }: CronJob): ScheduledWorkflow {
  return { ...job, input: JSON.parse(input) as Json };
}

async function* eachShown(jobs: AsyncIterable<CronJob>): AsyncGenerator<ScheduledWorkflow> {
  for await (const job of jobs) yield shown(job);
}
