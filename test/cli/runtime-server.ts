import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { saveToken, tokenFile } from '../../src/cli/connection/saved-token.ts';
import { JamjetClient } from '../../src/client/index.ts';
import type { Tools } from '../../src/runtime/types/work.ts';
import { createToken } from '../../src/server/admin.ts';
import { type Server, startServer } from '../../src/server/compose.ts';
import { type Environment, readConfig } from '../../src/server/config.ts';
import { type SessionOptions, TerminalSession } from './terminal-session.ts';

export interface RuntimeServer {
  readonly url: string;
  /** The folder with `.jamjet/`, as if `jamjet dev` was started there. */
  readonly folder: string;
  readonly client: JamjetClient;
  /** Runs `jamjet …` in that folder, connected to this server. */
  jamjet(line: string | readonly string[], options?: SessionOptions): TerminalSession;
}

/** Starts a server with a saved token for all tests of a file. `env` adds configuration. */
export function runtimeServer(tools: Tools, env: Environment = {}): () => RuntimeServer {
  let server: Server | null = null;
  let shared: RuntimeServer | null = null;
  beforeAll(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'jamjet-cli-server-'));
    const database = join(folder, '.jamjet', 'runtime.db');
    const config = readConfig({ JAMJET_PORT: '0', DATABASE_URL: database, JAMJET_LOG: 'off', ...env });
    const { plaintext } = await createToken(config, { role: 'operator', tenantId: 'default', name: 'ann', expiresAtMs: null });
    await saveToken(tokenFile(database, folder), plaintext);
    const started = await startServer({ config, tools, auth: 'on' });
    server = started;
    shared = {
      url: started.url,
      folder,
      client: new JamjetClient({ url: started.url, token: plaintext }),
      jamjet: (line, options = {}) =>
        new TerminalSession(typeof line === 'string' ? line.split(' ') : line, {
          cwd: folder,
          ...options,
          env: { JAMJET_URL: started.url, ...options.env },
        }),
    };
  });
  afterAll(async () => {
    await server?.close(0);
    if (shared !== null) rmSync(shared.folder, { recursive: true, force: true });
  });
  return () => {
    if (shared === null) throw new Error('the server has not started');
    return shared;
  };
}
