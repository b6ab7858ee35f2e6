import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { McpServer } from '../../machines/ir/mcp-servers.ts';
import type { JsonObject } from '../../machines/json.ts';
import type { McpTool } from '../../machines/nodes/mcp-tool.ts';
import type { WorkContext } from '../../src/executors/executor.ts';
import { McpConnections } from '../../src/executors/mcp/connections.ts';
import type { McpServers } from '../../src/executors/mcp/endpoint.ts';
import { mcpToolExecutor } from '../../src/executors/mcp-tool.ts';
import { Outbound } from '../../src/executors/outbound/index.ts';
import { mcpHttpServer } from './mcp/http-server.ts';
import { tokenServer } from './oauth/token-server.ts';
import { webServer } from './web-server.ts';
import { contextWith, failure, workWith } from './work.ts';

const STDIO_SERVER = join(import.meta.dirname, 'mcp', 'stdio-server.mjs');
const outbound = new Outbound({ allowPrivateAddresses: true });

interface Setting {
  readonly provided?: McpServers;
  readonly declared?: Readonly<Record<string, McpServer>>;
  readonly vars?: Readonly<Record<string, string>>;
  readonly idleMs?: number;
  readonly guard?: Outbound;
}

/** Calls tools of the server `s`. */
function caller({ provided = {}, declared = {}, vars = {}, idleMs, guard = outbound }: Setting) {
  const connections = new McpConnections({
    serversOf: () => provided,
    outbound: guard,
    ...(idleMs === undefined ? {} : { idleMs }),
  });
  onTestFinished(() => connections.close());
  const call = (tool: string, input: JsonObject = {}, context: Partial<WorkContext> = {}, kind: Partial<McpTool> = {}) =>
    mcpToolExecutor({ type: 'mcp_tool', server: 's', tool, input_mapping: {}, ...kind }, { connections, declared, vars })(
      workWith(input),
      contextWith(context),
    );
  return { call, connections };
}

const declaredAt = (url: string, more: Partial<McpServer> = {}): Setting => ({
  declared: { s: { transport: 'http_sse', url, args: [], env: {}, ...more } },
});
const stdio = (...args: string[]): Setting => ({
  provided: { s: { command: process.execPath, args: [STDIO_SERVER, ...args], env: { COLOUR: 'green' } } },
});

