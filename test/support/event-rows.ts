import type { Database } from 'better-sqlite3';
import { decodeStored } from '../../store/log/decode.ts';
import type { LogEntry } from '../../store/log/entry.ts';
import type { StoredEvent } from '../../store/log/stored-event.ts';

/** An event with its place in the log of all executions. `executionId`: null if the execution has no row. */
export interface PlacedEvent extends StoredEvent {
  readonly position: number;
  readonly executionId: string | null;
  readonly tenantId: string;
}

/** The events of an SQLite database. */
export function* entryEvents(db: Database): Generator<PlacedEvent> {
  const entries = `SELECT l.position, e.id AS executionId, t.id AS tenantId, l.seq, l.events, l.body, l.at_ms AS atMs, a.id AS actorId,
    a.type AS actorType, a.on_behalf_of AS onBehalfOf, l.request
    FROM log_entries l LEFT JOIN executions e USING (log_id) JOIN log_tenants t ON t.number = l.tenant JOIN log_actors a ON a.number = l.actor
    ORDER BY l.position`;
  for (const entry of db.prepare<[], LogEntry & Omit<PlacedEvent, 'data' | 'nodeId' | 'type'>>(entries).iterate()) {
    const { position, executionId, tenantId, events } = entry;
    for (const [index, event] of decodeStored(entry).entries())
      yield { position: position - events + index + 1, executionId, tenantId, ...event };
  }
}
