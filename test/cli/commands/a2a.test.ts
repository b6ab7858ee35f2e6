import { describe, expect, it } from 'vitest';
import { a2aAgent } from '../../executors/a2a/agent-server.ts';
import { webServer } from '../../executors/web-server.ts';
import { jamjet } from '../terminal-session.ts';

describe('a2a discover', () => {
  it.each(['1.0', '0.3'] as const)('shows the card of an agent of A2A %s', async (version) => {
    const agent = await a2aAgent({ version });
    const { code, stdout } = await jamjet(['a2a', 'discover', agent.url, '-H', 'X-Key: k1']);
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Test agent 1, 0 skills/) });
    expect(stdout).toMatch(new RegExp(`url +${agent.url}/a2a\\n`));
    expect(stdout).toMatch(/streaming +yes/);
    expect(agent.requests[0]?.headers['x-key']).toBe('k1');
  });

  it('prints the whole card as JSON', async () => {
    const agent = await a2aAgent({ version: '1.0' });
    const { stdout } = await jamjet(['a2a', 'discover', agent.url, '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      name: 'Test agent',
      protocols: ['1.0 JSONRPC'],
      input_modes: ['application/json'],
      card: { description: 'For tests' },
    });
  });

  it('shows the skills of other cards', async () => {
    const card = {
      id: 'legal',
      uri: 'https://legal.example.com',
      capabilities: { skills: [{ name: 'review', description: 'Reads' }] },
    };
    const { url } = await webServer((_, response) => response.end(JSON.stringify(card)));
    const { stdout } = await jamjet(['a2a', 'discover', url]);
    expect(stdout).toMatch(/^legal .*1 skill\n/);
    expect(stdout).toMatch(/review +Reads/);
  });

  it('says what is wrong', async () => {
    const { url } = await webServer((_, response) => response.writeHead(404).end());
    expect(await jamjet(['a2a', 'discover', url])).toMatchObject({ code: 1, stderr: expect.stringContaining('no agent card') });
    expect(await jamjet(['a2a', 'discover', 'ftp://x'])).toMatchObject({ code: 2 });
    expect(await jamjet(['a2a', 'discover', url, '-H', 'none'])).toMatchObject({ code: 2 });
  });
});
