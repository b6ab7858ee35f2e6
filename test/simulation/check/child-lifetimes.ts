import { visitIn } from '../../../src/runtime/activities/children/visit-labels.ts';
import type { StoredExecution, Tables } from '../store/tables.ts';

/** Time for a cancel to reach a child, and its children, without faults; and for its finalizers. */
const CANCEL_MS = 20_000;
const FINALIZERS_MS = 150_000;
const ENDS_VISIT = new Set(['node_completed', 'node_cancelled']);
const ENDS_EXECUTION = new Set(['workflow_cancelled', 'workflow_failed', 'workflow_completed', 'strategy_limit_hit']);

/**
 * Checks that no child outlives the attempt of its parent for which it works. `endOf`: when an execution ended, not by the clock of a process.
 * `calmAtMs`: from when on messages arrive in time.
 */
export function checkChildLifetimes(
  { executions }: Pick<Tables, 'executions'>,
  endOf: (id: string) => number | null,
  calmAtMs: number,
  nowMs: number,
): readonly string[] {
  const problems: string[] = [];
  for (const child of executions.values()) {
    const unwantedAtMs = unwantedSinceMs({ executions }, child);
    if (unwantedAtMs === null) continue;
    const isFinalizing = child.events.some(({ type }) => type === 'workflow_finalizing');
    const latestMs = Math.max(unwantedAtMs, calmAtMs) + CANCEL_MS + (isFinalizing ? FINALIZERS_MS : 0);
    const endedAtMs = endOf(child.row.id) ?? nowMs;
    if (endedAtMs > latestMs)
      problems.push(
        `${child.row.id} is ${child.row.status} at ${endedAtMs}, and its parent ${child.row.parentId} needs it no more since ${unwantedAtMs}`,
      );
  }
  return problems;
}

/** When the attempt of the parent ended for which a child works, by the parent's log; null = it is in progress, or there is no parent. */
export function unwantedSinceMs({ executions }: Pick<Tables, 'executions'>, { row }: StoredExecution): number | null {
  const parent = executions.get(row.parentId ?? '');
  if (parent === undefined) return null;
  const { node, activation, attempt, item } = visitIn(JSON.parse(row.labels));
  const began = parent.events.findIndex(
    ({ type, nodeId, data }) => type === 'child_workflow_started' && nodeId === node && data.includes(row.id),
  );
  // The next segment of a child is logged once the message about it arrives.
  const since = began >= 0 ? began : parent.events.findLastIndex(({ type }) => type === 'workflow_retried');
  const end = parent.events.slice(since + 1).find(({ type, nodeId, data }) => {
    if (ENDS_EXECUTION.has(type)) return true;
    if (nodeId !== node) return false;
    const of = JSON.parse(data) as { readonly activation?: number; readonly attempt?: number; readonly item?: number };
    if (of.activation !== activation) return (of.activation ?? 0) > activation;
    // The end of a list is that of its items.
    if (type === 'map_completed') return true;
    if (of.item !== item) return false;
    return ENDS_VISIT.has(type) || (type === 'node_failed' && of.attempt === attempt);
  });
  return end?.atMs ?? null;
}
