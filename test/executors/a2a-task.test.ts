import { describe, expect, it } from 'vitest';
import type { RemoteAgent } from '../../machines/ir/remote-agents.ts';
import type { Json, JsonObject } from '../../machines/json.ts';
import type { A2aTask } from '../../machines/nodes/a2a-task.ts';
import type { Work } from '../../machines/run.ts';
import { type AgentDirectory, NO_AGENTS } from '../../src/executors/a2a/directory.ts';
import { RemoteAgents } from '../../src/executors/a2a/remote-agents.ts';
import { a2aTaskExecutor } from '../../src/executors/a2a-task.ts';
import { type LogProgress, type WorkContext, WorkError } from '../../src/executors/executor.ts';
import { Outbound } from '../../src/executors/outbound/index.ts';
import { a2aAgent, type TestAgent, type TestAgentOptions } from './a2a/agent-server.ts';
import { webServer } from './web-server.ts';
import { contextWith, failure, workWith } from './work.ts';

const open = new Outbound({ allowPrivateAddresses: true });

interface Setting {
  readonly declared?: Readonly<Record<string, RemoteAgent>>;
  readonly vars?: Readonly<Record<string, string>>;
  readonly directory?: AgentDirectory;
  readonly outbound?: Outbound;
}

/** Gives tasks to an agent. */
function caller({ declared = {}, vars = {}, directory = NO_AGENTS, outbound = open }: Setting) {
  const logged: [string, JsonObject][] = [];
  const texts: string[] = [];
  let isBegun = (): void => {};
  const taskBegun = new Promise<void>((resolve) => {
    isBegun = resolve;
  });
  const log: LogProgress = async (event, data) => {
    logged.push([event, data]);
    isBegun();
  };
  const access = { agents: new RemoteAgents({ outbound, directory }), declared, vars };
  const give = (
    input: Json,
    {
      kind = {},
      context = {},
      progress = {},
      more = {},
    }: {
      kind?: Partial<A2aTask>;
      context?: Partial<WorkContext>;
      progress?: Work['progress'];
      more?: JsonObject;
    } = {},
  ) => {
    const node = { type: 'a2a_task', remote_agent: 'agent', skill: '', input_mapping: {}, stream: false, ...kind } as const;
    const work = { ...workWith({ remote_agent: node.remote_agent, input_mapping: input, ...more }), progress };
    return a2aTaskExecutor(node, access)(work, contextWith(context), (text) => texts.push(text), log);
  };
  return { give, logged, texts, access, taskBegun };
}

async function agentOf(options: Partial<TestAgentOptions> = {}, more: Partial<RemoteAgent> = {}, setting: Setting = {}) {
  const agent = await a2aAgent({ version: '1.0', ...options });
  return { agent, ...caller({ declared: { agent: { url: agent.url, ...more } }, ...setting }) };
}

const begun = (agent: TestAgent, taskId: string): Work['progress'] => ({
  remote_task_started: { task_id: taskId, context_id: '', agent: agent.url },
});

describe('a remote task that says what it has used', () => {
  const usage = { cost_usd: 0.5, input_tokens: 7 };

  it.each([
    [{ do: 'fail', usage }, {}, 'task_failed'],
    [{ do: 'reject', usage }, {}, 'task_rejected'],
    [{ do: 'ask', usage }, {}, 'input_required'],
    [{ do: 'echo', usage }, { output_schema: { type: 'string' } }, 'validation'],
  ])('is paid for although the attempt fails: %j %j', async (input, kind, errorClass) => {
    const { give } = await agentOf();
    expect(await failure(give(input, { kind }))).toMatchObject({ errorClass, usage });
  });

  it('has used it when the attempt is given up', async () => {
    const { agent, give } = await agentOf({ streaming: false });
    const controller = new AbortController();
    let used: () => unknown = () => null;
    const meter: WorkContext['meter'] = (read) => {
      used = read;
      return () => {};
    };
    const given = failure(give({ do: 'wait', usage }, { context: { signal: controller.signal, meter } }));
    await agent.waiting();
    await expect.poll(() => used()).toEqual(usage);
    controller.abort(new WorkError('timed out', { retryable: true, errorClass: 'timeout' }));
    await given;
    expect(used()).toEqual(usage);
  });
});

