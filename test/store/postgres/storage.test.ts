import { Client } from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Store } from '../../../store/port/store.ts';
import { postgresDatabase, postgresServer } from '../../support/postgres.ts';
import { batch, context, startExecution, step } from '../writes.ts';

const server = postgresServer();
const OPERATORS = context({ tenantId: 'operators' });
const limit = (store: Store, limits: string | null) => store.tenants.update('default', { limits }, OPERATORS);

async function countedAnew(store: Store) {
  await limit(store, null);
  await store.storage.follow();
  await limit(store, '{"max_storage_bytes":1}');
  await store.storage.follow();
  await store.storage.count('default', () => true);
  return store.storage.of('default');
}

describe('storage of tenants in PostgreSQL', () => {
  it('contains what a transaction writes that began before the tenant was counted', async () => {
    const database = postgresDatabase(server);
    const store = await database.open();
    const client = new Client({ connectionString: await database.url() });
    await client.connect();
    onTestFinished(() => client.end());
    const write = (hash: string) =>
      client.query(
        `INSERT INTO artifacts (tenant_id, hash, size, pinned, created_at_ms, content) VALUES ('default', $1, 100, true, 0, '')`,
        [hash],
      );
    await client.query('BEGIN');
    await write('a');
    await limit(store, '{"max_storage_bytes":1}');
    expect(await store.storage.follow()).toEqual(['default']);
    const counting = store.storage.count('default', () => true);
    await write('b');
    expect(await store.storage.of('default')).toMatchObject({ bytes: null, isCounting: true });
    await client.query('COMMIT');
    await counting;
    expect((await store.storage.of('default'))?.byKind.artifacts).toBe(200);
    await client.query("DELETE FROM artifacts WHERE hash = 'a'");
    expect((await store.storage.of('default'))?.byKind.artifacts).toBe(100);
    expect(await countedAnew(store)).toEqual(await store.storage.of('default'));
  });

  it('makes no transaction wait for another', async () => {
    const database = postgresDatabase(server);
    const store = await database.open();
    await limit(store, '{"max_storage_bytes":1}');
    await store.storage.follow();
    await store.storage.count('default', () => true);
    const client = new Client({ connectionString: await database.url() });
    await client.connect();
    onTestFinished(() => client.end());
    await client.query('BEGIN');
    await client.query(
      `INSERT INTO artifacts (tenant_id, hash, size, pinned, created_at_ms, content) VALUES ('default', 'a', 100, true, 0, '')`,
    );
    const before = (await store.storage.of('default'))?.bytes ?? 0;
    await store.commit(batch(startExecution('exec_1')));
    const between = (await store.storage.of('default'))?.bytes ?? 0;
    expect(between).toBeGreaterThan(before);
    await client.query('COMMIT');
    expect((await store.storage.of('default'))?.bytes).toBe(between + 100);
  });

  it('is exact when several processes write, and several count', async () => {
    const database = postgresDatabase(server);
    const stores = await Promise.all(['rt_1', 'rt_2', 'rt_3'].map((writer) => database.open({ writer })));
    const [store = await database.open()] = stores;
    await limit(store, '{"max_storage_bytes":1}');
    await store.storage.follow();
    const writing = stores.map(async (each, index) => {
      for (let n = 0; n < 25; n += 1) {
        const id = `exec_${index}_${n}`;
        await each.commit(batch(startExecution(id)));
        await each.commit(batch(step(id, 2, { progress: { status: 'completed', completedAtMs: n + 1 } })));
        if (n % 5 === 4) await each.retention.remove({ after: null, endedBeforeMs: n }, context());
      }
    });
    await Promise.all([...writing, ...stores.map((each) => each.storage.count('default', () => true))]);
    const counted = await store.storage.of('default');
    expect(counted?.bytes).toBeGreaterThan(0);
    expect(await countedAnew(store)).toEqual(counted);
  });
});
