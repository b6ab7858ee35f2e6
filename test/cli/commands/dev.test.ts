import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { freePort } from '../../support/ports.ts';
import { MODULE } from '../module.ts';
import { jamjet, TerminalSession } from '../terminal-session.ts';

const TOOLS = 'export const double = ({ n }) => ({ n: n * 2 });\nexport const hang = () => new Promise(() => {});\n';

function prepared(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'jamjet-dev-')));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'tools.mjs'), TOOLS);
  return folder;
}

/** Ends after the test. */
function dev(args: readonly string[], cwd: string, env: Record<string, string> = {}): TerminalSession {
  const session = new TerminalSession(['dev', ...args], { cwd, env });
  onTestFinished(() => stop(session));
  return session;
}

async function stop(session: TerminalSession, signal: 'SIGINT' | 'SIGTERM' = 'SIGINT'): Promise<void> {
  session.signals.emit(signal);
  expect((await session.ended).code).toBe(0);
}

/** What it shows, once it does. */
async function shown(session: TerminalSession, text: RegExp): Promise<RegExpExecArray> {
  await session.shows(text);
  return text.exec(session.screen) ?? expect.fail(`it no longer shows ${text}`);
}

describe('jamjet dev', () => {
  it('prints its URL, and saves a token that only its user can read', async () => {
    const folder = prepared();
    const first = dev(['--port', '0', '--tools', 'tools.mjs'], folder);
    await first.shows(/Ctrl-C/);
    expect(first.screen).toMatch(
      /JamJet is running\n\n {2}url +http:\/\/127\.0\.0\.1:\d+\n {2}console +http:\/\/127\.0\.0\.1:\d+\/#\/sign-in\/[0-9a-f]{32} {2}\(signs in once, within an hour\)\n {2}docs +http:\/\/127\.0\.0\.1:\d+\/docs\n {2}database +\.jamjet\/runtime\.db\n {2}token +\.jamjet\/token {2}\(new, role operator\)\n {2}tools +double, hang\n {2}network +HTTP nodes may call loopback and private addresses\n/,
    );
    expect(statSync(join(folder, '.jamjet', 'token')).mode & 0o777).toBe(0o600);
    await stop(first);
    const again = dev(['--port', '0'], folder);
    await again.shows(/token +\.jamjet\/token\n/);
    await stop(again, 'SIGTERM');
  });

  it('prints the variables for commands that use another database', async () => {
    const folder = prepared();
    const other = dev(['--port', '0', '--db', 'data/runs.db'], folder);
    const [, url = ''] = await shown(other, /url +(\S+)/);
    const [, variables = ''] = await shown(other, /export (.*) {3}jamjet run workflow\.yaml {3}jamjet ls {3}Ctrl-C stops\n/);
    expect(variables).toBe(`JAMJET_URL=${url} JAMJET_TOKEN="$(cat data/token)"`);
    const script = `export ${variables}; echo "$JAMJET_URL $JAMJET_TOKEN"`;
    const [JAMJET_URL = '', JAMJET_TOKEN = ''] = execFileSync('sh', ['-c', script], { cwd: folder, encoding: 'utf8' })
      .trim()
      .split(' ');
    const ls = await jamjet(['ls'], { cwd: folder, env: { JAMJET_URL, JAMJET_TOKEN } });
    expect([ls.code, ls.stderr]).toEqual([0, 'no executions\n']);

    const withoutAuth = dev(['--db', 'here.db', '--no-auth'], folder, { JAMJET_PORT: '0', JAMJET_URL: url });
    await withoutAuth.shows(/\n {2}export JAMJET_URL=http:\S+ {3}jamjet run/);
    const usual = dev(['--db', '.jamjet/other.db'], folder, { JAMJET_PORT: String(await freePort()) });
    await usual.shows(/\n {2}jamjet run workflow\.yaml {3}jamjet ls {3}Ctrl-C stops\n/);
  });

  it('prints one line of JSON for scripts', async () => {
    const folder = prepared();
    const [line] = await shown(dev(['--port', '0', '--json', '--tools', 'tools.mjs'], folder), /^.*\n/);
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
    const env = { PATH: `${join(folder, 'bin')}:${process.env.PATH}`, DISPLAY: ':0' };
    const session = dev(['--port', '0', '--open', '--json'], folder, env);
    const [line] = await shown(session, /^.*\n/);
    const { url, console } = JSON.parse(line) as { url: string; console: string };
    await expect
      .poll(() => session.both)
      .toMatch(/warning: cannot open a browser: .*open failed with exit code 4; open the console yourself/);
    expect(readFileSync(opened, 'utf8')).toBe(`${console}\n`);
    const signIn = () => fetch(`${url}/sign-in`, { method: 'POST', body: JSON.stringify({ code: console.slice(-32) }) });
    expect(await (await signIn()).json()).toMatchObject({ name: 'dev (console)', role: 'operator' });
    expect((await signIn()).status).toBe(409);
  });

  it('creates a new token if the saved one is not valid', async () => {
    const folder = prepared();
    const first = dev(['--port', '0'], folder);
    await first.shows(/Ctrl-C/);
    const { tokens } = JSON.parse((await jamjet(['token', 'list', '--json'], { cwd: folder })).stdout) as {
      tokens: { id: string }[];
    };
    await jamjet(['token', 'revoke', tokens[0]?.id ?? ''], { cwd: folder });
    await stop(first);
    await dev(['--port', '0'], folder).shows(/\(new, role operator\)/);
  });

  it('refuses the same database and the same port in two lines', async () => {
    const folder = prepared();
    const [, port = ''] = await shown(dev(['--port', '0'], folder), /127\.0\.0\.1:(\d+)/);
    for (const [args, message] of [
      [['dev', '--port', '0'], /^error: .+\nOnly one runtime may open a database file/],
      [
        ['dev', '--db', 'other.db', '--port', port],
        /^error: cannot listen on 127\.0\.0\.1 port \d+: the port is in use\nPass another --port/,
      ],
    ] as const) {
      const second = await jamjet(args, { cwd: folder, env: { JAMJET_LOG: 'silent' } });
      expect(second.code).toBe(1);
      expect(second.stderr).toMatch(message);
      expect(second.stderr.trimEnd().split('\n')).toHaveLength(2);
    }
  });

  it('serves without tokens on loopback addresses only, and names the plain address of the console', async () => {
    const folder = prepared();
    const open = dev(['--port', '0', '--no-auth'], folder);
    const [, url = ''] = await shown(open, /url +(\S+)/);
    await open.shows(new RegExp(`console +${url}/\n`));
    expect((await fetch(`${url}/executions`)).status).toBe(200);
    const exposed = await jamjet(['dev', '--no-auth', '--db', 'x.db'], { cwd: folder, env: { JAMJET_BIND: '0.0.0.0' } });
    expect(exposed).toMatchObject({ code: 2, stderr: expect.stringMatching(/0\.0\.0\.0 is not one/) });
  });
});

