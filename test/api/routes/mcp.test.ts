import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { VERSION } from '../../../src/server/config.ts';
import { type ApiOptions, api, ECHO, ECHO_TOOLS, PAYMENT, REVIEW, UNKNOWN_EXECUTION } from '../support/api.ts';
import { asTenant, createTenant } from '../support/tenants.ts';

interface ToolReply {
  readonly isError: boolean;
  readonly text: string;
}

type Role = 'operator' | 'developer' | 'reviewer' | 'viewer';

/** A listening server, and the official client connected to it. */
async function listening(options?: ApiOptions) {
  const server = await api(options);
  const url = await server.app.listen({ host: '127.0.0.1', port: 0 });
  const connect = async (authorization: string | null, path = '/mcp') => {
    const headers: Record<string, string> = authorization === null ? {} : { authorization };
    const client = new Client({ name: 'tester', version: '1' });
    // The types of the SDK are not exact about optional properties.
    const transport = new StreamableHTTPClientTransport(new URL(`${url}${path}`), { requestInit: { headers } });
    await client.connect(transport as Parameters<typeof client.connect>[0]);
    onTestFinished(() => client.close());
    const use = async (name: string, args: Record<string, unknown> = {}): Promise<ToolReply> => {
      const { isError, content } = await client.callTool({ name, arguments: args });
      const [first] = content as readonly { readonly type: string; readonly text: string }[];
      return { isError: isError === true, text: first?.text ?? '' };
    };
    const read = async (name: string, args?: Record<string, unknown>) => {
      const { isError, text } = await use(name, args);
      expect([isError, text]).toEqual([false, text]);
      return JSON.parse(text);
    };
    return { client, use, read };
  };
  const as = async (role: Role, tenantId = 'default', path?: string) =>
    connect(`Bearer ${await server.token(role, { tenantId, name: `${role}-of-${tenantId}` })}`, path);
  return { ...server, url, connect, as };
}

/** The results of a batch, in the order of their ids. */
function results({ body }: { readonly body: unknown }): ToolReply[] {
  const replies = body as readonly {
    readonly id: number;
    readonly result: { readonly isError: boolean; readonly content: readonly { readonly text: string }[] };
  }[];
  return [...replies]
    .sort((a, b) => a.id - b.id)
    .map(({ result }) => ({ isError: result.isError, text: result.content[0]?.text ?? '' }));
}