function reportFile(): { readonly path: string; lines(): string[] } {
  const folder = mkdtempSync(join(tmpdir(), 'jamjet-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'reports');
  return { path, lines: () => readFileSync(path, 'utf8').trim().split('\n') };
}

describe.each(['sse-replies', 'json-replies', 'legacy', 'stdio'] as const)('an MCP server by %s', (mode) => {
  const open = async () => {
    if (mode === 'stdio') {
      const reports = reportFile();
      return { ...caller(stdio(reports.path)), server: null, reports: reports.lines };
    }
    const server = await mcpHttpServer(mode);
    return { ...caller(declaredAt(server.url)), server, reports: () => server.reports };
  };

  it('is called with the arguments and the identity of the attempt', async () => {
    const { call } = await open();
    expect(await call('echo', { q: 'tea', n: [1, null] })).toEqual({
      output: {
        input: { q: 'tea', n: [1, null] },
        meta: { 'jamjet/idempotency-key': 'exec_1:n:1', 'jamjet/execution-id': 'exec_1' },
      },
    });
  });

  it('fails an attempt by a tool that fails, retryably unless the arguments are refused', async () => {
    const { call } = await open();
    expect(await failure(call('fails'))).toMatchObject({
      message: 'fails failed: no more tea',
      errorClass: 'tool_error',
      retryable: true,
    });
    expect(await failure(call('say', { text: 5 }))).toMatchObject({ errorClass: 'validation', retryable: false });
    expect(await failure(call('unknown'))).toMatchObject({ errorClass: 'validation', retryable: false });
  });

  it('serves calls at the same time on one connection', async () => {
    const { call, server, reports } = await open();
    const replies = await Promise.all(['a', 'b', 'c'].map((text) => call('say', { text })));
    expect(replies).toEqual([{ output: 'a' }, { output: 'b' }, { output: 'c' }]);
    if (server === null) expect(reports()).toEqual(['started']);
  });

  it('is told when a call is cancelled, and serves the next one', async () => {
    const { call, server, reports } = await open();
    const controller = new AbortController();
    const hanging = call('hangs', {}, { signal: controller.signal });
    if (server === null) await expect.poll(reports).toContain('hanging');
    else await server.reported('hanging');
    controller.abort(new DOMException('', 'TimeoutError'));
    expect(await failure(hanging)).toMatchObject({ errorClass: 'timeout', retryable: true });
    if (server === null) await expect.poll(reports).toContain('cancelled');
    else await server.reported('cancelled');
    expect(await call('say', { text: 'still here' })).toEqual({ output: 'still here' });
  });

  it('that dies in a call fails the attempt retryably, and is reached again by the next', async () => {
    const { call } = await open();
    expect(await failure(call('dies'))).toMatchObject({ errorClass: 'connection_reset', retryable: true });
    expect(await call('say', { text: 'back' })).toEqual({ output: 'back' });
  });

  it('is cut off when a reply is too large', async () => {
    const { call } = await open();
    expect(await failure(call('huge', { megabytes: 20 }))).toMatchObject({
      errorClass: 'response_too_large',
      retryable: false,
    });
    expect(await call('say', { text: 'small' })).toEqual({ output: 'small' });
  });

  it('is not called once the attempt is over', async () => {
    const { call } = await open();
    const signal = AbortSignal.abort(new DOMException('', 'TimeoutError'));
    expect(await failure(call('say', { text: 'x' }, { signal }))).toMatchObject({ errorClass: 'timeout' });
  });
});

describe('the output of an MCP tool', () => {
  const schema = (properties: JsonObject): Partial<McpTool> => ({ output_schema: { type: 'object', properties } });
  const said = async (text: string, kind: Partial<McpTool> = {}) => {
    const { url } = await mcpHttpServer('json-replies');
    return caller(declaredAt(url)).call('say', { text }, {}, kind);
  };

  it.each([
    ['plain', 'plain'],
    ['{"a": 1}', { a: 1 }],
    [' [1, 2]\n', [1, 2]],
    ['Here you are:\n```json\n{"a": 1}\n```\nAnything else?', { a: 1 }],
    ['```\n[1]\n```\n```\n[2]\n```', '```\n[1]\n```\n```\n[2]\n```'],
    ['5', '5'],
    ['{broken', '{broken'],
  ])('%j is %j', async (text, output) => expect(await said(text)).toEqual({ output }));

  it('is the structured content, else all contents', async () => {
    const { url } = await mcpHttpServer('json-replies');
    const { call } = caller(declaredAt(url));
    expect(await call('structured')).toEqual({ output: { n: 5 } });
    expect(await call('both')).toEqual({
      output: [
        { type: 'text', text: 'one' },
        { type: 'text', text: 'two' },
      ],
    });
  });

  it('is checked by its schema', async () => {
    expect(await said('{"n": 1}', schema({ n: { type: 'integer' } }))).toEqual({ output: { n: 1 } });
    expect(await said('7', { output_schema: { type: 'integer' } })).toEqual({ output: 7 });
    expect(await failure(said('{"n": "x"}', schema({ n: { type: 'integer' } })))).toMatchObject({
      message: 'the output does not fit output_schema: /n must be integer',
      errorClass: 'validation',
      retryable: false,
    });
    expect(await failure(said('no JSON', schema({})))).toMatchObject({ errorClass: 'validation' });
  });

  it.each([
    ['a pattern', { type: 'string', pattern: '^(a+)+$' }, `"${'a'.repeat(40)}!"`],
    [
      'a comparison of each with each',
      { type: 'array', uniqueItems: true },
      JSON.stringify(
        Array(40_000)
          .fill([[]])
          .map((x, i) => [x, i]),
      ),
    ],
    ['references that double', { $ref: '#/$defs/s40', $defs: doubling(40) }, '5'],
  ])('is checked for a limited time, with %s', async (_what, output_schema, text) => {
    expect(await failure(said(text, { output_schema }))).toMatchObject({
      message: expect.stringMatching(/takes? too long/),
      errorClass: 'validation',
      retryable: false,
    });
  });

  it('is searched for a block in time that grows with it', async () => {
    const text = '```a\n'.repeat(300_000);
    expect(await said(text)).toEqual({ output: text });
  });
});

/** Schemas of which each refers to the one before twice. */
function doubling(count: number): JsonObject {
  const names = Array.from({ length: count }, (_, i) => i + 1);
  const twice = (i: number) => ({ allOf: [{ $ref: `#/$defs/s${i - 1}` }, { $ref: `#/$defs/s${i - 1}` }] });
  return { s0: { type: 'integer' }, ...Object.fromEntries(names.map((i) => [`s${i}`, twice(i)])) };
}

describe('a server of the operator', () => {
  it('comes before one of the document, and keeps its credentials', async () => {
    const server = await mcpHttpServer('json-replies');
    const provided = { s: { url: server.url, headers: { authorization: 'Bearer secret' } } };
    const guard = new Outbound({ allowPrivateAddresses: false });
    const { call } = caller({ ...declaredAt('http://127.0.0.1:9/other'), provided, guard });
    expect(await call('say', { text: 'private' })).toEqual({ output: 'private' });
    expect(server.headers.map(({ authorization }) => authorization)).toContain('Bearer secret');
  });

  it('is a command with its own variables and none of this process', async () => {
    process.env.JAMJET_TEST_SECRET = 'secret';
    onTestFinished(() => {
      delete process.env.JAMJET_TEST_SECRET;
    });
    const { call } = caller(stdio());
    expect(await call('variable', { name: 'COLOUR' })).toEqual({ output: 'green' });
    expect(await call('variable', { name: 'JAMJET_TEST_SECRET' })).toEqual({ output: 'none' });
  });

  it('is one process for each tenant', async () => {
    const { call } = caller(stdio());
    const [first, again, other] = [await call('pid'), await call('pid'), await call('pid', {}, { tenantId: 'acme' })].map(
      ({ output }) => output,
    );
    expect(again).toBe(first);
    expect(other).not.toBe(first);
  });

  it('ends when it is not used for a while, and when the connections are closed', async () => {
    const { call, connections } = caller({ ...stdio(), idleMs: 1 });
    const { output: pid } = await call('pid');
    await expect.poll(() => isAlive(Number(pid))).toBe(false);
    const { output: next } = await call('pid');
    await connections.close();
    await expect.poll(() => isAlive(Number(next))).toBe(false);
    expect(await failure(call('pid'))).toMatchObject({ retryable: true });
  });

  it.each([
    ['ends', 'sleep 1000'],
    ['is killed', `trap '' TERM; while true; do sleep 0.1; done`],
  ])('%s with what it has started', async (_how, started) => {
    const file = join(mkdtempSync(join(tmpdir(), 'jamjet-')), 'pid');
    onTestFinished(() => rmSync(dirname(file), { recursive: true, force: true }));
    const script = `(${started}) & echo $! > "$0"; exec "$@"`;
    const command = { command: '/bin/sh', args: ['-c', script, file, process.execPath, STDIO_SERVER] };
    const { call, connections } = caller({ provided: { s: command } });
    expect(await call('say', { text: 'hello' })).toEqual({ output: 'hello' });
    const pid = Number(readFileSync(file, 'utf8'));
    expect(isAlive(pid)).toBe(true);
    await connections.close();
    await expect.poll(() => isAlive(pid)).toBe(false);
  });

  it('takes what it has started along when it breaks down', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'jamjet-')), 'pid');
    onTestFinished(() => rmSync(dirname(file), { recursive: true, force: true }));
    const script = 'sleep 1000 & echo $! > "$0"; exec "$@"';
    const command = { command: '/bin/sh', args: ['-c', script, file, process.execPath, STDIO_SERVER] };
    const { call } = caller({ provided: { s: command } });
    const { output: pid } = await call('pid');
    process.kill(Number(pid), 'SIGKILL');
    await expect.poll(() => isAlive(Number(readFileSync(file, 'utf8')))).toBe(false);
    expect(await call('say', { text: 'again' })).toEqual({ output: 'again' });
  });

  it('that cannot be started fails the attempt', async () => {
    const { call } = caller({ provided: { s: { command: '/no/such/command' } } });
    expect(await failure(call('pid'))).toMatchObject({ errorClass: 'io_error', retryable: true });
  });

  it('that is no MCP server fails the attempt', async () => {
    const { call } = caller({ provided: { s: { command: process.execPath, args: ['-e', 'console.log("hello")'] } } });
    expect(await failure(call('pid'))).toMatchObject({ errorClass: 'connection_reset', retryable: true });
  });
});

