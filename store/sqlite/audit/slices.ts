import type { Database } from 'better-sqlite3';
import { type AuditEntryRef, type FoundEntry, newestFirst } from '../../audit/newest-first.ts';
import { outlineEntry } from '../../log/decode.ts';
import { type LogEntry, SLICE_BYTES } from '../../log/entry.ts';
import { bodyPattern } from '../../log/shapes.ts';
import type { AuditFilter, AuditPosition } from '../../port/resources/audit.ts';
import * as sql from '../queries/audit.ts';

/** Index entries read between two turns of the event loop, in a few milliseconds. */
const ENTRIES_PER_SLICE = 5_000;
/** The same where the entries themselves are read: for a filter by type or actor. */
const ENTRIES_PER_READING_SLICE = 1_000;
/** Sequences read between two turns, within one execution. */
const SEQUENCES_PER_SLICE = 5_000;
/** Greater than every time and every position. */
const LAST = Number.MAX_SAFE_INTEGER;

/** A slice of the log: `after` exclusive, `until` inclusive. */
export interface Slice {
  readonly after: number;
  readonly until: number;
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
  const { by, values } = conditionsOf(filter);
  const start = db.prepare<[object], number>(sql.SLICE_START).pluck();
  const count = db.prepare<[object], number>(sql.countAudited(by)).pluck();
  const page = db.prepare<[object], FoundEntry>(sql.pageOfAudited(by));
  const matching = matchingOf(db, filter);
  const startByBytes = startByBytesOf(db, sql.BODIES_IN_SLICE, by);
  const fixed = { tenantId, ...values };
  const size = by.type || by.actorId ? ENTRIES_PER_READING_SLICE : ENTRIES_PER_SLICE;
  const oldest = (filter.fromMs ?? 0) - 1;
  const below: AuditEntryRef = after === null ? { atMs: LAST, source: 1, position: LAST } : entryRefOf(db, tenantId, after);
  const isAfterCursor = ({ atMs, source, position }: FoundEntry, back: number) =>
    atMs !== below.atMs ? atMs < below.atMs : source !== below.source ? source < below.source : position - back < below.position;
  return {
    newest: (filter.beforeMs ?? LAST) - 1,
    at(until) {
      if (until <= oldest) return null;
      const before = Math.max(oldest, start.get({ tenantId, until, size }) ?? -1);
      // A millisecond with more entries than fit into a slice is one slice.
      return { after: Math.min(startByBytes({ tenantId, after: before, until }), until - 1), until };
    },
    count: (slice) => count.get({ ...fixed, ...slice }) ?? 0,
    page(slice, { limit, offset }) {
      if (slice.after >= below.atMs) return [];
      const entries = page.all({ ...fixed, ...slice, ...below, limit: entriesFor(limit, offset) });
      return newestFirst(entries, { limit, offset, isAfterCursor, matching });
    },
  };
}

function executionSlices(
  db: Database,
  filter: AuditFilter & { readonly tenantId: string; readonly executionId: string },
  after: AuditPosition | null,
): Slices {
  const { by, values } = conditionsOf(filter);
  const { tenantId, executionId, fromMs = 0, beforeMs = LAST } = filter;
  const last = db.prepare<[object], number | null>(sql.LAST_SEQ).pluck();
  const count = db.prepare<[object], number>(sql.countAuditedOf(by)).pluck();
  const page = db.prepare<[object], FoundEntry & { readonly seq: number }>(sql.pageOfAuditedOf(by));
  const matching = matchingOf(db, filter);
  const startByBytes = startByBytesOf(db, sql.BODIES_OF_EXECUTION, by);
  const fixed = { tenantId, executionId, fromMs, beforeMs, ...values };
  const below = after === null ? LAST : after.seq;
  return {
    newest: LAST,
    at(until) {
      // Gaps, which only damage can cause, are skipped: there is no bound on their size.
      const newest = last.get({ tenantId, executionId, until }) ?? 0;
      if (newest <= 0) return null;
      const after = Math.max(0, Math.min(newest - SEQUENCES_PER_SLICE, until - 1));
      return { after: startByBytes({ tenantId, executionId, after, until }), until };
    },
    count: (slice) => count.get({ ...fixed, ...slice }) ?? 0,
    page(slice, { limit, offset }) {
      const entries = page.all({ ...fixed, ...slice, below, limit: entriesFor(limit, offset) });
      const isAfterCursor = ({ seq }: FoundEntry & { readonly seq: number }, back: number) => seq - back < below;
      return newestFirst(entries, { limit, offset, isAfterCursor, matching });
    },
  };
}

interface LogOf {
  readonly tenantId: string;
  readonly executionId?: string;
}

/** Where a slice starts if its bodies are read: after the entry that would come next when they exceed what a slice may read. */
function startByBytesOf(db: Database, bodies: string, { type }: sql.AuditConditions): (range: Slice & LogOf) => number {
  if (!type) return ({ after }) => after;
  const entries = db.prepare<[object], { readonly start: number; readonly bytes: number }>(bodies);
  return (range) => {
    let left = SLICE_BYTES;
    for (const { start, bytes } of entries.iterate(range)) {
      if (left < 0) return start;
      left -= bytes;
    }
    return range.after;
  };
}

/** Every entry found has an event that matches, but for the one with the end of the page before. */
function entriesFor(limit: number, offset: number): number {
  return limit + offset + 1;
}

function conditionsOf({ type, actorId }: AuditFilter) {
  const pattern = type === undefined ? null : bodyPattern(type);
  return {
    by: { type: type !== undefined, actorId: actorId !== undefined },
    values: { type: type ?? null, pattern, actorId: actorId ?? null },
  };
}

/** Which events of an entry are of the filter's type. */
function matchingOf(db: Database, { type }: AuditFilter): (entry: FoundEntry) => readonly boolean[] | null {
  if (type === undefined) return () => null;
  const body = db.prepare<[number], Pick<LogEntry, 'seq' | 'events' | 'body'>>(sql.ENTRY_BODY);
  return ({ source, position }) => {
    const entry = source === 1 ? body.get(position) : undefined;
    return entry === undefined ? null : outlineEntry(entry).map((event) => event.type === type);
  };
}

/** For an entry that was removed meanwhile, the end of its millisecond: some entries may be repeated, but none is skipped. */
function entryRefOf(db: Database, tenantId: string, { atMs, executionId, seq }: AuditPosition): AuditEntryRef {
  if (executionId === null) return { atMs, source: 0, position: seq };
  const position = db.prepare<[object], number>(sql.EVENT_POSITION).pluck().get({ tenantId, executionId, seq });
  return { atMs, source: 1, position: position ?? LAST };
}
