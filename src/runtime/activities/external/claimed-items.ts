import type { ExecutionStore } from '../../../../store/port/execution-store.ts';
import type { WorkItemRow } from '../../../../store/port/work-items.ts';
import { RuntimeError } from '../../errors.ts';
import type { Caller } from '../../types/caller.ts';
import type { CommitOperations, CompleteWork, FailWork } from '../../types/work.ts';

const STALE = 'stale or invalid lease fence';

type Store = Pick<ExecutionStore, 'workItem'>;

export async function findItem(store: Store, caller: Caller, id: string): Promise<WorkItemRow> {
  const item = await store.workItem(caller.tenantId, id);
  const isItsQueue = item !== null && caller.queues?.includes(item.queue) !== false;
  if (!isItsQueue) throw new RuntimeError('not_found', `work item ${id} not found`);
  return item;
}

/** The item, if it is open under the given fence; the commit checks that again. */
export async function findOpenItem(
  store: Store,
  caller: Caller,
  id: string,
  given: CompleteWork | FailWork | CommitOperations,
): Promise<WorkItemRow> {
  const item = await findItem(store, caller, id);
  if ('executionId' in given && given.executionId !== undefined && given.executionId !== item.executionId) {
    throw new RuntimeError('bad_request', `work item ${id} belongs to execution ${item.executionId}`);
  }
  if ('nodeId' in given && given.nodeId !== undefined && given.nodeId !== item.nodeId) {
    throw new RuntimeError('bad_request', `work item ${id} belongs to node ${item.nodeId}`);
  }
  const fence = fenceOf(given.leaseFence);
  const isOpen = item.status === 'claimed' || (item.status === 'pending' && fence === null);
  if (!isOpen || (fence !== null && fence !== item.fence)) throw stale();
  return item;
}

/** 0 and an absent fence both mean that the item is settled by its id alone. */
export function fenceOf(fence: number | undefined): number | null {
  return fence === undefined || fence === 0 ? null : fence;
}

/** The worker that reports: the one it names, else the one whose fence it sends. */
export function workerOf(
  item: WorkItemRow,
  given: { readonly workerId?: string; readonly leaseFence?: number },
): string | undefined {
  return given.workerId ?? (fenceOf(given.leaseFence) === null ? undefined : (item.workerId ?? undefined));
}

export function stale(): RuntimeError {
  return new RuntimeError('stale_fence', STALE);
}
