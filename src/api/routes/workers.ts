import type { WaitingWorkView, WorkerView } from '../../runtime/types/work.ts';
import { fromWorkerCursor, type WorkerPosition, workerCursorOf } from '../requests/cursor.ts';
import { limitOf } from '../schemas/fields.ts';
import { WORKERS_PAGE, WorkerList, WorkersQuery } from '../schemas/workers.ts';
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
          'The runtimes that were seen in the last ten minutes, and external workers of the tenant, 1,000 of each at most; beside each page the work that waits, and the in-process work of the server that answers.',
        tags: ['Workers'],
        operationId: 'listWorkers',
        querystring: WorkersQuery,
        response: { 200: WorkerList },
      },
    },
    async (request) => {
      const { tenantId } = identityOf(request);
      const { cursor } = request.query;
      const limit = limitOf(request.query.limit, WORKERS_PAGE);
      const workers = await runtime.workers(tenantId);
      const following = cursor === undefined ? workers : workersAfter(fromWorkerCursor(cursor), workers);
      const page = following.slice(0, limit);
      const last = page.at(-1);
      const work = await runtime.waitingWork(tenantId, workers);
      const waitingFor = new Map<string, number>();
      for (const { waiting, servedBy } of work)
        for (const id of servedBy) waitingFor.set(id, (waitingFor.get(id) ?? 0) + waiting);
      const { running, waiting, oldestWaitingSinceMs: oldestMs } = runtime.inProcess(tenantId);
      return {
        in_process: { running, waiting, oldest_waiting_since: oldestMs === null ? null : timestamp(oldestMs) },
        waiting: work.map((each) => ({ ...unclaimed(each), served_by: each.servedBy.length })),
        unserved: work.filter(({ servedBy }) => servedBy.length === 0).map(unclaimed),
        limit,
        next_cursor: following.length > limit && last !== undefined ? workerCursorOf(last) : null,
        workers: page.map(({ id, kind, status, queueTypes, tools, inFlight, claimedTotal, firstSeenAtMs, lastSeenAtMs }) => ({
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

/** Runtimes come first, then external workers, each by id in bytes. */
function workersAfter({ kind, id }: WorkerPosition, workers: readonly WorkerView[]): readonly WorkerView[] {
  const isBehind = (worker: WorkerView): boolean =>
    worker.kind === kind ? Buffer.compare(Buffer.from(worker.id), Buffer.from(id)) > 0 : kind === 'runtime';
  return workers.filter(isBehind);
}

function unclaimed({ queue, tool, waiting, oldestAtMs }: WaitingWorkView) {
  return { queue, tool, waiting, oldest_at: timestamp(oldestAtMs) };
}