describe.each([
  ['1.0', 'streams', { version: '1.0', streaming: true }],
  ['1.0', 'is asked for news', { version: '1.0', streaming: false }],
  ['0.3', 'streams', { version: '0.3', streaming: true }],
  ['0.3', 'is asked for news', { version: '0.3', streaming: false }],
] as const)('an agent of A2A %s that %s', (_version, _how, options) => {
  const kind = { stream: options.streaming };

  it('gets the input as data, and gives its artifact', async () => {
    const { agent, give, logged } = await agentOf(options);
    expect(await give({ do: 'echo', n: [1, null] }, { kind: { ...kind, skill: 'repeat' } })).toEqual({
      output: { do: 'echo', n: [1, null] },
    });
    expect(agent.messages).toMatchObject([
      { metadata: { skill: 'repeat' }, messageId: expect.stringMatching(/^[0-9a-f-]{36}$/) },
    ]);
    expect(logged).toEqual([
      ['remote_task_started', { task_id: expect.any(String), context_id: expect.any(String), agent: agent.url }],
    ]);
  });

  it('gives a text in parts', async () => {
    const { give, texts } = await agentOf(options);
    expect(await give({ do: 'stream' }, { kind })).toEqual({ output: 'one two three' });
    expect(texts.join('')).toBe(options.streaming ? 'one two three' : '');
  });

  it('is waited for', async () => {
    const { agent, give } = await agentOf(options);
    const result = give({ do: 'wait' }, { kind });
    agent.finish(await agent.waiting(), '{"total": 3}');
    expect(await result).toEqual({ output: { total: 3 } });
  });

  it('answers without a task', async () => {
    const { give, logged } = await agentOf(options);
    expect(await give({ do: 'reply' }, { kind })).toEqual({ output: 'hello' });
    expect(logged).toEqual([]);
  });

  it('asks for input, and gets it in the same task', async () => {
    const { agent, give } = await agentOf(options);
    const asking = { ...kind, on_input_required: 'ask' };
    const { output, route } = await give({ do: 'ask' }, { kind: asking });
    expect([output, route]).toEqual([
      { status: 'input-required', message: 'which colour?', task_id: expect.any(String), context_id: expect.any(String) },
      'on_input_required',
    ]);
    const { task_id, context_id } = output as { task_id: string; context_id: string };
    const answered = await give({ do: 'echo', colour: 'green' }, { kind: asking, more: { task_id, context_id } });
    expect(answered).toEqual({ output: { do: 'echo', colour: 'green' } });
    expect(agent.messages.map(({ taskId }) => taskId)).toEqual([task_id, task_id]);
  });

  it('fails the attempt when it asks for input and the node does not expect it', async () => {
    const { give } = await agentOf(options);
    expect(await failure(give({ do: 'ask' }, { kind }))).toMatchObject({
      message: 'agent "agent" asks for input, and the node names no on_input_required: which colour?',
      errorClass: 'input_required',
      retryable: false,
    });
  });

  it('fails the attempt when it fails or rejects the task', async () => {
    const { give } = await agentOf(options);
    expect(await failure(give({ do: 'fail' }, { kind }))).toMatchObject({
      message: 'agent "agent" failed the task: no more tea',
      errorClass: 'task_failed',
      retryable: true,
    });
    expect(await failure(give({ do: 'reject' }, { kind }))).toMatchObject({ errorClass: 'task_rejected', retryable: false });
  });

  it('goes on with the task that an earlier attempt has begun, and gets no second message', async () => {
    const { agent, give, logged, taskBegun } = await agentOf(options);
    const lost = new AbortController();
    const first = failure(give({ do: 'wait' }, { kind, context: { signal: lost.signal } }));
    const taskId = await agent.waiting();
    await taskBegun;
    lost.abort(new WorkError('the runtime is stopping', { retryable: true }));
    expect(await first).toMatchObject({ message: 'the runtime is stopping' });
    const second = give({ do: 'wait' }, { kind, context: { attempt: 1 }, progress: begun(agent, taskId) });
    agent.finish(taskId, 'late');
    expect(await second).toEqual({ output: 'late' });
    expect(agent.messages).toHaveLength(1);
    expect(logged.at(-1)?.[0]).toBe('remote_task_started');
  });

  it('begins anew when the earlier task has failed or is forgotten', async () => {
    const { agent, give, logged } = await agentOf(options);
    expect(await failure(give({ do: 'fail' }, { kind }))).toMatchObject({ errorClass: 'task_failed' });
    const taskId = String(logged[0]?.[1].task_id);
    expect(await give({ do: 'echo' }, { kind, progress: begun(agent, taskId) })).toEqual({ output: { do: 'echo' } });
    expect(await give({ do: 'echo' }, { kind, progress: begun(agent, 'unknown') })).toEqual({ output: { do: 'echo' } });
    expect(agent.messages).toHaveLength(3);
  });

  it('is told to stop a task whose visit has ended', async () => {
    const { agent, give, access } = await agentOf(options);
    const given = new AbortController();
    const first = failure(give({ do: 'wait' }, { kind, context: { signal: given.signal } }));
    const taskId = await agent.waiting();
    given.abort(new WorkError('the node was cancelled', { retryable: false }));
    await first;
    const { signal } = new AbortController();
    const executor = a2aTaskExecutor({ skill: '', stream: false }, access);
    const ended = { tenantId: 'default', executionId: 'exec_1', nodeId: 'n', progress: begun(agent, taskId), signal };
    await executor.release?.({ ...ended, errorClass: 'task_failed' });
    expect(agent.cancelled).toEqual([]);
    await executor.release?.({ ...ended, errorClass: null });
    expect(agent.cancelled).toEqual([taskId]);
  });
});

