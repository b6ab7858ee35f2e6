import { type AddressInfo, connect, createServer } from 'node:net';
import { Client } from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readMigrations } from '../../../store/migrate.ts';
import { openPostgres } from '../../../store/postgres/open.ts';
import { postgresVersions, surveyPostgres } from '../../../store/postgres/survey.ts';
import { freePort } from '../../support/ports.ts';
import { postgresServer } from '../../support/postgres.ts';
import { AT_MS, batch, startExecution } from '../writes.ts';

const server = postgresServer();

async function query(url: string, statement: string): Promise<readonly unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<Record<string, unknown>>(statement);
  await client.end();
  return rows;
}

const FUNCTIONS = "SELECT proname AS name FROM pg_proc WHERE proname LIKE 'jamjet\\_commit\\_%'";

async function ownFunction(url: string): Promise<string> {
  const [own] = (await query(url, FUNCTIONS)) as readonly { readonly name: string }[];
  if (own === undefined) throw new Error('there is no function');
  return own.name;
}

describe('an empty database', () => {
  it('is migrated once, however many processes open it at once', async () => {
    const url = await server().createDatabase();
    const open = (_: unknown, index: number) => openPostgres({ url, nowMs: () => AT_MS, poolSize: 2, writer: `rt_${index}` });
    const stores = await Promise.all(Array.from({ length: 20 }, open));
    const migrations = readMigrations(new URL('../../../store/postgres/migrations/', import.meta.url));
    expect(await query(url, 'SELECT version, name FROM schema_migrations ORDER BY version')).toEqual(
      migrations.map(({ version, name }) => ({ version, name })),
    );
    const answers = await Promise.all(stores.map((store, index) => store.commit(batch(startExecution(`exec_${index}`)))));
    expect(answers).toEqual(stores.map(() => [null]));
    expect(await stores[0]?.verifyAudit()).toMatchObject({ blocks: 20, fault: null });
    await Promise.all(stores.map((store) => store.close()));
  });
});

describe('the commit function', () => {
  it('is created on opening if it is missing, beside those of other releases', async () => {
    const url = await server().createMigrated();
    const own = await ownFunction(url);
    await query(url, `ALTER FUNCTION ${own} RENAME TO jamjet_commit_of_another_release`);
    const stores = await Promise.all([1, 2, 3].map((n) => openPostgres({ url, nowMs: () => AT_MS, writer: `rt_${n}` })));
    for (const [index, store] of stores.entries())
      expect(await store.commit(batch(startExecution(`exec_${index}`)))).toEqual([null]);
    await Promise.all(stores.map((store) => store.close()));
    const named = [own, 'jamjet_commit_of_another_release'].sort().map((name) => ({ name }));
    expect(await query(url, `${FUNCTIONS} ORDER BY 1`)).toEqual(named);
  });
});

describe('a role that may not create it', () => {
  it('gets an error that says who can', async () => {
    const url = await server().createMigrated();
    const own = await ownFunction(url);
    const role = `only_serves_${own}`;
    await query(server().url, `CREATE ROLE ${role} LOGIN`);
    await query(url, `DROP FUNCTION ${own}; GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${role}`);
    const opening = openPostgres({ url: url.replace('//jamjet@', `//${role}@`), nowMs: () => AT_MS });
    await expect(opening).rejects.toMatchObject({ code: 'store_unavailable', message: expect.stringMatching(/db migrate/) });
    await (await openPostgres({ url, nowMs: () => AT_MS })).close();
  });
});

describe('a commit function that is dropped under a running server', () => {
  it('makes the database unavailable until it is opened again', async () => {
    const url = await server().createMigrated();
    const store = await openPostgres({ url, nowMs: () => AT_MS, writer: 'rt_1' });
    const own = await ownFunction(url);
    await query(url, `DROP FUNCTION ${own}`);
    await expect(store.commit(batch(startExecution('exec_1')))).rejects.toMatchObject({ code: 'store_unavailable' });
    await (await openPostgres({ url, nowMs: () => AT_MS })).close();
    expect(await store.commit(batch(startExecution('exec_1')))).toEqual([null]);
    await store.close();
  });
});

