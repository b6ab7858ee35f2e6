import { existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { asStoreError } from '../../../store/sqlite/errors.ts';
import { openSqlite } from '../../../store/sqlite/open.ts';
import { sqliteVersions } from '../../../store/sqlite/survey.ts';
import { sqliteDatabase, temporaryFolder } from '../../support/stores.ts';
import { AT_MS, batch, startExecution } from '../writes.ts';

const open = (path: string) => openSqlite({ path, nowMs: () => AT_MS });

describe('openSqlite', () => {
  it('creates the database and its folder, which only its owner may enter', async () => {
    const path = join(temporaryFolder(), 'a', 'b', 'runtime.db');
    const store = await open(path);
    expect(await store.commit(batch(startExecution('exec_1')))).toEqual([null]);
    await store.close();
    expect(statSync(dirname(path)).mode & 0o777).toBe(0o700);
  });

  it('treats an empty file as a new database', async () => {
    const { path, open } = sqliteDatabase();
    writeFileSync(path, '');
    expect(await (await open()).tenantRow('default')).toMatchObject({ status: 'active' });
  });

  it('has a write-ahead log and small pages', async () => {
    const one = sqliteDatabase();
    await one.open();
    const db = new Database(one.path);
    expect(db.pragma('journal_mode', { simple: true })).toBe('wal');
    expect(db.pragma('page_size', { simple: true })).toBe(4096);
    db.close();
  });

  it('leaves only the database file when it is closed: the log is merged into it', async () => {
    const one = sqliteDatabase();
    const store = await one.open();
    await store.commit(batch(startExecution('exec_1')));
    await store.close();
    expect(statSync(`${one.path}-wal`, { throwIfNoEntry: false })).toBeUndefined();
    const db = new Database(one.path, { readonly: true });
    expect(db.prepare('SELECT sum(events) FROM log_entries').pluck().get()).toBe(2);
    db.close();
  });

  it('can open one database many times at once', async () => {
    const one = sqliteDatabase();
    const stores = await Promise.all(Array.from({ length: 8 }, () => one.open()));
    for (const [index, store] of stores.entries())
      expect(await store.commit(batch(startExecution(`exec_${index}`)))).toEqual([null]);
    expect(await stores[0]?.verifyAudit()).toMatchObject({ blocks: 8, fault: null });
  });

  it.runIf(existsSync('/proc/self'))('fails where no folder can be created', async () => {
    await expect(open('/proc/nowhere/jamjet/runtime.db')).rejects.toMatchObject({
      code: 'store_unavailable',
      message: expect.stringMatching(/^cannot open \/proc\/nowhere\/jamjet\/runtime.db: its folder cannot be created: ENOENT/),
    });
  });

  it('names the file it cannot open', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'notes.txt'), 'x'.repeat(10_000));
    await expect(open(folder)).rejects.toMatchObject({ code: 'store_unavailable', message: expect.stringContaining(folder) });
    await expect(open(join(folder, 'notes.txt', 'runtime.db'))).rejects.toMatchObject({ code: 'store_unavailable' });
    await expect(open(join(folder, 'notes.txt'))).rejects.toMatchObject({ code: 'not_a_database' });
  });

  it('does not touch a database of another program', async () => {
    const path = join(temporaryFolder(), 'other.db');
    const other = new Database(path);
    other.exec('CREATE TABLE executions (id)');
    other.close();
    const before = readFileSync(path);
    await expect(open(path)).rejects.toMatchObject({
      code: 'not_a_database',
      message: expect.stringContaining('another program'),
    });
    expect(readFileSync(path)).toEqual(before);
  });

  it('rejects a database that a later release has migrated, and leaves it unchanged', async () => {
    const one = sqliteDatabase();
    await (await one.open()).close();
    const db = new Database(one.path);
    db.exec("INSERT INTO schema_migrations (version, name, applied_at_ms) VALUES (99, 'future', 0)");
    db.close();
    const opening = one.open();
    await expect(opening).rejects.toMatchObject({ code: 'schema_too_new' });
    await expect(opening).rejects.toThrow(/version 99/);
  });

  it.each(['init', 'first_release'])('rejects a database of an unreleased version, whose first migration is %s', async (name) => {
    const one = sqliteDatabase();
    await (await one.open()).close();
    const db = new Database(one.path);
    db.exec(`UPDATE schema_migrations SET name = '${name}'`);
    db.close();
    const expected = { code: 'not_a_database', message: expect.stringContaining('a version before 0.2.0 wrote the database') };
    await expect(one.open()).rejects.toMatchObject(expected);
    await expect(sqliteVersions(one.path)).rejects.toMatchObject(expected);
  });

  it('distinguishes a damaged database from an empty one', async () => {
    const one = sqliteDatabase();
    await (await one.open()).close();
    writeFileSync(one.path, readFileSync(one.path).fill(0xaa, 100, 4000));
    await expect(one.open()).rejects.toMatchObject({ code: 'not_a_database', message: expect.stringContaining('damaged') });
  });
});