describe('the official MCP client', () => {
  it('completes the handshake and finds the eight tools with their schemas', async () => {
    const { as } = await listening();
    const { client } = await as('viewer');
    expect(client.getServerVersion()).toMatchObject({ name: 'jamjet-runtime', version: VERSION });
    expect(client.getServerCapabilities()).toEqual({ tools: {}, resources: {}, prompts: {} });
    const { tools } = await client.listTools();
    const required = Object.fromEntries(tools.map(({ name, inputSchema }) => [name, inputSchema.required ?? []]));
    expect(required).toEqual({
      jamjet_run_workflow: ['workflow_id', 'input'],
      jamjet_get_execution: ['execution_id'],
      jamjet_list_executions: [],
      jamjet_cancel_execution: ['execution_id'],
      jamjet_get_events: ['execution_id'],
      jamjet_approve: ['execution_id', 'decision'],
      jamjet_list_agents: [],
      jamjet_discover_agent: ['url'],
    });
    expect(tools.every(({ description }) => description !== undefined)).toBe(true);
    expect((await client.listResources()).resources).toEqual([]);
    expect((await client.listResourceTemplates()).resourceTemplates).toEqual([]);
    expect((await client.listPrompts()).prompts).toEqual([]);
    await client.ping();
  });

  it('runs a workflow, reads it, decides its approval and reads the completed state', async () => {
    const { as, post, get } = await listening();
    await post('/workflows', { ir: REVIEW });
    const { read } = await as('developer');
    const asked = { workflow_id: 'review', input: { amount: 5 }, key: 'order-42' };
    const { execution_id } = await read('jamjet_run_workflow', asked);
    const again = { execution_id, already_running: true };
    expect(await read('jamjet_run_workflow', { ...asked, if_running: 'return' })).toEqual(again);
    expect(await read('jamjet_get_execution', { execution_id })).toMatchObject({ status: 'paused', state: { amount: 5 } });
    const { executions } = await read('jamjet_list_executions', { status: 'paused', limit: 1, offset: 0 });
    expect(executions).toMatchObject([{ execution_id }]);
    const decision = { execution_id, decision: 'approved', node_id: 'review', comment: 'fine' };
    expect(await read('jamjet_approve', decision)).toEqual({ execution_id, node_id: 'review', accepted: true });
    expect(await read('jamjet_get_execution', { execution_id })).toMatchObject({ status: 'completed' });
    const { events } = await read('jamjet_get_events', { execution_id });
    expect([events[0].kind, events.at(-1).kind]).toEqual(['WorkflowStarted', 'WorkflowCompleted']);
    expect((await read('jamjet_get_events', { execution_id, after: 1, limit: 1 })).events).toMatchObject([{ sequence: 2 }]);
    // The decision is recorded under the name of the token.
    const { decided } = (await get(`/executions/${execution_id}/approvals`)).body;
    expect(decided).toMatchObject([{ user_id: 'developer-of-default', comment: 'fine' }]);
  });

  it('decides on behalf of a person, who is recorded beside the token', async () => {
    const { as, started, get } = await listening();
    const execution_id = await started(REVIEW);
    const { read, use } = await as('developer');
    const decision = { execution_id, decision: 'rejected', user_id: 'ada' };
    expect(await use('jamjet_approve', { ...decision, user_id: 7 })).toMatchObject({ isError: true });
    await read('jamjet_approve', decision);
    const { decided } = (await get(`/executions/${execution_id}/approvals`)).body;
    const actor = { actor_id: 'developer-of-default', on_behalf_of: 'ada', user_id: 'ada' };
    expect(decided).toMatchObject([{ status: 'rejected', ...actor }]);
  });

  it('cancels', async () => {
    const { as, started, get } = await listening();
    const execution_id = await started(PAYMENT);
    const { read, use } = await as('developer');
    expect(await read('jamjet_cancel_execution', { execution_id })).toEqual({ execution_id, status: 'cancelled' });
    expect((await get(`/executions/${execution_id}`)).body.error).toContain('cancelled via MCP');
    const again = await use('jamjet_approve', { execution_id, decision: 'approved' });
    expect(again).toMatchObject({ isError: true, text: expect.stringMatching(/^conflict: /) });
  });

  it('lists and discovers agents', async () => {
    const { as } = await listening({ config: { allowPrivateAddresses: true } });
    const card = { name: 'Remote', description: 'Far away', version: '1', skills: [{ id: 'search', name: 'search' }] };
    const remote = createServer((_request, response) => response.end(JSON.stringify(card)));
    await new Promise<void>((resolve) => remote.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void remote.close());
    const { read, use } = await as('developer');
    const url = `http://127.0.0.1:${(remote.address() as AddressInfo).port}`;
    const found = await read('jamjet_discover_agent', { url });
    expect(found).toMatchObject({ name: 'Remote', status: 'registered' });
    expect((await read('jamjet_list_agents', { skill: 'search' })).agents).toMatchObject([{ id: found.id }]);
    expect((await read('jamjet_list_agents', { status: 'active' })).agents).toEqual([]);
    expect(await use('jamjet_discover_agent', { url: 'ftp://x' })).toMatchObject({ isError: true });
  });

  it('gets errors as results, with the texts of the REST API', async () => {
    const { as } = await listening();
    const { use, client } = await as('developer');
    const text = async (name: string, args: Record<string, unknown>) => {
      const reply = await use(name, args);
      expect(reply.isError).toBe(true);
      return reply.text;
    };
    expect(await text('jamjet_get_execution', { execution_id: UNKNOWN_EXECUTION })).toBe(
      `not found: execution ${UNKNOWN_EXECUTION}`,
    );
    expect(await text('jamjet_get_execution', { execution_id: '../workflows' })).toBe('not found: execution ../workflows');
    expect(await text('jamjet_get_execution', {})).toBe('bad request: execution_id is required');
    expect(await text('jamjet_list_executions', { limit: 'many' })).toBe('bad request: limit must be an integer');
    expect(await text('jamjet_list_executions', { status: 'odd&limit=1' })).toMatch(/^bad request: status must be one of /);
    expect(await text('jamjet_run_workflow', { workflow_id: 'none', input: {} })).toBe('not found: workflow none');
    await expect(client.callTool({ name: 'jamjet_delete_everything' })).rejects.toMatchObject({ code: -32_601 });
    await expect(client.request({ method: 'odd/method' } as never, {} as never)).rejects.toMatchObject({ code: -32_601 });
  });

  it('cannot reach another route by an invalid id', async () => {
    const { as, started } = await listening();
    await started(REVIEW);
    const { use } = await as('operator');
    for (const execution_id of ['..', '.', '', '../workflows', '%2e%2e', '..%2f..', 'a/b', '?x=1', '#', '//x', '\\..']) {
      const error = { isError: true, text: `not found: execution ${execution_id}` };
      expect(await use('jamjet_get_events', { execution_id })).toEqual(error);
      expect(await use('jamjet_get_execution', { execution_id })).toEqual(error);
      expect(await use('jamjet_cancel_execution', { execution_id })).toEqual(error);
      expect(await use('jamjet_approve', { execution_id, decision: 'approved' })).toEqual(error);
    }
  });

  it('reads a log in pages with next_after', async () => {
    const { as, post } = await listening();
    const branches = Array.from({ length: 120 }, (_, n) => `n${n}`);
    const nodes = Object.fromEntries(branches.map((id) => [id, { kind: { type: 'python_fn', module: 'm', function: 'f' } }]));
    const all = { kind: { type: 'parallel', branches } };
    await post('/workflows', {
      ir: { workflow_id: 'wide', version: '1', start_node: 'all', nodes: { all, ...nodes }, edges: [] },
    });
    const { execution_id } = (await post('/executions', { workflow_id: 'wide' })).body;
    const { read } = await as('viewer');
    const sequences: number[] = [];
    for (let after: number | undefined = 0; after !== undefined; ) {
      const page: { events: { sequence: number }[]; next_after?: number } = await read('jamjet_get_events', {
        execution_id,
        after,
      });
      expect(page.events.length).toBeLessThanOrEqual(100);
      sequences.push(...page.events.map(({ sequence }) => sequence));
      after = page.next_after;
    }
    expect(sequences).toEqual(Array.from({ length: 122 }, (_, i) => i + 1));
    expect((await read('jamjet_get_events', { execution_id, limit: 1_000 })).next_after).toBe(100);
    expect(await read('jamjet_get_events', { execution_id, after: 121, limit: 3 })).not.toHaveProperty('next_after');
  });

  it('requires a token', async () => {
    const { connect } = await listening();
    for (const authorization of [null, 'Bearer nonsense']) {
      await expect(connect(authorization)).rejects.toMatchObject({ code: 401 });
    }
  });

  it.each(['reviewer', 'viewer'] as const)('may only read as a %s', async (role) => {
    const { as, started, get } = await listening();
    const execution_id = await started(REVIEW);
    const { use, read } = await as(role);
    expect(await read('jamjet_get_execution', { execution_id })).toMatchObject({ execution_id });
    expect((await read('jamjet_list_executions')).executions).toHaveLength(1);
    expect((await read('jamjet_list_agents')).agents).toEqual([]);
    for (const [name, args] of [
      ['jamjet_run_workflow', { workflow_id: 'review', input: {} }],
      ['jamjet_cancel_execution', { execution_id }],
      ['jamjet_approve', { execution_id, decision: 'approved' }],
      ['jamjet_discover_agent', { url: 'http://127.0.0.1:1' }],
    ] as const) {
      const text = 'insufficient role — developer or operator required';
      expect([name, await use(name, args)]).toEqual([name, { isError: true, text }]);
    }
    expect((await get(`/executions/${execution_id}`)).body.status).toBe('paused');
  });

  it('acts for the tenant of its token, whatever it asks for', async () => {
    const { as, started, call } = await listening();
    await call('POST', '/tenants', { as: 'operator', body: { id: 'acme', name: 'Acme' } });
    const execution_id = await started(REVIEW);
    const { use, read } = await as('operator', 'acme');
    expect((await read('jamjet_list_executions')).executions).toEqual([]);
    expect((await read('jamjet_list_executions', { tenant_id: 'acme' })).executions).toEqual([]);
    for (const name of ['jamjet_get_execution', 'jamjet_cancel_execution', 'jamjet_get_events']) {
      expect(await use(name, { execution_id })).toEqual({ isError: true, text: `not found: execution ${execution_id}` });
      const text = 'forbidden: the token belongs to tenant acme';
      expect(await use(name, { execution_id, tenant_id: 'default' })).toEqual({ isError: true, text });
    }
  });

  it('may use the prefix of the Python SDK', async () => {
    const { as, started } = await listening();
    const execution_id = await started(REVIEW);
    const { read } = await as('viewer', 'default', '/compat/mcp');
    expect(await read('jamjet_get_execution', { execution_id })).toMatchObject({ execution_id });
  });
});

