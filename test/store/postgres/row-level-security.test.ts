import { Client, type QueryResultRow } from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Connections, sql } from '../../../store/postgres/connections.ts';
import { postgresDatabase, postgresServer } from '../../support/postgres.ts';
import { AT_MS, batch, context, startExecution, startWithWork, token, workItem } from '../writes.ts';

const server = postgresServer();

/** An open store with rows of two tenants, and a connection of the tables' owner. */
async function connected(): Promise<Client> {
  const database = postgresDatabase(server);
  const store = await database.open();
  for (const tenantId of ['acme', 'beta']) {
    const tenant = { id: tenantId, name: tenantId, status: 'active', policy: null, limits: null, createdAtMs: AT_MS } as const;
    await store.tenants.create(tenant, context());
    await store.commit(batch({ ...startWithWork(`exec_${tenantId}`, workItem(`w_${tenantId}`)), tenantId }));
    await store.control({ type: 'token_created', token: token(`t_${tenantId}`, { tenantId }) }, context({ tenantId }));
  }
  await store.heartbeat({
    ...{ id: 'rt_1', tenantId: null, kind: 'runtime', queues: [], tools: null, atMs: AT_MS, claimed: 0 },
    actor: { actorId: 'rt_1', actorType: 'system', request: null },
  });
  const client = new Client({ connectionString: await database.url() });
  await client.connect();
  onTestFinished(() => client.end());
  return client;
}

async function as<Row extends QueryResultRow>(client: Client, tenantId: string, statement: string): Promise<readonly Row[]> {
  await client.query('BEGIN');
  await client.query("SELECT set_config('jamjet.tenant', $1, true)", [tenantId]);
  try {
    return (await client.query<Row>(statement)).rows;
  } finally {
    await client.query('ROLLBACK');
  }
}

async function ids(client: Client, tenantId: string, table: string): Promise<readonly string[]> {
  const rows = await as<{ id: string }>(client, tenantId, `SELECT id FROM ${table} ORDER BY id`);
  return rows.map((row) => row.id);
}

describe('row-level security', () => {
  it('applies to the role of the tests, which owns the tables and is not a superuser', async () => {
    const client = await connected();
    const { rows } = await client.query('SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user');
    expect(rows).toEqual([{ rolsuper: false, rolbypassrls: false }]);
  });

  it('is enabled on every table with a tenant', async () => {
    const client = await connected();
    const { rows } = await client.query<{ name: string }>(`SELECT c.relname AS name FROM pg_class c
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
      WHERE c.relkind = 'r' AND NOT (c.relrowsecurity AND c.relforcerowsecurity
        AND EXISTS (SELECT 1 FROM pg_policies p WHERE p.tablename = c.relname AND p.cmd = 'ALL'))`);
    expect(rows).toEqual([]);
  });

  it('shows a tenant its own rows, even if the statement names no tenant', async () => {
    const client = await connected();
    expect(await ids(client, 'acme', 'executions')).toEqual(['exec_acme']);
    expect(await ids(client, 'acme', 'work_items')).toEqual(['w_acme']);
    expect(await ids(client, 'acme', 'tokens')).toEqual(['t_acme']);
    expect(await ids(client, 'acme', 'tenants')).toEqual(['acme']);
    for (const table of ['log_entries', 'log_actors', 'control_events'])
      expect(await as(client, 'acme', `SELECT DISTINCT tenant_id FROM ${table}`)).toEqual([{ tenant_id: 'acme' }]);
    expect(await ids(client, 'gamma', 'executions')).toEqual([]);
  });

  it('applies to the store’s reads of a tenant', async () => {
    const database = postgresDatabase(server);
    const store = await database.open();
    await store.commit(batch({ ...startExecution('exec_acme'), tenantId: 'acme' }));
    const settings = { poolSize: 1, statementTimeoutMs: 5_000, readTimeoutMs: 5_000, connectTimeoutMs: 5_000 };
    const url = await database.url();
    const connections = new Connections({ url, listenUrl: url, ...settings }, () => {});
    onTestFinished(() => connections.close());
    const everything = sql('SELECT id FROM executions');
    expect(await connections.asTenant('acme', everything)).toEqual([{ id: 'exec_acme' }]);
    expect(await connections.asTenant('beta', everything)).toEqual([]);
    expect(await connections.query(everything)).toEqual([{ id: 'exec_acme' }]);
    await expect(connections.asTenant('', everything)).rejects.toThrow('needs its id');
  });

  it('lets a tenant change its own rows only', async () => {
    const client = await connected();
    expect(await as(client, 'acme', "UPDATE executions SET status = 'paused' RETURNING id")).toEqual([{ id: 'exec_acme' }]);
    expect(await as(client, 'acme', 'DELETE FROM tokens RETURNING id')).toEqual([{ id: 't_acme' }]);
    const stray = "UPDATE executions SET tenant_id = 'beta' WHERE id = 'exec_acme'";
    await expect(as(client, 'acme', stray)).rejects.toThrow('row-level security');
    const strange = "INSERT INTO revisions (tenant_id, hash, source, created_at_ms) VALUES ('beta', 'h', '{}', 0)";
    await expect(as(client, 'acme', strange)).rejects.toThrow('row-level security');
  });

  it('shows runtimes to every tenant', async () => {
    const client = await connected();
    expect(await ids(client, 'acme', 'workers')).toEqual(['rt_1']);
  });

  it('shows all rows when no tenant is set, also after one was', async () => {
    const client = await connected();
    const all = ['exec_acme', 'exec_beta'];
    const seen = async () => (await client.query('SELECT id FROM executions ORDER BY id')).rows.map((row) => row.id);
    expect(await seen()).toEqual(all);
    await ids(client, 'acme', 'executions');
    expect(await seen()).toEqual(all);
  });
});
