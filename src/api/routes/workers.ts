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
      const unserved = await runtime.unservedWork(tenantId, workers);
      const { running, waiting, oldestWaitingSinceMs: oldestMs } = runtime.inProcess(tenantId);
      return {
        in_process: { running, waiting, oldest_waiting_since: oldestMs === null ? null : timestamp(oldestMs) },
        unserved: unserved.map(({ queue, tool, waiting: count, oldestAtMs }) => ({
          queue,
          tool,
          waiting: count,
          oldest_at: timestamp(oldestAtMs),
        })),
        workers: workers.map(({ id, kind, status, queueTypes, tools, inFlight, claimedTotal, firstSeenAtMs, lastSeenAtMs }) => ({
          id,
          worker_id: id,
          kind,
          status,
          queue_types: [...queueTypes],
          queues: [...queueTypes],
          tools: tools === null ? null : [...tools],
          in_flight: inFlight,
          claimed_total: claimedTotal,
          first_seen_at: timestamp(firstSeenAtMs),
          last_seen_at: timestamp(lastSeenAtMs),
        })),
      };
    },
  );
}
