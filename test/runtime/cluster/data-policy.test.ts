import { Client } from 'pg';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../machines/json.ts';
import { createRuntime } from '../../../src/runtime/index.ts';
import { StoreError } from '../../../store/port/errors.ts';
import { FakeClock } from '../../support/clock.ts';
import { openCluster, waitUntil } from '../../support/cluster.ts';
import { type PostgresDatabase, postgresDatabase, postgresServer } from '../../support/postgres.ts';
import { databaseName, withClient } from '../../support/postgres-server.ts';
import { CALLER } from '../../support/runtimes.ts';
import { withOverrides } from '../../support/stores.ts';
import { leavePersonalData, MARKERS, TABLES } from '../erasure/personal-data.ts';

const server = postgresServer();
const EMAIL = 'ann.smith@example.com';
const NAME = 'Ann Wilhelmina Smith';
const POLICY = { pii_fields: ['$.patient.name'], pii_detectors: ['email'] };

const workflow: JsonObject = {
  workflow_id: 'intake',
  version: '1',
  data_policy: POLICY,
  nodes: {
    first: { kind: { type: 'tool', tool_ref: 'echo', output_key: 'out' } },
    ask: { kind: { type: 'human_approval', description: 'Write to {{ state.patient.name }}?' } },
    second: { kind: { type: 'tool', tool_ref: 'echo', output_key: 'again' } },
  },
  edges: [
    { from: 'first', to: 'ask' },
    { from: 'ask', to: 'second' },
  ],
};
const input = { patient: { name: NAME }, note: `write to ${EMAIL}`, filler: 'x'.repeat(9_000) };

/** As a superuser, whom row-level security does not keep from the statistics. */
async function withSuperuser<T>(database: PostgresDatabase, run: (client: Client) => Promise<T>): Promise<T> {
  const url = new URL(server().url);
  url.pathname = databaseName(await database.url());
  return withClient(url.href, run);
}

/** All rows of each table, and the statistics of the planner, as text. */
function tablesOf(database: PostgresDatabase): Promise<ReadonlyMap<string, string>> {
  return withSuperuser(database, async (client) => {
    const { rows } = await client.query<{ name: string }>(
      "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'",
    );
    const texts = new Map<string, string>();
    for (const name of [...rows.map((table) => table.name), 'pg_stats']) {
      const found = await client.query<{ row: string }>(`SELECT t::text AS row FROM "${name}" t`);
      texts.set(name, found.rows.map(({ row }) => row).join('\n'));
    }
    return texts;
  });
}

/** Every row of every table but `except`, as text. */
async function rowsOf(database: PostgresDatabase, except: readonly string[]): Promise<string> {
  return [...(await tablesOf(database))].flatMap(([name, text]) => (except.includes(name) ? [] : [text])).join('\n');
}

