import type { EventRow, NewExecution } from './rows.ts';

/**
 * An unpaired surrogate has no UTF-8: a database would give back something else than what was hashed, and the audit chain would
 * cry wolf. Every engine writes, and hashes, the replacement character instead. Text that is well-formed, nearly all, is not copied.
 */
export function wellFormedEvents(events: readonly EventRow[]): readonly EventRow[] {
  return events.every(isWellFormed) ? events : events.map(wellFormedEvent);
}

export function wellFormedEvent(event: EventRow): EventRow {
  return {
    ...event,
    type: event.type.toWellFormed(),
    nodeId: event.nodeId?.toWellFormed() ?? null,
    data: event.data.toWellFormed(),
    actorId: event.actorId.toWellFormed(),
    request: event.request?.toWellFormed() ?? null,
  };
}

export function wellFormedExecution(created: NewExecution): NewExecution {
  return {
    ...created,
    workflowId: created.workflowId.toWellFormed(),
    workflowVersion: created.workflowVersion.toWellFormed(),
    revision: created.revision.toWellFormed(),
    labels: created.labels.toWellFormed(),
    parentId: created.parentId?.toWellFormed() ?? null,
  };
}

function isWellFormed({ type, nodeId, data, actorId, request }: EventRow): boolean {
  return (
    data.isWellFormed() &&
    actorId.isWellFormed() &&
    type.isWellFormed() &&
    (nodeId === null || nodeId.isWellFormed()) &&
    (request === null || request.isWellFormed())
  );
}
