import type { JsonObject } from '../../../machines/json.ts';
import type { Run, Status } from '../../../machines/run.ts';
import { completedPatch, continuedAs, startAtOf, suspensionOf, usageOf } from '../../../machines/step/index.ts';
import type { EventRow, ExecutionRow } from '../../../store/port/executions.ts';
import type { WorkerRow } from '../../../store/port/workers.ts';
import { type CachedExecution, identityIn } from '../engine/loading/cached-execution.ts';
import { forkedFrom } from '../fork-labels.ts';
import { isRedacted, withoutDigest } from '../redaction/original-events.ts';
import { shownRun } from '../redaction/shown-run.ts';
import { segmentOf } from '../segment-labels.ts';
import { startKey, startThread } from '../start-labels.ts';
import type { EventView, ExecutionSummary, ExecutionView } from '../types/executions.ts';
import type { WorkerView } from '../types/work.ts';

/** A worker that has not claimed for this long is shown as idle. */
export const WORKER_ACTIVE_MS = 60_000;

export function summaryOf(row: ExecutionRow): ExecutionSummary {
  return summary(row, { ...row, status: row.status as Status });
}

/** `currentExecutionId`: of an execution that others continue. */
export function viewOf(execution: CachedExecution, currentExecutionId: string | null): ExecutionView {
  const { run, loaded } = execution;
  const { state, input, json } = shownRun(loaded.program, run);
  const suspended = suspensionOf(run);
  // Keys after a spread would make a new hidden class at each call in Node 20.
  return {
    state,
    input,
    suspended: suspended === null ? null : { reason: json(suspended.reason) },
    nextExecutionId: continuedAs(run) ?? null,
    currentExecutionId,
    startAtMs: startAtOf(run) ?? null,
    usage: usageOf(run) ?? null,
    ...summary(execution, run),
  };
}

function summary(
  head: CachedExecution | ExecutionRow,
  { status, steps, seq }: Pick<Run, 'status' | 'steps' | 'seq'>,
): ExecutionSummary {
  const identity = identityIn(head);
  const labels = JSON.parse(identity.labels) as Record<string, string>;
  const { segment, previousId, firstId } = segmentOf(labels);
  return {
    executionId: head.id,
    tenantId: head.tenantId,
    workflowId: identity.workflowId,
    workflowVersion: identity.workflowVersion,
    revision: identity.revision,
    status,
    error: head.error,
    labels,
    stepsExecuted: steps,
    sequence: seq,
    parentExecutionId: identity.parentId,
    forkedFrom: forkedFrom(labels),
    key: startKey(labels),
    thread: startThread(labels),
    segment,
    previousExecutionId: previousId,
    firstExecutionId: firstId,
    createdAtMs: identity.createdAtMs,
    updatedAtMs: head.updatedAtMs,
    completedAtMs: head.completedAtMs,
  };
}

/** `data`: that of the row, with its payload in place. */
export function eventViewOf(executionId: string, row: EventRow, data: JsonObject): EventView {
  const shown = isRedacted(row) ? withoutDigest(data) : data;
  return {
    executionId,
    sequence: row.seq,
    type: row.type,
    nodeId: row.nodeId,
    data: row.type === 'node_completed' ? completionOf(shown, row.nodeId ?? '') : shown,
    redacted: isRedacted(row),
    createdAtMs: row.atMs,
    actorId: row.actorId,
    onBehalfOf: row.onBehalfOf,
  };
}

/** Shows the state patch of a completion, which the log does not store a second time. */
function completionOf(data: JsonObject, nodeId: string): JsonObject {
  const { patch_from: _from, output_key: _key, ...shown } = data;
  return Object.assign(shown, { state_patch: completedPatch(data, nodeId), duration_ms: data.duration_ms ?? 0 });
}

export function workerViewOf(row: WorkerRow, nowMs: number): WorkerView {
  return {
    id: row.id,
    kind: row.kind,
    queueTypes: row.queues,
    tools: row.tools,
    status: nowMs - row.lastSeenAtMs <= WORKER_ACTIVE_MS ? 'active' : 'idle',
    firstSeenAtMs: row.firstSeenAtMs,
    lastSeenAtMs: row.lastSeenAtMs,
    inFlight: row.inFlight,
    claimedTotal: row.claimedTotal,
  };
}
