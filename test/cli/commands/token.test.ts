import { describe, expect, it } from 'vitest';
import { JamjetClient } from '../../../src/client/index.ts';
import { TOOLS } from '../flows.ts';
import { runtimeServer } from '../runtime-server.ts';
import { inFolder, jamjet } from '../terminal-session.ts';

interface Token {
  readonly id: string;
  readonly token: string;
  readonly expires_at: string | null;
}

async function made(folder: string, ...options: string[]): Promise<Token> {
  const { code, stdout } = await jamjet(['token', 'create', '--json', ...options], { cwd: folder });
  expect(code).toBe(0);
  return JSON.parse(stdout) as Token;
}

describe('jamjet token without a server', () => {
  it('creates a token, prints its text once, and lists it without', () =>
    inFolder(async (folder) => {
      const { code, stdout, stderr } = await jamjet(['token', 'create', '--role', 'developer', '--name', 'billing'], {
        cwd: folder,
      });
      expect(code).toBe(0);
      expect(stdout).toMatch(/^jj_[0-9a-f]{64}\n$/);
      expect(stderr).toMatch(/role +developer\n {2}tenant +default\n {2}name +billing\n {2}expires +never\n/);
      const list = await jamjet(['token', 'list'], { cwd: folder });
      expect(list.stdout).toMatch(/^TOKEN .*\n\S+ +billing +developer +.* yes\n$/);
      expect(list.stdout).not.toContain('jj_');
    }));

  it('prints exactly the documented fields as JSON', () =>
    inFolder(async (folder) => {
      const token = await made(folder, '--role', 'viewer', '--expires-in', '30d');
      expect(token).toMatchObject({ token: expect.stringMatching(/^jj_[0-9a-f]{64}$/), role: 'viewer', tenant_id: 'default' });
      const left = Date.parse(token.expires_at ?? '') - Date.now();
      expect(Math.abs(left - 30 * 86_400_000)).toBeLessThan(60_000);
    }));

  it('restricts a worker to queues', () =>
    inFolder(async (folder) => {
      expect(await made(folder, '--role', 'worker', '--queue', 'gpu', '--queue', 'tool')).toMatchObject({
        role: 'worker',
        queues: ['gpu', 'tool'],
      });
      expect((await jamjet(['token', 'list'], { cwd: folder })).stdout).toContain('worker: gpu, tool');
    }));

  it('revokes by id, and reports an unknown id', () =>
    inFolder(async (folder) => {
      const { id } = await made(folder, '--role', 'viewer');
      expect(await jamjet(['token', 'revoke', id], { cwd: folder })).toMatchObject({ code: 0, stdout: `✓ revoked ${id}\n` });
      expect((await jamjet(['token', 'list'], { cwd: folder })).stdout).toMatch(/revoked now|revoked \d+ s ago/);
      const unknown = await jamjet(['token', 'revoke', '00000000-0000-4000-8000-000000000000'], { cwd: folder });
      expect(unknown).toMatchObject({ code: 1, stdout: '' });
      expect(unknown.stderr).toMatch(/^error: .+\n`jamjet token list` lists the ids\.\n$/);
    }));

  it('rejects an unknown tenant', () =>
    inFolder(async (folder) => {
      const { code, stderr } = await jamjet(['token', 'create', '--role', 'viewer', '--tenant', 'acme'], { cwd: folder });
      expect(code).toBe(1);
      expect(stderr).toMatch(/^error: tenant acme does not exist\n/);
    }));
});

describe('jamjet token while a server runs on the database', () => {
  const server = runtimeServer(TOOLS);

  it('creates tokens that the server accepts with their role', async () => {
    const { token } = await made(server().folder, '--role', 'viewer');
    const client = new JamjetClient({ url: server().url, token });
    expect((await client.executions()).executions).toEqual([]);
    await expect(client.start({ workflow_id: 'x' })).rejects.toMatchObject({ status: 403 });
  });
});
