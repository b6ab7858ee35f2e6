import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import type { Store } from '../../../store/port/store.ts';
import { type SqliteDatabase, sqliteDatabase } from '../../support/stores.ts';
import { batch, event, events, startExecution, step, unit } from '../writes.ts';

function run(path: string, sql: string): void {
  const db = new Database(path);
  db.exec(sql);
  db.close();
}

function rows(path: string, sql: string): readonly unknown[] {
  const db = new Database(path, { readonly: true });
  const found = db.prepare(sql).all();
  db.close();
  return found;
}

async function logOf(store: Store, executionId: string) {
  return (await store.events(executionId, { after: 0, limit: 1_000 })).rows;
}

describe('the numbers of tenants, actors and revisions', () => {
  it('are given once, and negative ones to agents', async () => {
    const { path, open } = sqliteDatabase();
    const store = await open();
    const by = (actorId: string, actorType: 'human' | 'agent', onBehalfOf: string | null = null) => ({
      events: [event(1, { actorId, actorType, onBehalfOf })],
    });
    await store.commit(batch(startExecution('exec_1', by('alice', 'human')), startExecution('exec_2', by('bot', 'agent'))));
    await store.commit(
      batch(startExecution('exec_3', by('alice', 'human', 'bob')), startExecution('exec_4', by('bot', 'agent', ''))),
    );
    await store.commit(batch(startExecution('exec_5', { ...by('bot', 'agent'), tenantId: 'acme', create: { revision: 'r2' } })));
    expect(rows(path, 'SELECT number, id, type, on_behalf_of FROM log_actors ORDER BY abs(number), number DESC')).toEqual([
      { number: 1, id: 'alice', type: 'human', on_behalf_of: null },
      { number: -1, id: 'bot', type: 'agent', on_behalf_of: null },
      { number: 2, id: 'alice', type: 'human', on_behalf_of: 'bob' },
      { number: -2, id: 'bot', type: 'agent', on_behalf_of: '' },
    ]);
    expect(rows(path, 'SELECT number, id FROM log_tenants ORDER BY number')).toEqual([
      { number: 1, id: 'default' },
      { number: 2, id: 'acme' },
    ]);
    expect(rows(path, 'SELECT number, hash FROM log_revisions ORDER BY number')).toEqual([
      { number: 1, hash: 'r1' },
      { number: 2, hash: 'r2' },
    ]);
  });

  it('of a rejected commit are given to others', async () => {
    const { open } = sqliteDatabase();
    const store = await open();
    const refused = step('exec_0', 7, {
      tenantId: 'acme',
      events: events(8, 9).map((each) => ({ ...each, actorId: 'mallory' })),
    });
    const first = startExecution('exec_9', { tenantId: 'acme', create: { revision: 'r9' } });
    const second = startExecution('exec_1', {
      tenantId: 'globex',
      events: [event(1, { actorId: 'bob' })],
      create: { revision: 'r1' },
    });
    const rejections = await store.commit({ ...batch(), units: [unit([first, refused]), unit([second])] });
    expect(rejections).toEqual([{ reason: 'sequence', executionId: 'exec_0' }, null]);
    await store.commit(batch(startExecution('exec_2', { tenantId: 'acme', create: { revision: 'r9' } })));
    for (const reader of [store, await open()]) {
      expect((await logOf(reader, 'exec_1')).map(({ actorId }) => actorId)).toEqual(['bob']);
      expect((await logOf(reader, 'exec_2')).map(({ actorId }) => actorId)).toEqual(['alice', 'alice']);
      expect(await reader.execution('exec_1')).toMatchObject({ tenantId: 'globex', revision: 'r1' });
      expect(await reader.execution('exec_2')).toMatchObject({ tenantId: 'acme', revision: 'r9' });
      expect(await reader.verifyAudit()).toMatchObject({ fault: null });
    }
  });
});

