import { Client } from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Store } from '../../../store/port/store.ts';
import { BEGIN_WRITER } from '../../../store/postgres/queries/positions.ts';
import { type PostgresDatabase, postgresDatabase, postgresServer } from '../../support/postgres.ts';
import { AT_MS, batch, context, startExecution, step } from '../writes.ts';

const server = postgresServer();

async function connected(database: PostgresDatabase): Promise<Client> {
  const client = new Client({ connectionString: await database.url() });
  await client.connect();
  onTestFinished(() => client.end());
  return client;
}

/** A separate writer that has taken a position and has not committed yet. */
async function slowWriter(database: PostgresDatabase): Promise<Client> {
  const client = await connected(database);
  await client.query('BEGIN');
  await client.query(BEGIN_WRITER.text, ['slow']);
  await client.query(`INSERT INTO events (execution_id, seq, tenant_id, type, at_ms, actor_id, actor_type, data)
    VALUES ('a', 3, 'default', 'node_completed', 0, 'x', 'system', '{}')`);
  return client;
}

/** Resolves once another transaction waits for the writer. */
async function waitedFor(client: Client): Promise<void> {
  for (;;) {
    const { rows } = await client.query<{ waiting: boolean }>(
      `SELECT EXISTS (SELECT 1 FROM pg_locks JOIN pg_database d ON d.oid = database
        WHERE d.datname = current_database() AND locktype = 'advisory' AND NOT granted) AS waiting`,
    );
    if (rows[0]?.waiting === true) return;
  }
}

async function following(store: Store, from: string, until: number): Promise<readonly string[]> {
  const seen: string[] = [];
  for (let at = from; seen.length < until; ) {
    const slice = await store.log.after(at, { limit: 7 });
    seen.push(...slice.entries.map(({ executionId, seq }) => `${executionId} ${seq}`));
    at = slice.position;
  }
  return seen;
}

describe('the log of many writers', () => {
  it('waits for a transaction that took an earlier position than a committed one', async () => {
    const database = postgresDatabase(server);
    const store = await database.open();
    await store.commit(batch(startExecution('a'), startExecution('b')));
    const start = await store.log.end();
    const slow = await slowWriter(database);
    await store.commit(batch(step('b', 2)));
    const slice = store.log.after(start, { limit: 10 });
    await waitedFor(slow);
    await slow.query('COMMIT');
    expect((await slice).entries.map(({ executionId, seq }) => `${executionId} ${seq}`)).toEqual(['a 3', 'b 3', 'b 4']);
  });

  it('skips positions of rolled back transactions', async () => {
    const database = postgresDatabase(server);
    const store = await database.open();
    await store.commit(batch(startExecution('a'), startExecution('b')));
    const start = await store.log.end();
    const slow = await slowWriter(database);
    await store.commit(batch(step('b', 2)));
    const end = store.log.end();
    await waitedFor(slow);
    await slow.query('ROLLBACK');
    expect((await store.log.after(start, { limit: 10 })).entries.map(({ executionId }) => executionId)).toEqual(['b', 'b']);
    expect((await store.log.after(await end, { limit: 10 })).entries).toEqual([]);
  });

  it('does not wait for transactions of other programs', async () => {
    const database = postgresDatabase(server);
    const store = await database.open();
    const other = await connected(database);
    await other.query('BEGIN');
    await other.query('CREATE TABLE elsewhere (id integer)');
    const start = await store.log.end();
    await store.commit(batch(startExecution('a')));
    expect((await store.log.after(start, { limit: 10 })).entries).toHaveLength(2);
    await other.query('ROLLBACK');
  });

  it('returns each event once, and those of an execution in order, during concurrent writes', async () => {
    const database = postgresDatabase(server);
    const stores = await Promise.all([1, 2, 3].map((n) => database.open({ writer: `rt_${n}` })));
    const [reader] = stores;
    if (reader === undefined) throw new Error('no store');
    const start = await reader.log.end();
    const rounds = 12;
    const writing = stores.map(async (store, n) => {
      const ids = [0, 1, 2].map((each) => `exec_${n}_${each}`);
      await store.commit(batch(...ids.map((id) => startExecution(id))));
      for (let round = 1; round < rounds; round += 1)
        await Promise.all(ids.map((id) => store.commit(batch(step(id, round * 2)))));
    });
    const total = stores.length * 3 * rounds * 2;
    const seen = await following(reader, start, total);
    await Promise.all(writing);
    expect(seen).toHaveLength(total);
    for (const id of new Set(seen.map((each) => each.split(' ')[0]))) {
      const seqs = seen.filter((each) => each.startsWith(`${id} `)).map((each) => Number(each.split(' ')[1]));
      expect(seqs).toEqual(Array.from({ length: rounds * 2 }, (_, index) => index + 1));
    }
  });

  it('keeps its positions when rows are removed', async () => {
    const database = postgresDatabase(server);
    const store = await database.open();
    await store.commit(
      batch(startExecution('a'), startExecution('b', { progress: { status: 'completed', completedAtMs: AT_MS } })),
    );
    const end = await store.log.end();
    await store.retention.remove({ after: null, endedBeforeMs: AT_MS + 1 }, context());
    await store.commit(batch(startExecution('c')));
    expect((await store.log.after(end, { limit: 10 })).entries.map(({ executionId }) => executionId)).toEqual(['c', 'c']);
  });
});

describe('deliveries of several processes', () => {
  it('have exactly one ready delivery per execution, during concurrent additions and attempts', async () => {
    const database = postgresDatabase(server);
    const [adding, sending] = await Promise.all([database.open({ writer: 'rt_1' }), database.open({ writer: 'rt_2' })]);
    const webhook = { id: 'w', tenantId: 'default', url: 'https://example.com/', events: ['*'], workflowId: null } as const;
    await adding.webhooks.create({ ...webhook, description: null, enabled: true, secret: 's' }, 1, context());
    const add = async (seq: number): Promise<void> => {
      const at = (await adding.webhooks.cursor()) ?? '';
      const delivery = { id: `d${String(seq).padStart(3, '0')}`, webhookId: 'w', executionId: 'a', seq, type: 'x' };
      expect(await adding.webhooks.enqueue({ from: at, to: at, deliveries: [delivery], nowMs: AT_MS })).toBe(true);
    };
    await add(1);
    const done = { webhookId: 'w', executionId: 'a', atMs: AT_MS, httpStatus: 200, error: null, nextAttemptAtMs: null } as const;
    for (let seq = 2; seq <= 40; seq += 1) {
      const [turn] = await sending.webhooks.readyDeliveries('w', 10);
      const attempt = { ...done, deliveryId: turn?.id ?? '', status: 'delivered' } as const;
      await Promise.all([add(seq), sending.webhooks.recordAttempts([attempt])]);
      expect((await sending.webhooks.readyDeliveries('w', 10)).map((each) => each.seq)).toEqual([seq]);
    }
  });
});
