import { Client } from 'pg';
import { describe, expect, it } from 'vitest';
import { readMigrations } from '../../../store/migrate.ts';
import { openPostgres } from '../../../store/postgres/open.ts';
import { postgresServer } from '../../support/postgres.ts';
import { AT_MS, batch, begin } from '../writes.ts';

const server = postgresServer();

async function asked(url: string, query: string): Promise<readonly unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<Record<string, unknown>>(query);
  await client.end();
  return rows;
}

function byName(a: { readonly name: string } | undefined, b: { readonly name: string } | undefined): number {
  return (a?.name ?? '') < (b?.name ?? '') ? -1 : 1;
}

describe('an empty database', () => {
  it('is migrated once, however many processes open it at once', async () => {
    const url = await server().createDatabase();
    const open = (_: unknown, index: number) => openPostgres({ url, nowMs: () => AT_MS, poolSize: 2, writer: `rt_${index}` });
    const stores = await Promise.all(Array.from({ length: 20 }, open));
    const migrations = readMigrations(new URL('../../../store/postgres/migrations/', import.meta.url));
    expect(await asked(url, 'SELECT version, name FROM schema_migrations ORDER BY version')).toEqual(
      migrations.map(({ version, name }) => ({ version, name })),
    );
    const answers = await Promise.all(stores.map((store, index) => store.commit(batch(begin(`exec_${index}`)))));
    expect(answers).toEqual(stores.map(() => [null]));
    expect(await stores[0]?.verifyAudit()).toMatchObject({ blocks: 20, fault: null });
    await Promise.all(stores.map((store) => store.close()));
  });
});

describe('the function that commits', () => {
  it('is made by whoever opens the database first and has none, beside those of other releases', async () => {
    const url = await server().createMigrated();
    const named = "SELECT proname AS name FROM pg_proc WHERE proname LIKE 'jamjet\\_commit\\_%'";
    const [own] = (await asked(url, named)) as readonly { readonly name: string }[];
    await asked(url, `ALTER FUNCTION ${own?.name} RENAME TO jamjet_commit_of_another_release`);
    const stores = await Promise.all([1, 2, 3].map((n) => openPostgres({ url, nowMs: () => AT_MS, writer: `rt_${n}` })));
    for (const [index, store] of stores.entries()) expect(await store.commit(batch(begin(`exec_${index}`)))).toEqual([null]);
    await Promise.all(stores.map((store) => store.close()));
    expect(await asked(url, `${named} ORDER BY 1`)).toEqual([own, { name: 'jamjet_commit_of_another_release' }].sort(byName));
  });
});

describe('openPostgres', () => {
  it('refuses a database that a later release has changed, and leaves it as it is', async () => {
    const url = await server().createMigrated();
    await asked(url, "INSERT INTO schema_migrations (version, name, applied_at_ms) VALUES (99, 'future', 0)");
    const refused = openPostgres({ url, nowMs: () => AT_MS });
    await expect(refused).rejects.toMatchObject({ name: 'StoreError', code: 'schema_too_new' });
    await expect(refused).rejects.toThrow(/version 99/);
  });

  it('names the database that it cannot reach, without its password', async () => {
    const url = `postgres://someone:s3cret@127.0.0.1:${server().port}/nowhere`;
    const refused = openPostgres({ url, nowMs: () => AT_MS });
    await expect(refused).rejects.toMatchObject({ name: 'StoreError', code: 'store_unavailable' });
    await expect(refused).rejects.toThrow(/someone@127\.0\.0\.1:\d+\/nowhere/);
    await expect(refused).rejects.not.toThrow(/s3cret/);
  });
});
