import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { mcpHttpServer } from '../../executors/mcp/http-server.ts';
import { webServer } from '../../executors/web-server.ts';
import { jamjet } from '../terminal-session.ts';

const COMMAND = `stdio:${process.execPath} ${join(import.meta.dirname, '../../executors/mcp/stdio-server.mjs')}`;

describe('mcp connect', () => {
  it('lists the tools of a server at a URL, whose path may be left out', async () => {
    const { url, headers } = await mcpHttpServer('sse-replies');
    const { code, stdout } = await jamjet(['mcp', 'connect', new URL(url).origin, '-H', 'X-Key: k1']);
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringMatching(/^test 1, \d+ tools/) });
    expect(stdout).toMatch(/say +text/);
    expect(headers.map((sent) => sent['x-key'])).toContain('k1');
  });

  it('lists the tools of a command as JSON', async () => {
    const { stdout } = await jamjet(['mcp', 'connect', COMMAND, '--json']);
    const { name, version, tools } = JSON.parse(stdout);
    expect({ name, version }).toEqual({ name: 'test', version: '1' });
    expect(tools).toContainEqual({ name: 'variable', description: '', arguments: ['name'] });
  });

  it('says what is wrong', async () => {
    const { url } = await webServer((_, response) => response.writeHead(403).end('no'));
    const refused = await jamjet(['mcp', 'connect', url]);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('MCP server') });
    expect(await jamjet(['mcp', 'connect', 'ftp://x'])).toMatchObject({ code: 2 });
    expect(await jamjet(['mcp', 'connect', 'stdio:'])).toMatchObject({ code: 2 });
    expect(await jamjet(['mcp', 'connect', url, '-H', 'none'])).toMatchObject({ code: 2 });
  });
});
