import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { JamjetClient } from '../../../src/client/index.ts';
import { startServer } from '../../../src/server/compose.ts';
import { readConfig } from '../../../src/server/config.ts';
import { runtimeServer } from '../runtime-server.ts';
import { jamjet } from '../terminal-session.ts';

const server = runtimeServer({});
const codeOf = (text: string): string => /#\/sign-in\/([0-9a-f]{32})/.exec(text)?.[1] ?? '';

/** A folder with a program in the place of `xdg-open`; `opened` is the file to which it writes its argument. */
function opener(script: (opened: string) => string) {
  const folder = mkdtempSync(join(tmpdir(), 'jamjet-console-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const opened = join(folder, 'opened');
  mkdirSync(join(folder, 'bin'));
  const program = join(folder, 'bin', process.platform === 'darwin' ? 'open' : 'xdg-open');
  writeFileSync(program, `#!/bin/sh\n${script(opened)}\n`);
  chmodSync(program, 0o755);
  return { env: { PATH: join(folder, 'bin'), DISPLAY: ':0' }, opened };
}

describe('jamjet console', () => {
  it('prints a link that signs in once, with the rights of the token', async () => {
    const { code, stdout, stderr } = await server().jamjet('console').ended;
    expect([code, stderr]).toEqual([0, 'signs in once, within five minutes\n']);
    expect(stdout).toBe(`${server().url}/#/sign-in/${codeOf(stdout)}\n`);
    const { signIn } = new JamjetClient({ url: server().url });
    expect(await signIn.redeemLink(codeOf(stdout))).toMatchObject({ name: 'ann (console)', role: 'operator' });
    await expect(signIn.redeemLink(codeOf(stdout))).rejects.toMatchObject({ code: 'sign_in_link_used' });
  });

  it('prints JSON', async () => {
    const { stdout, stderr } = await server().jamjet('console --json').ended;
    expect(JSON.parse(stdout)).toEqual({
      url: `${server().url}/#/sign-in/${codeOf(stdout)}`,
      expires_at: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    expect(stderr).toBe('');
  });

  it('opens the link in the browser', async () => {
    const { env, opened } = opener((file) => `echo "$1" > ${file}`);
    const { code, stdout } = await server().jamjet('console --open', { env }).ended;
    expect(code).toBe(0);
    expect(readFileSync(opened, 'utf8')).toBe(stdout);
  });

  it('says why no browser opens, and prints the link all the same', async () => {
    const { env, opened } = opener((file) => `echo > ${file}; exit 3`);
    const { code, stdout, stderr } = await server().jamjet('console --open', { env }).ended;
    expect([code, codeOf(stdout).length]).toEqual([0, 32]);
    expect(stderr).toMatch(/^warning: cannot open a browser: (xdg-)?open failed with exit code 3; open the link yourself\n$/);
    expect(existsSync(opened)).toBe(true);
    const missing = await server().jamjet('console --open', { env: { PATH: '', DISPLAY: ':0' } }).ended;
    expect([missing.code, missing.stderr]).toEqual([
      0,
      expect.stringMatching(/open is not available; open the link yourself\n$/),
    ]);
  });

  it.runIf(process.platform === 'linux')('starts no browser without a display', async () => {
    const { env, opened } = opener((file) => `echo > ${file}`);
    const { code, stderr } = await server().jamjet('console --open', { env: { ...env, DISPLAY: '' } }).ended;
    expect([code, stderr]).toEqual([0, 'warning: cannot open a browser: there is no display; open the link yourself\n']);
    expect(existsSync(opened)).toBe(false);
  });

  it('prints the plain address of a server without authentication', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'jamjet-console-'));
    const config = readConfig({ JAMJET_PORT: '0', DATABASE_URL: join(folder, 'runtime.db'), JAMJET_LOG: 'off' });
    const open = await startServer({ config, auth: 'off' });
    onTestFinished(async () => {
      await open.close(0);
      rmSync(folder, { recursive: true });
    });
    const { code, stdout, stderr } = await jamjet(['console', '-r', open.url], { cwd: folder });
    expect([code, stdout, stderr]).toEqual([0, `${open.url}/\n`, 'authentication is off: no sign-in is needed\n']);
  });

  it('names what is wrong with a token that it cannot use', async () => {
    const { code } = await server().client.signIn.createLink();
    const { token } = await server().client.signIn.redeemLink(code ?? '');
    const session = await server().jamjet('console', { env: { JAMJET_TOKEN: token } }).ended;
    expect(session).toMatchObject({ code: 1, stdout: '' });
    expect(session.stderr).toMatch(
      /^error: this token comes from a sign-in link; another link needs the token that made that one/,
    );
    const unknown = await server().jamjet('console', { env: { JAMJET_TOKEN: 'jj_none' } }).ended;
    expect(unknown).toMatchObject({ code: 1, stderr: expect.stringContaining('The token from JAMJET_TOKEN is not valid at') });
  });

  it('needs a server', async () => {
    const { code, stderr } = await jamjet(['console', '-r', 'http://127.0.0.1:1'], { cwd: tmpdir() });
    expect([code, stderr]).toEqual([1, expect.stringContaining('cannot reach a server at http://127.0.0.1:1')]);
  });
});
