import type { Database } from 'better-sqlite3';
import type { AuditFilter, AuditPosition } from '../../port/resources/audit.ts';
import * as sql from '../queries/audit.ts';

/** Index entries read between two turns of the event loop, in a few milliseconds. */
const ENTRIES_PER_SLICE = 10_000;
/** The same where each row is read: for an execution, or for a filter by type or actor. */
const ROWS_PER_SLICE = 4_000;
/** Greater than every time and every row number. */
const LAST = Number.MAX_SAFE_INTEGER;

/** A slice of the log: `after` exclusive, `until` inclusive. */
export interface Slice {
  readonly after: number;
  readonly until: number;
}

/** The table and row of an entry. */
export interface AuditEntryRef {
  readonly atMs: number;
  /** 0 = the control log. */
  readonly source: 0 | 1;
  readonly position: number;
}

/** Matches of a filter, in slices from the newest to the oldest. */
export interface Slices {
  /** The slice that ends with `until`; null at the beginning of the log. */
  at(until: number): Slice | null;
  readonly newest: number;
  count(slice: Slice): number;
  /** Newest first, before the page's position if there is one. */
  page(slice: Slice, page: { readonly limit: number; readonly offset: number }): readonly AuditEntryRef[];
}

export function slicesOf(db: Database, tenantId: string, filter: AuditFilter, after: AuditPosition | null): Slices {
  const { executionId } = filter;
  return executionId === undefined
    ? timeSlices(db, tenantId, filter, after)
    : executionSlices(db, { ...filter, tenantId, executionId }, after);
}

function timeSlices(db: Database, tenantId: string, filter: AuditFilter, after: AuditPosition | null): Slices {
  const by = { type: filter.type !== undefined, actorId: filter.actorId !== undefined };
  const start = db.prepare<[object], number>(sql.SLICE_START).pluck();
  const count = db.prepare<[object], number>(sql.countAudited(by)).pluck();
  const page = db.prepare<[object], AuditEntryRef>(sql.pageOfAudited(by));
  const fixed = { tenantId, type: filter.type ?? null, actorId: filter.actorId ?? null };
  const size = by.type || by.actorId ? ROWS_PER_SLICE : ENTRIES_PER_SLICE;
  const oldest = (filter.fromMs ?? 0) - 1;
  const below = after === null ? { atMs: LAST, source: 1, position: LAST } : entryRefOf(db, tenantId, after);
  return {
    newest: (filter.beforeMs ?? LAST) - 1,
    at(until) {
      if (until <= oldest) return null;
      const before = start.get({ tenantId, until, size }) ?? -1;
      // A millisecond with more entries than fit into a slice is one slice.
      return { after: Math.max(oldest, Math.min(before, until - 1)), until };
    },
    count: (slice) => count.get({ ...fixed, ...slice }) ?? 0,
    page: (slice, range) => (slice.after >= below.atMs ? [] : page.all({ ...fixed, ...slice, ...below, ...range })),
  };
}

function executionSlices(
  db: Database,
  filter: AuditFilter & { readonly tenantId: string; readonly executionId: string },
  after: AuditPosition | null,
): Slices {
  const by = { type: filter.type !== undefined, actorId: filter.actorId !== undefined };
  const { tenantId, executionId } = filter;
  const last = db.prepare<[object], number | null>(sql.LAST_SEQ).pluck();
  const count = db.prepare<[object], number>(sql.countAuditedOf(by)).pluck();
  const page = db.prepare<[object], AuditEntryRef>(sql.pageOfAuditedOf(by));
  const fixed = { fromMs: 0, beforeMs: LAST, ...filter };
  const below = after === null ? LAST : after.seq;
  return {
    newest: last.get({ tenantId, executionId }) ?? 0,
    at: (until) => (until <= 0 ? null : { after: Math.max(0, until - ROWS_PER_SLICE), until }),
    count: (slice) => count.get({ ...fixed, ...slice }) ?? 0,
    page: (slice, range) => (slice.after + 1 >= below ? [] : page.all({ ...fixed, ...slice, ...range, position: below })),
  };
}

/** For an entry that was removed meanwhile, the end of its millisecond: some entries may be repeated, but none is skipped. */
function entryRefOf(db: Database, tenantId: string, { atMs, executionId, seq }: AuditPosition): AuditEntryRef {
  if (executionId === null) return { atMs, source: 0, position: seq };
  const position = db.prepare<[string, number, string], number>(sql.EVENT_PLACE).pluck().get(executionId, seq, tenantId);
  return { atMs, source: 1, position: position ?? LAST };
}