describe('a workflow that is published as a tool', () => {
  const GREETING = {
    ...ECHO,
    workflow_id: 'say hello',
    description: 'Says hello',
    publish: ['mcp'],
    state_schema: { type: 'object', properties: { greeting: { type: 'string' } }, required: ['greeting'] },
  };

  it('is listed with its schema, and gives its final state', async () => {
    const { as, post } = await listening({ tools: ECHO_TOOLS });
    await post('/workflows', { ir: GREETING });
    await post('/workflows', { ir: { ...ECHO, workflow_id: 'hidden', publish: ['a2a'] } });
    const { client, read } = await as('developer');
    const { tools } = await client.listTools();
    expect(tools.slice(8)).toMatchObject([
      {
        name: 'say_hello',
        description: 'Says hello',
        inputSchema: { type: 'object', properties: { greeting: { type: 'string' } } },
      },
    ]);
    expect(await read('say_hello', { greeting: 'hi' })).toMatchObject({ greeting: 'hi', echoed: expect.anything() });
  });

  it('requires what its schema requires if it has strict_input', async () => {
    const { as, post } = await listening({ tools: ECHO_TOOLS });
    await post('/workflows', { ir: { ...GREETING, strict_input: true } });
    const { client, use } = await as('developer');
    const { tools } = await client.listTools();
    expect(tools.at(-1)?.inputSchema).toMatchObject({ required: ['greeting'], additionalProperties: false });
    expect(await use('say_hello', { greting: 'hi' })).toMatchObject({ isError: true, text: expect.stringContaining('greeting') });
  });

  it('says what an execution waits for, and that one has failed', async () => {
    const { as, post } = await listening({
      tools: {
        echo: () => {
          throw Object.assign(new Error('no such luck'), { retryable: false });
        },
      },
    });
    await post('/workflows', { ir: GREETING });
    await post('/workflows', { ir: { ...REVIEW, publish: true } });
    const { read, use } = await as('developer');
    expect(await read('review')).toMatchObject({ execution_id: expect.stringMatching(/^exec_/), status: 'paused' });
    expect(await use('say_hello', { greeting: 'hi' })).toMatchObject({
      isError: true,
      text: expect.stringMatching(/^exec_\w+ failed: echo: no such luck$/),
    });
  });

  it('belongs to its tenant, and needs the role that starts executions', async () => {
    const server = await listening({ tools: ECHO_TOOLS });
    const { as, post } = server;
    await createTenant(server, 'acme');
    await post('/workflows', { ir: GREETING });
    const { client } = await as('developer', 'acme');
    expect((await client.listTools()).tools).toHaveLength(8);
    await expect(client.callTool({ name: 'say_hello', arguments: {} })).rejects.toThrow('unknown tool');
    const viewer = await as('viewer');
    expect(await viewer.use('say_hello', { greeting: 'hi' })).toMatchObject({
      isError: true,
      text: expect.stringContaining('insufficient role'),
    });
  });
});

