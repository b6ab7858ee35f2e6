import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../machines/json.ts';
import type { AgentTool } from '../../machines/nodes/agent-tool.ts';
import type { Work } from '../../machines/run.ts';
import { NO_AGENTS } from '../../src/executors/a2a/directory.ts';
import { RemoteAgents } from '../../src/executors/a2a/remote-agents.ts';
import { agentToolExecutor } from '../../src/executors/agent-tool.ts';
import { type LogProgress, type WorkContext, WorkError } from '../../src/executors/executor.ts';
import { Outbound } from '../../src/executors/outbound/index.ts';
import { a2aAgent } from './a2a/agent-server.ts';
import { webServer } from './web-server.ts';
import { contextWith, failure, workWith } from './work.ts';

function caller(url: string, kind: Partial<AgentTool> = {}) {
  const logged: [string, JsonObject][] = [];
  const texts: string[] = [];
  const log: LogProgress = async (event, data) => {
    logged.push([event, data]);
  };
  const outbound = new Outbound({ allowPrivateAddresses: true });
  const access = { agents: new RemoteAgents({ outbound, directory: NO_AGENTS }), declared: {}, vars: {} };
  const executor = agentToolExecutor({ mode: 'sync', ...kind }, access);
  const call = (message: Json, context: Partial<WorkContext> = {}, progress: Work['progress'] = {}, agent: Json = url) =>
    executor({ ...workWith({ agent, input_mapping: message }), progress }, contextWith(context), (text) => texts.push(text), log);
  return { call, logged, texts, executor, types: () => logged.map(([type]) => type) };
}

const conversational = { mode: 'conversational' } as const;

