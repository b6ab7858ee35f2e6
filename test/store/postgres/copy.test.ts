import { hash } from 'node:crypto';
import Database from 'better-sqlite3';
import { Client } from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import { checkExport } from '../../../store/audit/check-export.ts';
import type { Store } from '../../../store/port/store.ts';
import { copyToPostgres } from '../../../store/postgres/copy/target.ts';
import { openPostgres } from '../../../store/postgres/open.ts';
import { openSqliteSource } from '../../../store/sqlite/copy/source.ts';
import { postgresServer } from '../../support/postgres.ts';
import { type SqliteDatabase, sqliteDatabase } from '../../support/stores.ts';
import { AT_MS, AT_ONCE, batch, checkpoint, context, startExecution, step } from '../writes.ts';

const nowMs = () => AT_MS;

const server = postgresServer();

function sql(database: SqliteDatabase, statement: string): void {
  const db = new Database(database.path);
  db.exec(statement);
  db.close();
}

async function copy(database: SqliteDatabase, url: string) {
  const source = await openSqliteSource({ path: database.path, nowMs });
  try {
    return await copyToPostgres(source, { url, nowMs });
  } finally {
    source.close();
  }
}

async function opened(url: string): Promise<Store> {
  const store = await openPostgres({ url, nowMs });
  onTestFinished(() => store.close());
  return store;
}

async function* of(lines: readonly string[]): AsyncGenerator<string, void, undefined> {
  yield* lines;
}

async function rowsOf<Row extends object>(url: string, statement: string): Promise<readonly Row[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<Row>(statement);
  await client.end();
  return rows;
}

/** Two executions, one of them with rows in every table of executions. */
async function filled(): Promise<SqliteDatabase> {
  const database = sqliteDatabase();
  const store = await database.open();
  const timers = [{ op: 'set', id: 't', nodeId: 'a', atMs: AT_MS + 1, armedSeq: 1 }] as const;
  await store.commit(
    batch(
      startExecution('a', {
        timers,
        checkpoint: checkpoint(`{"large":"${'x'.repeat(50_000)}"}`),
        create: { labels: '{"k":"ü"}' },
      }),
    ),
  );
  await store.commit(batch(startExecution('b', { tenantId: 'acme' })));
  await store.close();
  return database;
}

