import { WorkerList } from '../schemas/workers.ts';
import { type Api, identityOf, type Services } from '../services.ts';
import { timestamp } from '../time.ts';

export function workerRoutes(app: Api, { runtime }: Services): void {
  app.get(
    '/workers',
    {
      config: { access: 'read' },
      schema: {
        summary: 'List workers',
        description:
          'External workers of the tenant and the runtimes that were recently seen, and the in-process work of the server that answers.',
        tags: ['Workers'],
        operationId: 'listWorkers',
        response: { 200: WorkerList },
      },
    },
    async (request) => {
      const { tenantId } = identityOf(request);
      const workers = await runtime.workers(tenantId);
      const { running, waiting, oldest_waiting_since_ms: oldestMs } = runtime.inProcess(tenantId);
      return {
        in_process: { running, waiting, oldest_waiting_since: oldestMs === null ? null : timestamp(oldestMs) },
        workers: workers.map(({ first_seen_at_ms, last_seen_at_ms, queue_types, ...worker }) => ({
          ...worker,
          worker_id: worker.id,
          queue_types: [...queue_types],
          first_seen_at: timestamp(first_seen_at_ms),
          last_seen_at: timestamp(last_seen_at_ms),
        })),
      };
    },
  );
}
