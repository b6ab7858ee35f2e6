import type { Json, JsonObject } from '../json.ts';

/** An event of a log, as the API returns it; `data` has the fields of its type. Types of a newer server are ignored. */
export interface HistoryEvent {
  readonly sequence: number;
  readonly type: string;
  readonly node_id: string | null;
  readonly created_at: string;
  /** The actor, and the person it named as the one it acts for. */
  readonly actor_id?: string;
  readonly on_behalf_of?: string;
  /** Personal data was replaced. */
  readonly redacted?: boolean;
  readonly data: JsonObject;
}

/** A field as text: '' if it is absent or null, JSON unless it is text. */
export function textOf(value: Json | undefined): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

export function textsOf(value: Json | undefined): readonly string[] {
  return Array.isArray(value) ? value.map(textOf) : [];
}

export function numberOf(value: Json | undefined): number | null {
  return typeof value === 'number' ? value : null;
}