describe('a database that is recreated under a running server', () => {
  it('is unavailable until it has the schema', async () => {
    const url = await server().createMigrated();
    const store = await openPostgres({ url, nowMs: () => AT_MS, writer: 'rt_1' });
    await query(url, 'DROP SCHEMA public CASCADE; CREATE SCHEMA public');
    const missing = { code: 'store_unavailable', message: expect.stringContaining('does not exist') };
    await expect(store.execution('exec_1')).rejects.toMatchObject(missing);
    await expect(store.commit(batch(startExecution('exec_1')))).rejects.toMatchObject(missing);
    await (await openPostgres({ url, nowMs: () => AT_MS })).close();
    expect(await store.commit(batch(startExecution('exec_1')))).toEqual([null]);
    await store.close();
  });
});

describe('openPostgres', () => {
  it('rejects a database that a later release has migrated, and leaves it unchanged', async () => {
    const url = await server().createMigrated();
    await query(url, "INSERT INTO schema_migrations (version, name, applied_at_ms) VALUES (99, 'future', 0)");
    const opening = openPostgres({ url, nowMs: () => AT_MS });
    await expect(opening).rejects.toMatchObject({ name: 'StoreError', code: 'schema_too_new' });
    await expect(opening).rejects.toThrow(/version 99/);
  });

  it.each(['init', 'first_release'])('rejects a database of an unreleased version, whose first migration is %s', async (name) => {
    const url = await server().createMigrated();
    await query(url, `UPDATE schema_migrations SET name = '${name}'`);
    const expected = { code: 'not_a_database', message: expect.stringContaining('a version before 0.2.0 wrote the database') };
    await expect(openPostgres({ url, nowMs: () => AT_MS })).rejects.toMatchObject(expected);
    await expect(postgresVersions(url)).rejects.toMatchObject(expected);
  });

  it('rejects a database whose encoding lacks characters', async () => {
    await query(server().url, "CREATE DATABASE latin OWNER jamjet TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'");
    const opening = openPostgres({ url: `postgres://jamjet@127.0.0.1:${server().port}/latin`, nowMs: () => AT_MS });
    await expect(opening).rejects.toMatchObject({ code: 'store_unavailable', message: expect.stringMatching(/LATIN1.*UTF8/) });
  });

  it('names the unreachable database without its password', async () => {
    const url = `postgres://someone:s3cret@127.0.0.1:${server().port}/nowhere`;
    const opening = openPostgres({ url, nowMs: () => AT_MS });
    await expect(opening).rejects.toMatchObject({ name: 'StoreError', code: 'store_unavailable' });
    await expect(opening).rejects.toThrow(/someone@127\.0\.0\.1:\d+\/nowhere/);
    await expect(opening).rejects.not.toThrow(/s3cret/);
  });

  it('waits for a server that is still starting', async () => {
    const url = await server().createMigrated();
    const { through, refusedConnections } = await starting(server().port, 2);
    const store = await openPostgres({ url: through(url), nowMs: () => AT_MS });
    expect(refusedConnections()).toBe(2);
    expect(await store.tenantRow('default')).toMatchObject({ id: 'default' });
    await store.close();
    const delayed = await starting(server().port, 1);
    expect((await surveyPostgres(delayed.through(url), 0)).content).toMatchObject({ events: 0 });
    expect(delayed.refusedConnections()).toBe(1);
  });

  it('fails at once when there is no server', async () => {
    const url = `postgres://someone@127.0.0.1:${await freePort()}/db`;
    const opening = openPostgres({ url, nowMs: () => AT_MS });
    await expect(opening).rejects.toMatchObject({ code: 'store_unavailable', message: expect.stringMatching(/ECONNREFUSED/) });
  });
});

/** A proxy that refuses the first connections as a server does during crash recovery. */
async function starting(port: number, most: number) {
  let refusedConnections = 0;
  const way = createServer((client) => {
    client.on('error', () => client.destroy());
    if (refusedConnections < most) {
      refusedConnections += 1;
      client.once('data', () => client.end(STARTING_UP));
      return;
    }
    const target = connect(port, '127.0.0.1');
    target.on('error', () => client.destroy());
    client.pipe(target).pipe(client);
  });
  await new Promise<void>((resolve) => way.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void way.close());
  const { port: own } = way.address() as AddressInfo;
  return { through: (url: string) => url.replace(/:\d+\//, `:${own}/`), refusedConnections: () => refusedConnections };
}

/** https://www.postgresql.org/docs/current/protocol-message-formats.html */
const FIELDS = 'SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0\0';
const STARTING_UP = Buffer.concat([Buffer.from('E'), Buffer.from([0, 0, 0, FIELDS.length + 4]), Buffer.from(FIELDS)]);
