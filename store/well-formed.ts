import { type StoredEvent, storedEvent } from './log/stored-event.ts';
import type { CommitUnit, ExecutionWrite } from './port/commit.ts';
import type { NewExecution } from './port/executions.ts';

/** An execution's write with its events as rows of a table. */
export interface StoredWrite extends Omit<ExecutionWrite, 'events'> {
  readonly events: readonly StoredEvent[];
}

export interface StoredUnit extends Omit<CommitUnit, 'executions'> {
  readonly executions: readonly StoredWrite[];
}

/**
 * Unpaired surrogates cannot be encoded in UTF-8, and not every database stores NUL in text: the database would return something other than what was
 * hashed, and the audit chain would report a false fault. So every engine stores and hashes the replacement character instead. Well-formed text,
 * nearly all there is, is not copied.
 */
export function wellFormedWrite(write: ExecutionWrite): StoredWrite {
  const { create } = write;
  const events = write.events.map(storedEvent).map((event) => (isWellFormed(event) ? event : wellFormedEvent(event)));
  return { ...write, events, create: create === null ? null : wellFormedExecution(create) };
}

export function wellFormedEvent(event: StoredEvent): StoredEvent {
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

function wellFormedExecution(created: NewExecution): NewExecution {
  return {
    ...created,
    workflowId: wellFormed(created.workflowId),
    workflowVersion: wellFormed(created.workflowVersion),
    revision: wellFormed(created.revision),
    labels: created.labels.toWellFormed(),
    parentId: created.parentId === null ? null : wellFormed(created.parentId),
  };
}

/** JSON text of `JSON.stringify` is always well-formed: it escapes unpaired surrogates. */
function isWellFormed({ type, nodeId, actorId, onBehalfOf, request }: StoredEvent): boolean {
  return (
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
