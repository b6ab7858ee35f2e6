import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../machines/json.ts';
import { a2aAgent } from '../../executors/a2a/agent-server.ts';
import { CALLER, databasePath, eventually, openTestRuntime } from '../../support/runtimes.ts';

const twice = { max_attempts: 2, backoff: 'fixed', initial_delay: 0, max_delay: 0 };
const workflow = (url: string, kind: JsonObject, more: JsonObject = {}): JsonObject => ({
  workflow_id: 'w',
  version: '1',
  retry_policies: { twice },
  remote_agents: { legal: { url } },
  nodes: { ask: { kind: { type: 'a2a_task', remote_agent: 'legal', skill: 'review', ...kind }, retry_policy: 'twice' } },
  edges: [{ from: 'ask', to: 'end' }],
  ...more,
});

it('an execution gives a task to an agent and gets its result', async () => {
  const agent = await a2aAgent({ version: '1.0' });
  const { run, settled, timeline } = await openTestRuntime({ allowPrivateAddresses: true });
  const kind = { input_mapping: { do: 'echo', text: '{{ state.text }}' }, stream: true, output_key: 'answer' };
  const id = await run(workflow(agent.url, kind), { text: 'tea' });
  expect(await settled(id)).toMatchObject({ status: 'completed', state: { text: 'tea', answer: { do: 'echo', text: 'tea' } } });
  expect(await timeline(id)).toContain('remote_task_started ask');
});

it('an agent gets the whole state without a mapping', async () => {
  const agent = await a2aAgent({ version: '1.0' });
  const { run, settled } = await openTestRuntime({ allowPrivateAddresses: true });
  const id = await run(workflow(agent.url, {}), { do: 'echo', n: 1 });
  expect(await settled(id)).toMatchObject({ state: { ask: { do: 'echo', n: 1 } } });
});

it('an agent that asks for input is answered in the same task', async () => {
  const agent = await a2aAgent({ version: '1.0' });
  const { run, runtime, settled } = await openTestRuntime({ allowPrivateAddresses: true });
  const document = workflow(
    agent.url,
    { input_mapping: { do: '{{ state.do }}' }, task_id: '{{ state.ask.task_id }}', on_input_required: 'person' },
    {
      nodes: {
        ...(workflow(agent.url, {}).nodes as JsonObject),
        ask: {
          kind: {
            type: 'a2a_task',
            remote_agent: 'legal',
            input_mapping: { do: '{{ state.do }}' },
            task_id: '{{ state.ask.task_id }}',
            on_input_required: 'person',
          },
        },
        person: { kind: { type: 'wait', correlation_key: 'answer' } },
      },
      edges: [
        { from: 'ask', to: 'end' },
        { from: 'person', to: 'ask' },
      ],
    },
  );
  const id = await run(document, { do: 'ask' });
  expect(await settled(id)).toMatchObject({
    status: 'paused',
    state: { ask: { status: 'input-required', message: 'which colour?' } },
  });
  await runtime.sendEvent(CALLER, id, { key: 'answer', payload: { do: 'echo' } });
  const done = await settled(id);
  expect(done.status).toBe('completed');
  expect(done.state).toMatchObject({ ask: { do: 'echo' } });
  expect((done.state as JsonObject).ask).toEqual({ do: 'echo' });
  const [first, second] = agent.messages;
  expect(second?.taskId).toBe(first?.taskId);
  expect(second?.messageId).not.toBe(first?.messageId);
});

it('a task is cancelled with its execution', async () => {
  const agent = await a2aAgent({ version: '1.0' });
  const { run, runtime, timeline } = await openTestRuntime({ allowPrivateAddresses: true });
  const id = await run(workflow(agent.url, { input_mapping: { do: 'wait' }, stream: true }));
  const taskId = await agent.waiting();
  await eventually(async () => (await timeline(id)).includes('remote_task_started ask'));
  await runtime.cancel(CALLER, id, 'enough');
  expect(await agent.wasCancelled()).toBe(taskId);
});

it('a task is cancelled with its execution although the runtime stops at once', async () => {
  const agent = await a2aAgent({ version: '1.0' });
  const { run, runtime, timeline, close } = await openTestRuntime({ allowPrivateAddresses: true });
  const id = await run(workflow(agent.url, { input_mapping: { do: 'wait' } }));
  const taskId = await agent.waiting();
  await eventually(async () => (await timeline(id)).includes('remote_task_started ask'));
  await runtime.cancel(CALLER, id, 'enough');
  await close(20_000);
  expect(agent.cancelled).toEqual([taskId]);
});

