import type { Database, Statement } from 'better-sqlite3';
import { decodeEntry, decodeStored } from '../../log/decode.ts';
import type { LogEntry } from '../../log/entry.ts';
import { bodyPatterns } from '../../log/shapes.ts';
import type { EventPage, EventPageRequest, EventRow } from '../../port/executions.ts';
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
    const { after, limit, maxChars = Number.POSITIVE_INFINITY, type } = request;
    const patterns = type === undefined ? [] : bodyPatterns(type);
    const parameters = Object.fromEntries(patterns.map((pattern, index) => [`pattern${index}`, pattern]));
    const rows: EventRow[] = [];
    let chars = 0;
    for (const row of this.#entries(patterns.length).iterate({ ...parameters, executionId, after })) {
      const entry = logEntry(row, this.#names);
      // Where the page may end within the entry, the length of each event's data matters.
      const lengths = chars + entry.body.length > maxChars ? dataLengths(entry) : null;
      for (const event of decodeEntry(entry)) {
        if (!isWanted(event, request)) continue;
        rows.push(event);
        chars += lengths?.get(event.seq) ?? 0;
        if (rows.length === limit || chars > maxChars) return { rows, next: event.seq };
      }
      if (lengths === null) chars += entry.body.length;
    }
    return { rows, next: null };
  }

  #entries(patterns: number): Statement<[Parameters], StoredEntry> {
    const known = this.#statements.get(patterns);
    if (known !== undefined) return known;
    const statement = this.#db.prepare<[Parameters], StoredEntry>(listEntries(patterns));
    this.#statements.set(patterns, statement);
    return statement;
  }
}

function isWanted({ seq, type, nodeId }: EventRow, wanted: EventPageRequest): boolean {
  return (
    seq > wanted.after &&
    (wanted.type === undefined || type === wanted.type) &&
    (wanted.nodeId === undefined || nodeId === wanted.nodeId)
  );
}

function dataLengths(entry: LogEntry): ReadonlyMap<number, number> {
  return new Map(decodeStored(entry).map(({ seq, data }) => [seq, data.length]));
}
