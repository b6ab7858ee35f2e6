import type { WaitingWork } from '../../../../store/port/work-items.ts';
import type { UnservedWork, WorkerView } from '../../types/work.ts';
import { TOOL_QUEUE } from '../queues.ts';

/** A worker that has not been seen for this long serves nothing: longer than a claim may wait. */
const SERVES_MS = 90_000;

/** Does a worker or runtime that was seen lately do the work of the tool on the queue? */
export function isServed(work: Pick<WaitingWork, 'queue' | 'tool'>, workers: readonly WorkerView[], nowMs: number): boolean {
  return workers.some((worker) => {
    if (nowMs - worker.lastSeenAtMs > SERVES_MS) return false;
    if (worker.kind === 'runtime') return work.queue === TOOL_QUEUE && worker.tools?.includes(work.tool) === true;
    // Items without a tool are claimed by every worker of the queue.
    return (
      worker.queueTypes.includes(work.queue) && (worker.tools === null || work.tool === '' || worker.tools.includes(work.tool))
    );
  });
}

/** The waiting work that no worker and no runtime does. */
export function unservedWork(
  waiting: readonly WaitingWork[],
  workers: readonly WorkerView[],
  nowMs: number,
): readonly UnservedWork[] {
  return waiting.filter((work) => !isServed(work, workers, nowMs));
}

/** The names of all tools that workers and runtimes serve, in order. */
export function servedTools(workers: readonly WorkerView[], nowMs: number): readonly string[] {
  const live = workers.filter(({ lastSeenAtMs }) => nowMs - lastSeenAtMs <= SERVES_MS);
  return [...new Set(live.flatMap(({ tools }) => tools ?? []))].sort();
}