describe('an a2a_task', () => {
  it('goes on by asking when the stream breaks', async () => {
    const { agent, give, taskBegun } = await agentOf();
    const result = give({ do: 'wait' }, { kind: { stream: true } });
    const taskId = await agent.waiting();
    await taskBegun;
    agent.disconnect();
    agent.finish(taskId, 'all the same');
    expect(await result).toEqual({ output: 'all the same' });
    expect(agent.messages).toHaveLength(1);
  });

  it('sends texts to agents that take no JSON', async () => {
    const { agent, give } = await agentOf({ inputModes: ['text/plain'] });
    expect(await give('echo this')).toEqual({ output: 'echo this' });
    expect(await give({ question: 'echo that' })).toEqual({ output: 'echo that' });
    expect(await give({ a: 1, b: 2 })).toEqual({ output: { a: 1, b: 2 } });
    expect(agent.messages.map(({ parts }) => parts[0]?.content?.$case)).toEqual(['text', 'text', 'text']);
  });

  it('checks the output', async () => {
    const { give } = await agentOf();
    const output_schema = { type: 'object', required: ['total'] };
    expect(await failure(give({ do: 'echo' }, { kind: { output_schema } }))).toMatchObject({
      message: 'the output of agent "agent" does not fit output_schema: it must have required property \'total\'',
      errorClass: 'validation',
      retryable: false,
    });
    expect(await give({ do: 'echo', total: 3 }, { kind: { output_schema } })).toMatchObject({ output: { total: 3 } });
  });

  it('finds a registered agent by its id', async () => {
    const agent = await a2aAgent({ version: '1.0' });
    const registered = { id: 'legal', name: 'Legal', uri: agent.url, status: 'active' as const, card: {} };
    const find = async (tenantId: string, id: string) => (tenantId === 'default' && id === 'legal' ? registered : null);
    const { give } = caller({ directory: { ...NO_AGENTS, find } });
    expect(await give({ do: 'echo' }, { kind: { remote_agent: 'legal' } })).toEqual({ output: { do: 'echo' } });
    expect(await failure(give({}, { kind: { remote_agent: 'other' } }))).toMatchObject({
      message: 'there is no agent "other": declare its URL in remote_agents, or register it',
      errorClass: 'validation',
      retryable: false,
    });
    const gone = caller({ directory: { ...NO_AGENTS, find: async () => ({ ...registered, status: 'deactivated' as const }) } });
    expect(await failure(gone.give({}, { kind: { remote_agent: 'legal' } }))).toMatchObject({
      message: 'agent "legal" is deactivated',
    });
  });

  it('needs https and public addresses unless the operator allows others', async () => {
    const guarded = new Outbound({ allowPrivateAddresses: false });
    const { agent, give } = await agentOf({}, {}, { outbound: guarded });
    expect(await failure(give({ do: 'echo' }))).toMatchObject({
      message: `${agent.url} is not https, which it has to be; JAMJET_ALLOW_PRIVATE_ADDRESSES allows http`,
      retryable: false,
    });
    const private_ = caller({ declared: { agent: { url: agent.url.replace('http:', 'https:') } }, outbound: guarded });
    expect(await failure(private_.give({ do: 'echo' }))).toMatchObject({ errorClass: 'blocked_address', retryable: false });
    expect(agent.requests).toEqual([]);
  });

  it('has an address with a variable of the tenant', async () => {
    const agent = await a2aAgent({ version: '1.0' });
    // biome-ignore lint/suspicious/noTemplateCurlyInString: how documents write variables
    const declared = { agent: { url: '${LEGAL}' } };
    const { give } = caller({ declared, vars: { LEGAL: agent.url } });
    expect(await give({ do: 'echo' })).toEqual({ output: { do: 'echo' } });
    expect(await failure(caller({ declared }).give({}))).toMatchObject({
      message: 'the URL of agent "agent" needs the variable LEGAL, which JAMJET_WORKFLOW_ENV does not give to this tenant',
      retryable: false,
    });
  });

  it('says that an agent has no card', async () => {
    const { url } = await webServer((_, response) => response.writeHead(404).end());
    const { give } = caller({ declared: { agent: { url } } });
    expect(await failure(give({}))).toMatchObject({ message: `agent "agent" has no agent card at ${url}`, retryable: false });
  });
});