describe('plain JSON-RPC', () => {
  it('requires no handshake, no Accept and no id', async () => {
    const { post } = await api();
    const ask = async (message: unknown) => (await post('/mcp', message)).body as unknown;
    expect(await ask({ jsonrpc: '2.0', id: 7, method: 'initialize' })).toMatchObject({
      id: 7,
      result: { protocolVersion: '2024-11-05', serverInfo: { name: 'jamjet-runtime', version: VERSION } },
    });
    const listed = await ask({ jsonrpc: '2.0', method: 'tools/list' });
    expect(listed).toMatchObject({
      id: 1,
      result: { tools: expect.arrayContaining([expect.objectContaining({ name: 'jamjet_approve' })]) },
    });
    expect(await ask({ id: 'a', method: 'ping' })).toEqual({ jsonrpc: '2.0', id: 'a', result: {} });
    expect(await ask({ jsonrpc: '2.0', method: 'notifications/initialized' })).toEqual({ jsonrpc: '2.0', id: 1, result: {} });
    expect(await ask({ jsonrpc: '2.0', id: 2, method: 'initialized' })).toEqual({ jsonrpc: '2.0', id: 2, result: {} });
    expect(await ask({ jsonrpc: '2.0', id: 3, method: 'nothing/like/it' })).toMatchObject({ id: 3, error: { code: -32_601 } });
    expect(await ask({ jsonrpc: '2.0', id: 4, method: 'tools/call' })).toMatchObject({
      id: 4,
      error: { code: -32_602, message: 'invalid or missing parameters' },
    });
    const call = { name: 'jamjet_list_executions', arguments: {} };
    expect(await ask({ jsonrpc: '2.0', id: 4, method: 'tools/call', params: call })).toMatchObject({
      id: 4,
      result: { isError: false, content: [{ type: 'text', text: expect.stringContaining('"executions":[]') }] },
    });
  });

  it('replies to invalid messages with a JSON-RPC error', async () => {
    const { call, post } = await api();
    for (const raw of ['{', '[', '{"a":1e999}']) {
      const { status, body } = await call('POST', '/mcp', { rawBody: raw });
      expect([raw, status, body]).toMatchObject([raw, 400, { jsonrpc: '2.0', id: null, error: { code: -32_700 } }]);
    }
    for (const body of [undefined, {}, [5], 5, 'text', null, { method: 5 }, { jsonrpc: '1.0', id: 1, method: 'ping' }]) {
      const reply = await post('/mcp', body);
      expect([JSON.stringify(body), reply.status, reply.body]).toMatchObject([JSON.stringify(body), 400, { error: {} }]);
    }
  });

  it('accepts a batch, and does not wait for requests that the batch itself cancels', async () => {
    const { app, token } = await api();
    const url = await app.listen({ host: '127.0.0.1', port: 0 });
    const headers = { authorization: `Bearer ${await token('viewer')}`, accept: 'application/json, text/event-stream' };
    const send = (messages: unknown) => fetch(`${url}/mcp`, { method: 'POST', headers, body: JSON.stringify(messages) });
    const pings = [1, 2].map((id) => ({ jsonrpc: '2.0', id, method: 'ping' }));
    expect(await (await send(pings)).json()).toEqual([1, 2].map((id) => ({ jsonrpc: '2.0', id, result: {} })));
    const list = { jsonrpc: '2.0', id: 3, method: 'tools/call', params: { name: 'jamjet_list_executions' } };
    const off = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 3 } };
    const pending = send([list, off]);
    await new Promise((resolve) => app.server.once('request', resolve));
    await app.close();
    expect((await pending).ok).toBe(true);
  });

  it('limits the number of messages and the size of replies of a batch', async () => {
    const { post, started } = await api();
    const big = { text: 'x'.repeat(900_000) };
    const execution_id = await started(REVIEW, big);
    const calls = (count: number, name: string) =>
      Array.from({ length: count }, (_, id) => ({
        jsonrpc: '2.0',
        id,
        method: 'tools/call',
        params: { name, arguments: { execution_id } },
      }));
    const refused = await post('/mcp', calls(33, 'jamjet_get_execution'));
    expect([refused.status, refused.body]).toEqual([
      400,
      { jsonrpc: '2.0', id: null, error: { code: -32_600, message: 'a batch may have at most 32 messages, not 33' } },
    ]);
    // An execution contains its state twice, also as its input.
    const tooLarge = results(await post('/mcp', calls(2, 'jamjet_get_execution')));
    const text = `too large: the reply has more than 1048576 bytes; use GET /executions/${execution_id} of the REST API, which returns all of it`;
    expect(tooLarge).toEqual(Array(2).fill({ isError: true, text }));
    const read = results(await post('/mcp', calls(32, 'jamjet_get_events')));
    expect(read.filter(({ isError }) => !isError).length).toBeLessThanOrEqual(6);
    expect(read.at(-1)).toEqual({
      isError: true,
      text: 'the batch has read 4194304 bytes, which is the limit: send the other calls in another batch',
    });
    const large = results(await post('/mcp', calls(32, 'jamjet_get_execution')));
    expect(large.filter((result) => result.text === text).length).toBeLessThanOrEqual(5);
  });

  it('counts every call of a batch towards the limit of the tenant', async () => {
    const server = await api();
    await createTenant(server, 'acme', { limits: { max_requests_per_minute: 4 } });
    const acme = await asTenant(server, 'acme', 'viewer');
    const call = { jsonrpc: '2.0', method: 'tools/call', params: { name: 'jamjet_list_executions', arguments: {} } };
    const replies = results(
      await server.post(
        '/mcp',
        Array.from({ length: 5 }, (_, id) => ({ ...call, id })),
        acme,
      ),
    );
    expect(replies.map(({ isError }) => isError)).toEqual([false, false, false, true, true]);
    expect(replies.at(-1)?.text).toMatch(/^too many requests: /);
  });

  it('refuses pages of other sites when there is no authentication', async () => {
    const { call } = await api({ auth: 'off' });
    const body = { jsonrpc: '2.0', id: 1, method: 'ping' };
    expect((await call('POST', '/mcp', { as: null, body, headers: { origin: 'https://evil.example' } })).status).toBe(403);
    expect((await call('POST', '/mcp', { as: null, body })).body).toEqual({ jsonrpc: '2.0', id: 1, result: {} });
    const tool = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'jamjet_list_executions' } };
    const headers = { host: '127.0.0.1:7700' };
    expect((await call('POST', '/mcp', { as: null, body: tool, headers })).body).toMatchObject({ result: { isError: false } });
  });

  it('has no other methods', async () => {
    const { call } = await api();
    for (const method of ['GET', 'DELETE']) {
      const { status, headers } = await call(method, '/mcp');
      expect([status, headers.allow]).toEqual([405, 'POST']);
    }
  });
});

describe('GET /mcp/sse', () => {
  it('refuses HEAD', async () => {
    const { call } = await api();
    expect((await call('HEAD', '/mcp/sse')).status).toBe(405);
  });

  it('is a stream that ends with the server', async () => {
    const { app, token } = await api();
    const url = await app.listen({ host: '127.0.0.1', port: 0 });
    expect((await fetch(`${url}/mcp/sse`)).status).toBe(401);
    const response = await fetch(`${url}/mcp/sse`, { headers: { authorization: `Bearer ${await token('viewer')}` } });
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    const text = response.text();
    await app.close();
    expect(await text).toBe(': keep-alive\n\n');
  });
});
