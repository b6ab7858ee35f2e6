import type { Database, Statement } from 'better-sqlite3';
import type { LogEntry } from '../../log/entry.ts';
import { pageOf } from '../../log/event-page.ts';
import { bodyPattern } from '../../log/shapes.ts';
import type { EventPage, EventPageRequest } from '../../port/executions.ts';
import { LIST_ENTRIES, LIST_ENTRIES_WITH } from '../queries/log.ts';
import type { LogNames } from './log-names.ts';
import { logEntry, type StoredEntry } from './stored-entry.ts';

type Place = { readonly executionId: string; readonly after: number };

/** Reads the log of one execution. */
export class ExecutionLog {
  readonly #names: LogNames;
  readonly #all: Statement<[Place], StoredEntry>;
  readonly #withPattern: Statement<[Place & { readonly pattern: string }], StoredEntry>;

  constructor(db: Database, names: LogNames) {
    this.#names = names;
    this.#all = db.prepare(LIST_ENTRIES);
    this.#withPattern = db.prepare(LIST_ENTRIES_WITH);
  }

  page(executionId: string, request: EventPageRequest): EventPage {
    const { after, type } = request;
    const place = { executionId, after };
    const rows =
      type === undefined ? this.#all.iterate(place) : this.#withPattern.iterate({ pattern: bodyPattern(type), ...place });
    return pageOf(this.#entries(rows), request);
  }

  *#entries(rows: Iterable<StoredEntry>): Generator<LogEntry> {
    for (const row of rows) yield logEntry(row, this.#names);
  }
}
