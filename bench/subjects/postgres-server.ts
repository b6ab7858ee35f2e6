import { execFileSync, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import pg from 'pg';
import { cpuMsOf, cpuMsOfExitedChildren } from '../machine.ts';

const HOME = '/usr/lib/postgresql';
const NOBODY = 65_534;

export interface PostgresServer {
  /** Creates an empty database; returns the URL of its owner, who is not a superuser. */
  createDatabase(name: string): Promise<string>;
  /** CPU milliseconds of all its processes, including exited ones; null without /proc. */
  cpuMs(): number | null;
  stop(): void;
}

/** The newest installed PostgreSQL; null if there is none. */
export function installedPostgres(): string | null {
  const versions = existsSync(HOME)
    ? readdirSync(HOME).filter((version) => existsSync(join(HOME, version, 'bin', 'initdb')))
    : [];
  const newest = versions.sort((a, b) => Number(a) - Number(b)).at(-1);
  return newest === undefined ? null : join(HOME, newest, 'bin');
}

/**
 * Starts a server with durable commits, and default settings but for those given. Its folder is on a disk and accessible for its user, because it
 * does not run as root.
 */
export async function startPostgres(bin: string, settings: Readonly<Record<string, string>> = {}): Promise<PostgresServer> {
  const folder = mkdtempSync('/var/tmp/jamjet-bench-');
  const root = process.getuid?.() === 0;
  if (root) chownSync(folder, NOBODY, NOBODY);
  const as = { cwd: folder, env: { PATH: process.env.PATH, HOME: folder }, ...(root ? { uid: NOBODY, gid: NOBODY } : {}) };
  const data = join(folder, 'data');
  execFileSync(join(bin, 'initdb'), ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8'], {
    ...as,
    stdio: 'pipe',
  });
  const port = await freePort();
  const all = { port, listen_addresses: '127.0.0.1', unix_socket_directories: folder, ...settings };
  const options = Object.entries(all)
    .map(([name, value]) => `-c ${name}=${value}`)
    .join(' ');
  const control = (...args: readonly string[]): Promise<void> => {
    const child = spawn(join(bin, 'pg_ctl'), ['-D', data, '-w', '-l', join(folder, 'log'), ...args], { ...as, stdio: 'ignore' });
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => (code === 0 ? resolve() : reject(new Error(`pg_ctl ${args.at(-1)} ended with ${code}`))));
    });
  };
  await control('-o', options, 'start');
  const postmaster = Number(readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')[0]);
  await run(port, 'CREATE ROLE bench LOGIN');
  return {
    createDatabase: async (name) => {
      await run(port, `CREATE DATABASE ${name} OWNER bench`);
      return `postgres://bench@127.0.0.1:${port}/${name}`;
    },
    cpuMs: () => cpuMsOfProcessTree(postmaster),
    stop: () => {
      execFileSync(join(bin, 'pg_ctl'), ['-D', data, '-m', 'immediate', 'stop'], { ...as, stdio: 'pipe' });
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function cpuMsOfProcessTree(postmaster: number): number | null {
  const own = cpuMsOf(postmaster);
  const ended = cpuMsOfExitedChildren(postmaster);
  if (own === null || ended === null) return null;
  const children = readFileSync(`/proc/${postmaster}/task/${postmaster}/children`, 'utf8').trim().split(' ');
  return own + ended + children.reduce((sum, pid) => sum + (cpuMsOf(Number(pid)) ?? 0), 0);
}

async function run(port: number, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: `postgres://postgres@127.0.0.1:${port}/postgres` });
  await client.connect();
  await client.query(statement);
  await client.end();
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => (typeof address === 'object' && address !== null ? resolve(address.port) : reject(new Error('no port'))));
    });
  });
}
