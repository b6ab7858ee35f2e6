import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { History } from '../history.ts';
import { Preload } from '../preload/preload.ts';
import type { Cluster } from './cluster.ts';
import { Member } from './member.ts';
import { ProxiedLink } from './proxied-link.ts';
import { ReplicatedPostgres } from './replicated.ts';

const SERVERS = 3;

/** A server with its own link to the database. */
export interface DatabaseLink {
  readonly member: Member;
  readonly link: ProxiedLink;
}

export interface PostgresCluster extends Cluster {
  readonly engine: 'postgres';
  readonly postgres: ReplicatedPostgres;
  readonly databaseLinks: readonly DatabaseLink[];
  /** Stops the primary, promotes the standby, and redirects all links to it. */
  failOver(): Promise<void>;
}

/** Starts three servers, each with its own link to one PostgreSQL primary with a standby. */
export async function openPostgresCluster(folder: string, tools: string, history: History): Promise<PostgresCluster> {
  const home = join(folder, 'postgres');
  mkdirSync(home);
  chmodSync(home, 0o777);
  const postgres = await ReplicatedPostgres.open(home);
  const servers: DatabaseLink[] = [];
  try {
    await createToken(folder, postgres.url());
    for (let i = 1; i <= SERVERS; i += 1) servers.push(await openServer(i, folder, tools, postgres, history));
  } catch (error) {
    for (const line of servers) await line.member.close();
    await postgres.close();
    throw error;
  }
  const members = servers.map(({ member }) => member);
  return {
    engine: 'postgres',
    postgres,
    databaseLinks: servers,
    members,
    get databaseUrl() {
      return postgres.url();
    },
    unavailable: postgres.disk === null ? ['a full file system (none can be mounted here; writes fail with ENOSPC instead)'] : [],
    async failOver() {
      await postgres.failOver();
      for (const { link } of servers) {
        link.redirect(postgres.port);
        link.cutAll();
      }
    },
    async repair() {
      await postgres.disk?.empty();
      postgres.preload.repairDisk();
      await postgres.ensureUp();
      for (const { link } of servers) link.restore();
      await Promise.all(
        members.map(async (member) => {
          member.preload.shiftClock(0);
          member.clientLink.restore();
          await member.runExclusive(async () => {
            member.signal('SIGCONT');
            if (!member.isUp) await member.start();
          });
        }),
      );
      await postgres.waitUntilReplicated();
    },
    query: (sql) => postgres.query(sql),
    async close() {
      await Promise.all(members.map((member) => member.close()));
      for (const { link } of servers) link.close();
      await postgres.close();
    },
  };
}

/** Starts server number `i`, and its link to the primary. */
async function openServer(
  i: number,
  folder: string,
  tools: string,
  postgres: ReplicatedPostgres,
  history: History,
): Promise<DatabaseLink> {
  const link = await ProxiedLink.open(postgres.port);
  const env = {
    DATABASE_URL: postgres.url(link.port),
    FAULTS_CALLS: folder,
    JAMJET_ALLOW_PRIVATE_ADDRESSES: '1',
    JAMJET_LOG: 'warn',
  };
  const preload = new Preload(folder, `server-${i}`, ['/no/file/of/its/own/']);
  const member = await Member.open({ name: `s${i}`, folder, tools, env, preload, history });
  await member.start();
  return { member, link };
}

/** Creates the token for all servers of the folder. Uses a direct connection, in a child process, because this process must keep forwarding the links. */
async function createToken(folder: string, database: string): Promise<void> {
  const env = { PATH: process.env.PATH, HOME: folder, NO_COLOR: '1', DATABASE_URL: database };
  const args = [resolve('bin/jamjet.js'), 'token', 'create', '--role', 'operator'];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder, env });
  writeFileSync(join(folder, 'token'), stdout);
}
