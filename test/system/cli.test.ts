import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { PRINTING_LOADER, packagesIn } from '../support/loaded-packages.ts';
import { freePort } from '../support/ports.ts';
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

describe('jamjet dev', () => {
  it('prints its URL, and saves a token that only its user can read', async () => {
    const folder = prepared();
    const dev = jamjet(['dev', '--port', '0', '--tools', 'tools.mjs'], folder);
    await dev.shows(/Ctrl-C/);
    expect(dev.stdout()).toMatch(
      /JamJet is running\n\n {2}url +http:\/\/127\.0\.0\.1:\d+\n {2}console +http:\/\/127\.0\.0\.1:\d+\/#\/sign-in\/[0-9a-f]{32} {2}\(signs in once, within an hour\)\n {2}docs +http:\/\/127\.0\.0\.1:\d+\/docs\n {2}database +\.jamjet\/runtime\.db\n {2}token +\.jamjet\/token {2}\(new, role operator\)\n {2}tools +double, hang\n {2}network +HTTP nodes may call loopback and private addresses\n/,
    );
    expect(statSync(join(folder, '.jamjet', 'token')).mode & 0o777).toBe(0o600);
    dev.kill('SIGINT');
    expect(await dev.ended).toEqual({ code: 0, signal: null });
    const again = jamjet(['dev', '--port', '0'], folder);
    await again.shows(/token +\.jamjet\/token\n/);
    again.kill('SIGTERM');
    expect(await again.ended).toEqual({ code: 0, signal: null });
  });

  it('prints the variables for commands that use another database', async () => {
    const folder = prepared();
    const dev = jamjet(['dev', '--port', '0', '--db', 'data/runs.db'], folder);
    const [, url = ''] = await dev.shows(/url +(\S+)/);
    const [, variables = ''] = await dev.shows(/export (.*) {3}jamjet run workflow\.yaml {3}jamjet ls {3}Ctrl-C stops\n/);
    expect(variables).toBe(`JAMJET_URL=${url} JAMJET_TOKEN="$(cat data/token)"`);
    const ls = program('sh', ['-c', `export ${variables}; exec ${process.execPath} ${JAMJET} ls`], folder);
    expect([await ls.ended, ls.stderr()]).toEqual([{ code: 0, signal: null }, 'no executions\n']);

    const withoutAuth = program(process.execPath, [JAMJET, 'dev', '--db', 'here.db', '--no-auth'], folder, {
      JAMJET_PORT: '0',
      JAMJET_URL: url,
    });
    await withoutAuth.shows(/\n {2}export JAMJET_URL=http:\S+ {3}jamjet run/);
    const usual = program(process.execPath, [JAMJET, 'dev', '--db', '.jamjet/other.db'], folder, {
      JAMJET_PORT: String(await freePort()),
    });
    await usual.shows(/\n {2}jamjet run workflow\.yaml {3}jamjet ls {3}Ctrl-C stops\n/);
  });

  it('prints one line of JSON for scripts', async () => {
    const folder = prepared();
    const dev = jamjet(['dev', '--port', '0', '--json', '--tools', 'tools.mjs'], folder);
    const [line = ''] = await dev.shows(/^.*\n/);
    const { url, ...rest } = JSON.parse(line) as { url: string };
    expect(rest).toEqual({
      console: expect.stringMatching(/#\/sign-in\/[0-9a-f]{32}$/),
      database: join(folder, '.jamjet', 'runtime.db'),
      auth: true,
      token_file: join(folder, '.jamjet', 'token'),
      tools: ['double', 'hang'],
    });
    expect((await fetch(`${url}/health`)).status).toBe(200);
  });

  it('opens the console, signed in, and serves without a browser all the same', async () => {
    const folder = prepared();
    const opened = join(folder, 'opened');
    mkdirSync(join(folder, 'bin'));
    for (const name of ['open', 'xdg-open']) {
      writeFileSync(join(folder, 'bin', name), `#!/bin/sh\necho "$1" > ${opened}; exit 4\n`);
      chmodSync(join(folder, 'bin', name), 0o755);
    }
    const dev = program(process.execPath, [JAMJET, 'dev', '--port', '0', '--open', '--json'], folder, {
      PATH: `${join(folder, 'bin')}:${process.env.PATH}`,
      DISPLAY: ':0',
    });
    const [line = ''] = await dev.shows(/^.*\n/);
    const { url, console } = JSON.parse(line) as { url: string; console: string };
    await expect
      .poll(dev.stderr)
      .toMatch(/warning: cannot open a browser: .*open failed with exit code 4; open the console yourself/);
    expect(readFileSync(opened, 'utf8')).toBe(`${console}\n`);
    const signIn = () => fetch(`${url}/sign-in`, { method: 'POST', body: JSON.stringify({ code: console.slice(-32) }) });
    expect(await (await signIn()).json()).toMatchObject({ name: 'dev (console)', role: 'operator' });
    expect((await signIn()).status).toBe(409);
  });

  it('creates a new token if the saved one is not valid', async () => {
    const folder = prepared();
    const first = jamjet(['dev', '--port', '0'], folder);
    await first.shows(/Ctrl-C/);
    const list = jamjet(['token', 'list', '--json'], folder);
    await list.ended;
    const { tokens } = JSON.parse(list.stdout()) as { tokens: { id: string }[] };
    await jamjet(['token', 'revoke', tokens[0]?.id ?? ''], folder).ended;
    first.kill('SIGTERM');
    await first.ended;
    const second = jamjet(['dev', '--port', '0'], folder);
    await second.shows(/\(new, role operator\)/);
  });

  it('refuses the same database and the same port in two lines', async () => {
    const folder = prepared();
    const first = jamjet(['dev', '--port', '0'], folder);
    const [, port = ''] = await first.shows(/127\.0\.0\.1:(\d+)/);
    for (const [args, message] of [
      [['dev', '--port', '0'], /^error: .+\nOnly one runtime may open a database file/],
      [
        ['dev', '--db', 'other.db', '--port', port],
        /^error: cannot listen on 127\.0\.0\.1 port \d+: the port is in use\nPass another --port/,
      ],
    ] as const) {
      const second = jamjet(args, folder);
      expect((await second.ended).code).toBe(1);
      expect(second.stderr()).toMatch(message);
      expect(second.stderr().trimEnd().split('\n')).toHaveLength(2);
    }
  });

  it('serves without tokens on loopback addresses only, and names the plain address of the console', async () => {
    const folder = prepared();
    const open = jamjet(['dev', '--port', '0', '--no-auth'], folder);
    const [, url = ''] = await open.shows(/url +(\S+)/);
    await open.shows(new RegExp(`console +${url}/\n`));
    expect((await fetch(`${url}/executions`)).status).toBe(200);
    const exposed = program(process.execPath, [JAMJET, 'dev', '--no-auth', '--db', 'x.db'], folder, { JAMJET_BIND: '0.0.0.0' });
    expect((await exposed.ended).code).toBe(2);
    expect(exposed.stderr()).toMatch(/0\.0\.0\.0 is not one/);
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
    const next = jamjet(['dev', '--db', 'runtime.db', '--port', '0', '--tools', tools], folder);
    const [, port] = await next.shows(/127\.0\.0\.1:(\d+)/);
    line.redirect(Number(port));
    line.cut();
    await run.shows(/! lost http.*: reconnecting/);
    line.restore();
    expect((await run.ended).code).toBe(0);
    expect(run.stdout()).toMatch(/✗ work .*runtime lost\n[\s\S]*✓ work .*attempt 1\n[\s\S]*"attempt": 1/);
  });

  it('ends with one clear error if no server returns', async () => {
    const folder = prepared();
    const server = await startServer({ folder, tools: join(folder, 'tools.mjs') });
    const run = program(process.execPath, [JAMJET, 'run', 'hang.json', '--runtime', server.url], folder, {
      JAMJET_TOKEN: server.token,
    });
    await run.shows(/started/);
    await server.kill();
    expect((await run.ended).code).toBe(1);
    expect(run.stderr()).toMatch(/^error: cannot reach a server at http/m);
  });
});
