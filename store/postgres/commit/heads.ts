import type { ExecutionWrite } from '../../writes.ts';

/** A row of `HEADS`. */
export function headRow({ id, tenantId, fromSeq, create, revive, head, snapshot }: ExecutionWrite): object {
  return {
    id,
    tenant_id: tenantId,
    from_seq: fromSeq,
    creates: create !== null,
    revives: revive !== undefined,
    ...(revive === undefined ? {} : { deadline_at_ms: revive.deadlineAtMs }),
    ...(create === null
      ? {}
      : {
          workflow_id: create.workflowId,
          workflow_version: create.workflowVersion,
          revision: create.revision,
          labels: create.labels,
          parent_id: create.parentId,
          depth: create.depth,
          deadline_at_ms: create.deadlineAtMs,
          created_at_ms: create.createdAtMs,
        }),
    status: head.status,
    seq: head.seq,
    steps: head.steps,
    error: head.error,
    local_work: head.localWork,
    owner: head.owner,
    updated_at_ms: head.updatedAtMs,
    completed_at_ms: head.completedAtMs,
    snapshot,
  };
}

/** The labels an execution begins with, one by one. */
export function labelRows({ id, tenantId, create }: ExecutionWrite): object[] {
  if (create === null || create.labels === '{}') return [];
  const labels = Object.entries(JSON.parse(create.labels) as Readonly<Record<string, string | null>>);
  return labels.flatMap(([key, value]) => (value === null ? [] : [{ tenant_id: tenantId, key, execution_id: id, value }]));
}

export function eventRows({ id, tenantId, events }: ExecutionWrite): object[] {
  return events.map((event) => ({
    execution_id: id,
    seq: event.seq,
    tenant_id: tenantId,
    type: event.type,
    node_id: event.nodeId,
    at_ms: event.atMs,
    actor_id: event.actorId,
    actor_type: event.actorType,
    request: event.request,
    data: event.data,
  }));
}
