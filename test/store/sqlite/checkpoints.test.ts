import { statSync } from 'node:fs';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { readMigrations } from '../../../store/migrate.ts';
import { APPLICATION_ID } from '../../../store/sqlite/application-id.ts';
import { MIGRATIONS } from '../../../store/sqlite/open.ts';
import { sqliteDatabase } from '../../support/stores.ts';
import { batch, checkpoint, startExecution, step } from '../writes.ts';

describe('a large checkpoint', () => {
  it('is not rewritten by steps that keep it', async () => {
    const one = sqliteDatabase();
    const store = await one.open();
    const large = JSON.stringify('x'.repeat(4_000_000));
    await store.commit(batch(startExecution('exec_1', { checkpoint: checkpoint(large) })));
    const before = statSync(`${one.path}-wal`).size;
    for (let seq = 2; seq < 102; seq += 2) await store.commit(batch(step('exec_1', seq, { checkpoint: null })));
    expect(statSync(`${one.path}-wal`).size - before).toBeLessThan(50 * 10 * 8192);
  });
});

describe('checkpoints of an earlier release', () => {
  it('are kept, unless they are small and the log is short', async () => {
    const one = sqliteDatabase();
    const old = new Database(one.path);
    old.pragma(`application_id = ${APPLICATION_ID}`);
    old.exec(
      'CREATE TABLE schema_migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at_ms INTEGER NOT NULL) STRICT',
    );
    for (const { version, name, sql } of readMigrations(MIGRATIONS).slice(0, 13)) {
      old.exec(sql);
      old.prepare('INSERT INTO schema_migrations VALUES (?, ?, 0)').run(version, name);
    }
    const put =
      old.prepare(`INSERT INTO executions (id, tenant_id, workflow_id, workflow_version, revision, labels, depth, created_at_ms,
      status, seq, steps, local_work, updated_at_ms, snapshot_seq, snapshot, snapshot_digest)
      VALUES (?, 'default', 'refund', '1', 'r1', '{}', 0, 0, 'running', ?, 0, 0, 0, ?, ?, NULL)`);
    put.run('exec_short', 12, 12, '{"at":12}');
    put.run('exec_long', 900, 900, '{"at":900}');
    put.run('exec_large', 12, 10, null);
    old
      .prepare("INSERT INTO checkpoints (execution_id, tenant_id, snapshot) VALUES ('exec_large', 'default', ?)")
      .run('{"at":10}');
    old.close();
    const store = await one.open();
    expect(await store.checkpoint('exec_short')).toBeNull();
    expect(await store.checkpoint('exec_long')).toEqual({ text: '{"at":900}', seq: 900 });
    expect(await store.checkpoint('exec_large')).toEqual({ text: '{"at":10}', seq: 10 });
    expect(await store.execution('exec_large')).toMatchObject({ seq: 12 });
  });
});

describe('a checkpoint whose digest was damaged', () => {
  it.each(['', 'x', '2 sha256 ', '2 md5 x'])('is reported, and not used: "%s"', async (digest) => {
    const one = sqliteDatabase();
    const store = await one.open();
    await store.commit(batch(startExecution('exec_1', { checkpoint: { text: '{"at":2}', replacesFrom: null } })));
    const db = new Database(one.path);
    db.prepare('UPDATE checkpoints SET digest = ?').run(digest);
    db.close();
    expect(await store.checkpoint('exec_1')).toMatchObject({ seal: 'broken' });
    expect((await store.verifyAudit()).fault).toMatchObject({ reason: 'snapshot', executionId: 'exec_1' });
  });
});