describe('an error of the driver', () => {
  function thrown(work: (db: Database.Database) => void): unknown {
    const path = join(temporaryFolder(), 'x.db');
    const db = new Database(path, { timeout: 0 });
    db.exec('CREATE TABLE t (x); INSERT INTO t VALUES (1)');
    try {
      work(db);
      return null;
    } catch (error) {
      return asStoreError(error);
    } finally {
      db.close();
    }
  }

  it('is store_full when the disk is full', () => {
    const error = thrown((db) => {
      db.pragma('max_page_count = 3');
      db.exec('INSERT INTO t VALUES (randomblob(100000))');
    });
    expect(error).toMatchObject({ name: 'StoreError', code: 'store_full' });
  });

  it('is store_unavailable when another process writes for too long', () => {
    const error = thrown((db) => {
      const other = new Database(db.name);
      other.exec('BEGIN IMMEDIATE');
      try {
        db.exec('BEGIN IMMEDIATE');
      } finally {
        other.close();
      }
    });
    expect(error).toMatchObject({ code: 'store_unavailable', message: expect.stringContaining('busy') });
  });

  it('is store_read_only when the database is read-only', () => {
    const error = thrown((db) => {
      const reader = new Database(db.name, { readonly: true });
      try {
        reader.exec('INSERT INTO t VALUES (2)');
      } finally {
        reader.close();
      }
    });
    expect(error).toMatchObject({ code: 'store_read_only', message: expect.stringContaining('permissions') });
  });

  it('is unchanged when it is a programming error', () => {
    expect(thrown((db) => db.exec('INSERT INTO nowhere VALUES (1)'))).toBeInstanceOf(Database.SqliteError);
    expect(asStoreError(new RangeError('x'))).toBeInstanceOf(RangeError);
  });
});

describe('the lock', () => {
  it('is shared by all paths to a database', async () => {
    const one = sqliteDatabase();
    const store = await one.open();
    await store.lock({ runtimeId: 'rt_1', pid: 1, startedAtMs: AT_MS });
    const link = join(temporaryFolder(), 'alias.db');
    symlinkSync(one.path, link);
    const alias = await open(link);
    await expect(alias.lock({ runtimeId: 'rt_2', pid: 2, startedAtMs: AT_MS })).rejects.toMatchObject({ code: 'store_locked' });
    await alias.close();
  });
});

describe('a new database', () => {
  it('is readable by its owner only, as are the files beside it', async () => {
    const one = sqliteDatabase();
    const store = await one.open();
    await store.lock({ runtimeId: 'rt', pid: 1, startedAtMs: 0 });
    for (const file of [one.path, `${one.path}-wal`, `${one.path}-shm`]) expect(statSync(file).mode & 0o077).toBe(0);
  });
});
