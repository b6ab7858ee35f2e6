import { decodeEntry } from '../../log/decode.ts';
import { type LogEntry, MAX_EVENTS } from '../../log/entry.ts';
import { eventRow, type StoredEvent } from '../../log/stored-event.ts';
import { splitTokens, typeToken } from '../../log/type-tokens.ts';
import type { AuditEntry, AuditFilter, AuditPageRequest, AuditPosition } from '../../port/resources/audit.ts';
import type { Connections, Queries, Sql, Value } from '../connections.ts';
import * as sql from '../queries/audit.ts';

/** Greater than every time, position and sequence. */
const LAST = Number.MAX_SAFE_INTEGER;
/** Rows per query, few because each may hold the data of many events. */
const ROWS_PER_READ = 16;

/** A row of the log with matching events, in the order of the search: newest first. */
export interface AuditRow {
  readonly position: number;
  /** 0 = an action of the control log, 1 = an entry of the event log. */
  readonly source: 0 | 1;
  /** Which of its matching events belong to the page: from, inclusive, and to, exclusive. */
  readonly from: number;
  readonly to: number;
}

export interface AuditSearchResult {
  readonly total: number;
  readonly rows: readonly AuditRow[];
  /** Whether there are matches after the page. */
  readonly more: boolean;
}

interface FoundRow extends Pick<AuditRow, 'position' | 'source'> {
  readonly matches: number;
  /** The number of matches up to the last one in this row. */
  readonly through: number;
}

/** Counts matches and selects a page in one snapshot, so that the total and the page agree. */
export function findAudited(
  connections: Connections,
  tenantId: string,
  filter: AuditFilter,
  request: AuditPageRequest,
): Promise<AuditSearchResult> {
  return connections.snapshot(tenantId, async (queries) => {
    const { count, page, values, start, skip } = await searchFor(queries, tenantId, filter, request.after);
    const offset = request.offset + skip;
    const end = offset + request.limit;
    const [, [counted], found] = await Promise.all([
      queries.query(sql.IN_ORDER),
      queries.query<{ total: number }>(count, values),
      // With one match more than the page, to detect whether it is the last.
      queries.query<FoundRow>(page, [...values, ...start, offset, end + 1]),
    ]);
    const rows = found.map(({ position, source, matches, through }) => {
      const before = through - matches;
      return { position, source, from: Math.max(offset - before, 0), to: Math.min(end - before, matches) };
    });
    return {
      total: counted?.total ?? 0,
      rows: rows.filter(({ from, to }) => from < to),
      more: (found.at(-1)?.through ?? 0) > end,
    };
  });
}

interface Search extends SearchStart {
  readonly count: Sql;
  readonly page: Sql;
  /** Parameters of both statements. */
  readonly values: readonly Value[];
}

/** Where a page begins. */
interface SearchStart {
  /** Parameters of the page: its first row, inclusive. */
  readonly start: readonly Value[];
  /** How many matches of that row belong to earlier pages. */
  readonly skip: number;
}

async function searchFor(
  queries: Queries,
  tenantId: string,
  { executionId, type, actorId, fromMs = 0, beforeMs = LAST }: AuditFilter,
  after: AuditPosition | null,
): Promise<Search> {
  const by = { executionId: executionId !== undefined, type: type !== undefined, actorId: actorId !== undefined };
  const actor = actorId === undefined ? [] : [actorId];
  const token = type === undefined ? [] : [typeToken(type)];
  const fixed = [tenantId, fromMs, beforeMs];
  if (executionId !== undefined) {
    const values = [...fixed, executionId, ...token, ...actor];
    const start = await startInExecution(queries, tenantId, executionId, after, token[0]);
    return { count: sql.countAuditedOf(by), page: sql.pageOfAuditedOf(by), values, ...start };
  }
  const values = [...fixed, ...token, ...(type === undefined ? [] : [type]), ...actor];
  return {
    count: sql.countAudited(by),
    page: sql.pageOfAudited(by),
    values,
    ...(await startIn(queries, tenantId, after, token[0])),
  };
}

