import type { WaitingWork } from '../../../../store/port/work-items.ts';
import type { WorkerView } from '../../types/work.ts';
import { TOOL_QUEUE } from '../queues.ts';

/** A worker that has not been seen for this long serves nothing: longer than a claim may wait. */
const SERVES_MS = 90_000;

type Work = Pick<WaitingWork, 'queue' | 'tool'>;

/** Whether a worker or runtime was seen lately and does the work of the tool on the queue. */
export function serves(
  worker: WorkerView,
  work: Work,
  nowMs: number,
  hasTool = (tool: string): boolean => worker.tools?.includes(tool) === true,
): boolean {
  if (nowMs - worker.lastSeenAtMs > SERVES_MS) return false;
  if (worker.kind === 'runtime') return work.queue === TOOL_QUEUE && hasTool(work.tool);
  return worker.queueTypes.includes(work.queue) && (worker.tools === null || hasTool(work.tool));
}

export function isServed(work: Work, workers: readonly WorkerView[], nowMs: number): boolean {
  return workers.some((worker) => serves(worker, work, nowMs));
}

/** The names of all tools that workers and runtimes serve, in order. */
export function servedTools(workers: readonly WorkerView[], nowMs: number): readonly string[] {
  const live = workers.filter(({ lastSeenAtMs }) => nowMs - lastSeenAtMs <= SERVES_MS);
  return [...new Set(live.flatMap(({ tools }) => tools ?? []))].sort();
}
