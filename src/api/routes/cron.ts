import type { CronJob } from '../../../store/port/resources/cron.ts';
import { parsed } from '../operations/codec.ts';
import { CRON } from '../operations/cron.ts';
import { idempotencyKey } from '../requests/idempotency-key.ts';
import { implement } from './implement.ts';

export const cronRoutes = implement(CRON, {
  'POST /cron': async ({ body, context }, { control: { cron } }) => shown(await cron.put(body, context)),

  'GET /cron': ({ tenantId }, { control: { cron } }) => ({ cronJobs: eachShown(cron.list(tenantId)) }),

  'GET /cron/:name': async ({ params, tenantId }, { control: { cron } }) => shown(await cron.get(tenantId, params.name)),

  'DELETE /cron/:name': async ({ params: { name }, context }, { control: { cron } }) => {
    await cron.remove(name, context);
    return { name, deleted: true as const };
  },

  'POST /cron/:name/pause': async ({ params, context }, { control: { cron } }) => shown(await cron.pause(params.name, context)),

  'POST /cron/:name/resume': async ({ params, context }, { control: { cron } }) => shown(await cron.resume(params.name, context)),

  'POST /cron/:name/trigger': async ({ params, caller, context, request, reply }, { control: { cron } }) => {
    const started = await cron.trigger(params.name, caller, context, idempotencyKey(request.headers) ?? undefined);
    if (started.replayed) void reply.header('idempotency-replayed', 'true');
    return started;
  },
});

function shown(job: CronJob) {
  return { ...job, input: parsed(job.input) };
}

async function* eachShown(jobs: AsyncIterable<CronJob>) {
  for await (const job of jobs) yield shown(job);
}
