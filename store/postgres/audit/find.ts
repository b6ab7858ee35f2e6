import { eventRow, type StoredEvent } from '../../log/stored-event.ts';
import type { AuditEntry, AuditFilter, AuditPageRequest, AuditPosition } from '../../port/resources/audit.ts';
import type { Connections, Queries, Sql, Value } from '../connections.ts';
import * as sql from '../queries/audit.ts';

/** Greater than every time and every row number. */
const LAST = Number.MAX_SAFE_INTEGER;
const END: AuditEntryRef = { atMs: LAST, source: 1, position: LAST };
/** Entries per query, few because the data of events may be large. */
const ENTRIES_PER_READ = 16;

/** The table and row of an entry. */
export interface AuditEntryRef {
  readonly atMs: number;
  /** 0 = the control log. */
  readonly source: 0 | 1;
  readonly position: number;
}

export interface AuditSearchResult {
  readonly total: number;
  readonly refs: readonly AuditEntryRef[];
  /** Whether there are entries after the page. */
  readonly more: boolean;
}

/** Counts matches and selects a page in one snapshot, so that the total and the page agree. */
export function findAudited(
  connections: Connections,
  tenantId: string,
  filter: AuditFilter,
  request: AuditPageRequest,
): Promise<AuditSearchResult> {
  return connections.snapshot(tenantId, async (queries) => {
    const search = await searchFor(queries, tenantId, filter, request);
    const [[counted], refs] = await Promise.all([
      queries.query<{ total: number }>(search.count, search.values),
      queries.query<AuditEntryRef>(search.page, [...search.values, ...search.cut]),
    ]);
    const { limit } = request;
    return { total: counted?.total ?? 0, refs: refs.slice(0, limit), more: refs.length > limit };
  });
}

interface Search {
  readonly count: Sql;
  readonly page: Sql;
  /** Parameters of both statements. */
  readonly values: readonly Value[];
  /** Further parameters of `page`, for one entry more than the page, to detect whether it is the last. */
  readonly cut: readonly Value[];
}

async function searchFor(
  queries: Queries,
  tenantId: string,
  filter: AuditFilter,
  { limit, offset, after }: AuditPageRequest,
): Promise<Search> {
  const { executionId, type, actorId, fromMs = 0, beforeMs = LAST } = filter;
  const values = [tenantId, fromMs, beforeMs, ...[executionId, type, actorId].filter((value) => value !== undefined)];
  const by = { executionId: executionId !== undefined, type: type !== undefined, actorId: actorId !== undefined };
  if (executionId !== undefined) {
    const cut = [after?.seq ?? LAST, limit + 1, offset];
    return { count: sql.countAuditedOf(by), page: sql.pageOfAuditedOf(by), values, cut };
  }
  const { atMs, source, position } = after === null ? END : await entryRefOf(queries, tenantId, after);
  const cut = [atMs, source, position, limit + 1, offset, offset + limit + 1];
  return { count: sql.countAudited(by), page: sql.pageOfAudited(by), values, cut };
}

/** For an entry that was removed meanwhile, the end of its millisecond: some entries may be repeated, but none is skipped. */
async function entryRefOf(queries: Queries, tenantId: string, { atMs, executionId, seq }: AuditPosition): Promise<AuditEntryRef> {
  if (executionId === null) return { atMs, source: 0, position: seq };
  const [row] = await queries.query<{ position: number }>(sql.EVENT_PLACE, [executionId, seq, tenantId]);
  return { atMs, source: 1, position: row?.position ?? LAST };
}

type StoredEntry = StoredEvent & Pick<AuditEntry, 'executionId'> & { readonly position: number };

/** Reads the referenced entries lazily, in order. Leaves out entries that retention removed meanwhile. */
export async function* entriesAt(
  connections: Connections,
  tenantId: string,
  refs: readonly AuditEntryRef[],
): AsyncGenerator<AuditEntry, void, undefined> {
  for (let start = 0; start < refs.length; start += ENTRIES_PER_READ) {
    yield* await readEntries(connections, tenantId, refs.slice(start, start + ENTRIES_PER_READ));
  }
}

async function readEntries(
  connections: Connections,
  tenantId: string,
  refs: readonly AuditEntryRef[],
): Promise<readonly AuditEntry[]> {
  const found = await Promise.all(
    [sql.AUDITED_ACTIONS, sql.AUDITED_EVENTS].map(async (statement, source) => {
      const wanted = refs.filter((each) => each.source === source).map(({ position }) => position);
      if (wanted.length === 0) return new Map<number, AuditEntry>();
      const rows = await connections.asTenant<StoredEntry>(tenantId, statement, [tenantId, wanted]);
      return new Map(rows.map(({ position, ...entry }) => [position, eventRow(entry)]));
    }),
  );
  return refs.flatMap(({ source, position }) => found[source]?.get(position) ?? []);
}
