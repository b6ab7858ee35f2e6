import { hash } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { Client } from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Artifact } from '../../../store/port/resources/artifacts.ts';
import type { Store } from '../../../store/port/store.ts';
import { CALL_COMMIT_FUNCTION } from '../../../store/postgres/commit/commit-functions.ts';
import { sql } from '../../../store/postgres/connections.ts';
import { waitUntil } from '../../support/cluster.ts';
import { type Cut, CuttingProxy } from '../../support/cutting-proxy.ts';
import { postgresDatabase, postgresServer } from '../../support/postgres.ts';
import { Random } from '../../support/random.ts';
import { AT_MS, batch, context, startExecution, step } from '../writes.ts';

const server = postgresServer();

const EXECUTIONS = ['exec_1', 'exec_2', 'exec_3', 'exec_4'] as const;
const MONTH = '2026-01';
/** Every commit adds the same number of rows to each of these tables, so a commit that was applied twice would show. */
const TRACES = {
  usage: { month: MONTH, tokens: 1, costUsd: 0 },
  send: [{ toExecutionId: 'exec_9', message: '{}' }],
};

function artifact(text: string): Artifact {
  const content = Buffer.from(text);
  return { hash: hash('sha256', content, 'hex'), mediaType: null, size: content.length, createdAtMs: AT_MS, content };
}

interface Proxied {
  /** The URL of the database through the proxy. */
  readonly store: Store;
  readonly direct: Store;
  readonly client: Client;
  readonly proxy: CuttingProxy;
}

async function proxied(next: () => Cut | null): Promise<Proxied> {
  const database = postgresDatabase(server);
  const direct = await database.open({ writer: 'direct' });
  const url = await database.url();
  const proxy = new CuttingProxy(server().port, [sql('COMMIT').name, CALL_COMMIT_FUNCTION.name], next);
  const port = await proxy.listen();
  onTestFinished(() => proxy.close());
  const store = await database.open({ url: url.replace(`:${server().port}/`, `:${port}/`), writer: 'rt_1' });
  const client = new Client({ connectionString: url });
  await client.connect();
  onTestFinished(() => client.end());
  return { store, direct, client, proxy };
}

/** Lets a few commits pass, then cuts the connection during one. */
function cuts(random: Random, places: readonly Cut['at'][]): () => Cut | null {
  return () => {
    if (random.chance(0.4)) return null;
    const at = random.pick(places);
    if (at === 'within') return { at, share: random.fraction() };
    return at === 'late' ? { at, commitsLater: random.between(1, 3) } : { at };
  };
}

async function count(client: Client, query: string): Promise<number> {
  const { rows } = await client.query<{ count: string }>(`SELECT count(*) FROM ${query}`);
  return Number(rows[0]?.count);
}

