import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { z } from 'zod';

const text = (...texts) => ({ content: texts.map((part) => ({ type: 'text', text: part })) });

/** A real MCP server with the tools of the tests. `report` is called with what happens in it. */
export function testServer(report = () => {}, die = () => process.exit(7)) {
  const server = new McpServer({ name: 'test', version: '1' });
  server.registerTool('echo', { inputSchema: z.looseObject({}) }, (input, { _meta }) =>
    text(JSON.stringify({ input, meta: { ..._meta } })),
  );
  server.registerTool('say', { inputSchema: { text: z.string() } }, (input) => text(input.text));
  server.registerTool('both', {}, () => text('one', 'two'));
  server.registerTool('structured', { outputSchema: { n: z.number() } }, () => ({
    ...text('ignored'),
    structuredContent: { n: 5 },
  }));
  server.registerTool('fails', {}, () => ({ ...text('no more tea'), isError: true }));
  server.registerTool('pid', {}, () => text(String(process.pid)));
  server.registerTool('variable', { inputSchema: { name: z.string() } }, ({ name }) => text(process.env[name] ?? 'none'));
  server.registerTool('hangs', {}, (extra) => {
    report('hanging');
    return new Promise((resolve) => {
      extra.signal.addEventListener('abort', () => {
        report('cancelled');
        resolve(text('too late'));
      });
    });
  });
  server.registerTool('dies', {}, () => new Promise(die));
  server.registerTool('huge', { inputSchema: { megabytes: z.number() } }, ({ megabytes }) =>
    text('x'.repeat(megabytes * 1024 * 1024)),
  );
  server.registerTool('asks', { inputSchema: { times: z.number(), ms: z.number() } }, async ({ times, ms }, extra) => {
    const asked = Array.from({ length: times }, () => extra.sendRequest({ method: 'ping' }, z.looseObject({})));
    const { length } = await Promise.all(asked);
    await new Promise((resolve) => setTimeout(resolve, ms));
    return text(`${length} answers`);
  });
  server.registerTool('floods', {}, async (extra) => {
    for (let i = 0; i < 20_000; i += 1)
      await extra.sendNotification({ method: 'notifications/message', params: { level: 'info', data: i } });
    return text('done');
  });
  server.server.registerCapabilities({ logging: {} });
  return server;
}
