import { encode, shapedValues } from '../../store/log/encode.ts';
import type { LogEntry } from '../../store/log/entry.ts';
import { type Shape, WHOLE } from '../../store/log/shapes.ts';
import type { StoredEvent } from '../../store/log/stored-event.ts';
import type { EventRow } from '../../store/port/executions.ts';
import type { JsonObject } from '../../store/port/json.ts';

/** The entries of events that are stored already: their texts come back byte for byte, whatever they are. */
export function encodeStored(rows: readonly StoredEvent[]): readonly LogEntry[] {
  return encode(rows, (text) => text, storedValues);
}

function storedValues({ data }: StoredEvent, shape: Shape | undefined, actorId: string): string {
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    // Damaged data: it is restored as it is, so that its digest tells.
    return `\t${WHOLE}${JSON.stringify(data)}`;
  }
  // Only an object is told from a text to be restored, and only the text that we would write is restored from its values.
  if (!data.startsWith('{') || JSON.stringify(value) !== data) return `\t${WHOLE}${JSON.stringify(data)}`;
  return (shape === undefined ? null : shapedValues(shape, value as JsonObject, actorId)) ?? `\t${WHOLE}${data}`;
}

export function storedEvent({ seq, type, nodeId, data, atMs, actorId, actorType, onBehalfOf, request }: EventRow): StoredEvent {
  return { seq, type, nodeId, data: JSON.stringify(data), atMs, actorId, actorType, onBehalfOf, request };
}