describe('an agent that is called as a tool over A2A', () => {
  it('gives its result, and the log says how it was called', async () => {
    const agent = await a2aAgent({ version: '1.0' });
    const { call, logged } = caller(agent.url);
    expect(await call({ do: 'echo', n: 1 })).toEqual({ output: { do: 'echo', n: 1 } });
    expect(logged).toEqual([
      [
        'agent_tool_invoked',
        { agent_uri: agent.url, mode: 'sync', protocol: 'a2a', input_hash: expect.stringMatching(/^[0-9a-f]{64}$/) },
      ],
      ['remote_task_started', { task_id: expect.any(String), context_id: expect.any(String), agent: agent.url }],
      ['agent_tool_completed', { output: { do: 'echo', n: 1 }, total_cost: 0, latency_ms: expect.any(Number) }],
    ]);
  });

  it('streams, shows its texts and says what it costs', async () => {
    const agent = await a2aAgent({ version: '1.0' });
    const { call, logged, texts, types } = caller(agent.url, { mode: 'streaming', budget: { max_cost_usd: 1 } });
    expect(await call({ do: 'spend' })).toEqual({
      output: 'abc',
      usage: { cost_usd: expect.closeTo(0.06), input_tokens: 0, output_tokens: 30 },
    });
    expect(texts).toEqual(['a', 'b', 'c']);
    expect(types()).toContain('agent_tool_progress');
    expect(logged.at(-1)).toMatchObject(['agent_tool_completed', { total_cost: expect.closeTo(0.06) }]);
  });

  it('is paid for although its task fails, in every turn', async () => {
    const agent = await a2aAgent({ version: '1.0' });
    const usage = { cost_usd: 0.5, output_tokens: 7 };
    expect(await failure(caller(agent.url).call({ do: 'fail', usage }))).toMatchObject({ errorClass: 'task_failed', usage });
    const turns = [
      { do: 'ask', usage },
      { do: 'fail', usage },
    ];
    const failed = await failure(caller(agent.url, conversational).call(turns));
    expect(failed).toMatchObject({ errorClass: 'task_failed', usage: { cost_usd: 1, output_tokens: 14 } });
    const long = await failure(caller(agent.url, { ...conversational, max_tokens_per_turn: 5 }).call({ do: 'ask', usage }));
    expect(long).toMatchObject({ errorClass: 'budget_exceeded', usage });
  });

  it.each([
    [{ max_cost_usd: 0.03 }, 'the call has cost 0.04 USD, of at most 0.03'],
    [{ max_tokens: 15 }, 'the call has used 20 tokens, of at most 15'],
  ])('is stopped beyond its budget %j', async (budget, message) => {
    const agent = await a2aAgent({ version: '1.0' });
    const { call, logged } = caller(agent.url, { mode: 'streaming', budget });
    expect(await failure(call({ do: 'spend' }))).toMatchObject({
      message,
      errorClass: 'budget_exceeded',
      retryable: false,
      usage: { cost_usd: 0.04, output_tokens: 20 },
    });
    expect(logged.at(-1)).toEqual([
      'agent_tool_terminated',
      { reason: 'budget_exceeded', chunks_received: 2, partial_output: 'ab', cost: 0.04 },
    ]);
  });

  it('converses in one task until it is completed', async () => {
    const agent = await a2aAgent({ version: '1.0' });
    const { call, logged } = caller(agent.url, conversational);
    expect(await call([{ do: 'ask' }, { do: 'echo', colour: 'green' }])).toEqual({ output: { do: 'echo', colour: 'green' } });
    const [first, second] = agent.messages;
    expect(second?.taskId).toBe(first?.taskId);
    expect(logged.filter(([type]) => type === 'agent_tool_turn').map(([, data]) => data)).toMatchObject([
      { turn_number: 1, direction: 'outbound', content_summary: '{"do":"ask"}', tokens: 0, cost: 0 },
      { turn_number: 1, direction: 'inbound', content_summary: 'which colour?' },
      { turn_number: 2, direction: 'outbound' },
      { turn_number: 2, direction: 'inbound' },
    ]);
    expect(logged.at(-1)).toMatchObject(['agent_tool_completed', { total_turns: 2 }]);
  });

  it('converses for so many turns at most, and is told to stop then', async () => {
    const agent = await a2aAgent({ version: '1.0' });
    const { call, logged } = caller(agent.url, { ...conversational, max_turns: 2 });
    expect(await call([{ do: 'ask' }, { do: 'ask' }, { do: 'ask' }])).toEqual({ output: 'which colour?' });
    expect(agent.messages).toHaveLength(2);
    expect(await agent.wasCancelled()).toBe(agent.messages[0]?.taskId);
    expect(logged.at(-1)).toMatchObject(['agent_tool_completed', { total_turns: 2 }]);
  });

  it('goes on with the turn of an earlier attempt', async () => {
    const agent = await a2aAgent({ version: '1.0' });
    const first = caller(agent.url, conversational);
    const lost = new AbortController();
    const ended = failure(first.call([{ do: 'ask' }, { do: 'wait' }], { signal: lost.signal }));
    const taskId = await agent.waiting();
    lost.abort(new WorkError('the runtime is stopping', { retryable: true }));
    await ended;
    const progress = Object.fromEntries(first.logged);
    expect(progress).toMatchObject({ agent_tool_turn: { turn_number: 2, direction: 'outbound' } });
    const second = caller(agent.url, conversational);
    const result = second.call([{ do: 'ask' }, { do: 'wait' }], { attempt: 1 }, progress);
    agent.finish(taskId, 'late');
    expect(await result).toEqual({ output: 'late' });
    expect(agent.messages).toHaveLength(2);
    expect(second.logged.at(-1)).toMatchObject(['agent_tool_completed', { total_turns: 2 }]);
  });

  it('fails the attempt as it fails', async () => {
    const agent = await a2aAgent({ version: '1.0' });
    const { call, logged } = caller(agent.url);
    expect(await failure(call({ do: 'fail' }))).toMatchObject({ errorClass: 'task_failed', retryable: true });
    expect(logged.at(-1)).toEqual([
      'agent_tool_failed',
      { failure_type: 'task_failed', message: `agent "${agent.url}" failed the task: no more tea`, retryable: true },
    ]);
    expect(await failure(call({ do: 'ask' }))).toMatchObject({ errorClass: 'input_required', retryable: false });
  });

  it('is given up after its own time limit', async () => {
    const agent = await a2aAgent({ version: '1.0', streaming: false });
    const { call, types } = caller(agent.url, { timeout_ms: 400 });
    expect(await failure(call({ do: 'wait' }))).toMatchObject({ errorClass: 'timeout', retryable: true });
    expect(types().at(-1)).toBe('agent_tool_failed');
  });

  it('is the one that a coordinator has chosen', async () => {
    const agent = await a2aAgent({ version: '1.0' });
    const { call } = caller('');
    expect(await call({ do: 'echo' }, {}, {}, { uri: agent.url, name: 'Test' })).toMatchObject({ output: { do: 'echo' } });
    expect(await failure(call({}, {}, {}, null))).toMatchObject({
      message: 'no agent is named: the value of "agent" is null',
      retryable: false,
    });
  });
});

