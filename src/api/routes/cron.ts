import type { Json } from '../../../machines/json.ts';
import type { CronJob as Job } from '../../../store/port/resources/cron.ts';
import { sendList } from '../replies/json-list.ts';
import { idempotencyKey } from '../requests/idempotency-key.ts';
import { CronJob, CronJobByName, CronJobList, DeletedCronJob, PutCronJob, TriggeredCronJob } from '../schemas/cron.ts';
import { type Api, actionContext, callerOf, identityOf, type Services } from '../services.ts';
import { timeOrNull, timestamp } from '../time.ts';

const DEFAULT_TIMEZONE = 'UTC';

const tags = ['Cron'];

export function cronRoutes(app: Api, { control: { cron }, nowMs }: Services): void {
  app.post(
    '/cron',
    {
      config: { access: 'write', addsStorage: true },
      schema: {
        summary: 'Create or replace a cron job',
        description: 'Starts a workflow on a schedule. A job of the same name is replaced, and its history is reset.',
        tags,
        operationId: 'putCronJob',
        body: PutCronJob,
        response: { 201: CronJob },
      },
    },
    async (request, reply) => {
      const { body } = request;
      const job = await cron.put(
        {
          name: body.name,
          expression: body.cron_expression,
          timezone: body.timezone ?? DEFAULT_TIMEZONE,
          workflowId: body.workflow_id,
          workflowVersion: body.workflow_version || null,
          input: body.input ?? {},
          missed: body.missed ?? 'skip',
          overlap: body.overlap ?? 'allow',
          enabled: body.enabled ?? true,
        },
        actionContext(request, nowMs()),
      );
      void reply.code(201);
      return toCronJob(job);
    },
  );

  app.get(
    '/cron',
    {
      config: { access: 'read' },
      schema: { summary: 'List cron jobs by name', tags, operationId: 'listCronJobs', response: { 200: CronJobList } },
    },
    async (request, reply) => sendList(reply, 'cron_jobs', toCronJobs(cron.list(identityOf(request).tenantId))),
  );

  app.get(
    '/cron/:name',
    {
      config: { access: 'read' },
      schema: { summary: 'Get a cron job', tags, operationId: 'getCronJob', params: CronJobByName, response: { 200: CronJob } },
    },
    async (request) => toCronJob(await cron.get(identityOf(request).tenantId, request.params.name)),
  );

  app.delete(
    '/cron/:name',
    {
      config: { access: 'write' },
      schema: {
        summary: 'Delete a cron job',
        description: 'Executions that the job started continue.',
        tags,
        operationId: 'deleteCronJob',
        params: CronJobByName,
        response: { 200: DeletedCronJob },
      },
    },
    async (request) => {
      const { name } = request.params;
      await cron.remove(name, actionContext(request, nowMs()));
      return { name, deleted: true as const };
    },
  );

  app.post(
    '/cron/:name/pause',
    {
      config: { access: 'write' },
      schema: {
        summary: 'Pause a cron job',
        description: 'Executions that the job started continue. Times that pass while it is paused are skipped.',
        tags,
        operationId: 'pauseCronJob',
        params: CronJobByName,
        response: { 200: CronJob },
      },
    },
    async (request) => toCronJob(await cron.pause(request.params.name, actionContext(request, nowMs()))),
  );

  app.post(
    '/cron/:name/resume',
    {
      config: { access: 'write' },
      schema: {
        summary: 'Resume a cron job',
        tags,
        operationId: 'resumeCronJob',
        params: CronJobByName,
        response: { 200: CronJob },
      },
    },
    async (request) => toCronJob(await cron.resume(request.params.name, actionContext(request, nowMs()))),
  );

  app.post(
    '/cron/:name/trigger',
    {
      config: { access: 'write' },
      schema: {
        summary: 'Run a cron job now',
        description:
          'Starts an execution outside the schedule, even if the job is paused or its previous execution has not ended.',
        tags,
        operationId: 'triggerCronJob',
        params: CronJobByName,
        response: { 201: TriggeredCronJob },
      },
    },
    async (request, reply) => {
      const key = idempotencyKey(request.headers) ?? undefined;
      const { executionId, replayed } = await cron.trigger(
        request.params.name,
        callerOf(request),
        actionContext(request, nowMs()),
        key,
      );
      if (replayed) void reply.header('idempotency-replayed', 'true');
      void reply.code(201);
      return { execution_id: executionId };
    },
  );
}

async function* toCronJobs(jobs: AsyncIterable<Job>): AsyncGenerator<CronJob> {
  for await (const job of jobs) yield toCronJob(job);
}

function toCronJob(job: Job): CronJob {
  return {
    id: job.id,
    name: job.name,
    cron_expression: job.expression,
    timezone: job.timezone,
    workflow_id: job.workflowId,
    workflow_version: job.workflowVersion,
    input: JSON.parse(job.input) as Json,
    enabled: job.enabled,
    missed: job.missed,
    overlap: job.overlap,
    next_run_at: timeOrNull(job.nextRunAtMs),
    last_run_at: timeOrNull(job.lastRunAtMs),
    last_execution_id: job.lastExecutionId,
    last_error: job.lastError,
    created_at: timestamp(job.createdAtMs),
  };
}