describe('jamjet dev FILE', () => {
  it('starts with a broken file with --watch, and serves it once it is put right', async () => {
    const folder = prepared();
    writeFileSync(join(folder, 'workflow.yaml'), 'workflow: { id: w }\nnodes: { a: { type: tol } }\n');
    const session = dev(['--watch', '--port', '0'], folder);
    await session.shows(/Ctrl-C/);
    expect(session.both).toMatch(/workflow\.yaml:2:\d+ {2}error .+\n.+\nwaiting for a change of the files\n/);
    writeFileSync(join(folder, 'workflow.yaml'), 'workflow: { id: w }\nnodes: { a: { type: tool } }\n');
    await session.shows(/↻ reloaded workflow\.yaml: w 0\.1\.0 \(revision [0-9a-f]{12}\)\n/);
  });

  it('refuses a broken file without --watch, and --watch without a file', async () => {
    const folder = prepared();
    writeFileSync(join(folder, 'bad.yaml'), 'workflow: { id: w }\nnodes: { a: { type: tol } }\n');
    const bad = await jamjet(['dev', 'bad.yaml', '--port', '0'], { cwd: folder });
    expect(bad.code).toBe(1);
    expect(bad.stderr).toMatch(/^bad\.yaml:2:\d+ {2}error .+\n.+\nerror: bad\.yaml is not valid\n$/);
    const none = await jamjet(['dev', '--watch', '--port', '0'], { cwd: folder });
    expect(none.code).toBe(2);
    expect(none.stderr).toMatch(/^error: --watch: there is no workflow\.ts or workflow\.yaml in .+\nName the files/);
  });

  it('registers a workflow of a module like one in YAML', async () => {
    const folder = prepared();
    writeFileSync(join(folder, 'twice.ts'), MODULE);
    const [, JAMJET_URL = ''] = await shown(dev(['twice.ts', '--port', '0'], folder), /url +(\S+)[\s\S]*Ctrl-C/);
    const ran = await jamjet(['run', 'twice.ts', '--input', '{"n":4}', '--json'], { cwd: folder, env: { JAMJET_URL } });
    expect(JSON.parse(ran.stdout)).toMatchObject({ final_state: { state: { n: 8 } } });
    const same = await jamjet(['workflows', 'diff', 'twice.ts', '--exit-code'], { cwd: folder, env: { JAMJET_URL } });
    expect(same.code).toBe(0);
  });
});
