import type { Database } from 'better-sqlite3';
import type { AuditEntryRef } from '../../audit/newest-first.ts';
import { nextTurn } from '../../loop-turns.ts';
import type { AuditFilter, AuditPageRequest } from '../../port/resources/audit.ts';
import { openSnapshot } from '../snapshot.ts';
import { type Slices, slicesOf } from './slices.ts';

export interface AuditSearchResult {
  readonly total: number;
  readonly refs: readonly AuditEntryRef[];
  /** Whether there are entries after the page. */
  readonly more: boolean;
}

/**
 * Counts matches and selects a page. Reads one snapshot on a separate connection, so that the total and the page agree. Runs one search at a time, so
 * that several do not add up to a long turn of the event loop.
 */
export class AuditSearch {
  readonly #db: Database;
  #last: Promise<unknown> = Promise.resolve();

  constructor(db: Database) {
    this.#db = db;
  }

  find(tenantId: string, filter: AuditFilter, page: AuditPageRequest): Promise<AuditSearchResult> {
    const found = this.#last.then(() => this.#search(tenantId, filter, page));
    this.#last = found.then(
      () => nextTurn(tenantId),
      () => nextTurn(tenantId),
    );
    return found;
  }

  async #search(tenantId: string, filter: AuditFilter, page: AuditPageRequest): Promise<AuditSearchResult> {
    const db = openSnapshot(this.#db);
    try {
      return await search(tenantId, slicesOf(db, tenantId, filter, page.after), page);
    } finally {
      db.close();
    }
  }
}

async function search(tenantId: string, slices: Slices, { limit, offset, after }: AuditPageRequest): Promise<AuditSearchResult> {
  const refs: AuditEntryRef[] = [];
  let total = 0;
  let left = offset;
  for (let slice = slices.at(slices.newest); slice !== null; ) {
    const count = slices.count(slice);
    total += count;
    // One entry more than the page, to detect whether it is the last.
    const missing = limit + 1 - refs.length;
    if (after === null && left >= count) left -= count;
    else if (missing > 0) {
      refs.push(...slices.page(slice, { limit: missing, offset: left }));
      left = 0;
    }
    slice = slices.at(slice.after);
    if (slice !== null) await nextTurn(tenantId);
  }
  return { total, refs: refs.slice(0, limit), more: refs.length > limit };
}