describe('an agent without a card', () => {
  /** An agent that takes `tasks/send` and replies with `replies`, one after the other. */
  async function plainAgent(...replies: readonly (Json | Error)[]) {
    const bodies: JsonObject[] = [];
    const { url, requests } = await webServer((request, response) => {
      if (request.method === 'GET') return void response.writeHead(404).end();
      const body = JSON.parse(requests.at(-1)?.body ?? '') as JsonObject;
      bodies.push(body);
      if (request.url === '/agent/tasks/cancel') return void response.writeHead(200).end('{}');
      const reply = replies[Math.min(bodies.length, replies.length) - 1] ?? null;
      if (reply instanceof Error) return void response.writeHead(500).end(reply.message);
      if (request.url === '/agent/tasks/send')
        return void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(reply));
      response.writeHead(200, { 'content-type': 'application/x-ndjson' });
      response.end((reply as readonly Json[]).map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'));
    });
    return { url: `${url}/agent`, requests, bodies };
  }

  it('is sent its task by tasks/send, with the same id and key for every attempt', async () => {
    const agent = await plainAgent({ answer: 42 });
    const { call, logged } = caller(agent.url);
    expect(await call({ q: 'life' })).toEqual({ output: { answer: 42 } });
    await call({ q: 'life' }, { attempt: 1 });
    const posts = agent.requests.filter(({ method }) => method === 'POST');
    expect(posts.map(({ url, headers }) => [url, headers['idempotency-key']])).toEqual([
      ['/agent/tasks/send', 'exec_1:n:1'],
      ['/agent/tasks/send', 'exec_1:n:1'],
    ]);
    expect(agent.bodies[0]).toMatchObject({
      jsonrpc: '2.0',
      method: 'tasks/send',
      params: { message: { parts: [{ text: '{"q":"life"}' }] } },
    });
    expect(agent.bodies[1]).toEqual(agent.bodies[0]);
    expect(logged[0]).toMatchObject(['agent_tool_invoked', { protocol: 'http' }]);
  });

  it.each([
    [{ jsonrpc: '2.0', result: { text: 'hi' } }, { text: 'hi' }],
    [
      { jsonrpc: '2.0', result: { status: { state: 'completed' }, artifacts: [{ parts: [{ type: 'text', text: 'hi' }] }] } },
      'hi',
    ],
    ['hi', 'hi'],
  ])('answers %j', async (reply, output) => {
    const agent = await plainAgent(reply);
    expect(await caller(agent.url).call('hello')).toEqual({ output });
  });

  it('streams lines of JSON, the last of which is the result', async () => {
    const agent = await plainAgent([{ text: 'a', cost_usd: 0.01 }, 'not json', { text: 'b', cost_usd: 0.02, done: true }]);
    const { call, texts } = caller(agent.url, { mode: 'streaming' });
    expect(await call('x')).toMatchObject({ output: { text: 'b', done: true }, usage: { cost_usd: 0.03 } });
    expect(texts).toEqual(['a', 'not json', 'b']);
    expect(agent.requests.at(-1)?.url).toBe('/agent/tasks/sendSubscribe');
  });

  it('may not compress its stream, which was not asked for', async () => {
    const { url } = await webServer((request, response) => {
      if (request.method === 'GET') return void response.writeHead(404).end();
      response.writeHead(200, { 'content-type': 'application/x-ndjson', 'content-encoding': 'gzip' }).end('x');
    });
    expect(await failure(caller(`${url}/agent`, { mode: 'streaming' }).call('x'))).toMatchObject({
      errorClass: 'invalid_response',
      retryable: false,
      message: expect.stringContaining('sent the content-encoding "gzip"'),
    });
  });

  it('is cut off when its stream costs too much', async () => {
    const agent = await plainAgent([
      { text: 'a', cost_usd: 1 },
      { text: 'b', cost_usd: 1 },
      { text: 'c', cost_usd: 1 },
    ]);
    const { call, logged } = caller(agent.url, { mode: 'streaming', budget: { max_cost_usd: 1.5 } });
    expect(await failure(call('x'))).toMatchObject({ errorClass: 'budget_exceeded', usage: { cost_usd: 2 } });
    expect(logged.at(-1)).toMatchObject(['agent_tool_terminated', { chunks_received: 2, partial_output: 'ab', cost: 2 }]);
  });

  it('converses by its own answers until it says completed', async () => {
    const agent = await plainAgent(
      { status: 'working', output: 'and then?' },
      { status: 'working', output: 'and then?' },
      { status: 'completed', output: 'done' },
    );
    const { call, logged } = caller(agent.url, conversational);
    expect(await call('begin')).toEqual({ output: { status: 'completed', output: 'done' } });
    const sent = agent.bodies.map(({ params }) => (params as { message: { parts: [{ text: string }] } }).message.parts[0].text);
    expect(sent).toEqual(['begin', 'and then?', 'and then?']);
    expect(logged.at(-1)).toMatchObject(['agent_tool_completed', { total_turns: 3 }]);
  });

  it('fails the attempt by a status, an error or a text', async () => {
    const broken = await plainAgent(new Error('out of tea'));
    expect(await failure(caller(broken.url).call('x'))).toMatchObject({
      errorClass: 'server_error',
      httpStatus: 500,
      retryable: true,
    });
    const stream = caller(broken.url, { mode: 'streaming' });
    expect(await failure(stream.call('x'))).toMatchObject({ errorClass: 'server_error', httpStatus: 500, retryable: true });
    const refusing = await plainAgent({ jsonrpc: '2.0', error: { code: -32_602, message: 'no such skill' } });
    expect(await failure(caller(refusing.url).call('x'))).toMatchObject({
      message: `agent "${refusing.url}": no such skill`,
      retryable: false,
    });
  });

  it('is told to stop when the visit ends without a result', async () => {
    const agent = await plainAgent({ answer: 42 });
    const { call, executor, logged } = caller(agent.url);
    await call('x');
    const { signal } = new AbortController();
    const ended = { tenantId: 'default', executionId: 'exec_1', nodeId: 'n', errorClass: null, signal };
    await executor.release?.({ ...ended, progress: Object.fromEntries(logged) });
    const [sent, cancelled] = agent.bodies as unknown as readonly { readonly params: { readonly id: string } }[];
    expect(cancelled).toMatchObject({ method: 'tasks/cancel', params: { id: sent?.params.id } });
  });

  it.each([
    ['sync', { status: { state: 'working' } }, 1],
    ['sync', { status: { state: 'completed' } }, 0],
    ['sync', { answer: 42 }, 0],
    ['streaming', { text: 'a' }, 1],
  ] as const)('that answers %s with %j after its visit has ended is told to stop %i time(s)', async (mode, answer, times) => {
    let answerLate = (): void => {};
    const isAsked = new Promise<void>((resolve) => {
      answerLate = resolve;
    });
    let finish = (): void => {};
    const { url, requests } = await webServer((request, response) => {
      if (request.method === 'GET') return void response.writeHead(404).end();
      if (request.url?.endsWith('tasks/cancel')) return void response.end('{}');
      finish = () => response.end(JSON.stringify(answer));
      answerLate();
    });
    const controller = new AbortController();
    const called = failure(caller(url, { mode }).call('x', { signal: controller.signal }));
    await isAsked;
    controller.abort(new WorkError('the node was cancelled', { retryable: false }));
    expect(await called).toMatchObject({ message: expect.stringContaining('the node was cancelled') });
    finish();
    const cancels = () => requests.filter((request) => request.url.endsWith('tasks/cancel'));
    if (times > 0) await expect.poll(() => cancels().length).toBe(times);
    // What is sent because of the answer is sent before these.
    else for (let i = 0; i < 3; i += 1) await fetch(url);
    expect(cancels()).toHaveLength(times);
  });

  it('is cut off when it floods', async () => {
    const { url } = await webServer((request, response) => {
      if (request.method === 'GET') return void response.writeHead(404).end();
      const chunk = Buffer.alloc(1024 * 1024, 'x');
      const flood = (): void => {
        while (response.write(chunk)) if (response.destroyed) return;
        response.once('drain', flood);
      };
      flood();
    });
    for (const mode of ['sync', 'streaming'] as const)
      expect(await failure(caller(url, { mode }).call('x'))).toMatchObject({
        errorClass: 'response_too_large',
        retryable: false,
      });
  });
});