describe('the credential of an agent', () => {
  const SECRET = 'secret-token-of-the-agent';

  it.each([
    ['bearer', { type: 'bearer', token_env: 'KEY' }, 'authorization', `Bearer ${SECRET}`],
    ['api_key', { type: 'api_key', header: 'X-Key', key_env: 'KEY' }, 'x-key', SECRET],
  ] as const)('is sent with every request (%s)', async (_, auth, header, value) => {
    const { agent, give } = await agentOf({}, { auth }, { vars: { KEY: SECRET } });
    await give({ do: 'echo' });
    expect(agent.requests.length).toBeGreaterThan(1);
    for (const { headers } of agent.requests) expect(headers[header]).toBe(value);
  });

  it('is a token of the client credentials grant, asked for once', async () => {
    const grants: string[] = [];
    const { url } = await webServer((request, response) => {
      grants.push(`${request.headers.authorization}`);
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end('{"access_token": "granted-token", "expires_in": 3600}');
    });
    const auth = {
      type: 'oauth2',
      client_id_env: 'ID',
      client_secret_env: 'KEY',
      token_url: `${url}/token`,
      scope: 'tasks',
    } as const;
    const { agent, give } = await agentOf({}, { auth }, { vars: { ID: 'jam', KEY: SECRET } });
    await give({ do: 'echo' });
    await give({ do: 'echo' });
    expect(grants).toEqual([`Basic ${Buffer.from(`jam:${SECRET}`).toString('base64')}`]);
    for (const { headers } of agent.requests) expect(headers.authorization).toBe('Bearer granted-token');
  });

  it('must be a variable that the operator gives to the tenant', async () => {
    const { agent, give } = await agentOf({}, { auth: { type: 'bearer', token_env: 'PATH' } });
    expect(await failure(give({}))).toMatchObject({
      message: 'agent "agent" needs the variable PATH, which JAMJET_WORKFLOW_ENV does not give to this tenant',
      retryable: false,
    });
    expect(agent.requests).toEqual([]);
  });

  it('is in no error, also if the agent repeats it', async () => {
    const { url } = await webServer((request, response) => {
      if (request.url?.startsWith('/.well-known/')) {
        const card = { name: 'Echo', url: `http://${request.headers.host}/a2a`, capabilities: {}, protocolVersion: '0.3.0' };
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(card));
      } else response.writeHead(401).end(`no: ${request.headers.authorization}`);
    });
    const { give } = caller({
      declared: { agent: { url, auth: { type: 'bearer', token_env: 'KEY' } } },
      vars: { KEY: SECRET },
    });
    const error = await failure(give('x'));
    expect(error).toMatchObject({ message: 'agent "agent" answered 401: no: Bearer [key]', httpStatus: 401, retryable: false });
  });
});

