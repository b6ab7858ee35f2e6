import { type Message, Role, type SendMessageRequest, type StreamResponse, type Task, TaskState } from '@a2a-js/sdk';
import {
  type Client,
  ClientFactory,
  ClientFactoryOptions,
  DefaultAgentCardResolver,
  JsonRpcTransportFactory,
} from '@a2a-js/sdk/client';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../machines/json.ts';
import type { RpcAnswer } from '../../../src/api/a2a/rpc.ts';
import { idsOf, tenant } from '../support/agents.ts';
import {
  type Api,
  api,
  type CallOptions,
  ECHO,
  ECHO_TOOLS,
  EXTERNAL,
  PAYMENT,
  REVIEW,
  UNKNOWN_EXECUTION,
} from '../support/api.ts';
import { READERS } from '../support/roles.ts';

let messages = 0;

/** A message of A2A 1.0, in the types of the SDK. */
function message(data: JsonObject, change: Partial<Message> = {}): SendMessageRequest {
  messages += 1;
  return {
    tenant: '',
    message: {
      messageId: `message-${messages}`,
      contextId: '',
      taskId: '',
      role: Role.ROLE_USER,
      parts: [{ content: { $case: 'data', value: data }, metadata: undefined, filename: '', mediaType: '' }],
      metadata: undefined,
      extensions: [],
      referenceTaskIds: [],
      ...change,
    },
    configuration: undefined,
    metadata: undefined,
  };
}

/** The official client, configured by the card of this server only. */
async function clientOf(bench: Api, legacy = false): Promise<Client> {
  const url = await bench.app.listen({ host: '127.0.0.1', port: 0 });
  const authorization = `Bearer ${await bench.token('developer', { name: 'agent:caller' })}`;
  const fetchImpl: typeof fetch = (input, init) => fetch(input, { ...init, headers: { ...init?.headers, authorization } });
  if (!legacy) {
    const factory = new ClientFactory({
      ...ClientFactoryOptions.default,
      transports: [new JsonRpcTransportFactory({ fetchImpl })],
    });
    return factory.createFromUrl(url);
  }
  const legacyCompat = { enabled: true };
  const factory = new ClientFactory({
    transports: [new JsonRpcTransportFactory({ fetchImpl, legacyCompat })],
    cardResolver: new DefaultAgentCardResolver({ legacyCompat }),
  });
  const { supportedInterfaces: _, ...old } = (await bench.get('/.well-known/agent.json', { as: null }))
    .body as unknown as JsonObject;
  return factory.createFromAgentCard(old as never);
}

function taskOf(answer: Message | Task): Task {
  if (!('status' in answer)) throw new Error('a message, no task');
  return answer;
}

const stateOf = (task: Task) => TaskState[task.status?.state ?? TaskState.UNRECOGNIZED];