describe('a connection that breaks around a commit', () => {
  it.each([1, 2, 3, 4])('loses no result, and applies nothing twice (seed %i)', async (seed) => {
    const random = new Random(seed);
    // With an offloaded payload, the commit is a transaction of several statements; otherwise it is one statement.
    const offloadedIn = (round: number) => (seed % 2 === 0 ? { offloaded: [artifact(`${seed} ${round}`)] } : {});
    let cutting = false;
    const next = cuts(random, ['before', 'after', 'within', 'late']);
    const { store, direct, client, proxy } = await proxied(() => (cutting ? next() : null));
    await store.commit(batch(...EXECUTIONS.map((id) => startExecution(id, TRACES))));
    cutting = true;
    const at = new Map<string, number>(EXECUTIONS.map((id) => [id, 2]));
    let applied = EXECUTIONS.length;
    for (let round = 0; round < 40; round += 1) {
      const ids = EXECUTIONS.filter(() => random.chance(0.5));
      const answers = await store.commit(
        batch(...ids.map((id) => step(id, at.get(id) ?? 0, { ...TRACES, ...offloadedIn(round) }))),
      );
      expect(answers).toEqual(ids.map(() => null));
      for (const id of ids) at.set(id, (at.get(id) ?? 0) + 2);
      applied += ids.length;
      expect(await Promise.all(ids.map(async (id) => (await direct.execution(id))?.seq))).toEqual(ids.map((id) => at.get(id)));
    }
    await proxy.release();
    expect(proxy.cuts).toBeGreaterThan(20);
    for (const [id, seq] of at) {
      const { rows } = await direct.events(id, { after: 0, limit: 1_000 });
      expect(rows.map((event) => event.seq)).toEqual(Array.from({ length: seq }, (_, index) => index + 1));
    }
    expect(await direct.tenants.usage('default', MONTH)).toMatchObject({ tokens: applied });
    expect(await count(client, 'inbox')).toBe(applied);
    expect((await direct.verifyAudit()).fault).toBeNull();
  });

  it('does not make a control action fail that has already succeeded', async () => {
    // Not late in the action: it locks the tenant's log, and the server keeps the lock until it ends the session.
    const next = cuts(new Random(5), ['before', 'after', 'within']);
    const { store, direct, client, proxy } = await proxied(next);
    const tenant = { name: 'Tenant', status: 'active', policy: null, limits: null, createdAtMs: AT_MS } as const;
    for (let n = 0; n < 30; n += 1) await store.tenants.create({ ...tenant, id: `t${n}` }, context());
    expect(proxy.cuts).toBeGreaterThan(10);
    expect(await count(client, "tenants WHERE id LIKE 't%'")).toBe(30);
    expect(await count(client, 'control_events')).toBe(30);
    expect(await count(client, 'control_events WHERE seq > 30')).toBe(0);
    expect((await direct.verifyAudit()).fault).toBeNull();
  });

  it('is resolved once the database accepts connections again', async () => {
    let cut: Cut | null = null;
    const { store, direct, client, proxy } = await proxied(() => {
      const once = cut;
      cut = null;
      return once;
    });
    await store.commit(batch(startExecution('exec_1')));
    const { rows } = await client.query<{ name: string }>('SELECT current_database() AS name');
    const limit = (most: number) => client.query(`ALTER DATABASE ${rows[0]?.name} CONNECTION LIMIT ${most}`);
    // As when all servers reconnect at once after a failover.
    await limit(0);
    cut = { at: 'after' };
    const committing = store.commit(batch(step('exec_1', 2)));
    await waitUntil(() => proxy.cuts === 1);
    // Long enough for the first attempt to be rejected; if it is not, the test shows nothing.
    await setTimeout(300);
    await limit(-1);
    expect(await committing).toEqual([null]);
    expect(await direct.execution('exec_1')).toMatchObject({ seq: 4 });
  });

  it('cannot apply a commit late that was retried meanwhile', async () => {
    let cut: Cut | null = null;
    const { store, direct, client, proxy } = await proxied(() => {
      const once = cut;
      cut = null;
      return once;
    });
    await store.commit(batch(startExecution('exec_1', TRACES)));
    cut = { at: 'late', commitsLater: 1_000 };
    expect(await store.commit(batch(step('exec_1', 2, TRACES)))).toEqual([null]);
    expect(proxy.cuts).toBe(1);
    await proxy.release();
    expect(await direct.execution('exec_1')).toMatchObject({ seq: 4 });
    expect(await count(client, 'inbox')).toBe(2);
  });
});

describe('a connection that timed out', () => {
  it('is not given to the next waiting query', async () => {
    const database = postgresDatabase(server);
    const store = await database.open({ poolSize: 1, statementTimeoutMs: 2_000 });
    await store.commit(batch(startExecution('exec_1')));
    const client = new Client({ connectionString: await database.url() });
    await client.connect();
    onTestFinished(() => client.end());
    await client.query('BEGIN');
    await client.query('LOCK TABLE executions');
    const [hanging, waiting] = [store.execution('exec_1'), store.execution('exec_1')];
    await expect(hanging).rejects.toMatchObject({ code: 'store_unavailable' });
    await client.query('ROLLBACK');
    expect(await waiting).toMatchObject({ seq: 2 });
  });
});
