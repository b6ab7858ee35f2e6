import { spawn } from 'node:child_process';
import { appendFileSync, chmodSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { Client } from 'pg';
import { freePort } from '../../support/ports.ts';
import { installedPostgres } from '../../support/postgres-server.ts';
import { Preload } from '../preload/preload.ts';
import type { Row } from './cluster.ts';
import { SmallDisk } from './small-disk.ts';

const NOBODY = 65_534;
const DISK_MB = 2_048;
const POLL_MS = 50;
const DATABASE = 'faults';

/** Durable, unlike the server of the other tests, with quick reconnects of the standby. */
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  max_connections: 120,
  max_wal_size: '128MB',
  min_wal_size: '32MB',
  wal_keep_size: '256MB',
  wal_level: 'replica',
  hot_standby: 'on',
  wal_retrieve_retry_interval: '200ms',
  wal_receiver_status_interval: '1s',
  shared_buffers: '64MB',
};

interface Instance {
  readonly name: string;
  readonly data: string;
  readonly port: number;
  readonly preload: Preload;
  readonly disk: SmallDisk | null;
}

/** A primary with a synchronous standby. */
export class ReplicatedPostgres {
  readonly #folder: string;
  readonly #bin = programs();
  #primary: Instance;
  #standby: Instance;
  /** Creation of the current standby. */
  #standbyCreation: Promise<void> = Promise.resolve();
  #closed = false;

  private constructor(folder: string, primary: Instance, standby: Instance) {
    this.#folder = folder;
    this.#primary = primary;
    this.#standby = standby;
  }

  /** Every user must be able to enter `folder`, because PostgreSQL does not run as root. */
  static async open(folder: string): Promise<ReplicatedPostgres> {
    const instance = async (name: string): Promise<Instance> => {
      const disk = SmallDisk.mount(join(folder, name), DISK_MB);
      mkdirSync(join(folder, name), { recursive: true });
      chmodSync(join(folder, name), 0o777);
      const preload = new Preload(folder, name, [`${name}/data/base/`, `${name}/data/pg_wal/`]);
      return { name, data: join(folder, name, 'data'), port: await freePort(), preload, disk };
    };
    const made = new ReplicatedPostgres(folder, await instance('one'), await instance('two'));
    process.once('exit', () => made.#killAll());
    const { data, port } = made.#primary;
    await made.#run('initdb', '-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '--wal-segsize=4');
    await made.#start(made.#primary);
    await made.#query(port, 'CREATE ROLE jamjet LOGIN NOSUPERUSER NOBYPASSRLS');
    await made.#query(port, `CREATE DATABASE ${DATABASE} OWNER jamjet`);
    await made.#createStandby();
    return made;
  }

  get port(): number {
    return this.#primary.port;
  }

  get preload(): Preload {
    return this.#primary.preload;
  }

  get disk(): SmallDisk | null {
    return this.#primary.disk;
  }

  url(port = this.port): string {
    return `postgres://jamjet@127.0.0.1:${port}/${DATABASE}`;
  }

  query(sql: string): Promise<readonly Row[]> {
    return this.#query(this.port, sql, DATABASE);
  }

  /** `fast` ends sessions in order, `immediate` like a crash. */
  async restart(mode: 'fast' | 'immediate'): Promise<void> {
    await this.#pgCtl(this.#primary, '-m', mode, 'restart').catch(() => this.ensureUp());
  }

  /** Kills one backend, after which PostgreSQL restarts all of them and recovers. */
  async killBackend(): Promise<void> {
    const [row] = await this.#query(
      this.port,
      "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() ORDER BY random() LIMIT 1",
    );
    if (row === undefined) return;
    process.kill(Number(row.pid), 'SIGKILL');
    await this.ensureUp();
  }

