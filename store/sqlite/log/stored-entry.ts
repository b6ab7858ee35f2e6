import type { LogEntry } from '../../log/entry.ts';
import type { LogNames } from './log-names.ts';

/** A row of `log_entries`. */
export interface StoredEntry {
  readonly position: number;
  readonly seq: number;
  readonly events: number;
  readonly atMs: number;
  readonly actor: number;
  readonly request: string | null;
  readonly body: string;
}

/** An actor that was removed by hand is named by its number, which no digest matches. */
export function logEntry(row: StoredEntry, names: LogNames): LogEntry {
  const { seq, events, atMs, actor, request, body } = row;
  const { actorId, actorType, onBehalfOf } = names.actor(actor) ?? missingActor(actor);
  return { seq, events, atMs, actorId, actorType, onBehalfOf, request, body };
}

function missingActor(number: number) {
  return { actorId: `missing actor ${number}`, actorType: 'system', onBehalfOf: null } as const;
}
