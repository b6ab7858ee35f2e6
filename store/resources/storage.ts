import { setTimeout } from 'node:timers/promises';
import { nextTurn } from '../loop-turns.ts';
import type { ActionContext } from '../port/control.ts';
import { STORAGE_KINDS, type StorageCounts, type StorageKind, type TenantStorage } from '../port/resources/storage.ts';
import type { ResourceDatabase } from './database.ts';
import * as sql from './queries/storage.ts';
import { all, get, run, runEach, runTogether, type Script } from './script.ts';

/** Rows that SQLite counts in one transaction, in a millisecond or two. */
const ROWS_PER_PAGE = 1_000;
/** How often PostgreSQL is asked whether earlier transactions have ended. */
const POLL_MS = 50;
const UNCOUNTED = sql.uncounted();

export class Storage implements StorageCounts {
  readonly #db: ResourceDatabase;

  constructor(db: ResourceDatabase) {
    this.#db = db;
  }

  async of(tenantId: string): Promise<TenantStorage | null> {
    const sources = await this.#db.tenant(tenantId).all(sql.STORAGE_OF_TENANT, { tenantId });
    if (sources.length === 0) return null;
    const byKind = Object.fromEntries(STORAGE_KINDS.map((kind) => [kind, 0])) as Record<StorageKind, number>;
    let total: number | null = 0;
    for (const { source, bytes } of sources) {
      const kind = sql.KIND_OF_SOURCE.get(source);
      if (kind !== undefined) byKind[kind] += bytes ?? 0;
      total = total === null || bytes === null ? null : total + bytes;
    }
    return { bytes: total, byKind, isCounting: sources.some(({ isCounting }) => Boolean(isCounting)) };
  }

  follow(): Promise<readonly string[]> {
    const { engine } = this.#db;
    return this.#db.transaction(function* () {
      const limited = (yield* all(sql.TENANTS_WITH_LIMIT)).map(({ id }) => id);
      const counted = (yield* all(sql.COUNTED_TENANTS)).map(({ id }) => id);
      const unlimited = counted.filter((id) => !limited.includes(id));
      if (unlimited.length > 0)
        yield* runTogether(sql.END_COUNTING[engine].map((statement) => ({ statement, values: { tenantIds: unlimited } })));
      if (engine === 'sqlite') yield* followBySqlite(limited);
      else
        yield* runEach(
          sql.BEGIN_COUNTING,
          limited.filter((id) => !counted.includes(id)).map((tenantId) => ({ tenantId })),
        );
      return (yield* all(sql.TENANTS_TO_COUNT)).map(({ id }) => id);
    });
  }

  count(tenantId: string, isWanted: () => boolean): Promise<void> {
    return this.#db.engine === 'sqlite' ? this.#countInPages(tenantId, isWanted) : this.#countInSnapshot(tenantId, isWanted);
  }

  requestRecount(tenantId: string, context: ActionContext): Promise<void> {
    return this.#db.act(context, function* () {
      yield* run(sql.BEGIN_RECOUNT, { tenantIds: [tenantId] });
      return { event: { type: 'tenant_recount_requested', data: JSON.stringify({ tenant_id: tenantId }) } };
    });
  }

  async #countInPages(tenantId: string, isWanted: () => boolean): Promise<void> {
    for (const table of sql.COUNTED_TABLES) {
      for (let hasMore = true; hasMore; ) {
        await nextTurn(tenantId);
        if (!isWanted()) return;
        hasMore = await this.#db.transaction(() => countPage(tenantId, table));
      }
    }
  }

  /**
   * The triggers count what transactions write that have seen that the tenant is counted. So those that began earlier have to end before everything
   * is read. What is read and what the triggers have counted are of one snapshot: the difference of both stays what it is.
   */
  async #countInSnapshot(tenantId: string, isWanted: () => boolean): Promise<void> {
    const { runtime } = this.#db;
    const next = await runtime.get(sql.POSTGRES.nextTransaction);
    while (isWanted() && (await runtime.get(sql.POSTGRES.allEndedBefore, { ...next }))?.ended !== true) await setTimeout(POLL_MS);
    if (!isWanted()) return;
    const before = await runtime.get(sql.POSTGRES.counts, { tenantId });
    if (before === null) return;
    const uncounted = await runtime.allWithoutTimeout(UNCOUNTED, { tenantId });
    await this.#db.transaction(function* () {
      if ((yield* run(sql.POSTGRES.complete, { tenantId, ...before })) === 0) return;
      yield* runEach(
        sql.POSTGRES.add,
        uncounted.map((each) => ({ tenantId, ...each })),
      );
    });
  }
}

/** Missing triggers were dropped with their tables, by a migration: what they should have counted is counted anew. */
function* followBySqlite(tenantIds: readonly string[]): Script<void> {
  const existing = yield* all(sql.SQLITE.triggers);
  if (tenantIds.length === 0) {
    for (const { name } of existing) yield* run(sql.dropTrigger(name));
    return;
  }
  yield* runEach(
    sql.BEGIN_COUNTING,
    tenantIds.flatMap((tenantId) => sql.SOURCES.map((source) => ({ tenantId, source }))),
  );
  if (existing.length === sql.CREATE_TRIGGERS.length) return;
  for (const statement of sql.CREATE_TRIGGERS) yield* run(statement);
  yield* run(sql.BEGIN_RECOUNT, { tenantIds });
}

/** Returns whether there may be more rows to count. */
function* countPage(tenantId: string, { source, first, page }: sql.CountedTable): Script<boolean> {
  const place = yield* get(sql.SQLITE.place, { tenantId, source });
  if (place === null) return false;
  const { key, key2 } = place;
  const rows = yield* all(page, { tenantId, limit: ROWS_PER_PAGE, ...(key === null ? first : { key, key2 }) });
  const bytes = rows.reduce((sum, row) => sum + row.bytes, 0);
  const last = rows.length < ROWS_PER_PAGE ? undefined : rows.at(-1);
  if (last === undefined) yield* run(sql.SQLITE.complete, { tenantId, source, bytes });
  else yield* run(sql.SQLITE.advance, { tenantId, source, bytes, key: last.key, key2: last.key2 });
  return last !== undefined;
}