describe.each([
  ['1.0', false],
  ['0.3', true],
])('the official A2A client of %s', (version, legacy) => {
  it('runs a workflow and gets its final state', async () => {
    const bench = await api({ tools: ECHO_TOOLS });
    await bench.post('/workflows', { ir: ECHO });
    const client = await clientOf(bench, legacy);
    expect(client.protocolVersion).toBe(version);
    const task = taskOf(await client.sendMessage(message({ greeting: 'hello' }, { metadata: { workflow_id: 'echo' } })));
    expect([stateOf(task), task.contextId]).toEqual(['TASK_STATE_COMPLETED', task.id]);
    const [artifact] = task.artifacts;
    expect(artifact?.parts[0]?.content).toMatchObject({ $case: 'data', value: { greeting: 'hello', echoed: expect.anything() } });
    const execution = (await bench.get(`/executions/${task.id}`)).body;
    expect(execution).toMatchObject({ status: 'completed', workflow_id: 'echo', input: { greeting: 'hello' } });
    expect(taskOf(await client.getTask({ tenant: '', id: task.id }))).toEqual(task);
  });

  it('is asked for input, and sends it', async () => {
    const bench = await api();
    await bench.post('/workflows', { ir: REVIEW });
    const client = await clientOf(bench, legacy);
    const started = taskOf(await client.sendMessage(message({ workflow_id: 'review' }, { contextId: 'talk-1' })));
    expect([stateOf(started), started.contextId]).toEqual(['TASK_STATE_INPUT_REQUIRED', 'talk-1']);
    const said = started.status?.message?.parts[0]?.content;
    expect(said).toEqual({ $case: 'text', value: 'waiting for approval of review' });
    const answer = message({ decision: 'approved', comment: 'fine' }, { taskId: started.id, contextId: 'talk-1' });
    const task = taskOf(await client.sendMessage(answer));
    expect([task.id, stateOf(task)]).toEqual([started.id, 'TASK_STATE_COMPLETED']);
    expect((await bench.get(`/executions/${task.id}/approvals`)).body.decided).toMatchObject([
      { user_id: 'agent:caller', comment: 'fine' },
    ]);
  });

  it('cancels a task, once', async () => {
    const bench = await api();
    await bench.post('/workflows', { ir: PAYMENT });
    const client = await clientOf(bench, legacy);
    const { id } = taskOf(await client.sendMessage(message({ workflow_id: 'payment' })));
    const task = await client.cancelTask({ tenant: '', id, metadata: undefined });
    expect(stateOf(task)).toBe('TASK_STATE_CANCELED');
    await expect(client.cancelTask({ tenant: '', id, metadata: undefined })).rejects.toMatchObject({
      reason: 'TASK_NOT_CANCELABLE',
    });
    await expect(client.getTask({ tenant: '', id: UNKNOWN_EXECUTION })).rejects.toMatchObject({ reason: 'TASK_NOT_FOUND' });
  });

  /** What the stream says: the state of each status and the content of each artifact. */
  const saidBy = async (stream: AsyncIterable<StreamResponse>): Promise<unknown[]> => {
    const said: unknown[] = [];
    for await (const { payload } of stream) {
      if (payload?.$case === 'task') said.push(`task ${stateOf(payload.value)}`);
      if (payload?.$case === 'statusUpdate') {
        const { status } = payload.value;
        const text = status?.message?.parts[0]?.content?.value ?? '';
        said.push(`${TaskState[status?.state ?? TaskState.UNRECOGNIZED]} ${text}`.trim());
      }
      if (payload?.$case === 'artifactUpdate') said.push(payload.value.artifact?.parts[0]?.content?.value);
    }
    return said;
  };

  it('streams a task to its end', async () => {
    const bench = await api({ tools: ECHO_TOOLS });
    await bench.post('/workflows', { ir: ECHO });
    const client = await clientOf(bench, legacy);
    expect((await client.getAgentCard()).capabilities?.streaming).toBe(true);
    const said = await saidBy(client.sendMessageStream(message({ greeting: 'hello' }, { metadata: { workflow_id: 'echo' } })));
    expect(said.slice(-3)).toEqual([
      'TASK_STATE_WORKING echo completed',
      expect.objectContaining({ greeting: 'hello' }),
      'TASK_STATE_COMPLETED',
    ]);
  });

  it('streams a task until it needs input', async () => {
    const bench = await api();
    await bench.post('/workflows', { ir: REVIEW });
    const client = await clientOf(bench, legacy);
    const said = await saidBy(client.sendMessageStream(message({ workflow_id: 'review' })));
    expect(said.at(-1)).toBe('TASK_STATE_INPUT_REQUIRED waiting for approval of review');
  });

  it('subscribes to a task that works, not to one that has ended', async () => {
    const bench = await api();
    const id = await bench.started(EXTERNAL);
    const client = await clientOf(bench, legacy);
    const stream = client.resubscribeTask({ tenant: '', id });
    const first = await stream.next();
    expect(first.value?.payload).toMatchObject({ $case: 'task', value: { id } });
    await bench.post(`/executions/${id}/cancel`, {});
    expect((await saidBy(stream)).at(-1)).toMatch(/^TASK_STATE_CANCELED/);
    await expect(saidBy(client.resubscribeTask({ tenant: '', id }))).rejects.toMatchObject({
      reason: 'UNSUPPORTED_OPERATION',
    });
  });

  it('does not wait for a task if the message says so', async () => {
    const bench = await api();
    await bench.post('/workflows', { ir: EXTERNAL });
    const client = await clientOf(bench, legacy);
    const request = message({ workflow_id: 'external' });
    const configuration = {
      acceptedOutputModes: [],
      taskPushNotificationConfig: undefined,
      returnImmediately: true,
    };
    expect(stateOf(taskOf(await client.sendMessage({ ...request, configuration })))).toBe('TASK_STATE_WORKING');
  });
});

/** One raw call. */
async function rpc(bench: Api, method: string, params: unknown, options: CallOptions = {}): Promise<RpcAnswer> {
  const { status, body } = await bench.post('/a2a', { jsonrpc: '2.0', id: 1, method, params }, options);
  expect(status).toBe(200);
  return body as unknown as RpcAnswer;
}

