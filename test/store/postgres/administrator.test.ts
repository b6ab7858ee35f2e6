import { Client } from 'pg';
import { describe, expect, it } from 'vitest';
import type { Store } from '../../../store/port/store.ts';
import { postgresDatabase, postgresServer } from '../../support/postgres.ts';
import { AT_MS, batch, claim, context, startWithWork, workItem } from '../writes.ts';

const server = postgresServer();

/** Several processes on one database with its own settings. */
async function processes(count: number, ...settings: readonly string[]): Promise<readonly Store[]> {
  const database = postgresDatabase(server);
  const client = new Client({ connectionString: server().url });
  await client.connect();
  const name = new URL(await database.url()).pathname.slice(1);
  for (const setting of settings) await client.query(`ALTER DATABASE ${name} SET ${setting}`);
  await client.end();
  return Promise.all(Array.from({ length: count }, (_, n) => database.open({ writer: `rt_${n}` })));
}

describe.each(['serializable', 'repeatable read'])('a database with %s as its default isolation level', (level) => {
  it('fails no commit because of concurrent ones', async () => {
    const stores = await processes(4, `default_transaction_isolation = '${level}'`);
    const items = Array.from({ length: 120 }, (_, n) => workItem(`w${n}`));
    await stores[0]?.commit(batch(startWithWork('exec_1', ...items)));
    const claimed = await Promise.all(
      stores.map(async (store, n) => {
        const mine: string[] = [];
        for (;;) {
          const some = await store.claimWork(claim({ workerId: `worker-${n}`, limit: 3 }));
          if (some.length === 0) return mine;
          mine.push(...some.map(({ id }) => id));
        }
      }),
    );
    expect(claimed.flat().sort()).toEqual(items.map(({ id }) => id).sort());
    const tenant = { name: 'T', status: 'active', policy: null, limits: null, createdAtMs: AT_MS } as const;
    const ids = Array.from({ length: 10 }, (_, n) => n);
    await Promise.all(
      stores.flatMap((store, n) => ids.map((m) => store.tenants.create({ ...tenant, id: `t-${n}-${m}` }, context()))),
    );
    expect((await stores[0]?.verifyAudit())?.fault).toBeNull();
  });
});
