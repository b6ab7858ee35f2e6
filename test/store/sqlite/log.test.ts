import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { sqliteDatabase } from '../../support/stores.ts';
import { batch, startExecution, step } from '../writes.ts';

/** An operation that operators, or retention, may run at any time. */
function remove(path: string, executionId: string): void {
  const db = new Database(path);
  db.prepare('DELETE FROM log_entries WHERE log_id = (SELECT log_id FROM executions WHERE id = ?)').run(executionId);
  db.close();
}

describe('a position in the log', () => {
  it('stays valid although SQLite reuses the row numbers of removed rows', async () => {
    const file = sqliteDatabase();
    const store = await file.open();
    await store.commit(batch(startExecution('a'), startExecution('b')));
    const end = await store.log.end();
    remove(file.path, 'b');
    await store.commit(batch(startExecution('c')));
    const slice = await store.log.after(end, { limit: 10 });
    expect(slice.events.map(({ executionId, seq }) => `${executionId} ${seq}`)).toEqual(['c 1', 'c 2']);
    expect((await store.log.after(slice.position, { limit: 10 })).events).toEqual([]);
  });

  it('stays valid through any number of removals, even when everything is removed', async () => {
    const file = sqliteDatabase();
    const store = await file.open();
    const start = await store.log.end();
    await store.commit(batch(startExecution('a'), startExecution('b')));
    const end = await store.log.end();
    for (const id of ['c', 'd', 'e']) {
      await store.commit(batch(startExecution(id)));
      remove(file.path, id);
    }
    remove(file.path, 'b');
    remove(file.path, 'a');
    expect((await store.log.after(start, { limit: 10 })).events).toEqual([]);
    await store.commit(batch(startExecution('f')));
    for (const position of [start, end]) {
      expect((await store.log.after(position, { limit: 10 })).events.map(({ executionId }) => executionId)).toEqual(['f', 'f']);
    }
  });

  it('returns no event twice when older rows are removed', async () => {
    const file = sqliteDatabase();
    const store = await file.open();
    await store.commit(batch(startExecution('a'), startExecution('b')));
    const end = await store.log.end();
    remove(file.path, 'a');
    expect((await store.log.after(end, { limit: 10 })).events).toEqual([]);
    await store.commit(batch(step('b', 2)));
    expect((await store.log.after(end, { limit: 10 })).events.map(({ seq }) => seq)).toEqual([3, 4]);
  });
});
