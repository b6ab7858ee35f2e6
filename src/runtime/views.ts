import type { JsonObject } from '../../machines/json.ts';
import type { Status } from '../../machines/run.ts';
import { completedPatch, heldOf, stateOf } from '../../machines/step.ts';
import type { EventRow, ExecutionRow, WorkerRow } from '../../store/rows.ts';
import { forkedFrom } from './fork-labels.ts';
import type { Hot } from './hot.ts';
import type { EventView, ExecutionSummary, ExecutionView, WorkerView } from './types.ts';

/** A worker not heard of for this long is no longer active. */
export const WORKER_ACTIVE_MS = 60_000;

export function summaryOf(row: ExecutionRow): ExecutionSummary {
  const labels = JSON.parse(row.labels) as Record<string, string>;
  return {
    executionId: row.id,
    tenantId: row.tenantId,
    workflowId: row.workflowId,
    workflowVersion: row.workflowVersion,
    revision: row.revision,
    status: row.status as Status,
    error: row.error,
    labels,
    stepsExecuted: row.steps,
    sequence: row.seq,
    parentExecutionId: row.parentId,
    forkedFrom: forkedFrom(labels),
    createdAtMs: row.createdAtMs,
    updatedAtMs: row.updatedAtMs,
    completedAtMs: row.completedAtMs,
  };
}

export function viewOf(hot: Hot): ExecutionView {
  const labels = JSON.parse(hot.labels) as Record<string, string>;
  return {
    executionId: hot.id,
    tenantId: hot.tenantId,
    workflowId: hot.workflowId,
    workflowVersion: hot.workflowVersion,
    revision: hot.revision,
    status: hot.run.status,
    state: stateOf(hot.run),
    input: hot.run.input,
    error: hot.run.error,
    labels,
    stepsExecuted: hot.run.steps,
    sequence: hot.run.seq,
    parentExecutionId: hot.parentId,
    forkedFrom: forkedFrom(labels),
    createdAtMs: hot.createdAtMs,
    updatedAtMs: hot.updatedAtMs,
    completedAtMs: hot.completedAtMs,
    held: heldOf(hot.run),
  };
}

/** `data`: the row's, with its output in place. */
export function eventViewOf(executionId: string, row: EventRow, data: JsonObject): EventView {
  return {
    executionId,
    sequence: row.seq,
    type: row.type,
    nodeId: row.nodeId,
    data: row.type === 'node_completed' ? completionOf(data, row.nodeId ?? '') : data,
    createdAtMs: row.atMs,
    actorId: row.actorId,
  };
}

/** What a completion did to the state is told in full, though the log does not hold it a second time. */
function completionOf(data: JsonObject, nodeId: string): JsonObject {
  const { patch_from: _from, output_key: _key, ...told } = data;
  return { ...told, state_patch: completedPatch(data, nodeId), duration_ms: data.duration_ms ?? 0 };
}

export function workerViewOf(row: WorkerRow, nowMs: number): WorkerView {
  return {
    id: row.id,
    kind: row.kind,
    queue_types: row.queues,
    status: nowMs - row.lastSeenAtMs <= WORKER_ACTIVE_MS ? 'active' : 'idle',
    first_seen_at_ms: row.firstSeenAtMs,
    last_seen_at_ms: row.lastSeenAtMs,
    in_flight: row.inFlight,
    claimed_total: row.claimedTotal,
  };
}
