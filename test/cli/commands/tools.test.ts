import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { webServer } from '../../executors/web-server.ts';
import { inFolder, jamjet } from '../terminal-session.ts';

const STDIO_SERVER = join(import.meta.dirname, '../../executors/mcp/stdio-server.mjs');
const FUNCTIONS = `
export const find_order = ({ number }) => ({ number, euros: 49 });
export const broken = () => { throw new Error('out of order'); };
export const hang = () => new Promise(() => {});
`;

/** A folder with a workflow file whose tools are of every kind. */
function inProject(url: string, work: (cwd: string) => Promise<void>): Promise<void> {
  return inFolder(async (cwd) => {
    writeFileSync(join(cwd, 'tools.mjs'), FUNCTIONS);
    writeFileSync(
      join(cwd, 'workflow.yaml'),
      `workflow: { id: shop }
tools:
  find_order: { kind: function, reference: "./tools.mjs#find_order" }
  stock: { kind: http, reference: "${url}/stock", description: How many are left., input_schema: { type: object, properties: { article: {}, town: {} }, required: [article] } }
  price: { kind: python, reference: "shop:price" }
mcp:
  servers:
    text: { command: "${process.execPath}", args: ["${STDIO_SERVER}"] }
nodes:
  look: { type: tool, tool_ref: find_order, next: left }
  left: { type: tool, tool_ref: stock, next: cost }
  cost: { type: tool, tool_ref: price, next: say }
  say: { type: mcp_tool, server: text, tool: say, next: end }
`,
    );
    await work(cwd);
  });
}

describe('jamjet tools', () => {
  it('lists the functions, catalog tools and MCP tools of a workflow file', () =>
    inProject('http://127.0.0.1:1', async (cwd) => {
      const { code, stdout, stderr } = await jamjet(['tools', 'list', 'workflow.yaml', '--json'], { cwd });
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      const tools = JSON.parse(stdout) as { name: string }[];
      expect(tools).toEqual(
        expect.arrayContaining([
          { name: 'find_order', kind: 'function', from: '', description: '', arguments: [] },
          { name: 'price', kind: 'python', from: 'shop:price', description: '', arguments: [] },
          {
            name: 'stock',
            kind: 'http',
            from: 'http://127.0.0.1:1/stock',
            description: 'How many are left.',
            arguments: ['article', 'town?'],
          },
          expect.objectContaining({ name: 'text.say', kind: 'mcp', from: 'text' }),
        ]),
      );
      expect((await jamjet(['tools', 'list', 'workflow.yaml'], { cwd })).stdout).toMatch(
        /stock +http +article town\? +How many are left\./,
      );
    }));

  it('lists the functions of a module, and what the operator provides', () =>
    inFolder(async (cwd) => {
      expect((await jamjet(['tools', 'list'], { cwd })).stdout).toBe('no tools\n');
      writeFileSync(join(cwd, 'tools.mjs'), FUNCTIONS);
      writeFileSync(join(cwd, 'jamjet.toml'), `[mcp.servers.gone]\ncommand = "${join(cwd, 'nothing')}"\n`);
      const { code, stdout, stderr } = await jamjet(['tools', 'list', '--tools', 'tools.mjs', '--json'], { cwd });
      expect((JSON.parse(stdout) as { name: string }[]).map(({ name }) => name)).toEqual(['broken', 'find_order', 'hang']);
      expect(stderr).toContain('MCP server gone');
      expect(code).toBe(1);
    }));

  it('calls a tool of any kind, and prints what it gives', async () => {
    const { url, requests } = await webServer((_, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"left":3}'),
    );
    await inProject(url, async (cwd) => {
      const call = async (...args: string[]) => JSON.parse((await jamjet(['tools', 'call', ...args], { cwd })).stdout);
      expect(await call('find_order', 'workflow.yaml', '--input', '{"number": "A-17"}')).toEqual({ number: 'A-17', euros: 49 });
      expect(await call('find_order', '--tools', 'tools.mjs')).toEqual({ euros: 49 });
      expect(await call('stock', 'workflow.yaml', '-i', '{"article": "tea"}')).toEqual({ left: 3 });
      expect(requests[0]?.body).toBe('{"article":"tea"}');
      expect(await call('text.say', 'workflow.yaml', '-i', '{"text": "hello"}')).toEqual('hello');
    });
  });

  it('says what went wrong', () =>
    inProject('http://127.0.0.1:1', async (cwd) => {
      for (const [args, why] of [
        [['price', 'workflow.yaml'], 'only a worker can call it'],
        [['unknown', 'workflow.yaml'], 'there is no tool "unknown"'],
        [['broken', '--tools', 'tools.mjs'], 'broken: out of order'],
        [['hang', '--tools', 'tools.mjs', '--timeout', '1'], 'it did not end in time'],
        [['stock', 'workflow.yaml'], 'stock: '],
        [['text.none', 'workflow.yaml'], 'text.none: '],
      ] as const)
        expect(await jamjet(['tools', 'call', ...args], { cwd })).toMatchObject({
          code: 1,
          stdout: '',
          stderr: expect.stringContaining(why),
        });
      expect(await jamjet(['tools', 'call', 'find_order', 'workflow.yaml', '-i', '{'], { cwd })).toMatchObject({ code: 2 });
    }));
});
