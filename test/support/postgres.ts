import { afterAll, beforeAll, inject, onTestFinished } from 'vitest';
import type { Store } from '../../store/port/store.ts';
import { openPostgres, type PostgresOptions } from '../../store/postgres/open.ts';
import { DatabasePool } from './postgres-pool.ts';
import {
  databaseName,
  OWNER,
  PostgresServer,
  type PrivatePostgresServer,
  runStatements,
  startPostgres,
  withClient,
  withoutConnections,
} from './postgres-server.ts';
import type { TestDatabase } from './stores.ts';

const nowMs = (): number => 1_767_225_600_000;

/** The server that the files of project `postgres` share (postgres-project.ts). Tests create databases on it and change nothing else. */
export function postgresServer(): () => PostgresServer {
  return () => sharedServer();
}

let shared: PostgresServer | undefined;

function sharedServer(): PostgresServer {
  shared ??= new PostgresServer(inject('postgres'));
  return shared;
}

/** A server for the calling file alone, which may restart, reconfigure and stop it. */
export function privatePostgresServer(): () => PrivatePostgresServer {
  let server: PrivatePostgresServer | undefined;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server?.stop());
  return () => {
    if (server === undefined) throw new Error('the server is available in tests and hooks only');
    return server;
  };
}

export interface PostgresDatabase extends TestDatabase {
  /** Its owner's URL. */
  url(): Promise<string>;
  /** Backs it up; the result puts the backup in its place. Both break all connections. */
  backUp(): Promise<() => Promise<void>>;
  open(options?: Partial<PostgresOptions>): Promise<Store>;
}

/** A database that only the calling test uses, with the newest schema and no rows. */
export function postgresDatabase(server: () => PostgresServer): PostgresDatabase {
  let lease: Promise<string> | undefined;
  const url = (): Promise<string> => {
    lease ??= leaseDatabase(server());
    return lease;
  };
  return {
    url,
    async backUp() {
      const name = databaseName(await url());
      const backup = `${name}_backup`;
      const run = (...statements: readonly string[]) => runStatements(server().url, statements);
      onTestFinished(() => run(`DROP DATABASE IF EXISTS ${backup}`));
      await withClient(server().url, async (client) => {
        await client.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS false`);
        await withoutConnections(client, name, `CREATE DATABASE ${backup} OWNER ${OWNER} TEMPLATE ${name}`);
        await client.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`);
      });
      return () => run(`DROP DATABASE ${name} WITH (FORCE)`, `ALTER DATABASE ${backup} RENAME TO ${name}`);
    },
    async open(options) {
      const store = await openPostgres({ url: await url(), nowMs, poolSize: 4, ...options });
      onTestFinished(() => store.close());
      return store;
    },
  };
}

/** One pool per server. A worker keeps its module state, and with it the pool of the shared server, for all of its files. */
const pools = new Map<string, DatabasePool>();

async function leaseDatabase(server: PostgresServer): Promise<string> {
  const pool = pools.get(server.url) ?? new DatabasePool(server);
  pools.set(server.url, pool);
  const url = await pool.acquire();
  onTestFinished(() => pool.release(url));
  return url;
}