interface EntryOf {
  readonly position: number;
  readonly atMs: number;
  /** Of its last event. */
  readonly seq: number;
  readonly types: string;
}

async function startInExecution(
  queries: Queries,
  tenantId: string,
  executionId: string,
  after: AuditPosition | null,
  token: string | undefined,
): Promise<SearchStart> {
  if (after === null) return { start: [LAST], skip: 0 };
  const [entry] = await queries.query<EntryOf>(sql.ENTRY_OF, entryOf(executionId, after.seq, tenantId));
  return entry === undefined
    ? { start: [after.seq - 1], skip: 0 }
    : { start: [entry.seq], skip: matchesFrom(entry, after.seq, token) };
}

/** For an entry that was removed meanwhile, the end of its millisecond: some events may be repeated, but none is skipped. */
async function startIn(
  queries: Queries,
  tenantId: string,
  after: AuditPosition | null,
  token: string | undefined,
): Promise<SearchStart> {
  if (after === null) return { start: [LAST, 1, LAST], skip: 0 };
  const { atMs, executionId, seq } = after;
  if (executionId === null) return { start: [atMs, 0, seq - 1], skip: 0 };
  const [entry] = await queries.query<EntryOf>(sql.ENTRY_OF, entryOf(executionId, seq, tenantId));
  if (entry === undefined) return { start: [atMs, 1, LAST], skip: 0 };
  return { start: [entry.atMs, 1, entry.position], skip: matchesFrom(entry, seq, token) };
}

function entryOf(executionId: string, seq: number, tenantId: string): readonly Value[] {
  return [executionId, seq, tenantId, seq + MAX_EVENTS - 1];
}

/** The number of matching events in the entry with this sequence or a later one. */
function matchesFrom({ seq: last, types }: EntryOf, seq: number, token: string | undefined): number {
  const tokens = splitTokens(types).slice(seq - last - 1);
  return token === undefined ? tokens.length : tokens.filter((each) => each === token).length;
}

type ActionRow = StoredEvent & Pick<AuditEntry, 'executionId'> & { readonly position: number };
type EntryRow = LogEntry & { readonly executionId: string; readonly position: number };

/** Reads the events of a page lazily, in order. Leaves out those that retention removed meanwhile. */
export async function* auditEntries(
  connections: Connections,
  tenantId: string,
  { type }: AuditFilter,
  rows: readonly AuditRow[],
): AsyncGenerator<AuditEntry, void, undefined> {
  const token = type === undefined ? undefined : typeToken(type);
  for (let start = 0; start < rows.length; start += ROWS_PER_READ) {
    const page = rows.slice(start, start + ROWS_PER_READ);
    const positions = (wanted: AuditRow['source']) =>
      page.filter(({ source }) => source === wanted).map(({ position }) => position);
    const [actions, entries] = await Promise.all([
      read<ActionRow>(connections, tenantId, sql.AUDITED_ACTIONS, positions(0)),
      read<EntryRow>(connections, tenantId, sql.AUDITED_ENTRIES, positions(1)),
    ]);
    for (const { source, position, from, to } of page) {
      const action = source === 0 ? actions.get(position) : undefined;
      const entry = source === 1 ? entries.get(position) : undefined;
      if (action !== undefined) yield eventRow(action);
      if (entry !== undefined) yield* matchingEvents(entry, token).slice(from, to);
    }
  }
}

async function read<Row extends { readonly position: number }>(
  connections: Connections,
  tenantId: string,
  statement: Sql,
  positions: readonly number[],
): Promise<ReadonlyMap<number, Row>> {
  const rows = positions.length === 0 ? [] : await connections.asTenant<Row>(tenantId, statement, [tenantId, positions]);
  return new Map(rows.map((row) => [row.position, row]));
}

/** Newest first. */
function matchingEvents({ executionId, ...entry }: EntryRow, token: string | undefined): readonly AuditEntry[] {
  const events = decodeEntry(entry).filter((event) => token === undefined || typeToken(event.type) === token);
  return events.map((event) => ({ ...event, executionId })).reverse();
}
