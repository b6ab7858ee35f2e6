import type { WorkerView } from '../../runtime/types/work.ts';
import { WORKERS, WORKERS_PAGE } from '../operations/workers.ts';
import { fromWorkerCursor, type WorkerPosition, workerCursorOf } from '../requests/cursor.ts';
import { limitOf } from '../schemas/fields.ts';
import { timeOrNull } from '../time.ts';
import { implement } from './implement.ts';

export const workerRoutes = implement(WORKERS, {
  'GET /workers': async ({ query, tenantId }, { runtime }) => {
    const { cursor } = query;
    const limit = limitOf(query.limit, WORKERS_PAGE);
    const workers = await runtime.workers(tenantId);
    const following = cursor === undefined ? workers : workersAfter(fromWorkerCursor(cursor), workers);
    const page = following.slice(0, limit);
    const last = following.length > limit ? page.at(-1) : undefined;
    const waiting = await runtime.waitingWork(tenantId, workers);
    const waitingFor = new Map<string, number>();
    for (const work of waiting) for (const id of work.servedBy) waitingFor.set(id, (waitingFor.get(id) ?? 0) + work.waiting);
    const inProcess = runtime.inProcess(tenantId);
    return {
      inProcess: { ...inProcess, oldestWaitingSince: timeOrNull(inProcess.oldestWaitingSinceMs) },
      waiting: waiting.map((work) => ({ ...work, servedBy: work.servedBy.length })),
      unserved: waiting.filter(({ servedBy }) => servedBy.length === 0),
      limit,
      nextCursor: last === undefined ? null : workerCursorOf(last),
      workers: page.map((worker) => ({
        ...worker,
        workerId: worker.id,
        queues: worker.queueTypes,
        waiting: waitingFor.get(worker.id) ?? 0,
      })),
    };
  },
});

/** Runtimes come first, then external workers, each by id in bytes. */
function workersAfter({ kind, id }: WorkerPosition, workers: readonly WorkerView[]): readonly WorkerView[] {
  const isBehind = (worker: WorkerView): boolean =>
    worker.kind === kind ? Buffer.compare(Buffer.from(worker.id), Buffer.from(id)) > 0 : kind === 'runtime';
  return workers.filter(isBehind);
}