  /** Stops the primary and promotes the standby. Resolves once it accepts writes; another standby is created in the background. */
  async failOver(): Promise<void> {
    await this.#standbyCreation;
    await this.#waitForStandby();
    const [lost, successor] = [this.#primary, this.#standby];
    await this.#pgCtl(lost, '-m', 'immediate', 'stop').catch(() => this.#kill(lost));
    // The new primary must not wait for a standby before there is one.
    appendFileSync(join(successor.data, 'postgresql.auto.conf'), "\nsynchronous_standby_names = ''\n");
    await this.#pgCtl(successor, 'reload');
    await this.#pgCtl(successor, 'promote');
    this.#primary = successor;
    this.#standby = lost;
    await lost.disk?.empty();
    this.#standbyCreation = this.#createStandby();
    this.#standbyCreation.catch(() => {});
  }

  /** Waits until the primary responds; restarts it if it has stopped, as on a full disk. */
  async ensureUp(): Promise<void> {
    while (!this.#closed) {
      try {
        await this.#query(this.port, 'SELECT 1');
        return;
      } catch {
        await this.#pgCtl(this.#primary, 'status').catch(() => this.#start(this.#primary).catch(() => {}));
        await after(POLL_MS);
      }
    }
  }

  /** Resolves once the standby exists and has replicated everything. */
  async waitUntilReplicated(): Promise<void> {
    await this.#standbyCreation;
    await this.#waitForStandby();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#standbyCreation.catch(() => {});
    for (const instance of [this.#primary, this.#standby]) {
      await this.#pgCtl(instance, '-m', 'immediate', 'stop').catch(() => {});
      instance.disk?.unmount();
      instance.preload.close();
    }
  }

  async #createStandby(): Promise<void> {
    const { data } = this.#standby;
    rmSync(data, { recursive: true, force: true });
    const from = ['-h', '127.0.0.1', '-p', String(this.port), '-U', 'postgres'];
    for (;;) {
      try {
        await this.#run('pg_basebackup', ...from, '-D', data, '-X', 'stream', '-R', '-c', 'fast');
        break;
      } catch (error) {
        if (this.#closed) throw error;
        // The primary has stopped in the meantime.
        rmSync(data, { recursive: true, force: true });
        await after(POLL_MS);
      }
    }
    await this.#start(this.#standby);
    for (;;) {
      try {
        await this.#query(this.port, "ALTER SYSTEM SET synchronous_standby_names = '*'");
        await this.#query(this.port, 'SELECT pg_reload_conf()');
        return;
      } catch (error) {
        if (this.#closed) throw error;
        await after(POLL_MS);
      }
    }
  }

  /**
   * A restart that ends a session which waits for the standby leaves its commit on the primary only, where it can be read. The standby must have it
   * before the primary may be stopped.
   */
  async #waitForStandby(): Promise<void> {
    let targetLsn: string | null = null;
    while (!this.#closed) {
      try {
        targetLsn ??= String((await this.#query(this.port, 'SELECT pg_current_wal_flush_lsn()::text AS lsn'))[0]?.lsn);
        const standbys = await this.#query(
          this.port,
          `SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync' AND flush_lsn >= '${targetLsn}'::pg_lsn`,
        );
        if (standbys.length > 0) return;
      } catch {
        await this.ensureUp();
      }
      await after(POLL_MS);
    }
  }

  #start(instance: Instance): Promise<void> {
    const settings = { ...SETTINGS, port: instance.port, unix_socket_directories: join(this.#folder, instance.name) };
    const options = Object.entries(settings).map(([name, value]) => `-c ${name}=${value}`);
    return this.#pgCtl(instance, '-o', options.join(' '), 'start');
  }

  #pgCtl(instance: Instance, ...args: readonly string[]): Promise<void> {
    const common = ['-D', instance.data, '-w', '-t', '100', '-l', join(this.#folder, instance.name, 'log')];
    return this.#spawn('pg_ctl', [...common, ...args], instance.preload.env);
  }

  #run(command: string, ...args: readonly string[]): Promise<void> {
    return this.#spawn(command, args, {});
  }

  /** Runs without pipes, because a server would keep them open. */
  #spawn(command: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<void> {
    const root = process.getuid?.() === 0;
    const child = spawn(join(this.#bin, command), args, {
      cwd: this.#folder,
      env: { PATH: process.env.PATH, HOME: this.#folder, ...env },
      stdio: 'ignore',
      ...(root ? { uid: NOBODY, gid: NOBODY } : {}),
    });
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => (code === 0 ? resolve() : reject(new Error(`${command} ${args.at(-1)} ended with ${code}`))));
    });
  }

  #kill({ data }: Instance): void {
    const file = join(data, 'postmaster.pid');
    if (!existsSync(file)) return;
    try {
      process.kill(Number.parseInt(readFileSync(file, 'utf8'), 10), 'SIGQUIT');
    } catch {
      // It has already exited.
    }
  }

  #killAll(): void {
    for (const instance of [this.#primary, this.#standby]) this.#kill(instance);
  }

  async #query(port: number, sql: string, database = 'postgres'): Promise<readonly Row[]> {
    const client = new Client({ host: '127.0.0.1', port, user: 'postgres', database, connectionTimeoutMillis: 5_000 });
    client.on('error', () => {});
    await client.connect();
    try {
      return (await client.query<Row>(sql)).rows;
    } finally {
      await client.end().catch(() => {});
    }
  }
}

/** A standby is created with `pg_basebackup`, which the npm packages do not include. */
function programs(): string {
  const installed = installedPostgres();
  if (installed === null) throw new Error('this test requires pg_basebackup: apt-get install postgresql');
  return installed;
}