describe('a server that a document names', () => {
  it('may not be in a private network', async () => {
    const server = await mcpHttpServer('json-replies');
    const { call } = caller({ ...declaredAt(server.url), guard: new Outbound({ allowPrivateAddresses: false }) });
    expect(await failure(call('pid'))).toMatchObject({ errorClass: 'blocked_address', retryable: false });
    expect(server.requests).toEqual([]);
  });

  it('may not be a command', async () => {
    const reports = reportFile();
    const command: McpServer = { transport: 'stdio', command: process.execPath, args: [STDIO_SERVER, reports.path], env: {} };
    const { call } = caller({ declared: { s: command } });
    expect(await failure(call('pid'))).toMatchObject({ errorClass: 'validation', retryable: false });
    expect(reports.lines).toThrow();
  });

  it('gets only variables that the operator has given to the tenant', async () => {
    const server = await mcpHttpServer('json-replies');
    const setting = declaredAt(server.url, { auth: { type: 'api_key', header: 'X-Key', key_env: 'KEY' } });
    expect((await failure(caller(setting).call('pid'))).message).toContain('KEY');
    await caller({ ...setting, vars: { KEY: 'k1' } }).call('pid');
    expect(server.headers.map((headers) => headers['x-key'])).toContain('k1');
  });

  it('gets a token of the client credentials grant, which is asked for once', async () => {
    const [server, tokens] = [await mcpHttpServer('json-replies'), await tokenServer()];
    const auth = {
      type: 'oauth2',
      client_id_env: 'ID',
      client_secret_env: 'SECRET',
      token_url: tokens.url,
      scope: 'tools',
    } as const;
    const { call } = caller({ ...declaredAt(server.url, { auth }), vars: { ID: 'jam', SECRET: 'client-secret-1' } });
    await call('pid');
    await call('pid');
    expect(tokens.asked().map((asked) => Object.fromEntries(asked))).toEqual([
      { grant_type: 'client_credentials', scope: 'tools' },
    ]);
    expect(new Set(server.headers.map(({ authorization }) => authorization))).toEqual(new Set(['Bearer access-token-1']));
  });

  it('gets the access token of the execution in place of its own credentials', async () => {
    const server = await mcpHttpServer('json-replies');
    const auth = { type: 'bearer', token_env: 'TOKEN' } as const;
    const { call } = caller({ ...declaredAt(server.url, { auth }), vars: { TOKEN: 'of the server' } });
    await call('pid', {}, { accessToken: { token: 'of-ann', scopes: ['read'] } });
    expect(new Set(server.headers.map(({ authorization }) => authorization))).toEqual(new Set(['Bearer of-ann']));
  });

  it('must exist', async () => {
    expect(await failure(caller({}).call('pid'))).toMatchObject({ errorClass: 'validation', retryable: false });
  });

  it('may forget its sessions', async () => {
    const server = await mcpHttpServer('sse-replies');
    const { call } = caller(declaredAt(server.url));
    await call('say', { text: 'a' });
    server.forget();
    expect(await call('say', { text: 'b' })).toEqual({ output: 'b' });
  });

  it('does not get its credentials into the error of an attempt', async () => {
    const repeating = (where: string) => {
      const auth = { type: 'bearer', token_env: 'TOKEN' } as const;
      return webServer((request, response) => {
        const { id, method } = JSON.parse(requests.get(where)?.at(-1)?.body ?? '{}') as { id?: number; method?: string };
        const text = `no ${request.headers.authorization}`;
        if (where === 'the greeting') return void response.writeHead(403).end(text);
        response.setHeader('content-type', 'application/json');
        const result = { protocolVersion: '2025-06-18', capabilities: { tools: {} }, serverInfo: { name: 's', version: '1' } };
        if (method === 'initialize') return void response.end(JSON.stringify({ jsonrpc: '2.0', id, result }));
        if (id === undefined) return void response.writeHead(202).end();
        if (where === 'a status') return void response.writeHead(401).end(`${'x'.repeat(220)} ${text}`);
        if (where === 'an encoding') response.setHeader('content-encoding', text);
        const answer =
          where === 'an error'
            ? { error: { code: -32_050, message: text } }
            : { result: { isError: true, content: [{ type: 'text', text }] } };
        response.end(JSON.stringify({ jsonrpc: '2.0', id, ...answer }));
      }).then(({ url, requests: received }) => {
        requests.set(where, received);
        return caller({ ...declaredAt(url, { transport: 'streamable_http', auth }), vars: { TOKEN: 'secret-0123456789' } });
      });
    };
    const requests = new Map<string, readonly { readonly body: string }[]>();
    for (const where of ['the greeting', 'a status', 'an error', 'an encoding', 'a failed tool']) {
      const { message } = await failure((await repeating(where)).call('echo'));
      expect(message).toContain('[key]');
      expect(message).not.toContain('secret-0');
    }
  });

  it.each(['sse-replies', 'legacy'] as const)('may ask the client while it works, by %s', async (mode) => {
    const server = await mcpHttpServer(mode);
    const { call } = caller(declaredAt(server.url));
    expect(await call('asks', { times: 1, ms: 1_500 })).toEqual({ output: '1 answers' });
  });

  it('gets few answers at the same time', async () => {
    const open = new Set<ServerResponse>();
    let most = 0;
    let answered = (): void => {};
    const ping = (id: number): string => `data: {"jsonrpc":"2.0","id":${id},"method":"ping"}\n\n`;
    const { url, requests } = await webServer((_request, response) => {
      const { id, method } = JSON.parse(requests.at(-1)?.body ?? '{}') as { id?: number; method?: string };
      const result = { protocolVersion: '2025-06-18', capabilities: { tools: {} }, serverInfo: { name: 's', version: '1' } };
      if (method === 'initialize') {
        response.setHeader('content-type', 'application/json');
        return void response.end(JSON.stringify({ jsonrpc: '2.0', id, result }));
      }
      if (id === undefined) return void response.writeHead(202).end();
      if (method === 'tools/call') {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        if (most === 0) response.write(Array.from({ length: 2_000 }, (_, i) => ping(i)).join(''));
        // Answered only once the client has room for it; what it sent of the others has arrived then.
        const asking = setInterval(() => response.write(ping(2_000)), 10);
        answered = () => {
          clearInterval(asking);
          const done = { jsonrpc: '2.0', id, result: { content: [{ type: 'text', text: 'done' }] } };
          response.end(`data: ${JSON.stringify(done)}\n\n`);
        };
        return;
      }
      open.add(response);
      response.once('close', () => open.delete(response));
      most = Math.max(most, open.size);
      answered();
    });
    const { call } = caller(declaredAt(url, { transport: 'streamable_http' }));
    expect(await call('echo')).toEqual({ output: 'done' });
    for (const response of open) response.writeHead(202).end();
    expect(await call('echo')).toEqual({ output: 'done' });
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(16);
  });

  it('may not flood an attempt with messages', async () => {
    const server = await mcpHttpServer('sse-replies');
    expect(await failure(caller(declaredAt(server.url)).call('floods'))).toMatchObject({ errorClass: 'response_too_large' });
  });

  it.each([
    [429, 'rate_limit', true],
    [500, 'server_error', true],
    [403, 'client_error', false],
  ])('that answers %i fails the attempt as %s', async (status, errorClass, retryable) => {
    const { url } = await webServer((_, response) => response.writeHead(status).end('no'));
    expect(await failure(caller(declaredAt(url)).call('pid'))).toMatchObject({ errorClass, retryable, httpStatus: status });
  });

  it.each([
    ['text/html', '<html>'],
    ['application/json', '<html>'],
    ['application/json', '{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":5}}'],
  ])('that answers with %s %s fails the attempt retryably', async (type, body) => {
    const { url } = await webServer((_, response) => response.writeHead(200, { 'content-type': type }).end(body));
    expect(await failure(caller(declaredAt(url)).call('pid'))).toMatchObject({ retryable: true });
  });

  it('that ends its stream without a result fails the attempt retryably', async () => {
    const { url } = await webServer((_, response) =>
      response.writeHead(200, { 'content-type': 'text/event-stream' }).end(': nothing\n\n'),
    );
    expect(await failure(caller(declaredAt(url)).call('pid'))).toMatchObject({ errorClass: 'connection_reset', retryable: true });
  });

  it('that stalls is left at the deadline', async () => {
    const { url } = await webServer((_, response) =>
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(':\n\n'),
    );
    const signal = AbortSignal.timeout(50);
    expect(await failure(caller(declaredAt(url)).call('pid', {}, { signal }))).toMatchObject({ errorClass: 'timeout' });
  });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
