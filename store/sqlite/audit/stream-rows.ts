import type { Database, Statement } from 'better-sqlite3';
import type { StreamRange } from '../../audit/digest.ts';
import type { RemovalRecord, StreamContent } from '../../audit/stream-content.ts';
import type { StoredEvent } from '../../log/stored-event.ts';
import type { ExecutionRow } from '../../port/executions.ts';
import { EVENT_RANGE, REMOVED_EXECUTION } from '../queries/audit.ts';
import { CONTROL_EVENTS } from '../queries/control.ts';
import { TENANT_EXECUTION } from '../queries/executions.ts';

/** Reads the rows that audit blocks seal. */
export class StreamRows {
  readonly #execution: Statement<[string, string], ExecutionRow>;
  readonly #events: Statement<[string, string, number, number], StoredEvent>;
  readonly #controlEvents: Statement<[string, number, number], StoredEvent>;
  readonly #removed: Statement<[string, string], RemovalRecord>;

  constructor(db: Database) {
    this.#execution = db.prepare<[string, string], ExecutionRow>(TENANT_EXECUTION);
    this.#events = db.prepare<[string, string, number, number], StoredEvent>(EVENT_RANGE);
    this.#controlEvents = db.prepare<[string, number, number], StoredEvent>(CONTROL_EVENTS);
    this.#removed = db.prepare<[string, string], RemovalRecord>(REMOVED_EXECUTION);
  }

  read({ tenantId, executionId, firstSeq, lastSeq }: StreamRange): StreamContent {
    if (executionId === null) return { created: null, events: this.#controlEvents.all(tenantId, firstSeq, lastSeq) };
    const created = firstSeq === 1 ? (this.#execution.get(executionId, tenantId) ?? null) : null;
    return { created, events: this.#events.all(executionId, tenantId, firstSeq, lastSeq) };
  }

  removal(tenantId: string, executionId: string): RemovalRecord | null {
    return this.#removed.get(executionId, tenantId) ?? null;
  }

  /** One control event; undefined when there is none. */
  controlEvent(tenantId: string, seq: number): StoredEvent | undefined {
    return this.#controlEvents.get(tenantId, seq, seq);
  }
}
