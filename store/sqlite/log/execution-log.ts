import type { Database, Statement } from 'better-sqlite3';
import type { LogEntry } from '../../log/entry.ts';
import { pageOf } from '../../log/event-page.ts';
import { bodyPatterns } from '../../log/shapes.ts';
import type { EventPage, EventPageRequest } from '../../port/executions.ts';
import { listEntries } from '../queries/log.ts';
import type { LogNames } from './log-names.ts';
import { logEntry, type StoredEntry } from './stored-entry.ts';

type Parameters = { readonly executionId: string; readonly after: number } & Readonly<Record<string, string | number>>;

/** Reads the log of one execution. */
export class ExecutionLog {
  readonly #db: Database;
  readonly #names: LogNames;
  readonly #statements = new Map<number, Statement<[Parameters], StoredEntry>>();

  constructor(db: Database, names: LogNames) {
    this.#db = db;
    this.#names = names;
  }

  page(executionId: string, request: EventPageRequest): EventPage {
    const { after, type } = request;
    const patterns = type === undefined ? [] : bodyPatterns(type);
    const parameters = Object.fromEntries(patterns.map((pattern, index) => [`pattern${index}`, pattern]));
    return pageOf(this.#entries({ ...parameters, executionId, after }, patterns.length), request);
  }

  *#entries(parameters: Parameters, patterns: number): Generator<LogEntry> {
    for (const row of this.#statement(patterns).iterate(parameters)) yield logEntry(row, this.#names);
  }

  #statement(patterns: number): Statement<[Parameters], StoredEntry> {
    const known = this.#statements.get(patterns);
    if (known !== undefined) return known;
    const statement = this.#db.prepare<[Parameters], StoredEntry>(listEntries(patterns));
    this.#statements.set(patterns, statement);
    return statement;
  }
}
