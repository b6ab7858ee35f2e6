import { type ChildProcess, spawn } from 'node:child_process';
import { chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { freePort } from './ports.ts';
import { requiredProgram } from './requirements.ts';

const NOBODY = 65_534;

export interface PgBouncer {
  readonly port: number;
  stop(): Promise<void>;
}

/** Starts PgBouncer in transaction mode in front of a PostgreSQL server. */
export async function startPgBouncer(postgresPort: number): Promise<PgBouncer> {
  const program = requiredProgram('pgbouncer');
  const folder = mkdtempSync(join(tmpdir(), 'jamjet-pgbouncer-'));
  const port = await freePort();
  const settings = [
    '[databases]',
    `* = host=127.0.0.1 port=${postgresPort}`,
    '[pgbouncer]',
    'listen_addr = 127.0.0.1',
    `listen_port = ${port}`,
    'unix_socket_dir =',
    'auth_type = any',
    'pool_mode = transaction',
    'max_prepared_statements = 500',
    'default_pool_size = 10',
    'max_client_conn = 200',
  ];
  const file = join(folder, 'pgbouncer.ini');
  // With `auth_type = any` every client gets the user of the database entry.
  writeFileSync(file, settings.join('\n').replace(`port=${postgresPort}`, `port=${postgresPort} user=jamjet`));
  const root = process.getuid?.() === 0;
  if (root) for (const path of [folder, file]) chownSync(path, NOBODY, NOBODY);
  const child = spawn(program, [file], { cwd: folder, stdio: 'ignore', ...(root ? { uid: NOBODY, gid: NOBODY } : {}) });
  await listening(child, port);
  return {
    port,
    stop: async () => {
      const ended = new Promise((resolve) => child.once('close', resolve));
      child.kill('SIGKILL');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function listening(child: ChildProcess, port: number): Promise<void> {
  for (let tries = 0; tries < 4_000; tries += 1) {
    if (child.exitCode !== null) break;
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true));
      socket.once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (open) return;
    await setTimeout(25);
  }
  throw new Error('PgBouncer did not start');
}
