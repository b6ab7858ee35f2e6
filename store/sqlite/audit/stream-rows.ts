import type { Database, Statement } from 'better-sqlite3';
import type { StreamRange } from '../../audit/digest.ts';
import type { RemovalRecord, StreamContent } from '../../audit/stream-content.ts';
import { MAX_EVENTS } from '../../log/entry.ts';
import type { StoredEvent } from '../../log/stored-event.ts';
import type { ExecutionRow } from '../../port/executions.ts';
import type { LogNames } from '../log/log-names.ts';
import { logEntry, type StoredEntry } from '../log/stored-entry.ts';
import { ENTRY_RANGE, REMOVED_EXECUTION } from '../queries/audit.ts';
import { CONTROL_EVENTS } from '../queries/control.ts';
import { TENANT_EXECUTION } from '../queries/executions.ts';

/** Reads the rows that audit blocks seal. */
export class StreamRows {
  readonly #names: LogNames;
  readonly #execution: Statement<[string, string], ExecutionRow>;
  readonly #entries: Statement<[object], StoredEntry>;
  readonly #controlEvents: Statement<[string, number, number], StoredEvent>;
  readonly #removed: Statement<[string, string], RemovalRecord>;

  constructor(db: Database, names: LogNames) {
    this.#names = names;
    this.#execution = db.prepare<[string, string], ExecutionRow>(TENANT_EXECUTION);
    this.#entries = db.prepare<[object], StoredEntry>(ENTRY_RANGE);
    this.#controlEvents = db.prepare<[string, number, number], StoredEvent>(CONTROL_EVENTS);
    this.#removed = db.prepare<[string, string], RemovalRecord>(REMOVED_EXECUTION);
  }

  read({ tenantId, executionId, firstSeq, lastSeq }: StreamRange): StreamContent {
    if (executionId === null) return { created: null, events: this.#controlEvents.all(tenantId, firstSeq, lastSeq), entries: [] };
    const created = firstSeq === 1 ? (this.#execution.get(executionId, tenantId) ?? null) : null;
    const rows = this.#entries.all({ executionId, tenantId, firstSeq, lastSeq, maxEvents: MAX_EVENTS });
    return { created, events: [], entries: rows.map((row) => logEntry(row, this.#names)) };
  }

  removal(tenantId: string, executionId: string): RemovalRecord | null {
    return this.#removed.get(executionId, tenantId) ?? null;
  }

  /** One control event; undefined when there is none. */
  controlEvent(tenantId: string, seq: number): StoredEvent | undefined {
    return this.#controlEvents.get(tenantId, seq, seq);
  }
}
