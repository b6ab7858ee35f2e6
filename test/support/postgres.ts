import { execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import type { Store } from '../../store/port/store.ts';
import { openPostgres, type PostgresOptions } from '../../store/postgres/open.ts';
import { freePort } from './ports.ts';
import type { TestDatabase } from './stores.ts';

const NOBODY = 65_534;
/** Owns the databases of tests: no superuser, whom row-level security would not bind. */
const OWNER = 'jamjet';
const nowMs = (): number => 1_767_225_600_000;

/** A PostgreSQL server of the tests' own. */
export interface PostgresServer {
  readonly port: number;
  /** Of the superuser's database. */
  readonly url: string;
  /** Makes an empty database. Answers its URL, for its owner. */
  createDatabase(): Promise<string>;
  /** The same with the newest schema: a copy, which is made faster than a schema. */
  createMigrated(): Promise<string>;
  dropDatabase(url: string): Promise<void>;
  /** Breaks every connection; resolves once it accepts new ones. */
  restart(): Promise<void>;
  /** Breaks every connection and accepts none until `startUp`. */
  shutDown(): Promise<void>;
  startUp(): Promise<void>;
  /** Breaks every connection and goes on as a standby, which may only be read. */
  restartAsStandby(): Promise<void>;
  stop(): void;
}

/** Throws one line that says what to install when there is no PostgreSQL. */
export async function startPostgres(): Promise<PostgresServer> {
  const bin = postgresBinaries();
  const folder = mkdtempSync(join(tmpdir(), 'jamjet-postgres-'));
  const root = process.getuid?.() === 0;
  if (root) chownSync(folder, NOBODY, NOBODY);
  const as = { cwd: folder, env: { PATH: process.env.PATH, HOME: folder }, ...(root ? { uid: NOBODY, gid: NOBODY } : {}) };
  const run = (command: string, args: readonly string[]) => execFileSync(join(bin, command), args, { ...as, stdio: 'pipe' });
  const data = join(folder, 'data');
  run('initdb', ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync']);
  const port = await freePort();
  const settings = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: folder,
    fsync: 'off',
    synchronous_commit: 'off',
    full_page_writes: 'off',
    max_connections: 300,
    // Else it would count rows after a minute, and plans would depend on how long the tests take.
    autovacuum: 'off',
  };
  const options = Object.entries(settings)
    .map(([name, value]) => `-c ${name}=${value}`)
    .join(' ');
  /** Without pipes, which the server would keep open. */
  const control = (...args: readonly string[]): Promise<void> => {
    const child = spawn(join(bin, 'pg_ctl'), ['-D', data, '-w', '-t', '100', '-l', join(folder, 'log'), ...args], {
      ...as,
      stdio: 'ignore',
    });
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) =>
        code === 0 ? resolve() : reject(new Error(`PostgreSQL did not ${args.at(-1)}: pg_ctl ended with ${code}`)),
      );
    });
  };
  await control('-o', options, 'start');
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  await asSuperuser(url, `CREATE ROLE ${OWNER} LOGIN NOSUPERUSER NOBYPASSRLS`);
  const create = async (template: string): Promise<string> => {
    const name = `t_${randomUUID().replaceAll('-', '')}`;
    await asSuperuser(url, `CREATE DATABASE ${name} OWNER ${OWNER} TEMPLATE ${template}`);
    return `postgres://${OWNER}@127.0.0.1:${port}/${name}`;
  };
  let migrated: Promise<string> | undefined;
  return {
    port,
    url,
    createDatabase: () => create('template1'),
    createMigrated: async () => {
      migrated ??= create('template1').then(async (empty) => {
        await (await openPostgres({ url: empty, nowMs })).close();
        return nameIn(empty);
      });
      return create(await migrated);
    },
    dropDatabase: (dropped) => asSuperuser(url, `DROP DATABASE ${nameIn(dropped)} WITH (FORCE)`),
    restart: () => control('-m', 'fast', 'restart'),
    shutDown: () => control('-m', 'fast', 'stop'),
    startUp: () => control('-o', options, 'start'),
    restartAsStandby: async () => {
      await control('-m', 'fast', 'stop');
      writeFileSync(join(data, 'standby.signal'), '');
      await control('-o', options, 'start');
    },
    stop: () => {
      if (existsSync(join(data, 'postmaster.pid'))) run('pg_ctl', ['-D', data, '-m', 'immediate', 'stop']);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A server for the tests of the file that calls it; there from the first of them on. */
export function postgresServer(): () => PostgresServer {
  let server: PostgresServer | undefined;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server?.stop());
  return () => {
    if (server === undefined) throw new Error('only tests and hooks have a server');
    return server;
  };
}

export interface PostgresDatabase extends TestDatabase {
  /** For its owner. */
  url(): Promise<string>;
  /** Backs it up, which breaks all connections; answers how to put the backup in its place, which breaks them, too. */
  backUp(): Promise<() => Promise<void>>;
  open(options?: Partial<PostgresOptions>): Promise<Store>;
}

/** A database of the test's own. */
export function postgresDatabase(server: () => PostgresServer): PostgresDatabase {
  let made: Promise<string> | undefined;
  const url = (): Promise<string> => {
    made ??= createTestDatabase(server());
    return made;
  };
  return {
    url,
    async backUp() {
      const name = nameIn(await url());
      const backup = `${name}_backup`;
      const run = (...statements: readonly string[]) => runStatements(server().url, statements);
      onTestFinished(() => run(`DROP DATABASE IF EXISTS ${backup}`));
      await run(
        `ALTER DATABASE ${name} ALLOW_CONNECTIONS false`,
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}'`,
        `CREATE DATABASE ${backup} OWNER ${OWNER} TEMPLATE ${name}`,
        `ALTER DATABASE ${name} ALLOW_CONNECTIONS true`,
      );
      return () => run(`DROP DATABASE ${name} WITH (FORCE)`, `ALTER DATABASE ${backup} RENAME TO ${name}`);
    },
    async open(options) {
      const store = await openPostgres({ url: await url(), nowMs, poolSize: 4, ...options });
      onTestFinished(() => store.close());
      return store;
    },
  };
}

/** Even an empty one takes megabytes: it is gone when the test is over. */
async function createTestDatabase(server: PostgresServer): Promise<string> {
  const url = await server.createMigrated();
  onTestFinished(() => server.dropDatabase(url));
  return url;
}

function nameIn(url: string): string {
  return new URL(url).pathname.slice(1);
}

function asSuperuser(url: string, statement: string): Promise<void> {
  return runStatements(url, [statement]);
}

async function runStatements(url: string, statements: readonly string[]): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  for (const statement of statements) await client.query(statement);
  await client.end();
}

/** Where the programs of the newest PostgreSQL on this machine are. */
export function postgresBinaries(): string {
  const home = '/usr/lib/postgresql';
  const versions = existsSync(home) ? readdirSync(home).sort((a, b) => Number(a) - Number(b)) : [];
  const newest = versions.at(-1);
  if (newest === undefined) throw new Error('these tests need a PostgreSQL server: apt-get install postgresql');
  return join(home, newest, 'bin');
}
