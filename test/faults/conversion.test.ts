import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { openSqlite } from '../../store/sqlite/open.ts';
import { entryEvents, type PlacedEvent, rowEvents } from '../support/event-rows.ts';
import { Random } from '../support/random.ts';
import { writeSchema13 } from '../support/schema-13.ts';

const SCRIPT = new URL('./conversion-child.mjs', import.meta.url).pathname;
const EXECUTIONS = 20_000;
const KILLS = 12;
const SEED = 5;

/** Rows of the old tables, where there are none of a table that was dropped. */
const LEFT = {
  old_executions: 'SELECT count(*) FROM old_executions',
  old_events: 'SELECT coalesce(max(rowid) - min(rowid) + 1, 0) FROM old_events',
  old_audit_blocks: 'SELECT coalesce(max(block) - min(block) + 1, 0) FROM old_audit_blocks',
};
const TOTAL = 'SELECT (SELECT count(*) FROM executions) + (SELECT count(*) FROM events) + (SELECT count(*) FROM audit_blocks)';
const heads = (
  revision: string,
) => `SELECT id, tenant_id, workflow_id, workflow_version, ${revision} AS hash, labels, status, seq, created_at_ms, completed_at_ms
  FROM executions ORDER BY id`;
const tables = "SELECT name FROM sqlite_schema WHERE type = 'table'";

function child(path: string): { readonly process: ChildProcess; readonly exit: Promise<number | NodeJS.Signals | null> } {
  const started = spawn(process.execPath, [SCRIPT, path], { stdio: ['ignore', 'inherit', 'inherit'] });
  onTestFinished(() => void started.kill('SIGKILL'));
  return { process: started, exit: once(started, 'exit').then(() => started.exitCode ?? started.signalCode) };
}

/** Rows that are not moved yet; null before the migration. */
function rowsLeft(db: Database.Database): number | null {
  const names = new Set(db.prepare<[], string>(tables).pluck().all());
  if (!names.has('log_entries')) return null;
  const counts = Object.entries(LEFT).map(([table, sql]) => (names.has(table) ? db.prepare<[], number>(sql).pluck().get() : 0));
  return counts.reduce<number>((sum, count) => sum + (count ?? 0), 0);
}

/** Starts a conversion, and kills it once so many rows are left. */
async function killAt(path: string, threshold: number): Promise<void> {
  const db = new Database(path, { readonly: true });
  const { process, exit } = child(path);
  const isReached = db.transaction(() => (rowsLeft(db) ?? Number.POSITIVE_INFINITY) <= threshold);
  while (!isReached()) {
    expect(process.exitCode).toBeNull();
    await setImmediate();
  }
  process.kill('SIGKILL');
  expect(await exit).toBe('SIGKILL');
  db.close();
}

/** The first event that differs. */
function difference(before: Iterator<PlacedEvent>, after: Iterator<PlacedEvent>): unknown {
  for (;;) {
    const one = before.next();
    const other = after.next();
    if (one.done === true && other.done === true) return null;
    if (JSON.stringify(fields(one.value)) !== JSON.stringify(fields(other.value))) return [one.value, other.value];
  }
}

function fields(event: PlacedEvent | undefined): unknown {
  if (event === undefined) return null;
  const { position, executionId, tenantId, seq, type, nodeId, data, atMs, actorId, actorType, onBehalfOf, request } = event;
  return [position, executionId, tenantId, seq, type, nodeId, data, atMs, actorId, actorType, onBehalfOf, request];
}

/** Compares a converted database with the one it was converted from. */
async function expectSame(path: string, original: string): Promise<void> {
  const before = new Database(original, { readonly: true });
  const after = new Database(path, { readonly: true });
  onTestFinished(() => {
    before.close();
    after.close();
  });
  expect(
    after
      .prepare<[], string>(tables)
      .pluck()
      .all()
      .filter((name) => name.startsWith('old_')),
  ).toEqual([]);
  expect(difference(rowEvents(before), entryEvents(after))).toBeNull();
  const hash = '(SELECT hash FROM log_revisions WHERE number = revision)';
  expect(after.prepare(heads(hash)).all()).toEqual(before.prepare(heads('revision')).all());
  expect(after.pragma('foreign_key_check')).toEqual([]);
  expect(after.pragma('integrity_check', { simple: true })).toBe('ok');
  const store = await openSqlite({ path, hmacKey: 'golden' });
  onTestFinished(() => store.close());
  const blocks = before.prepare('SELECT count(*) FROM audit_blocks').pluck().get();
  expect(await store.verifyAudit()).toMatchObject({ blocks, fault: null, unsigned: null });
  const failed = "SELECT id FROM executions WHERE tenant_id = 'acme' AND status = 'failed' ORDER BY id DESC LIMIT 50";
  const { rows } = await store.tenant('acme').executions({ statuses: ['failed'], limit: 50, offset: 0 });
  expect(rows.map(({ id }) => id)).toEqual(before.prepare(failed).pluck().all());
}

describe('converting the log of a large database', () => {
  const folder = mkdtempSync(join(tmpdir(), 'jamjet-conversion-'));
  const original = join(folder, 'original.db');
  const copy = (name: string): string => {
    const path = join(folder, name);
    copyFileSync(original, path);
    return path;
  };
  beforeAll(() => writeSchema13(original, EXECUTIONS, SEED));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('continues after each of many kills, and loses and repeats nothing', async () => {
    const path = copy('killed.db');
    const total = using(original, (db) => db.prepare<[], number>(TOTAL).pluck().get() ?? 0);
    const random = new Random(SEED);
    const thresholds = Array.from({ length: KILLS }, () => random.between(1, total)).sort((a, b) => b - a);
    for (const threshold of thresholds) await killAt(path, threshold);
    expect(await child(path).exit).toBe(0);
    await expectSame(path, original);
  });

  it('is shared by processes that open it at once', async () => {
    const path = copy('shared.db');
    const exits = [child(path), child(path), child(path)].map(({ exit }) => exit);
    expect(await Promise.all(exits)).toEqual([0, 0, 0]);
    await expectSame(path, original);
  });
});

function using<T>(path: string, read: (db: Database.Database) => T): T {
  const db = new Database(path, { readonly: true });
  try {
    return read(db);
  } finally {
    db.close();
  }
}