describe('a copy from SQLite to PostgreSQL', () => {
  it('finds executions by labels that are too long for an index', async () => {
    const database = sqliteDatabase();
    const long = Array.from({ length: 500 }, (_, n) => hash('sha256', String(n), 'hex')).join('');
    const store = await database.open();
    await store.commit(batch(startExecution('exec_1', { create: { labels: JSON.stringify({ [long]: long }) } })));
    await store.close();
    const url = await server().createDatabase();
    expect(await copy(database, url)).toMatchObject({ execution_labels: 1 });
    const { rows } = await (await opened(url)).tenant('default').executions({ limit: 10, labels: [{ key: long, value: long }] });
    expect(rows.map(({ id }) => id)).toEqual(['exec_1']);
  });

  it('covers every table and column of both', async () => {
    const database = await filled();
    const url = await server().createDatabase();
    const source = await openSqliteSource({ path: database.path, nowMs });
    const offered = source.tables.flatMap(({ name, columns }) => columns.map((column) => `${name}.${column}`));
    await copyToPostgres(source, { url, nowMs });
    source.close();
    const there = await rowsOf<{ column: string }>(
      url,
      `SELECT table_name || '.' || column_name AS column FROM information_schema.columns WHERE table_schema = 'public'
       AND table_name NOT IN ('schema_migrations', 'leases', 'tenant_storage', 'tenant_storage_bytes',
         'event_types', 'events')`,
    );
    const columns = there.map((row) => row.column);
    // The target gives the actors of entries numbers.
    const actor = ['log_entries.actor_id', 'log_entries.actor_type', 'log_entries.on_behalf_of'];
    expect(offered.filter((column) => !columns.includes(column)).sort()).toEqual(actor);
    // A column that exists in one engine only, and is not copied, must be listed here.
    const ownLog = ['log_entries.actor', 'log_entries.types'];
    const ownIndex = ['memory_index.item', 'memory_index.terms'];
    const others = columns.filter((column) => !offered.includes(column) && !column.startsWith('log_actors.'));
    expect(others.sort()).toEqual(['audit_chains.commits', 'audit_chains.fence', ...ownLog, ...ownIndex]);
  });

  it('finds what was stored in memory, with the same scores', async () => {
    const database = sqliteDatabase();
    const before = await database.open();
    const items = ['a refund is paid', 'the shop is open', 'refunds and refunds'].map((text, n) => ({
      ...{ id: `i${n}`, text, metadata: '{}', expiresAtMs: null },
    }));
    const limits = { namespaces: 9, itemsPerNamespace: 9, bytes: 999 };
    await before.memory.put({ namespace: 'docs', items, limits, origin: {} }, context(), AT_ONCE);
    await before.memory.put({ namespace: 'notes', items, limits, origin: {} }, context(), AT_ONCE);
    const search = (store: Store) =>
      store.memory.search('default', 'docs', { query: 'refund', limit: 9, nowMs: AT_MS, filter: '{}' }, AT_ONCE);
    const wanted = await search(before);
    await before.close();
    const url = await server().createDatabase();
    await copy(database, url);
    const after = await opened(url);
    expect(wanted.items.map(({ id }) => id)).toEqual(['i2', 'i0']);
    expect(await search(after)).toEqual(wanted);
    await after.memory.remove({ namespace: 'docs', id: 'i2', origin: {} }, context());
    expect((await search(after)).items.map(({ id }) => id)).toEqual(['i0']);
    const more = [{ id: 'i3', text: 'no refund', metadata: '{}', expiresAtMs: null }];
    await after.memory.put({ namespace: 'docs', items: more, limits, origin: {} }, context(), AT_ONCE);
    expect((await search(after)).items.map(({ id }) => id)).toEqual(['i3', 'i0']);
  });

  it('keeps what jobs have retried', async () => {
    const database = sqliteDatabase();
    const before = await database.open();
    await before.commit(batch(startExecution('exec_1')));
    const job = { id: 'job_1', tenantId: 'default', action: 'retry', filter: '{}', reason: null, createdAtMs: AT_MS } as const;
    await before.jobs.start(job, context());
    const progress = { position: 'exec_1', matched: 1, succeeded: 1, skipped: 0, failed: 0, errors: '[]' };
    await before.jobs.progress('default', 'job_1', progress, AT_MS, ['exec_1']);
    const page = { before: null, limit: 9 };
    const wanted = await before.jobs.retried('default', 'job_1', page);
    await before.close();
    const url = await server().createDatabase();
    expect(await copy(database, url)).toMatchObject({ jobs: 1, retried_executions: 1 });
    expect(wanted).toHaveLength(1);
    expect(await (await opened(url)).jobs.retried('default', 'job_1', page)).toEqual(wanted);
  });

  it('keeps the data byte for byte, and its audit chain', async () => {
    const database = await filled();
    const before = await database.open();
    const url = await server().createDatabase();
    const wanted = [await before.execution('a'), await before.checkpoint('a'), await before.events('a', { after: 0, limit: 9 })];
    const { head, blocks } = await before.verifyAudit();
    await before.close();
    expect(await copy(database, url)).toMatchObject({
      executions: 2,
      log_entries: 2,
      log_actors: 2,
      timers: 1,
      execution_labels: 1,
    });
    const after = await opened(url);
    expect([await after.execution('a'), await after.checkpoint('a'), await after.events('a', { after: 0, limit: 9 })]).toEqual(
      wanted,
    );
    expect(await after.verifyAudit()).toMatchObject({ blocks, fault: null });
    expect(await rowsOf(url, 'SELECT hash FROM audit_chains')).toEqual([{ hash: head }]);
    expect(await after.due(AT_MS + 1, 9)).toMatchObject([{ kind: 'timer', executionId: 'a', timerId: 't' }]);
  });

  it('can be continued, with identities that were never used', async () => {
    const database = await filled();
    const url = await server().createDatabase();
    await copy(database, url);
    const store = await opened(url);
    const end = await store.log.end();
    expect(await store.commit(batch(step('a', 2)))).toEqual([null]);
    const { events } = await store.log.after(end, { limit: 9 });
    expect(events.map(({ executionId, seq }) => `${executionId} ${seq}`)).toEqual(['a 3', 'a 4']);
    expect(await store.verifyAudit()).toMatchObject({ blocks: 3, fault: null });
  });

  it('detects changes in the copied chain', async () => {
    const database = await filled();
    const url = await server().createDatabase();
    await copy(database, url);
    const store = await opened(url);
    for (const [statement, fault] of [
      ["UPDATE log_actors SET id = 'mallory' WHERE tenant_id = 'acme'", { block: 2, reason: 'stream_digest' }],
      ["UPDATE audit_blocks SET sealed_by = 'mallory' WHERE block = 1", { block: 1, reason: 'block_hash' }],
      ['DELETE FROM audit_blocks WHERE block = 1', { block: 1, reason: 'missing_block' }],
    ] as const) {
      await rowsOf(url, statement);
      expect((await store.verifyAudit()).fault).toMatchObject({ ...fault, chain: expect.stringMatching(/^sqlite:/) });
    }
  });

  it('does not treat runtimes of the file as running', async () => {
    const database = await filled();
    const before = await database.open();
    const actor = { actorId: 'rt', actorType: 'system', request: null } as const;
    await before.heartbeat({
      id: 'rt',
      tenantId: null,
      kind: 'runtime',
      queues: [],
      tools: null,
      atMs: AT_MS,
      claimed: 0,
      actor,
    });
    expect(await before.activeRuntimes(AT_MS)).toEqual(['rt']);
    await before.close();
    const url = await server().createDatabase();
    await copy(database, url);
    const after = await opened(url);
    expect([await after.activeRuntimes(1), await after.stoppedCleanly('rt')]).toEqual([[], false]);
  });

  it('can be exported with proofs of both databases', async () => {
    const database = await filled();
    const url = await server().createDatabase();
    await copy(database, url);
    const store = await opened(url);
    await store.commit(batch(step('a', 2)));
    const { signal } = new AbortController();
    const lines: string[] = [];
    for await (const text of store.audit.export('default', { fromBlock: 1, atMs: AT_MS, signal })) lines.push(text.trimEnd());
    const check = (changed: readonly string[]) => checkExport(of(changed), { key: null, head: null });
    expect(await check(lines)).toMatchObject({ events: 4, fault: null });
    const renamed = lines.map((line) => line.replaceAll('sqlite:', 'other:'));
    expect((await check(renamed)).fault).toMatchObject({ reason: 'seal' });
    const moved = lines.map((line) => (line.includes('"block":2,') ? line.replace('"chain":"sqlite:', '"chain":"x:') : line));
    expect((await check(moved)).fault).not.toBeNull();
  });

  it('accepts positions in the log of the file', async () => {
    const database = await filled();
    const store = await database.open();
    const start = await store.log.after('0.0', { limit: 1 });
    const end = await store.log.end();
    await store.close();
    // The last rows are removed, and their row numbers reused.
    sql(
      database,
      `DELETE FROM log_entries WHERE log_id = (SELECT log_id FROM executions WHERE id = 'b');
        DELETE FROM checkpoints WHERE execution_id = 'b'; DELETE FROM executions WHERE id = 'b'`,
    );
    const again = await database.open();
    await again.commit(batch(startExecution('c')));
    const cursor = await again.log.end();
    await again.close();
    const url = await server().createDatabase();
    await copy(database, url);
    const { log } = await opened(url);
    const following = async (position: string) =>
      (await log.after(position, { limit: 9 })).events.map(({ executionId, seq }) => `${executionId} ${seq}`);
    expect(await following(start.position)).toEqual(['a 2', 'c 1', 'c 2']);
    expect(await following(end)).toEqual(['c 1', 'c 2']);
    expect(await following(cursor)).toEqual([]);
    for (const none of ['9.1', '1.99', 'x', '0.'])
      await expect(following(none)).rejects.toMatchObject({ code: 'unknown_position' });
  });

  it('is atomic', async () => {
    const database = await filled();
    const url = await server().createDatabase();
    sql(database, "UPDATE tokens SET name = name; INSERT INTO timers VALUES ('b', 'u', 'acme', 'n' || char(0), 1, 1)");
    await expect(copy(database, url)).rejects.toMatchObject({
      code: 'not_copyable',
      message: expect.stringMatching(/timers\.node_id holds a NUL/),
    });
    sql(database, 'CREATE TABLE novelty (id TEXT)');
    await expect(copy(database, url)).rejects.toMatchObject({
      code: 'not_copyable',
      message: expect.stringMatching(/no table novelty/),
    });
    sql(database, "DROP TABLE novelty; DELETE FROM timers WHERE id = 'u'");
    expect(await rowsOf(url, 'SELECT id FROM executions UNION ALL SELECT id FROM tenants')).toEqual([{ id: 'default' }]);
    expect(await copy(database, url)).toMatchObject({ executions: 2 });
    await expect(copy(database, url)).rejects.toMatchObject({ code: 'not_empty' });
  });

  it('rejects a database in use by a runtime, and keeps runtimes from starting on it', async () => {
    const database = await filled();
    const store = await database.open();
    await store.lock({ runtimeId: 'rt', pid: 1, startedAtMs: AT_MS });
    await expect(openSqliteSource({ path: database.path, nowMs })).rejects.toMatchObject({ code: 'store_locked' });
    await store.close();
    const source = await openSqliteSource({ path: database.path, nowMs });
    const other = await database.open();
    await expect(other.lock({ runtimeId: 'rt', pid: 1, startedAtMs: AT_MS })).rejects.toMatchObject({ code: 'store_locked' });
    source.close();
    await other.lock({ runtimeId: 'rt', pid: 1, startedAtMs: AT_MS });
  });
});
