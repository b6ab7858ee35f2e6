import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const JAMJET = fileURLToPath(new URL('../../bin/jamjet.js', import.meta.url));
const TOOLS = fileURLToPath(new URL('./tools.js', import.meta.url));

export interface Server {
  readonly url: string;
  readonly token: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** The server as it is shipped, in its own process, authentication on, on a database in `folder`. */
export async function serve(folder: string, database: string): Promise<Server> {
  const server = spawn(process.execPath, [JAMJET, 'dev', '--port', '0', '--db', join(folder, database), '--tools', TOOLS], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, JAMJET_LOG: 'warn', NO_COLOR: '1' },
  });
  const stop = (): Promise<void> => stopped(server);
  try {
    const url = await listening(server);
    return { url, token: readFileSync(join(folder, 'token'), 'utf8').trim(), pid: server.pid ?? 0, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The address the server prints when it is ready. */
function listening(server: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let printed = '';
    const read = (chunk: Buffer) => {
      printed += chunk;
      const url = /http:\/\/[\w.:[\]]+:\d+/.exec(printed)?.[0];
      if (url !== undefined) resolve(url);
    };
    server.stdout?.on('data', read);
    server.stderr?.on('data', read);
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
