import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll } from 'vitest';
import { JamjetClient } from '../../src/client/index.ts';
import type * as library from '../../src/library/server.ts';
import type * as admin from '../../src/server/admin.ts';
import { expectReplays, type ServerOptions as ProcessOptions, temporaryFolder, usedFolders } from './server.ts';

export type ServerOptions = Pick<ProcessOptions, 'folder' | 'tools' | 'env' | 'port'>;

/** A server of the shipped code in the process of the tests, which loads it once: for tests of what a server says, not of how its process lives. */
export interface Server {
  readonly url: string;
  readonly token: string;
  readonly client: JamjetClient;
  /** Ends it without a grace period. */
  kill(): Promise<void>;
}

interface SharedOptions extends Omit<ServerOptions, 'folder'> {
  readonly replays?: boolean;
}

function shipped<T>(path: string): Promise<T> {
  return import(pathToFileURL(resolve('dist/src', path)).href) as Promise<T>;
}

/** Ports of servers that have ended: of an address that it knows, a browser has the files and the compiled code. */
const freePorts: number[] = [];

/** As `jamjet dev` starts it, with a new token of an operator. It ends when its folder is removed. */
export async function startServer({ folder, tools, env = {}, port }: ServerOptions): Promise<Server> {
  const { readConfig, startServer: start } = await shipped<typeof library>('library/server.js');
  const { createToken } = await shipped<typeof admin>('server/admin.js');
  const config = readConfig({
    DATABASE_URL: join(folder, 'runtime.db'),
    JAMJET_LOG: 'silent',
    JAMJET_ALLOW_PRIVATE_ADDRESSES: '1',
    ...env,
  });
  const { plaintext: token } = await createToken(config, {
    role: 'operator',
    tenantId: 'default',
    name: 'dev',
    expiresAtMs: null,
  });
  const module = tools === undefined ? {} : ((await import(pathToFileURL(tools).href)) as library.Tools);
  const startAt = (at: number) => start({ config: { ...config, port: at }, auth: 'on', tools: { ...module } });
  // Another program may have taken the port meanwhile.
  const { url, close } = await (port === undefined ? startAt(freePorts.pop() ?? 0).catch(() => startAt(0)) : startAt(port));
  const kill = async (): Promise<void> => {
    if (!usedFolders.delete(kill)) return;
    await close(0);
    if (port === undefined) freePorts.push(Number(new URL(url).port));
  };
  usedFolders.set(kill, folder);
  return { url, token, client: new JamjetClient({ url, token }), kill };
}

/** One server for all tests of a file. With `replays`, every log must replay to its stored snapshot after the tests. */
export function sharedServer({ replays = false, ...options }: SharedOptions = {}): () => Server {
  const folder = temporaryFolder();
  let server: Server | null = null;
  beforeAll(async () => {
    server = await startServer({ ...options, folder });
  });
  afterAll(async () => {
    await server?.kill();
    if (replays) await expectReplays(folder);
  });
  return () => {
    if (server === null) throw new Error('the server has not started');
    return server;
  };
}