function sent(parts: readonly JsonObject[], change: JsonObject = {}): JsonObject {
  messages += 1;
  return { message: { messageId: `message-${messages}`, role: 'ROLE_USER', parts, ...change } };
}

describe('POST /a2a', () => {
  it('uses the names of the version of the request', async () => {
    const bench = await api({ tools: ECHO_TOOLS });
    await bench.post('/workflows', { ir: ECHO });
    const said = sent([{ text: 'one' }, { text: 'two' }], { metadata: { skill: 'echo' } });
    expect((await rpc(bench, 'SendMessage', said)).result).toMatchObject({
      task: { status: { state: 'TASK_STATE_COMPLETED' }, artifacts: [{ parts: [{ data: { text: 'one\ntwo' } }] }] },
    });
    const old = {
      message: {
        kind: 'message',
        messageId: 'old',
        role: 'user',
        parts: [{ kind: 'data', data: { workflow_id: 'echo', input: { a: 1 } } }],
      },
    };
    expect((await rpc(bench, 'message/send', old)).result).toMatchObject({
      kind: 'task',
      status: { state: 'completed' },
      artifacts: [{ parts: [{ kind: 'data', data: { a: 1 } }] }],
      metadata: { workflow_id: 'echo', workflow_version: '1.0.0' },
    });
  });

  it('starts a task once, however often its message is sent', async () => {
    const bench = await api();
    await bench.post('/workflows', { ir: REVIEW });
    const request = sent([{ data: { workflow_id: 'review' } }]);
    const [first, second] = [await rpc(bench, 'SendMessage', request), await rpc(bench, 'SendMessage', request)];
    expect(second.result).toEqual(first.result);
    expect((await bench.get('/executions')).body.executions).toHaveLength(1);
  });

  it('wakes a task that waits for an event', async () => {
    const bench = await api();
    await bench.post('/workflows', { ir: PAYMENT });
    const { result } = await rpc(bench, 'SendMessage', sent([{ data: { workflow_id: 'payment' } }]));
    const { id, status } = (result as { task: { id: string; status: JsonObject } }).task;
    expect(status).toMatchObject({ message: { parts: [{ text: 'waiting for event paid' }] } });
    const event = sent([{ data: { correlation_key: 'paid', payload: { amount: 5 } } }], { taskId: id });
    expect((await rpc(bench, 'SendMessage', event)).result).toMatchObject({
      task: { id, status: { state: 'TASK_STATE_COMPLETED' } },
    });
  });

  it('reports that a task failed, and at which node', async () => {
    const bench = await api({
      tools: {
        echo: () => {
          throw Object.assign(new Error('no such luck'), { retryable: false });
        },
      },
    });
    await bench.post('/workflows', { ir: ECHO });
    const { result } = await rpc(bench, 'SendMessage', sent([{ data: { workflow_id: 'echo' } }]));
    expect(result).toMatchObject({
      task: { status: { state: 'TASK_STATE_FAILED', message: { parts: [{ text: 'echo: no such luck' }] } } },
    });
  });

  it.each<[string, JsonObject, number, string]>([
    ['Dance', {}, -32_601, 'unknown method Dance'],
    ['toString', {}, -32_601, 'unknown method toString'],
    ['SendMessage', {}, -32_602, 'message is required'],
    ['SendMessage', { message: { messageId: 'm', parts: [] } }, -32_602, 'message.parts must hold at least one part'],
    ['SendMessage', { message: { parts: [{ text: 'x' }] } }, -32_602, 'message.messageId is required'],
    [
      'SendMessage',
      { message: { messageId: 'm', parts: [{ text: 'x' }] } },
      -32_602,
      'message.metadata.workflow_id is required: it names the workflow to start',
    ],
    [
      'SendMessage',
      { message: { messageId: 'm', parts: [{ data: { workflow_id: 'none' } }] } },
      -32_602,
      'not found: workflow none',
    ],
    ['SendMessage', { message: { messageId: 'm', parts: [{ raw: 'AA==' }] } }, -32_005, 'only text and data parts are supported'],
    ['SendMessage', { message: { messageId: 'm', parts: [{ data: [1] }] } }, -32_005, 'a data part must hold a JSON object'],
    [
      'SendMessage',
      { message: { messageId: 'm', taskId: UNKNOWN_EXECUTION, parts: [{ text: 'x' }] } },
      -32_001,
      `task ${UNKNOWN_EXECUTION}`,
    ],
    ['GetTask', {}, -32_602, 'id is required'],
    ['GetTask', { id: 'nothing' }, -32_001, 'task nothing not found'],
    ['tasks/cancel', { id: UNKNOWN_EXECUTION }, -32_001, `task ${UNKNOWN_EXECUTION}`],
    ['SendStreamingMessage', {}, -32_602, 'message is required'],
    ['SubscribeToTask', { id: UNKNOWN_EXECUTION }, -32_001, `task ${UNKNOWN_EXECUTION}`],
    ['ListTasks', {}, -32_004, 'use GET /executions to list tasks'],
    ['tasks/pushNotificationConfig/set', {}, -32_003, 'push notifications are not supported; use webhooks'],
  ])('%s refuses %j', async (method, params, code, text) => {
    const bench = await api();
    expect((await rpc(bench, method, params)).error).toMatchObject({
      code,
      message: expect.stringContaining(text),
      data: [{ domain: 'a2a-protocol.org' }],
    });
  });

  it.each([
    [[], null],
    [[{ jsonrpc: '2.0', id: 1, method: 'GetTask' }], null],
    [{ jsonrpc: '2.0', method: 'GetTask' }, null],
    [{ jsonrpc: '1.0', id: 7, method: 'GetTask' }, 7],
    [{ jsonrpc: '2.0', id: 'a' }, 'a'],
  ])('refuses %j, which is not a call', async (body, id) => {
    const { post } = await api();
    expect(await post('/a2a', body)).toMatchObject({ status: 200, body: { jsonrpc: '2.0', id, error: { code: -32_600 } } });
  });

  it('refuses bodies that are not JSON, and unsupported versions', async () => {
    const { call } = await api();
    expect(await call('POST', '/a2a', { rawBody: '{' })).toMatchObject({
      status: 400,
      body: { id: null, error: { code: -32_700 } },
    });
    const body = { jsonrpc: '2.0', id: 1, method: 'GetTask', params: { id: UNKNOWN_EXECUTION } };
    const code = async (version: string) => {
      const reply = await call('POST', '/a2a', { body, headers: { 'a2a-version': version } });
      return (reply.body as unknown as RpcAnswer).error?.code;
    };
    expect(await Promise.all(['', '0.3', '1.0', '1.0.0', '0.2', '2.0'].map(code))).toEqual([
      -32_001, -32_001, -32_001, -32_001, -32_009, -32_009,
    ]);
  });

  it('refuses messages to a task that has ended, or of another conversation', async () => {
    const bench = await api();
    const id = await bench.started(REVIEW);
    const refusal = async (data: JsonObject, change: JsonObject = {}) =>
      (await rpc(bench, 'SendMessage', sent([{ data }], { taskId: id, ...change }))).error;
    expect(await refusal({ decision: 'approved' }, { contextId: 'other' })).toMatchObject({ code: -32_602 });
    expect(await refusal({ note: 'hello' })).toMatchObject({
      code: -32_602,
      message: expect.stringContaining('{"decision": "approved"}'),
    });
    expect(await refusal({ decision: 'perhaps' })).toMatchObject({
      code: -32_602,
      message: expect.stringContaining('bad request: '),
    });
    await bench.post(`/executions/${id}/cancel`, {});
    expect(await refusal({ decision: 'approved' })).toMatchObject({
      code: -32_004,
      message: expect.stringContaining('is cancelled'),
    });
  });

  it.each(READERS)('lets a %s read, and only writers send and cancel', async (role) => {
    const bench = await api();
    const id = await bench.started(REVIEW);
    const call = (method: string, params: JsonObject) =>
      bench.post('/a2a', { jsonrpc: '2.0', id: 1, method, params }, { as: role });
    expect(await call('GetTask', { id })).toMatchObject({ status: 200, body: { result: { id } } });
    const may = role === 'operator' || role === 'developer';
    for (const [method, params] of [
      ['SendMessage', sent([{ data: { workflow_id: 'review' } }])],
      ['CancelTask', { id }],
    ] as const) {
      const reply = await call(method, params);
      expect(reply).toMatchObject(may ? { status: 200, body: { result: {} } } : { status: 403, body: { required: 'developer' } });
    }
    expect((await bench.post('/a2a', {}, { as: null })).status).toBe(401);
  });

  it('refuses workers', async () => {
    const { started, post } = await api();
    const params = { id: await started(REVIEW) };
    const { status, body } = await post('/a2a', { jsonrpc: '2.0', id: 1, method: 'GetTask', params }, { as: 'worker' });
    expect([status, body]).toMatchObject([403, { required: 'viewer' }]);
  });

  it('sees no task of another tenant', async () => {
    const bench = await api();
    const asAcme = await tenant(bench, 'acme');
    const id = await bench.started(REVIEW);
    for (const [method, params] of [
      ['GetTask', { id }],
      ['CancelTask', { id }],
      ['SendMessage', sent([{ data: { decision: 'approved' } }], { taskId: id })],
    ] as const) {
      expect((await rpc(bench, method, params, asAcme)).error).toMatchObject({ code: -32_001, message: `task ${id} not found` });
    }
    const start = await rpc(bench, 'SendMessage', sent([{ data: { workflow_id: 'review' } }]), asAcme);
    expect(start.error).toMatchObject({ code: -32_602, message: 'not found: workflow review' });
    expect((await bench.get(`/executions/${id}`)).body.status).toBe('paused');
  });
});

