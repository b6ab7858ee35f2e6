import type { JsonObject } from '../../../machines/json.ts';
import type { Run, Status } from '../../../machines/run.ts';
import { completedPatch, stateOf, suspensionOf } from '../../../machines/step/index.ts';
import type { EventRow, ExecutionRow } from '../../../store/port/executions.ts';
import type { WorkerRow } from '../../../store/port/workers.ts';
import type { CachedExecution } from '../engine/loading/cached-execution.ts';
import { forkedFrom } from '../history/fork/labels.ts';
import type { EventView, ExecutionSummary, ExecutionView } from '../types/executions.ts';
import type { WorkerView } from '../types/work.ts';

/** A worker not heard of for this long is no longer active. */
export const WORKER_ACTIVE_MS = 60_000;

/** What a stored execution and one in memory both tell. */
type Head = Pick<ExecutionRow & CachedExecution, keyof ExecutionRow & keyof CachedExecution>;

export function summaryOf(row: ExecutionRow): ExecutionSummary {
  return summary(row, { ...row, status: row.status as Status });
}

export function viewOf(hot: CachedExecution): ExecutionView {
  const { run } = hot;
  return { ...summary(hot, run), state: stateOf(run), input: run.input, suspended: suspensionOf(run) };
}

function summary(head: Head, { status, steps, seq }: Pick<Run, 'status' | 'steps' | 'seq'>): ExecutionSummary {
  const labels = JSON.parse(head.labels) as Record<string, string>;
  return {
    executionId: head.id,
    tenantId: head.tenantId,
    workflowId: head.workflowId,
    workflowVersion: head.workflowVersion,
    revision: head.revision,
    status,
    error: head.error,
    labels,
    stepsExecuted: steps,
    sequence: seq,
    parentExecutionId: head.parentId,
    forkedFrom: forkedFrom(labels),
    createdAtMs: head.createdAtMs,
    updatedAtMs: head.updatedAtMs,
    completedAtMs: head.completedAtMs,
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
    onBehalfOf: row.onBehalfOf,
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
    queueTypes: row.queues,
    status: nowMs - row.lastSeenAtMs <= WORKER_ACTIVE_MS ? 'active' : 'idle',
    firstSeenAtMs: row.firstSeenAtMs,
    lastSeenAtMs: row.lastSeenAtMs,
    inFlight: row.inFlight,
    claimedTotal: row.claimedTotal,
  };
}
