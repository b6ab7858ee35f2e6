import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../../machines/json.ts';
import { CALLER, eventually, openTestRuntime } from '../../support/runtimes.ts';
import { mcpHttpServer } from '../mcp/http-server.ts';
import { chatAnswer, reply } from '../model/asking.ts';
import { webServer } from '../web-server.ts';

/** A provider that asks for these calls, one a turn, and then answers. */
async function provider(...calls: readonly (readonly [name: string, args: Json])[]) {
  let turn = 0;
  const server = await webServer((_request, response) => {
    const call = calls[turn];
    turn += 1;
    if (call === undefined) return reply(response, chatAnswer({ content: 'Done.' }));
    const [name, args] = call;
    const asked = { id: `call_${turn}`, type: 'function', function: { name, arguments: JSON.stringify(args) } };
    return reply(response, chatAnswer({ tool_calls: [asked] }, 'tool_calls'));
  });
  const requests = () => server.requests.map(({ body }) => JSON.parse(body) as { messages: JsonObject[]; tools: JsonObject[] });
  return { models: { providers: { openai: { apiKey: 'sk-1', baseUrl: `${server.url}/v1` } } }, requests };
}

const agent = (tools: Json, more: JsonObject = {}): JsonObject => ({
  workflow_id: 'helping',
  version: '1',
  start_node: 'helper',
  nodes: { helper: { kind: { type: 'agent', model_ref: 'gpt-4o', prompt: 'Help.', tools, output_key: 'answer' } } },
  edges: [],
  ...more,
});

const resultTexts = ({ messages }: { readonly messages: readonly JsonObject[] }) =>
  messages.filter(({ role }) => role === 'tool').map(({ content }) => content);

