import { statSync } from 'node:fs';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
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

describe('a checkpoint whose digest was damaged', () => {
  it.each(['', 'x', 'sha256 ', `md5 ${'A'.repeat(43)}`])('is reported, and not used: "%s"', async (digest) => {
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
