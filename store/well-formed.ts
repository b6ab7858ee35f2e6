import type { ExecutionWrite } from './port/commit.ts';
import type { EventRow, NewExecution } from './port/executions.ts';

/**
 * Unpaired surrogates cannot be encoded in UTF-8, and not every database stores NUL in text: the database would return something other than what was
 * hashed, and the audit chain would report a false fault. So every engine stores and hashes the replacement character instead. Well-formed text,
 * nearly all there is, is not copied.
 */
export function wellFormedEvents(events: readonly EventRow[]): readonly EventRow[] {
  return events.every(isWellFormed) ? events : events.map(wellFormedEvent);
}

export function wellFormedEvent(event: EventRow): EventRow {
  return {
    ...event,
    type: wellFormed(event.type),
    nodeId: event.nodeId === null ? null : wellFormed(event.nodeId),
    data: event.data.toWellFormed(),
    actorId: wellFormed(event.actorId),
    onBehalfOf: event.onBehalfOf === null ? null : wellFormed(event.onBehalfOf),
    request: event.request === null ? null : wellFormed(event.request),
  };
}

export function wellFormedExecution(created: NewExecution): NewExecution {
  return {
    ...created,
    workflowId: wellFormed(created.workflowId),
    workflowVersion: wellFormed(created.workflowVersion),
    revision: wellFormed(created.revision),
    labels: created.labels.toWellFormed(),
    parentId: created.parentId === null ? null : wellFormed(created.parentId),
  };
}

export function wellFormedWrite(write: ExecutionWrite): ExecutionWrite {
  const events = wellFormedEvents(write.events);
  if (write.create !== null) return { ...write, events, create: wellFormedExecution(write.create) };
  return events === write.events ? write : { ...write, events };
}

function isWellFormed({ type, nodeId, data, actorId, onBehalfOf, request }: EventRow): boolean {
  return (
    data.isWellFormed() &&
    isStorable(actorId) &&
    isStorable(type) &&
    (nodeId === null || isStorable(nodeId)) &&
    (onBehalfOf === null || isStorable(onBehalfOf)) &&
    (request === null || isStorable(request))
  );
}

/** Not needed for JSON text, in which NUL is escaped. */
function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}

function wellFormed(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\ufffd');
}
