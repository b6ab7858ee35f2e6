import type { WaitingWorkView } from '../../runtime/types/work.ts';
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
          'External workers of the tenant and the runtimes that were recently seen, 1,000 of each at most, and the in-process work of the server that answers.',
        tags: ['Workers'],
        operationId: 'listWorkers',
        response: { 200: WorkerList },
      },
    },
    async (request) => {
      const { tenantId } = identityOf(request);
      const workers = await runtime.workers(tenantId);
      const work = await runtime.waitingWork(tenantId, workers);
      const waitingFor = new Map<string, number>();
      for (const { waiting, servedBy } of work)
        for (const id of servedBy) waitingFor.set(id, (waitingFor.get(id) ?? 0) + waiting);
      const { running, waiting, oldestWaitingSinceMs: oldestMs } = runtime.inProcess(tenantId);
      return {
        in_process: { running, waiting, oldest_waiting_since: oldestMs === null ? null : timestamp(oldestMs) },
        waiting: work.map((each) => ({ ...unclaimed(each), served_by: each.servedBy.length })),
        unserved: work.filter(({ servedBy }) => servedBy.length === 0).map(unclaimed),
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
          waiting: waitingFor.get(id) ?? 0,
          first_seen_at: timestamp(firstSeenAtMs),
          last_seen_at: timestamp(lastSeenAtMs),
        })),
      };
    },
  );
}

function unclaimed({ queue, tool, waiting, oldestAtMs }: WaitingWorkView) {
  return { queue, tool, waiting, oldest_at: timestamp(oldestAtMs) };
}
