import type { Database, Statement } from 'better-sqlite3';
import type { LogEntry } from '../../log/entry.ts';
import type { LogNames } from '../log/log-names.ts';
import { APPEND_ENTRY } from '../queries/log.ts';

/** Appends entries to the log. */
export class LogWriter {
  readonly #names: LogNames;
  readonly #append: Statement;

  constructor(db: Database, names: LogNames) {
    this.#names = names;
    this.#append = db.prepare(APPEND_ENTRY);
  }

  append(logId: number, tenantId: string, entries: readonly LogEntry[]): void {
    const tenant = this.#names.putTenant(tenantId);
    for (const entry of entries) {
      const { seq, events, atMs, request, body } = entry;
      this.#append.run(events, logId, seq, events, tenant, atMs, this.#names.putActor(entry), request, body);
    }
  }
}
