import { statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startServer as startHere } from '../support/in-process-server.ts';
import { PRINTING_LOADER, packagesIn } from '../support/loaded-packages.ts';
import { type Program, program } from '../support/program.ts';
import { startServer, temporaryFolder } from '../support/server.ts';
import { openTcpProxy } from '../support/tcp-proxy.ts';

const JAMJET = resolve('bin/jamjet.js');

function jamjet(args: readonly string[], folder: string): Program {
  return program(process.execPath, [JAMJET, ...args], folder);
}

const folderOf = () => temporaryFolder(onTestFinished);

const TOOLS = `
export const double = ({ n }) => ({ n: n * 2 });
export const hang = () => new Promise(() => setInterval(() => {}, 1000));
`;
const flow = (tool: string) =>
  JSON.stringify({ workflow_id: tool, version: '1', nodes: { work: { kind: { type: 'tool', tool_ref: tool } } }, edges: [] });

function prepared(): string {
  const folder = folderOf();
  writeFileSync(join(folder, 'tools.mjs'), TOOLS);
  for (const tool of ['double', 'hang']) writeFileSync(join(folder, `${tool}.json`), flow(tool));
  return folder;
}

describe('the jamjet program', () => {
  it('shows help without colours in a pipe, and without loading modules that only a server needs', async () => {
    for (const args of [['--help'], ['ls', '--help'], ['run', '--help']]) {
      const help = program(process.execPath, ['--import', PRINTING_LOADER, JAMJET, ...args], folderOf());
      expect((await help.ended).code).toBe(0);
      expect(help.stderr()).toContain('/src/cli/main.js');
      expect(help.stdout()).not.toContain('\u001b');
      const heavy = ['typebox', 'fastify', 'xstate', 'better-sqlite3', 'pino', 'yaml'];
      expect(packagesIn(help.stderr()).filter((name) => heavy.includes(name))).toEqual([]);
    }
  });

  it('exits silently when its reader closes the pipe', async () => {
    const piped = program('sh', ['-c', `"${process.execPath}" "${JAMJET}" --help | head -n 1`], folderOf());
    await piped.ended;
    expect(piped.stdout()).toMatch(/^jamjet .*\n$/);
    expect(piped.stderr()).toBe('');
  });
});

describe('jamjet serve', () => {
  it('logs JSON lines, creates no token, and stops on SIGTERM', async () => {
    const folder = prepared();
    const serve = jamjet(['serve', '--port', '0'], folder);
    const [, url = ''] = await serve.shows(/"[^"]*(http:\/\/127\.0\.0\.1:\d+)/);
    expect((await fetch(`${url}/health`)).status).toBe(200);
    expect((await fetch(`${url}/executions`)).status).toBe(401);
    serve.kill('SIGTERM');
    expect(await serve.ended).toEqual({ code: 0, signal: null });
    for (const line of serve.stdout().trimEnd().split('\n')) expect(JSON.parse(line)).toHaveProperty('level');
    expect(statSync(join(folder, '.jamjet', 'token'), { throwIfNoEntry: false })).toBeUndefined();
  });
});

describe('jamjet run embedded, as a process', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('leaves a resumable execution on %s', async (signal) => {
    const folder = prepared();
    const run = jamjet(['run', 'hang.json', '--embedded', '--tools', 'tools.mjs'], folder);
    await run.shows(/started/);
    run.kill(signal);
    expect(await run.ended).toEqual({ code: 130, signal: null });
    expect(run.stdout()).toMatch(/is running: interrupted\. It is saved.*\n {2}resume {2}jamjet run hang\.json .*--resume exec_/);
  });

  it('continues after kill -9 with the next attempt', async () => {
    const folder = prepared();
    const run = jamjet(['run', 'hang.json', '--embedded', '--tools', 'tools.mjs'], folder);
    const [id = ''] = await run.shows(/exec_[0-9a-f]{32}/);
    await run.shows(/started/);
    run.kill('SIGKILL');
    await run.ended;
    writeFileSync(join(folder, 'tools.mjs'), 'export const hang = (_, { attempt }) => ({ attempt });\n');
    const resumed = jamjet(['run', 'hang.json', '--embedded', '--tools', 'tools.mjs', '--resume', id, '--json'], folder);
    expect((await resumed.ended).code).toBe(0);
    expect(JSON.parse(resumed.stdout())).toMatchObject({ status: 'completed', final_state: { state: { attempt: 1 } } });
  });
});

describe('following an execution while its server is killed', () => {
  it('waits for the next server, and continues', async () => {
    const folder = prepared();
    const tools = join(folder, 'tools.mjs');
    const server = await startServer({ folder, tools });
    // The follower detects the loss of the first server only when the next one is up, however long its start takes.
    const line = await openTcpProxy(Number(new URL(server.url).port));
    const run = program(process.execPath, [JAMJET, 'run', 'hang.json', '--runtime', line.via(`${server.url}/`)], folder, {
      JAMJET_TOKEN: server.token,
    });
    await run.shows(/started/);
    line.hang();
    await server.kill();
    writeFileSync(tools, 'export const hang = (_, { attempt }) => ({ attempt });\n');
    const next = await startHere({ folder, tools });
    line.redirect(Number(new URL(next.url).port));
    line.cut();
    await run.shows(/! lost http.*: reconnecting/);
    line.restore();
    expect((await run.ended).code).toBe(0);
    expect(run.stdout()).toMatch(/✗ work .*runtime lost\n[\s\S]*✓ work .*attempt 1\n[\s\S]*"attempt": 1/);
  });

  it('ends with one clear error if no server returns', async () => {
    const folder = prepared();
    const server = await startHere({ folder, tools: join(folder, 'tools.mjs') });
    const run = program(process.execPath, [JAMJET, 'run', 'hang.json', '--runtime', server.url], folder, {
      JAMJET_TOKEN: server.token,
    });
    await run.shows(/started/);
    await server.kill();
    expect((await run.ended).code).toBe(1);
    expect(run.stderr()).toMatch(/^error: cannot reach a server at http/m);
  });
});
