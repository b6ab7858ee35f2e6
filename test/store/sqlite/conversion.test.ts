import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readMigrations } from '../../../store/migrate.ts';
import { convertLog } from '../../../store/sqlite/conversion/convert-log.ts';
import { MIGRATIONS, openSqlite } from '../../../store/sqlite/open.ts';
import { RunLock } from '../../../store/sqlite/run-lock.ts';
import { entryEvents, rowEvents } from '../../support/event-rows.ts';
import { createSchema13, writeSchema13 } from '../../support/schema-13.ts';
import { temporaryFolder } from '../../support/stores.ts';

const KEY = 'golden';

function oldDatabase(executions: number): string {
  const path = join(temporaryFolder(), 'runtime.db');
  writeSchema13(path, executions, 1);
  return path;
}

/** Runs `read` on the database without opening a store. */
function using<T>(path: string, read: (db: Database.Database) => T): T {
  const db = new Database(path);
  onTestFinished(() => void db.close());
  return read(db);
}

async function open(path: string, onConversion?: Parameters<typeof openSqlite>[0]['onConversion']) {
  const store = await openSqlite({ path, hmacKey: KEY, ...(onConversion === undefined ? {} : { onConversion }) });
  onTestFinished(() => store.close());
  return store;
}

const OLD_TABLES = "SELECT name FROM sqlite_schema WHERE name LIKE 'old_%'";

