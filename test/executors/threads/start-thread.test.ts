import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../machines/json.ts';
import type { ToolContext, Tools } from '../../../src/runtime/types/work.ts';
import { replayAll } from '../../support/replay-all.ts';
import { CALLER, crashCopy, eventually, openTestRuntime, type TestRuntime } from '../../support/runtimes.ts';
import { AGENT, document, MODEL, provider, said, texts } from './chats.ts';

const without = ({ thread: _thread, ...kind }: typeof MODEL): JsonObject => kind;
const ALONE = without(MODEL);

async function start(it: TestRuntime, given: JsonObject, words: string, thread?: string) {
  await it.runtime.register(CALLER, given);
  const input = { said: words, customer: 'ann' };
  const { executionId } = await it.runtime.start(CALLER, {
    workflowId: String(given.workflow_id),
    input,
    ...(thread === undefined ? {} : { thread }),
  });
  return it.settled(executionId);
}

describe('an execution that is started with a thread', () => {
  it('continues it at models that have none of their own, and says so', async () => {
    const { models, asked } = await provider((_, n) => `a${n}`);
    const it = await openTestRuntime({ models });
    const nodes = { talk: { kind: ALONE }, note: { kind: { ...MODEL, thread: 'notes', output_key: 'note' } } };
    const given = document(ALONE, { nodes, edges: [{ from: 'talk', to: 'note' }] });
    const { executionId, thread } = await start(it, given, 'q1', 'bob');
    expect(thread).toBe('bob');
    await start(it, given, 'q2', 'bob');
    expect((await start(it, given, 'q3')).thread).toBe(null);
    expect(texts(asked[2]?.messages)).toEqual(['user: q1', 'assistant: a1', 'user: q2']);
    expect(texts(asked[4]?.messages)).toEqual(['user: q3']);
    expect(await said(it, 'bob')).toEqual(['1 user: q1', '2 assistant: a1', '3 user: q2', '4 assistant: a3']);
    expect(await said(it, 'notes')).toHaveLength(6);
    const labels = [{ key: 'jamjet.thread', value: 'bob' }];
    const { executions } = await it.runtime.executions('default', { limit: 9, labels });
    expect(executions.map((one) => one.thread)).toEqual(['bob', 'bob']);
    expect(executions.at(-1)?.executionId).toBe(executionId);
    expect((await replayAll(it.path)).differing).toEqual([]);
  });

  it('continues it at agents, with the present task alone in the state, and shows it to their tools', async () => {
    const read: unknown[] = [];
    const tools: Tools = {
      lookup: async (_input: unknown, { thread }: ToolContext) =>
        void read.push([thread?.id, (await thread?.messages())?.length]),
    };
    const { models } = await provider((messages) => (messages.at(-1)?.role === 'user' ? [['lookup', {}]] : 'done'));
    const it = await openTestRuntime({ models, tools });
    const given = document(without(AGENT));
    await start(it, given, 'one', 'bob');
    const { state } = await start(it, given, 'two', 'bob');
    expect(read).toEqual([
      ['bob', 0],
      ['bob', 4],
    ]);
    expect((state.talk_conversation as JsonObject).messages).toHaveLength(4);
    expect(await said(it, 'bob')).toHaveLength(8);
  });

  it('hands it on to its forks, and not to its children', async () => {
    const { models } = await provider((_, n) => `a${n}`);
    const it = await openTestRuntime({ models });
    const given = document(ALONE, {
      nodes: {
        talk: { kind: ALONE },
        child: { kind: { type: 'subgraph', workflow_ref: 'child', input_mapping: { said: 'x' } } },
      },
      edges: [{ from: 'talk', to: 'child' }],
    });
    await it.runtime.register(CALLER, { ...document(ALONE), workflow_id: 'child' });
    const { executionId } = await start(it, given, 'q1', 'bob');
    expect(await said(it, 'bob')).toEqual(['1 user: q1', '2 assistant: a1']);
    const { executions } = await it.runtime.executions('default', { limit: 9, parentId: executionId });
    expect(executions.map(({ thread }) => thread)).toEqual([null]);
    const { executionId: forkId } = await it.runtime.fork(CALLER, executionId, { atSequence: 1 });
    expect((await it.settled(String(forkId))).thread).toBe('bob');
    expect(await said(it, 'bob')).toHaveLength(4);
  });

  it('hands it on to its next segments', async () => {
    const { models } = await provider((_, n) => (n < 5 ? 'more' : 'done'));
    const it = await openTestRuntime({ models });
    const branches = [{ condition: "state.answer == 'more'", target: 'talk' }, { target: 'end' }];
    const given = document(ALONE, {
      start_node: 'talk',
      continue_as_new: { after_steps: 4, at: 'talk' },
      nodes: { talk: { kind: ALONE }, again: { kind: { type: 'condition', branches } } },
      edges: [{ from: 'talk', to: 'again' }],
    });
    const { executionId } = await start(it, given, 'go on', 'bob');
    const last = async () => {
      const { currentExecutionId } = await it.runtime.execution('default', executionId);
      return it.runtime.execution('default', currentExecutionId ?? executionId);
    };
    await eventually(async () => (await last()).status === 'completed');
    expect(await last()).toMatchObject({ thread: 'bob', segment: 2 });
    expect(await said(it, 'bob')).toHaveLength(10);
  });

  it('has each turn once, wherever the process ends', async () => {
    const { models } = await provider((_, n) => `a${n}`);
    const it = await openTestRuntime({ models });
    const copies: string[] = [];
    it.runtime.onCommit(() => copies.push(crashCopy(it.path)));
    const given = document(ALONE, { nodes: { talk: { kind: ALONE, retry_policy: { max_attempts: 3 } } } });
    await start(it, given, 'q1', 'bob');
    expect(copies).toHaveLength(2);
    for (const path of copies) {
      const again = await openTestRuntime({ models, path });
      const executions = async () => (await again.runtime.executions('default', { limit: 9 })).executions;
      await eventually(async () => {
        again.clock.advance(1_000);
        return (await executions()).every(({ status }) => status === 'completed');
      });
      expect((await executions()).map(({ thread }) => thread)).toEqual(['bob']);
      expect((await said(again, 'bob')).map((line) => line.replace(/a\d+$/, ''))).toEqual(['1 user: q1', '2 assistant: ']);
      await again.close();
    }
  });

  it.each([
    ['an id that is none', ALONE, {}, 'a/b', 'the id of a thread is a text of 1 to 256 characters'],
    ['an empty id', ALONE, {}, '', 'the id of a thread is a text of 1 to 256 characters'],
    ['models with threads of their own', MODEL, {}, 'bob', 'workflow chat has no use for a thread'],
    ['personal data', ALONE, { data_policy: { pii_detectors: ['email'] } }, 'ann@example.org', 'its id is personal data'],
    [
      'no answers kept',
      ALONE,
      { data_policy: { pii_detectors: ['email'], retain_outputs: false } },
      'bob',
      'node talk keeps none',
    ],
  ])('is refused for %s', async (_case, kind, more, thread, problem) => {
    const it = await openTestRuntime({ models: (await provider(() => 'x')).models });
    await expect(start(it, document(kind, more), 'x', thread)).rejects.toMatchObject({
      code: 'bad_request',
      message: expect.stringContaining(problem),
    });
    expect((await it.runtime.executions('default', { limit: 9 })).executions).toEqual([]);
  });

  it('is another request than one without, for an idempotency key', async () => {
    const it = await openTestRuntime({ models: (await provider(() => 'x')).models });
    await it.runtime.register(CALLER, document(ALONE));
    const request = { workflowId: 'chat', input: { said: 'x' }, idempotencyKey: 'k' };
    const { executionId } = await it.runtime.start(CALLER, { ...request, thread: 'bob' });
    expect(await it.runtime.start(CALLER, { ...request, thread: 'bob' })).toMatchObject({ executionId, replayed: true });
    await expect(it.runtime.start(CALLER, request)).rejects.toMatchObject({ code: 'conflict' });
  });
});
