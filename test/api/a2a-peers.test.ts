import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../machines/json.ts';
import type { Tools } from '../../src/runtime/types/work.ts';
import { CALLER, eventually, openTestRuntime } from '../support/runtimes.ts';
import { type Api, api } from './support/api.ts';

const wait = (more: JsonObject): JsonObject => ({ kind: { type: 'wait', ...more } });
const tool = (tool_ref: string): JsonObject => ({ kind: { type: 'tool', tool_ref }, retry_policy: 'no_retry' });
const approval: JsonObject = { kind: { type: 'human_approval', description: 'Release?' } };

/** What the other runtime does with a task. */
function callee(nodes: JsonObject, more: JsonObject = {}): JsonObject {
  const ids = Object.keys(nodes);
  const edges = ids.map((from, i) => ({ from, to: ids[i + 1] ?? 'end' }));
  return { workflow_id: 'desk', version: '1', start_node: ids[0] ?? '', nodes, edges, ...more };
}

/** Gives a task to the other runtime; what that asks for is answered by an event here, which is sent there. */
function caller(url: string, stream: boolean): JsonObject {
  const desk = {
    type: 'a2a_task',
    remote_agent: 'desk',
    skill: 'desk',
    input_mapping: '{{ state.answer or state }}',
    task_id: '{{ state.desk.task_id }}',
    on_input_required: 'person',
    stream,
  };
  return {
    workflow_id: 'front',
    version: '1',
    start_node: 'desk',
    remote_agents: { desk: { url, auth: { type: 'bearer', token_env: 'DESK_TOKEN' } } },
    nodes: {
      desk: { kind: desk, retry_policy: 'no_retry' },
      person: wait({ correlation_key: 'answer', output_key: 'answer' }),
    },
    edges: [
      { from: 'desk', to: 'end' },
      { from: 'person', to: 'desk' },
    ],
  };
}

/** What each attempt of the other runtime uses. */
const USED = { input_tokens: 10, output_tokens: 5, cost_usd: 0.25 };
const TOOLS: Tools = {
  work(_input, { reportUsage }) {
    reportUsage({ inputTokens: USED.input_tokens, outputTokens: USED.output_tokens, costUsd: USED.cost_usd });
    return {};
  },
  break(_input, { reportUsage }) {
    reportUsage({ costUsd: USED.cost_usd });
    throw new Error('broken');
  },
};

/** Two servers: the one calls the other as a remote agent. */
async function peers(document: JsonObject, stream: boolean) {
  const desk = await api({ tools: TOOLS });
  const url = await desk.app.listen({ host: '127.0.0.1', port: 0 });
  await desk.post('/workflows', { ir: document });
  const token = await desk.token('developer', { name: 'front' });
  const front = await openTestRuntime({ allowPrivateAddresses: true, vars: { DESK_TOKEN: token } });
  return { desk, front, document: caller(url, stream) };
}

/** The task that the other runtime has begun. */
async function taskOf({ runtime }: Api): Promise<string> {
  let id: string | undefined;
  await eventually(async () => {
    id = (await runtime.executions('default', { limit: 1 })).executions[0]?.executionId;
    return id !== undefined;
  });
  return id ?? '';
}

