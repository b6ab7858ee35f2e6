import { existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createRuntime } from '../../src/runtime/index.ts';
import { startServer as composeServer } from '../../src/server/compose.ts';
import { readConfig, VERSION } from '../../src/server/config.ts';
import { openSqlite } from '../../store/sqlite/open.ts';
import { ir } from '../support/ir.ts';
import { CALLER, eventually } from '../support/runtimes.ts';
import { startServer, temporaryFolder } from '../support/server.ts';

const APPROVAL = ir('ask', { review: { type: 'human_approval', description: 'Release?' } }, [['review', 'end']]);

const TOOLS = {
  greet: () => 'hello',
  refuse() {
    throw Object.assign(new Error('refused'), { retryable: false });
  },
};

type Line = Readonly<Record<string, unknown>>;

function linesOf(output: string): readonly Line[] {
  return (output.match(/^.*?\{"level":.*\}$/gm) ?? []).map((line) => JSON.parse(line.slice(line.indexOf('{"level"'))) as Line);
}

/** A server of this process on a database of its own, with what it logs. */
async function composed(env: Readonly<Record<string, string>> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'jamjet-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'runtime.db');
  const lines: Line[] = [];
  const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  const config = readConfig({ DATABASE_URL: path, JAMJET_PORT: '0', ...env });
  const server = await composeServer({ config, auth: 'off', log, tools: TOOLS });
  return { path, lines, server };
}

describe('the log of a server', () => {
  it('says how it was configured, which variables are not known, and which signal stopped it', async () => {
    const folder = temporaryFolder(onTestFinished);
    const server = await startServer({ folder, command: 'serve', env: { JAMJET_TOKENS: 'jj_1', JAMJET_LOG: 'info' } });
    await server.terminate();
    expect(linesOf(server.output())).toMatchObject([
      { level: 40, msg: 'JAMJET_TOKENS is not known; did you mean JAMJET_TOKEN?' },
      { msg: `Server listening at ${server.url}` },
      {
        msg: 'server started',
        version: VERSION,
        engine: 'sqlite',
        database: join(folder, 'runtime.db'),
        url: server.url,
        tools: [],
      },
      { msg: 'server stopping', reason: 'SIGTERM' },
      { msg: 'server stopped', reason: 'SIGTERM' },
    ]);
    expect(server.output()).not.toContain('jj_1');
  });

  it('names the tools, and whether callers need a token', async () => {
    const { lines, server } = await composed();
    await server.close(0);
    expect(lines).toMatchObject([
      {},
      { msg: 'server started', tools: ['greet', 'refuse'], auth: 'off' },
      { msg: 'server stopping', reason: 'closed' },
      { msg: 'server stopped', reason: 'closed' },
    ]);
  });

  it('has a warning for each failed attempt and an error for each failed execution', async () => {
    const { lines, server } = await composed();
    const kind = { type: 'tool', tool_ref: 'refuse' };
    await server.runtime.register(CALLER, ir('refusing', { a: kind }, [['a', 'end']]));
    const { executionId } = await server.runtime.start(CALLER, { workflowId: 'refusing' });
    await server.runtime.settled('default', executionId, 30_000);
    await server.close(0);
    const about = { execution: executionId, tenant: 'default', workflow: 'refusing' };
    expect(lines.filter(({ execution }) => execution !== undefined)).toMatchObject([
      { ...about, level: 30, msg: 'execution started' },
      { ...about, level: 40, msg: 'attempt failed', node: 'a', attempt: 0, error: 'refused' },
      { ...about, level: 50, msg: 'execution failed', error: expect.stringContaining('refused') },
    ]);
  });

  it('says that another runtime has taken the lock, which stops the server', async () => {
    const { path, lines, server } = await composed();
    await server.runtime.register(CALLER, APPROVAL);
    rmSync(`${path}-lock`);
    const store = await openSqlite({ path });
    const second = await createRuntime({ store });
    onTestFinished(async () => {
      await second.close(0);
      await store.close();
    });
    // A write that fails makes the server look at its database at once, and again until that succeeds.
    renameSync(path, `${path}.away`);
    await expect(server.runtime.start(CALLER, { workflowId: 'ask' })).rejects.toMatchObject({ code: 'store_replaced' });
    renameSync(`${path}.away`, path);
    expect(existsSync(`${path}-lock`)).toBe(true);
    expect(await server.failed).toBe('lost lock');
    await server.close(0, 'lost lock');
    expect(lines.at(-1)).toMatchObject({ msg: 'server stopped', reason: 'lost lock' });
  });

  it('goes on serving for a while after a signal, when it says that it is not ready', async () => {
    const { lines, server } = await composed({ JAMJET_SHUTDOWN_DELAY_MS: '2000' });
    const closing = server.close(0, 'SIGTERM');
    const ready = await fetch(`${server.url}/health/ready`);
    expect([ready.status, await ready.json()]).toMatchObject([503, { failed: ['shutdown'] }]);
    const [live, list] = await Promise.all(['/health/live', '/executions'].map((path) => fetch(`${server.url}${path}`)));
    expect([live?.status, list?.status]).toEqual([200, 200]);
    await closing;
    expect(lines.at(-1)).toMatchObject({ msg: 'server stopped', reason: 'SIGTERM' });
  });

  it('says why a server did not start', async () => {
    const { server } = await composed();
    onTestFinished(() => server.close(0));
    const lines: Line[] = [];
    const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line)) });
    const config = readConfig({ DATABASE_URL: '/nowhere/else.db', JAMJET_PORT: String(server.port) });
    await expect(composeServer({ config, auth: 'off', log })).rejects.toThrow('the port is in use');
    expect(lines).toMatchObject([{ level: 60, msg: 'server stopped', reason: 'not started', err: { type: 'ListenError' } }]);
  });

  it('has the error that ended the process', async () => {
    const folder = temporaryFolder(onTestFinished);
    const tools = join(folder, 'tools.mjs');
    writeFileSync(tools, "export const later = () => {};\nprocess.once('SIGUSR2', () => { throw new Error('out of luck'); });\n");
    const server = await startServer({ folder, tools, command: 'serve' });
    await eventually(() => server.output().includes('server started'));
    process.kill(server.pid, 'SIGUSR2');
    expect(await server.ended).toMatchObject({ code: 1 });
    const fatal = linesOf(server.output()).filter(({ level }) => level === 60);
    expect(fatal, server.output()).toMatchObject([
      { msg: 'uncaught exception', err: { message: 'out of luck', stack: expect.any(String) } },
    ]);
  });
});