describe('the tools of an agent', () => {
  it('may be those of an MCP server, which describes them', async () => {
    const mcp = await mcpHttpServer('sse-replies');
    const { models, requests } = await provider(['say', { text: 'hello' }], ['shout', { text: 'hello' }]);
    const { run, settled, log } = await openTestRuntime({ models, allowPrivateAddresses: true });
    const tools = ['mcp:text.say', { name: 'shout', server: 'text', tool: 'say', description: 'Says it aloud.' }];
    const id = await run(agent(tools, { mcp_servers: { text: { transport: 'http_sse', url: mcp.url, args: [] } } }));
    expect((await settled(id)).state.answer).toBe('Done.');
    expect(requests()[0]?.tools).toMatchObject([
      { function: { name: 'say', parameters: { properties: { text: {} } } } },
      { function: { name: 'shout', description: 'Says it aloud.', parameters: { properties: { text: {} } } } },
    ]);
    expect(resultTexts(requests()[2] as never)).toEqual(['hello', 'hello']);
    expect((await log(id)).filter(({ type }) => type === 'tool_call_completed').map(({ data }) => data.tool)).toEqual([
      'say',
      'say',
    ]);
  });

  it('fail a turn while their server cannot be asked for their descriptions', async () => {
    const { models, requests } = await provider();
    const { run, settled, log } = await openTestRuntime({ models, allowPrivateAddresses: true });
    const id = await run(
      agent(['mcp:text.say'], {
        mcp_servers: { text: { transport: 'http_sse', url: 'http://127.0.0.1:1/mcp', args: [] } },
        nodes: {
          helper: {
            kind: { type: 'agent', model_ref: 'gpt-4o', prompt: 'Help.', tools: ['mcp:text.say'] },
            retry_policy: 'no_retry',
          },
        },
      }),
    );
    expect((await settled(id)).status).toBe('failed');
    expect((await log(id)).find(({ type }) => type === 'node_failed')?.data.error).toContain('ECONNREFUSED');
    expect(requests()).toEqual([]);
  });

  it('may be workflows, which run as child executions', async () => {
    const { models, requests } = await provider(['double', { n: 21 }], ['broken', {}]);
    const double = ({ n }: { readonly n: number }) => ({ n: n * 2 });
    const { run, settled, runtime } = await openTestRuntime({ models, tools: { double } as never });
    const child = (workflow_id: string, kind: JsonObject): JsonObject => ({
      workflow_id,
      version: '1',
      nodes: { a: { kind, retry_policy: 'no_retry' } },
      edges: [],
    });
    await runtime.register(CALLER, child('double', { type: 'tool', tool_ref: 'double' }));
    await runtime.register(CALLER, child('broken', { type: 'subgraph', workflow_ref: 'nowhere' }));
    const id = await run(agent(['workflow:double', { name: 'broken', workflow: 'broken', retry_policy: 'no_retry' }]));
    const { status, state } = await settled(id);
    expect([status, state.answer]).toEqual(['completed', 'Done.']);
    expect(resultTexts(requests()[2] as never)).toEqual(['{"n":42}', expect.stringMatching(/^error: .*nowhere/)]);
  });

  it('may be functions of external workers, described by the catalog', async () => {
    const { models, requests } = await provider(['price', { article: 'tea' }]);
    const { run, settled, runtime } = await openTestRuntime({ models });
    const catalog = {
      price: {
        kind: 'python',
        reference: 'shop:price',
        description: 'Price of an article.',
        input_schema: '{"type": "object", "properties": {"article": {"type": "string"}}}',
      },
    };
    const id = await run(agent(['price'], { tools: catalog }));
    let claimed: Awaited<ReturnType<typeof runtime.claim>> = [];
    await eventually(async () => {
      claimed = await runtime.claim(CALLER, { workerId: 'w', queueTypes: ['python_tool'], maxItems: 1, waitMs: 0 });
      return claimed.length > 0;
    });
    const [item] = claimed;
    expect(item?.payload).toMatchObject({ module: 'shop', function: 'price', input: { article: 'tea' } });
    // A worker of the Python SDK sends its result as a patch, too: it must not change the state.
    const answer = { euros: 3, answer: 'stolen' };
    await runtime.complete(CALLER, item?.id ?? '', { output: answer, statePatch: answer, durationMs: 1 } as never);
    const { state } = await settled(id);
    expect(Object.keys(state).sort()).toEqual(['answer', 'helper_conversation']);
    expect(state.answer).toBe('Done.');
    expect(resultTexts(requests()[1] as never)).toEqual([JSON.stringify(answer)]);
    expect(requests()[0]?.tools).toMatchObject([
      { function: { name: 'price', description: 'Price of an article.', parameters: { properties: { article: {} } } } },
    ]);
  });

  it('make a conversation longer that is stored once', async () => {
    const { models, requests } = await provider(...Array.from({ length: 6 }, (_, n) => ['read', { n }] as const));
    const read = ({ n }: { readonly n: number }) => `${n} `.padEnd(1_000, 'x');
    const { run, settled, store } = await openTestRuntime({ models, tools: { read } as never });
    const id = await run(agent(['read']));
    expect((await settled(id)).state.answer).toBe('Done.');
    expect(resultTexts(requests().at(-1) as never)).toHaveLength(6);
    const { rows } = await store.events(id, { after: 0, limit: 1_000, type: 'node_completed', nodeId: 'helper' });
    const appended = rows.map(({ data }) => Object.keys((data.appended ?? {}) as object));
    expect(appended.slice(3)).toEqual(Array.from({ length: 4 }, () => ['/helper_conversation/messages']));
    // Each call is in the log three times: its output, what the agent was given, and the message for the model.
    const all = await store.events(id, { after: 0, limit: 1_000 });
    expect(JSON.stringify(all.rows.map(({ data }) => data)).length).toBeLessThan(45_000);
  });

  it('are tried again when their service is over its limit, and time out by themselves', async () => {
    const { models, requests } = await provider(['busy', {}], ['slow', {}]);
    let calls = 0;
    const busy = () => {
      calls += 1;
      if (calls === 1) throw Object.assign(new Error('too many'), { status: 429 });
      return 'later';
    };
    const slow = (_input: unknown, { signal }: { readonly signal: AbortSignal }) =>
      new Promise((_done, fail) => signal.addEventListener('abort', () => fail(signal.reason)));
    const opened = await openTestRuntime({ models, tools: { busy, slow } as never });
    const id = await opened.run(agent(['busy', { name: 'slow', tool: 'slow', timeout: 5 }]));
    await eventually(async () => {
      await opened.clock.advance(1_000);
      return (await opened.runtime.execution('default', id))?.status === 'completed';
    });
    expect(resultTexts(requests()[2] as never)).toEqual(['later', expect.stringMatching(/^error: .*5/)]);
    expect(calls).toBe(2);
  });
});