describe('an agent that misbehaves', () => {
  /** An agent with a proper card whose endpoint is `listener`. */
  async function badAgent(listener: Parameters<typeof webServer>[0], stream = false) {
    const { url } = await webServer((request, response) => {
      if (!request.url?.startsWith('/.well-known/')) return listener(request, response);
      const capabilities = { streaming: true };
      const supportedInterfaces = [
        { url: `http://${request.headers.host}/a2a`, protocolBinding: 'JSONRPC', protocolVersion: '1.0' },
      ];
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ name: 'Bad', capabilities, supportedInterfaces }));
    });
    const { give } = caller({ declared: { agent: { url } } });
    return (context: Partial<WorkContext> = {}) => failure(give('x', { kind: { stream }, context }));
  }

  it.each([false, true])('is cut off when it stalls (stream: %s)', async (stream) => {
    let stall = (): void => {};
    const stalled = new Promise<void>((resolve) => {
      stall = resolve;
    });
    const give = await badAgent((_, response) => {
      response.writeHead(200, { 'content-type': stream ? 'text/event-stream' : 'application/json' }).write(' ', () => stall());
    }, stream);
    const deadline = new AbortController();
    const late = new WorkError('timed out after 5 s', { retryable: true, errorClass: 'timeout' });
    const failed = give({ signal: deadline.signal });
    await stalled;
    deadline.abort(late);
    expect(await failed).toBe(late);
  });

  it.each([
    [false, 'application/json'],
    [true, 'text/event-stream'],
  ])('is cut off when it floods (stream: %s)', async (stream, type) => {
    const chunk = Buffer.alloc(1024 * 1024, 'x');
    const give = await badAgent((_, response) => {
      response.writeHead(200, { 'content-type': type });
      const flood = (): void => {
        while (response.write(chunk)) if (response.destroyed) return;
        response.once('drain', flood);
      };
      flood();
    }, stream);
    expect(await give()).toMatchObject({ errorClass: 'response_too_large', retryable: false });
  });

  it('is refused when it lies about its content type', async () => {
    const give = await badAgent((_, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<p>{}'));
    expect(await give()).toMatchObject({
      message: 'agent "agent" sent "text/html", not JSON or events',
      errorClass: 'invalid_response',
      retryable: false,
    });
    const garbage = await badAgent(
      (_, response) => void response.writeHead(200, { 'content-type': 'application/json' }).end('<p>'),
    );
    expect(await garbage()).toMatchObject({ errorClass: 'invalid_response', retryable: true });
  });

  it('is asked again when it says so', async () => {
    const give = await badAgent((_, response) => void response.writeHead(429, { 'retry-after': '7' }).end('slow down'));
    expect(await give()).toMatchObject({ errorClass: 'rate_limit', httpStatus: 429, retryable: true, retryAfterMs: 7_000 });
    const broken = await badAgent((_, response) => void response.writeHead(503).end('down'));
    expect(await broken()).toMatchObject({
      message: 'agent "agent" answered 503: down',
      errorClass: 'server_error',
      retryable: true,
    });
  });

  it('is not followed to another place', async () => {
    const give = await badAgent((_, response) => void response.writeHead(307, { location: 'http://127.0.0.1:1/' }).end());
    expect(await give()).toMatchObject({ errorClass: 'client_error', httpStatus: 307, retryable: false });
  });

  it('that refuses a request is not asked again', async () => {
    const give = await badAgent((_, response) => {
      const error = { code: -32_602, message: 'no such skill' };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', id: null, error }));
    });
    expect(await give()).toMatchObject({ message: 'agent "agent": no such skill', errorClass: 'validation', retryable: false });
  });
});