describe('a workflow that is published', () => {
  const published = (workflow_id: string, publish: unknown) => ({
    ...ECHO,
    workflow_id,
    description: `About ${workflow_id}`,
    publish,
  });
  const skillsOf = (card: JsonObject) => (card.skills as readonly { readonly id: string }[]).map(({ id }) => id);

  it('is a skill of the card for its tenant', async () => {
    const bench = await api({ tools: ECHO_TOOLS });
    const asAcme = await tenant(bench, 'acme');
    await bench.post('/workflows', { ir: published('greeting', ['a2a']) });
    await bench.post('/workflows', { ir: published('tool-only', 'mcp') });
    await bench.post('/workflows', { ir: published('secret', true) }, asAcme);
    const cardOf = async (method: string, options: CallOptions = {}) =>
      (await rpc(bench, method, {}, options)).result as JsonObject;
    expect(skillsOf(await cardOf('GetExtendedAgentCard'))).toEqual(['run-workflow', 'greeting']);
    expect(skillsOf(await cardOf('agent/getAuthenticatedExtendedCard', asAcme))).toEqual(['run-workflow', 'secret']);
    const open = await bench.get('/.well-known/agent-card.json', { as: null });
    expect(skillsOf(open.body as unknown as JsonObject)).toEqual(['run-workflow', 'greeting']);
    const { result } = await rpc(bench, 'SendMessage', sent([{ text: 'hi' }], { metadata: { skill: 'greeting' } }));
    expect(result).toMatchObject({ task: { metadata: { workflow_id: 'greeting' } } });
  });

  it('is one no more when its latest version is not published', async () => {
    const bench = await api({ tools: ECHO_TOOLS });
    await bench.post('/workflows', { ir: published('greeting', true) });
    await bench.post('/workflows', { ir: { ...published('greeting', false), version: '2' } });
    const { result } = await rpc(bench, 'GetExtendedAgentCard', {});
    expect(skillsOf(result as JsonObject)).toEqual(['run-workflow']);
  });

  it('is refused with an unknown channel', async () => {
    const bench = await api();
    expect(await bench.post('/workflows', { ir: published('greeting', ['fax']) })).toMatchObject({
      status: 400,
      body: { error: expect.stringContaining('publish must be a list of "mcp" and "a2a", or true for both') },
    });
  });
});

