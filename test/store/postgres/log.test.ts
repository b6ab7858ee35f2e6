import { Client } from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import { encodeEntries } from '../../../store/log/encode.ts';
import { MAX_EVENTS } from '../../../store/log/entry.ts';
import type { Store } from '../../../store/port/store.ts';
import { PREFER_INDEXES, type Sql } from '../../../store/postgres/connections.ts';
import { ENTRY_OF, ENTRY_RANGES, IN_ORDER, pageOfAuditedOf } from '../../../store/postgres/queries/audit.ts';
import { listEntries } from '../../../store/postgres/queries/log.ts';
import { BEGIN_WRITER } from '../../../store/postgres/queries/positions.ts';
import { type PostgresDatabase, postgresDatabase, postgresServer } from '../../support/postgres.ts';
import { AT_MS, batch, context, event, startExecution, step } from '../writes.ts';

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
  const [entry] = encodeEntries([event(3)]);
  await client.query(
    `INSERT INTO log_entries (position, log_id, at_ms, seq, actor, events, tenant_id, types, body)
    SELECT nextval('log_positions'), log_id, 0, 3, 0, 1, 'default', 'L', $1 FROM executions WHERE id = 'a'`,
    [entry?.body],
  );
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
    seen.push(...slice.events.map(({ executionId, seq }) => `${executionId} ${seq}`));
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
    expect((await slice).events.map(({ executionId, seq }) => `${executionId} ${seq}`)).toEqual(['a 3', 'b 3', 'b 4']);
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
    expect((await store.log.after(start, { limit: 10 })).events.map(({ executionId }) => executionId)).toEqual(['b', 'b']);
    expect((await store.log.after(await end, { limit: 10 })).events).toEqual([]);
  });

  it('does not wait for transactions of other programs', async () => {
    const database = postgresDatabase(server);
    const store = await database.open();
    const other = await connected(database);
    await other.query('BEGIN');
    await other.query('CREATE TABLE elsewhere (id integer)');
    const start = await store.log.end();
    await store.commit(batch(startExecution('a')));
    expect((await store.log.after(start, { limit: 10 })).events).toHaveLength(2);
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
    expect((await store.log.after(end, { limit: 10 })).events.map(({ executionId }) => executionId)).toEqual(['c', 'c']);
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

interface PlanNode {
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly Plans?: readonly PlanNode[];
}

/** The entries that a statement reads, whether it needs them or not. */
async function entriesRead(client: Client, { text }: Sql, values: readonly unknown[]): Promise<number> {
  const { rows } = await client.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(`EXPLAIN (ANALYZE, FORMAT JSON) ${text}`, [
    ...values,
  ]);
  const readBy = (node: PlanNode): number => {
    const own = (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops'];
    const below = (node.Plans ?? []).reduce((sum, plan) => sum + readBy(plan), 0);
    return below + (node['Relation Name'] === 'log_entries' ? own : 0);
  };
  const [plan] = rows.map((row) => row['QUERY PLAN'][0].Plan);
  return plan === undefined ? 0 : readBy(plan);
}

describe('a long log of one execution', () => {
  const LONG = 20_000;

  /** Entries of one event each, as the owner of the tables sees them: under row-level security. */
  async function longLog(): Promise<Client> {
    const database = postgresDatabase(server);
    const store = await database.open();
    const request = '{"ip":"::1"}';
    await store.commit(batch(startExecution('a', { events: [event(1, { request }), event(2, { request, actorId: 'bob' })] })));
    const client = await connected(database);
    await client.query(
      `INSERT INTO log_entries (position, log_id, at_ms, seq, actor, events, tenant_id, types, body)
      SELECT 1000000 + n, log_id, at_ms, 2 + n, actor, 1, tenant_id, types, body FROM log_entries, generate_series(1, ${LONG}) n WHERE seq = 1`,
    );
    await client.query(PREFER_INDEXES.text);
    return client;
  }

  it('is read in pages, and verified in ranges, without its other entries', async () => {
    const client = await longLog();
    const pages = listEntries({ type: false, text: false });
    for (const after of [0, LONG / 2, LONG - 50])
      expect(await entriesRead(client, pages, ['a', after, 10, 1_000_000])).toBeLessThan(300);
    const range = (first: number, last: number) => [['a'], ['default'], [first], [last], [last + MAX_EVENTS - 1]];
    for (const first of [1, LONG / 2, LONG])
      expect(await entriesRead(client, ENTRY_RANGES, range(first, first + 1))).toBeLessThan(300);
    expect(await entriesRead(client, ENTRY_OF, ['a', LONG / 2, 'default', LONG / 2 + MAX_EVENTS - 1])).toBeLessThan(300);
  });

  it('is searched in the audit log in pages, without its later entries', async () => {
    const client = await longLog();
    await client.query(IN_ORDER.text.replaceAll('true)', 'false)'));
    const page = pageOfAuditedOf({ executionId: true, type: false, actorId: false });
    const values = ['default', 0, Number.MAX_SAFE_INTEGER, 'a', LONG / 2, 0, 51];
    expect(await entriesRead(client, page, values)).toBeLessThan(300);
  });
});
