import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { JamjetClient } from '../../src/client/index.ts';
import { PATIENCE_MS } from './patience.ts';

/** What ends the running servers, and their folders: called before a folder is removed. */
export const usedFolders = new Map<() => Promise<unknown>, string>();

/** They are killed when the test process exits. */
const runningServers = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of runningServers) child.kill('SIGKILL');
});

export interface ServerOptions {
  /** Folder of the database and the token; a later server in the same folder continues from its database. */
  readonly folder: string;
  /** Path of a module with tools. */
  readonly tools?: string;
  /** Paths of workflow files, for `dev`. */
  readonly files?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** `dev` (default) creates its own token; for `serve` the token is created with `jamjet token create`. */
  readonly command?: 'dev' | 'serve';
  /** Of a server that takes the place of another one. Default: a free one. */
  readonly port?: number;
}

export interface ExitStatus {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ServerProcess {
  readonly pid: number;
  /** Rejects with the output of the process if it exits before it listens. */
  readonly ready: Promise<Server>;
  readonly ended: Promise<ExitStatus>;
  /** Output so far, both streams. */
  output(): string;
  /** Kills the process with SIGKILL; resolves when it has exited. */
  kill(): Promise<ExitStatus>;
  /** Sends SIGTERM; resolves when the process has exited. */
  terminate(): Promise<ExitStatus>;
}

export interface Server extends ServerProcess {
  readonly url: string;
  readonly token: string;
  readonly client: JamjetClient;
}

/** A folder that is removed after the tests of the file, or after one test with `onTestFinished`; servers in it are ended. */
export function temporaryFolder(finished: (remove: () => Promise<void>) => void = afterAll): string {
  const folder = mkdtempSync(join(tmpdir(), 'jamjet-'));
  finished(async () => {
    const left = [...usedFolders].filter(([, used]) => used === folder);
    await Promise.all(left.map(([end]) => end()));
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

/** Starts the shipped program in its own process. */
export function launchServer({ folder, tools, files = [], env = {}, command = 'dev', port = 0 }: ServerOptions): ServerProcess {
  const program = resolve('bin/jamjet.js');
  const tokenFile = join(folder, 'token');
  const settings = {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: folder, NO_COLOR: '1', DATABASE_URL: join(folder, 'runtime.db'), ...env },
  };
  if (command === 'serve' && !existsSync(tokenFile)) {
    writeFileSync(
      tokenFile,
      execFileSync(process.execPath, [program, 'token', 'create', '--role', 'operator'], { ...settings, stdio: 'pipe' }),
    );
  }
  const given = tools === undefined ? [] : ['--tools', tools];
  const child = spawn(process.execPath, [program, command, '--port', String(port), ...given, ...files], {
    ...settings,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const ended = new Promise<ExitStatus>((done) => {
    child.once('close', (code, signal) => {
      runningServers.delete(child);
      usedFolders.delete(kill);
      done({ code, signal });
    });
  });
  const end = (signal: NodeJS.Signals) => (): Promise<ExitStatus> => {
    child.kill(signal);
    return ended;
  };
  const kill = end('SIGKILL');
  runningServers.add(child);
  usedFolders.set(kill, folder);
  const launch = { pid: child.pid ?? 0, ended, output: () => output, kill, terminate: end('SIGTERM') };
  const ready = new Promise<Server>((done, fail) => {
    const timeout = setTimeout(() => fail(new Error(`the server did not start in time:\n${output}`)), PATIENCE_MS);
    const listen = (chunk: Buffer): void => {
      output += chunk.toString();
      const url = /http:\/\/127\.0\.0\.1:\d+/.exec(output)?.[0];
      if (url === undefined) return;
      clearTimeout(timeout);
      try {
        const token = readFileSync(tokenFile, 'utf8').trim();
        done({ ...launch, ready, url, token, client: new JamjetClient({ url, token }) });
      } catch (error) {
        fail(error);
      }
    };
    child.stdout.on('data', listen);
    child.stderr.on('data', listen);
    void ended.then(() => {
      clearTimeout(timeout);
      fail(new Error(`the server ended before it listened:\n${output}`));
    });
  });
  // Callers that only kill the process do not handle `ready`.
  ready.catch(() => {});
  return { ...launch, ready };
}

export function startServer(options: ServerOptions): Promise<Server> {
  return launchServer(options).ready;
}

/** Every log of the database in the folder replays to its stored snapshot. */
export async function expectReplays(folder: string): Promise<void> {
  const { replayAll } = await import('./replay-all.ts');
  const { differing } = await replayAll(join(folder, 'runtime.db'));
  expect(differing).toEqual([]);
}

/** One server for all tests of a file. After the tests, every log must replay to its stored snapshot. */
export function sharedServer(options: Omit<ServerOptions, 'folder'> = {}): () => Server {
  const folder = temporaryFolder();
  let server: Server | null = null;
  beforeAll(async () => {
    server = await startServer({ ...options, folder });
  });
  afterAll(async () => {
    await server?.kill();
    await expectReplays(folder);
  });
  return () => {
    if (server === null) throw new Error('the server has not started');
    return server;
  };
}