describe('an execution with a data policy, on PostgreSQL', () => {
  it('goes on at another runtime with the original values, and leaves personal data in no row', async () => {
    const database = postgresDatabase(server);
    const { join } = openCluster(database);
    const seen: unknown[] = [];
    const tools = {
      echo(given: unknown) {
        seen.push(given);
        return given;
      },
    };
    const a = await join({ tools });
    const id = await a.run(workflow, input);
    expect((await a.settled(id)).status).toBe('paused');
    const live = await rowsOf(database, ['original_events', 'checkpoints', 'artifacts']);
    for (const secret of [EMAIL, NAME]) expect(live.includes(secret)).toBe(false);

    const b = await join({ tools });
    await b.runtime.approve(CALLER, id, { decision: 'approved' });
    expect(await b.settled(id)).toMatchObject({ status: 'completed', state: { patient: { name: '[REDACTED]' } } });
    expect(seen).toHaveLength(2);
    expect(seen[1]).toMatchObject({ patient: { name: NAME } });
    await waitUntil(async () => (await a.store.erasures.pending({ after: '', limit: 1 })).length === 0);
    const rows = await rowsOf(database, []);
    for (const secret of [EMAIL, NAME]) expect(rows.includes(secret)).toBe(false);
    expect((await a.store.verifyAudit()).fault).toBeNull();
    for (const { runtime } of [a, b]) {
      expect(await runtime.execution('default', id)).toMatchObject({
        status: 'completed',
        state: { patient: { name: '[REDACTED]' } },
      });
      await expect(runtime.stateAt('default', id, 1)).rejects.toMatchObject({ code: 'redacted' });
    }
    expect([...a.errors, ...b.errors]).toEqual([]);
  });

  it('that went everywhere leaves personal data in no table, nor in the statistics of one', async () => {
    const database = postgresDatabase(server);
    const clock = new FakeClock();
    const store = await database.open({ nowMs: () => clock.nowMs() });
    await leavePersonalData({ store, clock }, () =>
      withSuperuser(database, async (client) => void (await client.query('ANALYZE'))),
    );
    const { pg_stats, ...tables } = Object.fromEntries(await tablesOf(database));
    expect(Object.keys(tables).sort()).toEqual(Object.keys(TABLES.postgres).sort());
    const found = Object.entries({ ...tables, pg_stats }).flatMap(([name, text = '']) =>
      MARKERS.filter((marker) => text.includes(marker)).map((marker) => `${name}: ${marker}`),
    );
    expect(found).toEqual([]);
    expect(pg_stats?.includes('original_events,execution_id')).toBe(true);
    const digests = await withSuperuser(database, (client) => client.query("SELECT 1 FROM idempotency WHERE request_hash <> ''"));
    expect(digests.rows).toEqual([]);
  });

  it('is erased by another runtime when its own is lost', async () => {
    const database = postgresDatabase(server);
    const cluster = openCluster(database);
    const a = await cluster.join({ tools: { echo: (given: unknown) => given } });
    const b = await cluster.join();
    const id = await a.run(workflow, input);
    await a.settled(id);
    // What it would erase is locked; its connection breaks meanwhile, and its clock, by which it would try again, stands still.
    const client = new Client({ connectionString: await database.url() });
    await client.connect();
    await client.query('BEGIN');
    await client.query('LOCK TABLE original_events IN SHARE MODE');
    a.freeze();
    await a.runtime.cancel(CALLER, id);
    const terminated =
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
    await waitUntil(async () => (await client.query(terminated)).rows.length > 0);
    await waitUntil(() => a.errors.length > 0);
    await client.query('COMMIT');
    expect(await b.store.erasures.originals(id, 1, 99)).not.toEqual([]);
    await client.end();
    await cluster.advance(60_000);
    await waitUntil(async () => (await b.store.erasures.pending({ after: '', limit: 1 })).length === 0);
    const rows = await rowsOf(database, []);
    for (const secret of [EMAIL, NAME]) expect(rows.includes(secret)).toBe(false);
  });

  it('is erased when the reply to the commit that ended it was lost', async () => {
    const real = await postgresDatabase(server).open();
    let isLost = false;
    const store = withOverrides(real, {
      async commit(batch) {
        const reply = await real.commit(batch);
        if (isLost) throw new StoreError('store_unavailable', 'the database became unreachable during a commit');
        return reply;
      },
    });
    const runtime = await createRuntime({ store, tools: { echo: (given: unknown) => given }, clock: new FakeClock() });
    await runtime.register(CALLER, workflow);
    const { executionId } = await runtime.start(CALLER, { workflowId: 'intake', input });
    expect((await runtime.settled('default', executionId)).status).toBe('paused');
    isLost = true;
    await expect(runtime.cancel(CALLER, executionId)).rejects.toMatchObject({ code: 'store_unavailable' });
    await waitUntil(async () => (await real.erasures.pending({ after: '', limit: 1 })).length === 0);
    expect(await real.erasures.originals(executionId, 1, 99)).toEqual([]);
    isLost = false;
    await runtime.close(0);
  });
});
