import { Client } from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openPostgres } from '../../../store/postgres/open.ts';
import { waitUntil } from '../../support/cluster.ts';
import { privatePostgresServer } from '../../support/postgres.ts';
import { context } from '../writes.ts';

const server = privatePostgresServer();

describe('a database that was demoted to a standby', () => {
  it('can be read, and keeps no connection of failed LISTEN attempts', async () => {
    const failures: string[] = [];
    const url = await server().createMigrated();
    const store = await openPostgres({ url, nowMs: Date.now, onError: ({ message }) => failures.push(message) });
    onTestFinished(() => store.close());
    const rejectedListens = (): number => failures.filter((message) => message.includes('LISTEN')).length;
    store.subscribe(() => {});
    await server().restartAsStandby();
    await waitUntil(() => rejectedListens() >= 3, 30_000);
    expect(await store.execution('exec_1')).toBeNull();
    const client = new Client({ connectionString: server().url });
    await client.connect();
    onTestFinished(() => client.end());
    const listening = async (): Promise<number> => {
      const { rows } = await client.query(
        "SELECT 1 FROM pg_stat_activity WHERE application_name = 'jamjet' AND query LIKE 'LISTEN%'",
      );
      return rows.length;
    };
    // The last connection may be closing.
    await waitUntil(async () => (await listening()) === 0);
    await expect(
      store.tenants.create({ id: 't', name: 'T', status: 'active', policy: null, limits: null, createdAtMs: 0 }, context()),
    ).rejects.toMatchObject({ code: 'store_read_only' });
  });
});