describe('an execution that another process changed', () => {
  async function two(): Promise<{ readonly one: SqliteDatabase; readonly store: Store; readonly other: Store }> {
    const one = sqliteDatabase();
    const store = await one.open();
    await store.commit(batch(startExecution('exec_1')));
    return { one, store, other: await one.open() };
  }

  it('goes on from there', async () => {
    const { store, other } = await two();
    await other.commit(batch(step('exec_1', 2, { progress: { status: 'paused' } })));
    expect(await store.commit(batch(step('exec_1', 2)))).toEqual([{ reason: 'sequence', executionId: 'exec_1' }]);
    expect(await store.commit(batch(step('exec_1', 4)))).toEqual([null]);
    expect(await store.execution('exec_1')).toMatchObject({ status: 'running', seq: 6 });
    expect(await store.tenant('default').countExecutions({ statuses: ['paused'] })).toBe(0);
    expect((await logOf(other, 'exec_1')).map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('is updated along with its indexes, whatever was known of it', async () => {
    const { store, other } = await two();
    await other.commit(batch(step('exec_1', 2, { progress: { localWork: 1, owner: 'rt_1' } })));
    expect(await store.commit(batch(step('exec_1', 4)))).toEqual([null]);
    expect(await store.executionsWithLocalWork({ after: '', limit: 10 })).toEqual([]);
    expect(await other.commit(batch(step('exec_1', 6, { progress: { localWork: 1, owner: 'rt_1' } })))).toEqual([null]);
    expect((await store.executionsWithLocalWork({ after: '', limit: 10 })).map(({ seq }) => seq)).toEqual([8]);
  });

  it('is not confused with one that took its number', async () => {
    const { one, store, other } = await two();
    run(one.path, 'DELETE FROM checkpoints; DELETE FROM log_entries; DELETE FROM executions');
    await other.commit(batch(startExecution('exec_2')));
    expect(rows(one.path, 'SELECT log_id FROM executions')).toEqual([{ log_id: 1 }]);
    expect(await store.commit(batch(step('exec_1', 2)))).toEqual([{ reason: 'sequence', executionId: 'exec_1' }]);
    expect(await store.execution('exec_2')).toMatchObject({ seq: 2 });
    expect(await logOf(store, 'exec_2')).toHaveLength(2);
  });
});

describe('entries whose execution was deleted', () => {
  it('keep their number, and are skipped in the log of all executions', async () => {
    const { path, open } = sqliteDatabase();
    const store = await open();
    const start = await store.log.end();
    await store.commit(batch(startExecution('exec_1')));
    run(path, 'DELETE FROM checkpoints; DELETE FROM executions');
    expect(await store.commit(batch(startExecution('exec_2')))).toEqual([null]);
    expect(rows(path, 'SELECT log_id FROM executions')).toEqual([{ log_id: 2 }]);
    expect((await store.log.after(start, { limit: 10 })).events.map(({ executionId }) => executionId)).toEqual([
      'exec_2',
      'exec_2',
    ]);
  });
});

describe('a damaged entry', () => {
  it('does not stop the log of all executions', async () => {
    const { path, open } = sqliteDatabase();
    const store = await open();
    const start = await store.log.end();
    await store.commit(batch(startExecution('exec_1'), startExecution('exec_2')));
    run(path, "UPDATE log_entries SET body = 'x', actor = 99 WHERE log_id = 1");
    const { events: logged, end } = await store.log.after(start, { limit: 10 });
    expect(logged.map(({ executionId, seq, type }) => `${executionId} ${seq} ${type}`)).toEqual([
      'exec_1 1 damaged',
      'exec_1 2 damaged',
      'exec_2 1 node_completed',
      'exec_2 2 node_completed',
    ]);
    expect(end).toBe(true);
    await expect(store.events('exec_1', { after: 0, limit: 10 })).rejects.toThrow(/damaged/);
  });

  it.each([1e12, 300, 0, -3])('whose number of events is %d hides no other entry', async (count) => {
    const { path, open } = sqliteDatabase();
    const store = await open();
    const start = await store.log.end();
    await store.commit(batch(startExecution('exec_1')));
    await store.commit(batch(startExecution('exec_2')));
    run(path, `UPDATE log_entries SET events = ${count} WHERE log_id = 1`);
    const { events: logged, end } = await store.log.after(start, { limit: 10 });
    expect(logged.filter(({ executionId }) => executionId === 'exec_2').map(({ seq }) => seq)).toEqual([1, 2]);
    expect(end).toBe(true);
    const { entries } = await store.audit.find('default', { type: 'node_completed' }, { limit: 2, offset: 0, after: null });
    for await (const { executionId } of entries) expect(executionId).toBe('exec_2');
    expect((await store.verifyAudit()).fault).toMatchObject({ reason: 'stream_digest', executionId: 'exec_1' });
    await expect(store.events('exec_1', { after: 0, limit: 10 })).rejects.toThrow(/damaged/);
  });
});
