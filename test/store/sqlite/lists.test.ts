import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { ExecutionCounts } from '../../../store/sqlite/lists/execution-counts.ts';
import { ExecutionLists } from '../../../store/sqlite/lists/execution-lists.ts';
import { type SqliteDatabase, sqliteDatabase } from '../../support/stores.ts';
import { batch, startExecution, step } from '../writes.ts';

/** Failed and labelled executions alternate; only the first one is both. */
async function alternating(count: number): Promise<SqliteDatabase> {
  const one = sqliteDatabase();
  const store = await one.open();
  const writes = Array.from({ length: count }, (_, index) => {
    const labels = index % 2 === 1 || index === 0 ? '{"env":"prod"}' : '{}';
    const head = { status: index % 2 === 0 ? 'failed' : 'running' };
    return startExecution(`exec_${String(index).padStart(4, '0')}`, { create: { labels }, progress: head });
  });
  await store.commit(batch(...writes));
  await store.close();
  return one;
}

function labelsIn({ path }: SqliteDatabase): unknown {
  const db = new Database(path);
  const rows = db.prepare('SELECT * FROM execution_labels ORDER BY execution_id, key').all();
  db.close();
  return rows;
}

describe('a list with sparse matches', () => {
  const filter = { statuses: ['failed'], labels: [{ key: 'env' }] };

  it('ends its page early and continues from there', async () => {
    const { path } = await alternating(2_000);
    const db = new Database(path, { readonly: true });
    const lists = new ExecutionLists(db, 1_000);
    const pages: (readonly string[])[] = [];
    for (let after: string | null = '\uffff'; after !== null; ) {
      const { rows, next } = await lists.page('default', { ...filter, after, limit: 5 });
      pages.push(rows.map((row) => row.id));
      after = next;
    }
    expect(pages.length).toBeGreaterThan(1);
    expect(pages.flat()).toEqual(['exec_0000']);
    db.close();
  });

  it('is not cut short by an offset', async () => {
    const { path } = await alternating(2_000);
    const db = new Database(path, { readonly: true });
    const lists = new ExecutionLists(db, 1_000);
    expect(await lists.page('default', { ...filter, limit: 5, offset: 1 })).toEqual({ rows: [], next: null });
    db.close();
  });
});

describe('a count in many windows', () => {
  const windows = { entries: 7, rows: 7 };
  const filters = [{}, { labels: [{ key: 'env' }] }, { workflowId: 'refund' }, { workflowId: 'refund', statuses: ['failed'] }];

  it.each(filters)('has every execution once: %j', async (filter) => {
    const { path } = await alternating(200);
    const db = new Database(path, { readonly: true });
    const counts = await new ExecutionCounts(db, windows).count('default', filter);
    const expected = { failed: 'labels' in filter ? 1 : 100, running: 100 };
    const wanted = 'statuses' in filter ? { failed: expected.failed } : expected;
    expect(Object.fromEntries(counts)).toEqual(wanted);
    db.close();
  });

  it('has an execution once whose status changes meanwhile', async () => {
    const one = await alternating(200);
    const store = await one.open();
    const db = new Database(one.path, { readonly: true });
    const counting = new ExecutionCounts(db, windows).count('default', {});
    const paused = Array.from({ length: 100 }, (_, index) => `exec_${String(2 * index + 1).padStart(4, '0')}`);
    for (const id of paused) await store.commit(batch(step(id, 2, { progress: { status: 'paused' } })));
    const counts = await counting;
    expect([counts.get('failed'), (counts.get('running') ?? 0) + (counts.get('paused') ?? 0)]).toEqual([100, 100]);
    db.close();
  });
});

describe('a list without conditions', () => {
  it('has the executions of all statuses, in order of id', async () => {
    const store = await sqliteDatabase().open();
    const statuses = ['running', 'completed', 'paused', 'failed'];
    const ids = Array.from({ length: 200 }, (_, index) => `exec_${String(index).padStart(4, '0')}`);
    const statusOf = (index: number) => statuses[(index * 7 + Math.floor(index / 5)) % statuses.length] ?? '';
    const writes = ids.map((id, index) => startExecution(id, { progress: { status: statusOf(index) } }));
    await store.commit(batch(...writes, startExecution('exec_0100_other', { tenantId: 'acme' })));
    const tenant = store.tenant('default');
    const list = async (request: object) => (await tenant.executions({ limit: 50, ...request })).rows.map(({ id }) => id);
    const newest = ids.toReversed();
    expect(await list({})).toEqual(newest.slice(0, 50));
    expect(await list({ offset: 120 })).toEqual(newest.slice(120, 170));
    expect(await list({ offset: 300 })).toEqual([]);
    expect(await list({ order: 'oldest', after: 'exec_0060' })).toEqual(ids.slice(61, 111));
    expect(await list({ from: 'exec_0010', before: 'exec_0013' })).toEqual(['exec_0012', 'exec_0011', 'exec_0010']);
    expect(await tenant.countExecutions({})).toBe(200);
    expect(await store.tenant('unknown').executions({ limit: 5 })).toEqual({ rows: [], next: null });
  });
});

describe('the labels of executions', () => {
  it('are removed with their execution', async () => {
    const one = sqliteDatabase();
    const store = await one.open();
    const labelled = { create: { labels: '{"env":"prod","team":"x"}' }, checkpoint: null };
    await store.commit(batch(startExecution('exec_1', labelled), startExecution('exec_2', labelled)));
    await store.close();
    const db = new Database(one.path);
    db.exec("DELETE FROM executions WHERE id = 'exec_1'");
    db.close();
    expect(labelsIn(one)).toMatchObject([{ execution_id: 'exec_2' }, { execution_id: 'exec_2' }]);
  });
});