describe.each([
  ['streams', true],
  ['is asked for news', false],
])('a runtime as the remote agent of another one, which %s', (_how, stream) => {
  it('works while a timer runs, and gives its final state', async () => {
    const document = callee({
      rest: wait({ condition: 'timer', duration_secs: 3600 }),
      again: wait({ condition: 'timer', duration_secs: 60 }),
    });
    const { desk, front, document: asking } = await peers(document, stream);
    const id = await front.run(asking, { order: 7 });
    const task = await taskOf(desk);
    await desk.settled(task);
    await eventually(async () => (await front.timeline(id)).includes('remote_task_started desk'));
    expect((await front.runtime.execution('default', id)).status).toBe('running');
    desk.clock.advance(3_600_000);
    await eventually(async () => (await desk.timeline(task)).includes('node_started again'));
    desk.clock.advance(60_000);
    expect(await front.settled(id)).toMatchObject({ status: 'completed', state: { desk: { order: 7 } } });
    expect(await desk.runtime.execution('default', task)).toMatchObject({ status: 'completed', input: { order: 7 } });
  });

  it('works while an event may come or not', async () => {
    const document = callee({ rest: wait({ condition: 'either', correlation_key: 'news', timeout_secs: 60 }) });
    const { desk, front, document: asking } = await peers(document, stream);
    const id = await front.run(asking);
    await desk.settled(await taskOf(desk));
    await eventually(async () => (await front.timeline(id)).includes('remote_task_started desk'));
    desk.clock.advance(60_000);
    expect((await front.settled(id)).status).toBe('completed');
  });

  it.each<[string, JsonObject, JsonObject, string, JsonObject]>([
    ['an approval', { ask: approval }, {}, 'waiting for approval of ask', { decision: 'approved' }],
    [
      'an approval with a time limit',
      { ask: { kind: { ...(approval.kind as JsonObject), timeout_secs: 60 } } },
      {},
      'waiting for approval of ask',
      { decision: 'approved' },
    ],
    [
      'an approval that a policy requires',
      { check: { kind: { type: 'policy', policy_ref: 'careful', subject: 'pay' } } },
      { policies: { careful: { require_approval_for: ['pay'] } } },
      'waiting for approval of check',
      { decision: 'approved' },
    ],
    [
      'an event, after a timer',
      { rest: wait({ condition: 'timer', duration_secs: 60 }), ask: wait({ correlation_key: 'paid', timeout_secs: 600 }) },
      {},
      'waiting for event paid',
      { correlation_key: 'paid', payload: { paid: true } },
    ],
    [
      'an event, beside a timer',
      {
        both: { kind: { type: 'parallel', branches: ['rest', 'ask'] } },
        rest: wait({ condition: 'timer', duration_secs: 60 }),
        ask: wait({ correlation_key: 'paid' }),
      },
      { edges: [] },
      'waiting for event paid',
      { correlation_key: 'paid' },
    ],
  ])('needs input for %s, and goes on with it in the same task', async (_what, nodes, more, message, answer) => {
    const { desk, front, document } = await peers(callee(nodes, more), stream);
    const id = await front.run(document);
    const task = await taskOf(desk);
    if ('rest' in nodes && !('both' in nodes)) {
      await desk.settled(task);
      await eventually(async () => (await front.timeline(id)).includes('remote_task_started desk'));
      desk.clock.advance(60_000);
    }
    expect(await front.settled(id)).toMatchObject({
      status: 'paused',
      state: { desk: { status: 'input-required', message, task_id: task } },
    });
    await front.runtime.sendEvent(CALLER, id, { key: 'answer', payload: answer });
    await eventually(async () =>
      (await desk.timeline(task)).some((line) => /^(?:node_completed|policy_decision).* (?:ask|check)$/.test(line)),
    );
    desk.clock.advance(60_000);
    expect((await front.settled(id)).status).toBe('completed');
    expect((await desk.runtime.execution('default', task)).status).toBe('completed');
    expect((await desk.runtime.executions('default', { limit: 10 })).executions).toHaveLength(1);
  });

  it('needs input for a child execution', async () => {
    const { desk, front, document } = await peers(
      callee({ inner: { kind: { type: 'subgraph', workflow_ref: 'inner' } } }),
      stream,
    );
    await desk.post('/workflows', { ir: { ...callee({ ask: approval }), workflow_id: 'inner' } });
    const id = await front.run(document);
    const settled = await front.settled(id);
    expect(settled.state).toMatchObject({
      desk: { message: expect.stringMatching(/^waiting for approval of ask in exec_[0-9a-f]{32}$/) },
    });
  });

  it('says what its task has used, which counts against the budget of the caller', async () => {
    const { front, document } = await peers(callee({ a: tool('work'), b: tool('work') }), stream);
    const id = await front.run({ ...document, cost_budget_usd: 1 });
    expect((await front.settled(id)).usage).toEqual({ input_tokens: 20, output_tokens: 10, cost_usd: 0.5 });
    const [completed] = (await front.log(id)).filter(({ type }) => type === 'node_completed');
    expect(completed?.data).toMatchObject({ input_tokens: 20, output_tokens: 10, cost_usd: 0.5 });
    const frugal = await front.run({ ...document, version: '2', cost_budget_usd: 0.4 });
    expect(await front.settled(frugal)).toMatchObject({
      status: 'failed',
      error: expect.stringContaining('budget'),
      usage: { cost_usd: 0.5 },
    });
  });

  it('says it once for a task that has asked a question, and for one that has failed', async () => {
    const { front, document } = await peers(callee({ a: tool('work'), ask: approval, b: tool('break') }), stream);
    const id = await front.run(document);
    expect(await front.settled(id)).toMatchObject({ status: 'paused', usage: null });
    await front.runtime.sendEvent(CALLER, id, { key: 'answer', payload: { decision: 'approved' } });
    await eventually(async () => (await front.runtime.execution('default', id)).status === 'failed');
    expect((await front.runtime.execution('default', id)).usage).toEqual({ ...USED, cost_usd: 0.5 });
  });

  it('is cancelled with the execution that has begun the task', async () => {
    const { desk, front, document } = await peers(callee({ rest: wait({ condition: 'timer', duration_secs: 60 }) }), stream);
    const id = await front.run(document);
    const task = await taskOf(desk);
    await eventually(async () => (await front.timeline(id)).includes('remote_task_started desk'));
    await front.runtime.cancel(CALLER, id, 'enough');
    await eventually(async () => (await desk.runtime.execution('default', task)).status === 'cancelled');
  });

  it('works while an operator has paused it', async () => {
    const { desk, front, document } = await peers(callee({ ask: approval }), stream);
    const id = await front.run({ ...document, nodes: { ...(document.nodes as JsonObject) } });
    const task = await taskOf(desk);
    await front.settled(id);
    await desk.runtime.pause(CALLER, task, 'lunch');
    const { result } = (await desk.post('/a2a', { jsonrpc: '2.0', id: 1, method: 'tasks/get', params: { id: task } }))
      .body as unknown as { result: JsonObject };
    expect(result.status).toMatchObject({ state: 'working', message: { parts: [{ text: 'paused by an operator' }] } });
  });
});
