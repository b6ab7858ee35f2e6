import type { Run } from '../../../../machines/run.ts';
import { failuresOf, terminalFailures } from '../../../../machines/step/index.ts';
import type { ExecutionStore } from '../../../../store/port/execution-store.ts';
import type { EventRow } from '../../../../store/port/executions.ts';
import { eventOf, readLog } from '../../log/read-log.ts';

/** The last errors of nodes that have failed for good, by node. */
export type Failures = ReadonlyMap<string, string>;

export const NO_FAILURES: Failures = new Map();

/** After events that led to `run`. */
export function failuresAfter(before: Failures, run: Run, events: readonly EventRow[]): Failures {
  const nodes = failuresOf(run);
  if (nodes.length === 0) return NO_FAILURES;
  const errors = new Map(nodes.flatMap((node) => (before.has(node) ? [[node, before.get(node) ?? ''] as const] : [])));
  for (const [i, row] of events.entries()) {
    if (row.type !== 'node_failed' || row.nodeId === null || !nodes.includes(row.nodeId)) continue;
    const error = String(eventOf(row).data.error);
    const decided = events[i - 1];
    const isRejection = decided?.type === 'approval_received' && decided.nodeId === row.nodeId;
    errors.set(row.nodeId, isRejection ? rejection(error, decided) : error);
  }
  return errors;
}

/** The event says in whose name the node was rejected, and its row who did it. */
function rejection(error: string, { actorId, onBehalfOf }: EventRow): string {
  const told = `approval rejected by ${onBehalfOf}`;
  if (onBehalfOf === null || !error.startsWith(told)) return error.replace(/^approval /, '');
  return `rejected by ${actorId} on behalf of ${onBehalfOf}${error.slice(told.length)}`;
}

/** Of an execution that comes from the store. Nothing is read unless a node has failed. */
export async function failuresIn(store: ExecutionStore, executionId: string, run: Run): Promise<Failures> {
  const rows: EventRow[] = [];
  for (const nodeId of failuresOf(run)) {
    for await (const row of readLog(store, executionId, { nodeId })) {
      if (row.type === 'node_failed' || row.type === 'approval_received') rows.push(row);
    }
  }
  return failuresAfter(NO_FAILURES, run, rows);
}

/** Why an execution has failed or was cancelled, in the words of the nodes that failed it. */
export function errorOf(run: Run, failures: Failures): string | null {
  const told = terminalFailures(run).flatMap((node) => (failures.has(node) ? [`${node}: ${failures.get(node)}`] : []));
  return told.length === 0 ? run.error : told.join('; ');
}

/** May this stand for the error of the run? An earlier release stored the run's own. */
export function isErrorOf(run: Run, stored: string | null): boolean {
  if (stored === run.error) return true;
  return terminalFailures(run).some((node) => stored?.startsWith(`${node}: `) === true);
}
