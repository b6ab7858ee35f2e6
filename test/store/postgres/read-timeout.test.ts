import { describe, expect, it, onTestFinished } from 'vitest';
import { Connections, sql } from '../../../store/postgres/connections.ts';
import { postgresDatabase, postgresServer } from '../../support/postgres.ts';

const server = postgresServer();
const FOREVER = sql('SELECT pg_sleep(3600)');
const RUNNING = sql(`SELECT count(*)::integer AS count FROM pg_stat_activity
  WHERE datname = current_database() AND state = 'active' AND query LIKE 'SELECT pg_sleep(3600)%'`);

describe('a read of a tenant that takes too long', () => {
  it('is ended by the database itself, and its connection serves others', async () => {
    const url = await postgresDatabase(server).url();
    const timeouts = { statementTimeoutMs: 60_000, readTimeoutMs: 100, connectTimeoutMs: 30_000 };
    const connections = new Connections({ url, listenUrl: url, poolSize: 1, ...timeouts }, () => {});
    onTestFinished(() => connections.close());
    const refused = { code: 'store_unavailable', message: expect.stringContaining('statement timeout') };
    await expect(connections.asTenant('acme', FOREVER)).rejects.toMatchObject(refused);
    await expect(connections.asTenantByKey('acme', FOREVER, [])).rejects.toMatchObject(refused);
    await expect(connections.snapshot('acme', (queries) => queries.query(FOREVER))).rejects.toMatchObject(refused);
    expect(await connections.query(RUNNING)).toEqual([{ count: 0 }]);
    expect(await connections.query(sql("SELECT current_setting('statement_timeout') AS timeout"))).toEqual([{ timeout: '0' }]);
  });
});