describe('opening a database of schema version 13', () => {
  it('keeps every event in its place', async () => {
    const path = oldDatabase(300);
    const before = using(path, (db) => [...rowEvents(db)]);
    await open(path);
    using(path, (db) => {
      expect([...entryEvents(db)]).toEqual(before);
      expect(db.prepare(OLD_TABLES).all()).toEqual([]);
      expect(db.pragma('foreign_key_check')).toEqual([]);
      expect(db.pragma('integrity_check', { simple: true })).toBe('ok');
    });
  });

  it('joins events of one execution that share their context', async () => {
    const path = oldDatabase(300);
    await open(path);
    using(path, (db) => {
      const counts = db.prepare<[], { entries: number; events: number }>(
        'SELECT count(*) AS entries, sum(events) AS events FROM log_entries',
      );
      const { entries = 0, events = 0 } = counts.get() ?? {};
      expect(events / entries).toBeGreaterThan(2);
    });
  });

  it('keeps the heads, the chain and the lists', async () => {
    const path = oldDatabase(300);
    const heads = (revision: string) =>
      `SELECT id, tenant_id, workflow_id, ${revision} AS revision, labels, status, seq, completed_at_ms FROM executions ORDER BY id`;
    const before = using(path, (db) => db.prepare(heads('revision')).all());
    const store = await open(path);
    const hash = '(SELECT hash FROM log_revisions WHERE number = revision)';
    expect(using(path, (db) => db.prepare(heads(hash)).all())).toEqual(before);
    expect(await store.verifyAudit()).toMatchObject({ fault: null, unsigned: null });
    expect(await store.tenant('acme').countExecutions({ labels: [{ key: 'case', value: '3' }], statuses: ['failed'] })).toBe(
      using(path, (db) =>
        db
          .prepare(`SELECT count(*) FROM executions WHERE tenant_id = 'acme' AND status = 'failed' AND labels = '{"case":"3"}'`)
          .pluck()
          .get(),
      ),
    );
  });

  it('continues streams and webhooks from every position that they have stored', async () => {
    const path = oldDatabase(20);
    const before = using(path, (db) => [...rowEvents(db)]);
    const { log } = await open(path);
    for (const [index, { position }] of before.entries()) {
      const { events } = await log.after(`0.${position}`, { limit: 3 });
      const following = before.slice(index + 1, index + 4);
      expect(events.map((event) => [event.executionId, event.seq, event.type, event.nodeId, event.position])).toEqual(
        following.map((event) => [event.executionId, event.seq, event.type, event.nodeId, `0.${event.position}`]),
      );
    }
    expect(await log.end()).toBe(`0.${before.at(-1)?.position}`);
  });

  it('keeps positions over the gaps that removed events left, and at the end', async () => {
    const path = oldDatabase(50);
    using(path, (db) => db.exec('DELETE FROM events WHERE rowid % 7 = 0'));
    const before = using(path, (db) => [...rowEvents(db)]);
    await open(path);
    expect(using(path, (db) => [...entryEvents(db)])).toEqual(before);
  });

  it('keeps events that no execution has, apart for each execution', async () => {
    const path = oldDatabase(20);
    const before = using(path, (db) => {
      db.exec("DELETE FROM executions WHERE id LIKE '%1'");
      return [...rowEvents(db)];
    });
    await open(path);
    using(path, (db) => {
      expect([...entryEvents(db)]).toEqual(before);
      const numbers = db.prepare<[], number>('SELECT DISTINCT log_id FROM log_entries WHERE log_id < 0').pluck().all();
      expect(numbers.sort((a, b) => b - a)).toEqual([-1, -2]);
    });
  });

  it('reports how far it has come', async () => {
    const path = oldDatabase(300);
    const total = using(path, (db) => [...rowEvents(db)].length);
    const reports: object[] = [];
    await open(path, (progress) => reports.push(progress));
    expect(reports.length).toBeGreaterThan(1);
    expect(reports[0]).toEqual({ events: 2_000, total });
    expect(reports.at(-1)).toEqual({ events: total, total });
  });

  it('is not repeated', async () => {
    const path = oldDatabase(10);
    await open(path);
    const reports: object[] = [];
    await open(path, (progress) => reports.push(progress));
    expect(reports).toEqual([]);
  });

  it('opens an empty one', async () => {
    const path = join(temporaryFolder(), 'runtime.db');
    createSchema13(path).close();
    expect(await (await open(path)).verifyAudit()).toMatchObject({ blocks: 0, fault: null });
  });

  it('is shared by several that open it at once', async () => {
    const path = oldDatabase(500);
    const before = using(path, (db) => [...rowEvents(db)]);
    await Promise.all([open(path), open(path), open(path)]);
    expect(using(path, (db) => [...entryEvents(db)])).toEqual(before);
  });

  it('can be read meanwhile', async () => {
    const path = oldDatabase(300);
    const total = using(path, (db) => [...rowEvents(db)].length);
    const reader = new Database(path, { readonly: true });
    onTestFinished(() => void reader.close());
    const counts: number[] = [];
    const left = 'SELECT (SELECT count(*) FROM old_events) + coalesce((SELECT sum(events) FROM log_entries), 0)';
    await open(path, ({ events }) => {
      if (events < total) counts.push(reader.prepare<[], number>(left).pluck().get() ?? 0);
    });
    expect(counts.length).toBeGreaterThan(0);
    expect(new Set(counts)).toEqual(new Set([total]));
  });

  it('continues after the disk was full', async () => {
    const path = oldDatabase(300);
    const before = using(path, (db) => [...rowEvents(db)]);
    await using(path, async (db) => {
      db.pragma('foreign_keys = OFF');
      for (const { sql } of readMigrations(MIGRATIONS).slice(13)) db.exec(sql);
      const pages = (): number => db.pragma('page_count', { simple: true }) as number;
      db.exec('CREATE TABLE filling (content BLOB)');
      const fill = db.prepare('INSERT INTO filling (content) VALUES (zeroblob(8000))');
      while (db.pragma('freelist_count', { simple: true }) !== 0) fill.run();
      db.pragma(`max_page_count = ${pages()}`);
      await expect(convertLog(db, () => {})).rejects.toMatchObject({
        code: 'store_full',
        message: expect.stringMatching(/^its log is not converted yet, .*: the disk is full/),
      });
      db.pragma(`max_page_count = ${pages() * 4}`);
      await convertLog(db, () => {});
      expect([...entryEvents(db)]).toEqual(before);
    });
  });

  it('is refused while an older runtime works on it, which is left undisturbed', async () => {
    const path = oldDatabase(10);
    const older = new Database(path);
    const lock = new RunLock(older);
    lock.take({ runtimeId: 'runtime-older', pid: 4711, startedAtMs: 0 });
    await expect(open(path)).rejects.toMatchObject({
      code: 'store_locked',
      message: expect.stringMatching(/^cannot open .* is in use by runtime runtime-older \(process 4711/),
    });
    expect(older.prepare('SELECT max(version) FROM schema_migrations').pluck().get()).toBe(13);
    lock.release();
    older.close();
    expect(await (await open(path)).verifyAudit()).toMatchObject({ fault: null });
  });
});
