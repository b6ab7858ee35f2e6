import { statSync } from 'node:fs';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { sqliteDatabase } from '../../support/stores.ts';
import { AT_MS, batch, startExecution, step } from '../writes.ts';

const LARGE = JSON.stringify('x'.repeat(4_000_000));

function largeCheckpoints(path: string): unknown {
  const db = new Database(path, { readonly: true });
  const count = db.prepare('SELECT count(*) FROM checkpoints').pluck().get();
  db.close();
  return count;
}

describe('a large checkpoint', () => {
  it('is not rewritten by steps that keep it', async () => {
    const one = sqliteDatabase();
    const store = await one.open();
    await store.commit(batch(startExecution('exec_1', { snapshot: LARGE })));
    const before = statSync(`${one.path}-wal`).size;
    for (let seq = 2; seq < 102; seq += 2) await store.commit(batch(step('exec_1', seq, { snapshot: null })));
    expect(statSync(`${one.path}-wal`).size - before).toBeLessThan(50 * 10 * 8192);
  });

  it.each([
    ['continues', {}],
    ['ends', { progress: { status: 'completed', completedAtMs: AT_MS } }],
  ])('leaves its room when it has become small as the execution %s', async (_how, change) => {
    const one = sqliteDatabase();
    const store = await one.open();
    await store.commit(batch(startExecution('exec_1', { snapshot: LARGE })));
    expect(largeCheckpoints(one.path)).toBe(1);
    await store.commit(batch(step('exec_1', 2, change)));
    expect(largeCheckpoints(one.path)).toBe(0);
    expect(await store.checkpoint('exec_1')).toEqual({ text: '{"at":4}', seq: 4 });
  });
});
