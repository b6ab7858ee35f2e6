import type { StoredEvent } from './log/stored-event.ts';
import type { ExecutionWrite } from './port/commit.ts';
import type { NewExecution } from './port/executions.ts';

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

export function wellFormedExecution(created: NewExecution): NewExecution {
  const { workflowId, workflowVersion, revision, labels, parentId, depth, deadlineAtMs, createdAtMs } = created;
  return {
    workflowId: wellFormed(workflowId),
    workflowVersion: wellFormed(workflowVersion),
    revision: wellFormed(revision),
    labels: labels.toWellFormed(),
    parentId: parentId === null ? null : wellFormed(parentId),
    depth,
    deadlineAtMs,
    createdAtMs,
  };
}

/** Not needed for JSON text, in which NUL is escaped. */
function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}

/**
 * The text as every database can store it. Unpaired surrogates cannot be encoded in UTF-8, and not every database stores NUL in text: the database would
 * return something other than what was hashed, and the audit chain would report a false fault. So every engine stores and hashes the replacement
 * character instead. Well-formed text, nearly all there is, is not copied.
 */
export function wellFormed(text: string): string {
  return isStorable(text) ? text : text.toWellFormed().replaceAll('\0', '\ufffd');
}

/** Throws unless the events continue the log without a gap, which could never be repaired. */
export function checkSequences({
  id,
  fromSeq,
  create,
  progress,
  events,
}: Pick<ExecutionWrite, 'id' | 'fromSeq' | 'create' | 'progress'> & {
  readonly events: readonly { readonly seq: number }[];
}): void {
  const gapless = events.every((event, index) => event.seq === fromSeq + 1 + index);
  if (!gapless || progress.seq !== fromSeq + events.length || (create === null) !== fromSeq > 0) {
    throw new Error(`execution ${id}: events ${events.map((event) => event.seq)} do not lead from ${fromSeq} to ${progress.seq}`);
  }
}
