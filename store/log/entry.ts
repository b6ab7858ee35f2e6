import type { EventRow } from '../port/executions.ts';

/** What events of one commit have in common: when they were written, by whom, and for which request. */
export interface EventContext {
  readonly atMs: number;
  readonly actorId: string;
  readonly actorType: EventRow['actorType'];
  readonly onBehalfOf: string | null;
  readonly request: string | null;
}

/** Consecutive events of one execution that share their context, as they are stored. */
export interface LogEntry extends EventContext {
  /** Of the last event. */
  readonly seq: number;
  /** How many events it has. */
  readonly events: number;
  /** The events as text, one per line; see shapes.ts for its form. Digests cover it byte for byte. */
  readonly body: string;
}

/** Events per entry, so that a position within an entry has an upper bound. */
export const MAX_EVENTS = 256;

/** Characters of a body, above which the next event begins another entry. */
export const MAX_BODY_CHARS = 65_536;

export function sameContext(a: EventContext, b: EventContext): boolean {
  return (
    a.atMs === b.atMs &&
    a.actorId === b.actorId &&
    a.actorType === b.actorType &&
    a.onBehalfOf === b.onBehalfOf &&
    a.request === b.request
  );
}

/** Bodies that are read at once, in bytes; a slice of the log ends with the entry by which they exceed it. */
export const SLICE_BYTES = 1024 * 1024;
