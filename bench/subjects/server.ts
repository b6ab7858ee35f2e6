import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const JAMJET = fileURLToPath(new URL('../../../bin/jamjet.js', import.meta.url));
const TOOLS = fileURLToPath(new URL('./tools.js', import.meta.url));

export interface Server {
  readonly url: string;
  readonly token: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** Starts the shipped server in its own process, with authentication, on a database file in `folder`. */
export function serve(folder: string, database: string): Promise<Server> {
  return serveOn(join(folder, database), folder);
}

/** Starts the server on any database, with `folder` as working directory. */
export async function serveOn(database: string, folder: string): Promise<Server> {
  const args = [JAMJET, 'dev', '--port', '0', '--json', '--db', database, '--tools', TOOLS];
  const server = spawn(process.execPath, [...process.execArgv, ...args], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, JAMJET_LOG: 'warn', NO_COLOR: '1' },
  });
  const stop = (): Promise<void> => stopped(server);
  try {
    const { url, token_file: tokenFile } = await listening(server);
    return { url, token: readFileSync(tokenFile, 'utf8').trim(), pid: server.pid ?? 0, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Resolves with the line that the server prints when it is ready. */
function listening(server: ChildProcess): Promise<{ readonly url: string; readonly token_file: string }> {
  return new Promise((resolve, reject) => {
    let printed = '';
    server.stderr?.on('data', (chunk: Buffer) => {
      printed += chunk;
    });
    server.stdout?.on('data', (chunk: Buffer) => {
      printed += chunk;
      const line = /^\{"url".*(?=\n)/m.exec(printed)?.[0];
      if (line !== undefined) resolve(JSON.parse(line));
    });
    server.once('error', reject);
    server.once('exit', (code) => reject(new Error(`the server ended with ${code} before it was ready:\n${printed}`)));
  });
}

function stopped(server: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (server.exitCode !== null || server.signalCode !== null) return resolve();
    server.once('exit', () => resolve());
    server.kill('SIGTERM');
  });
}
