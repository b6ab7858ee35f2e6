import type { EventRow } from '../port/executions.ts';
import type { JsonObject } from '../port/json.ts';

/** An event as one row of a table: its data is JSON text, which digests cover byte for byte. */
export interface StoredEvent extends Omit<EventRow, 'data'> {
  readonly data: string;
}

export function eventRow<Row extends StoredEvent>(stored: Row): Omit<Row, 'data'> & { readonly data: JsonObject } {
  return { ...stored, data: JSON.parse(stored.data) as JsonObject };
}