describe.each([
  ['streams', true],
  ['is asked for news', false],
])('an agent that %s and has not answered the message yet', (_how, stream) => {
  const late = async (kind: JsonObject = {}) => {
    let answer = (): void => {};
    const answersAfter = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const agent = await a2aAgent({ version: '1.0', streaming: stream, answersAfter });
    const document = workflow(agent.url, { input_mapping: { do: 'wait' }, stream, ...kind });
    return { agent, answer, document, node: (document.nodes as { readonly ask: JsonObject }).ask };
  };

  it.each(['a2a_task', 'agent_tool'])('cancels the task of a cancelled %s once it has answered', async (type) => {
    const { agent, answer, document } = await late(
      type === 'a2a_task' ? {} : { type, agent: 'legal', mode: stream ? 'streaming' : 'sync' },
    );
    const { run, runtime, settled } = await openTestRuntime({ allowPrivateAddresses: true });
    const id = await run(document);
    // With an answer that is held back, a stream does not begin.
    await eventually(() => agent.methods().length > 0);
    await runtime.cancel(CALLER, id, 'enough');
    expect(await settled(id)).toMatchObject({ status: 'cancelled' });
    expect(agent.cancelled).toEqual([]);
    answer();
    await agent.wasCancelled();
    expect(agent.methods()).toHaveLength(2);
  });

  it('cancels the task of a last attempt that has timed out, not of one that is repeated', async () => {
    const { agent, answer, document, node } = await late();
    const { run, settled, clock, timeline } = await openTestRuntime({ allowPrivateAddresses: true });
    const nodes = { ask: { ...node, retry_policy: 'twice', node_timeout_secs: 60 } };
    const id = await run({ ...document, nodes });
    for (const attempt of [1, 2]) {
      await eventually(() => agent.methods().length === attempt);
      clock.advance(60_000);
      await eventually(async () => (await timeline(id)).filter((line) => line === 'node_failed ask').length === attempt);
    }
    expect(await settled(id)).toMatchObject({ status: 'failed' });
    answer();
    await agent.wasCancelled();
    // Both attempts have sent the same message.
    expect(new Set(agent.messages.map(({ messageId }) => messageId)).size).toBe(1);
    expect(agent.cancelled).toHaveLength(1);
  });
});

it('a task whose node has no attempt left is cancelled', async () => {
  const agent = await a2aAgent({ version: '1.0', streaming: false });
  const { run, settled, timeline, clock } = await openTestRuntime({ allowPrivateAddresses: true });
  const document = workflow(agent.url, { input_mapping: { do: 'wait' } });
  const nodes = document.nodes as { readonly ask: JsonObject };
  const id = await run({ ...document, nodes: { ask: { ...nodes.ask, retry_policy: 'no_retry', node_timeout_secs: 60 } } });
  const taskId = await agent.waiting();
  await eventually(async () => (await timeline(id)).includes('remote_task_started ask'));
  clock.advance(60_000);
  expect(await settled(id)).toMatchObject({ status: 'failed' });
  expect(await agent.wasCancelled()).toBe(taskId);
});

it('a task that a stop interrupts is waited for by the next runtime, without a second message', async () => {
  const agent = await a2aAgent({ version: '1.0', streaming: false });
  const path = databasePath();
  const first = await openTestRuntime({ path, allowPrivateAddresses: true });
  const id = await first.run(workflow(agent.url, { input_mapping: { do: 'wait' } }));
  const taskId = await agent.waiting();
  await eventually(async () => (await first.timeline(id)).includes('remote_task_started ask'));
  await first.close();
  const second = await openTestRuntime({ path, allowPrivateAddresses: true });
  agent.finish(taskId, 'late');
  expect(await second.settled(id)).toMatchObject({ status: 'completed', state: { ask: 'late' } });
  expect(agent.messages).toHaveLength(1);
  expect(agent.cancelled).toEqual([]);
  await second.close();
});

it.each([['legal.review'], ['review'], ['legal'], ['*']])('a policy blocks the task as %s', async (blocked) => {
  const agent = await a2aAgent({ version: '1.0' });
  const { run, settled, timeline } = await openTestRuntime({ allowPrivateAddresses: true });
  const id = await run(workflow(agent.url, {}, { policy: { blocked_tools: [blocked] } }));
  expect(await settled(id)).toMatchObject({ status: 'failed' });
  expect(await timeline(id)).toContain('policy_violation ask');
  expect(agent.requests).toEqual([]);
});
