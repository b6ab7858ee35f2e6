import type { Run } from '../../../../machines/run.ts';
import { failuresOf, terminalFailures } from '../../../../machines/step/index.ts';
import type { ExecutionStore } from '../../../../store/port/execution-store.ts';
import type { EventRow } from '../../../../store/port/executions.ts';
import { eventOf, readLog } from '../../log/read-log.ts';

/** The last errors of the nodes that have failed without a further retry, by node. */
export type Failures = ReadonlyMap<string, string>;

export const NO_FAILURES: Failures = new Map();

/** The failures after the events that led to `run`. */
export function failuresAfter(before: Failures, run: Run, events: readonly EventRow[]): Failures {
  const nodes = failuresOf(run);
  if (nodes.length === 0) return NO_FAILURES;
  const errors = new Map(nodes.flatMap((node) => (before.has(node) ? [[node, before.get(node) ?? ''] as const] : [])));
  for (const [i, row] of events.entries()) {
    if (row.type !== 'node_failed' || row.nodeId === null || !nodes.includes(row.nodeId)) continue;
    const { data } = eventOf(row);
    // Neither work beside the workflow nor an item fails the node.
    if (data.activation === 0 || data.item !== undefined) continue;
    const error = String(data.error);
    const decided = events[i - 1];
    const isRejection = decided?.type === 'approval_received' && decided.nodeId === row.nodeId;
    errors.set(row.nodeId, isRejection ? rejection(error, decided) : error);
  }
  return errors;
}

/** The error of a rejection names the user on whose behalf it was made; the actor is added from the row. */
function rejection(error: string, { actorId, onBehalfOf }: EventRow): string {
  const prefix = `approval rejected by ${onBehalfOf}`;
  if (onBehalfOf === null || !error.startsWith(prefix)) return error.replace(/^approval /, '');
  return `rejected by ${actorId} on behalf of ${onBehalfOf}${error.slice(prefix.length)}`;
}

/** The failures of a stored execution. Reads the log only if a node has failed. */
export async function failuresIn(store: ExecutionStore, executionId: string, run: Run): Promise<Failures> {
  const rows: EventRow[] = [];
  for (const nodeId of failuresOf(run)) {
    for await (const row of readLog(store, executionId, { nodeId })) {
      if (row.type === 'node_failed' || row.type === 'approval_received') rows.push(row);
    }
  }
  return failuresAfter(NO_FAILURES, run, rows);
}

/** Why an execution failed or was cancelled: the errors of the nodes that failed it, else the run's own. */
export function errorOf(run: Run, failures: Failures): string | null {
  const errors = terminalFailures(run).flatMap((node) => (failures.has(node) ? [`${node}: ${failures.get(node)}`] : []));
  return errors.length === 0 ? run.error : errors.join('; ');
}

/** May `stored` be the stored error of the run? */
export function isErrorOf(run: Run, stored: string | null): boolean {
  if (stored === run.error) return true;
  return terminalFailures(run).some((node) => stored?.startsWith(`${node}: `) === true);
}