describe('the card of the runtime', () => {
  it('is open, correct and the same at both paths', async () => {
    const { get } = await api({ config: { publicUrl: 'https://runtime.example.com' } });
    const card = await get('/.well-known/agent-card.json', { as: null });
    expect(card).toMatchObject({
      status: 200,
      body: {
        name: 'JamJet Runtime',
        supportedInterfaces: [{ url: 'https://runtime.example.com/a2a', protocolBinding: 'JSONRPC', protocolVersion: '1.0' }, {}],
        capabilities: { streaming: true, pushNotifications: false },
        skills: [{ id: 'run-workflow' }],
      },
    });
    expect((await get('/.well-known/agent.json', { as: null })).body).toEqual(card.body);
  });

  it('lets one runtime discover another', async () => {
    const [one, two] = [await api({ config: { allowPrivateAddresses: true } }), await api()];
    const url = await two.app.listen({ host: '127.0.0.1', port: 0 });
    const { status, body } = await one.post('/agents/discover', { url });
    expect([status, body]).toMatchObject([
      201,
      {
        id: 'jamjet-runtime',
        capabilities: { skills: [{ id: 'run-workflow' }], protocols: ['a2a'] },
        auth: { type: 'bearer_token' },
      },
    ]);
    expect(idsOf(await one.get('/agents?skill=run-workflow'))).toEqual(['jamjet-runtime']);
  });
});
