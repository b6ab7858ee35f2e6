import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../machines/json.ts';
import { Type } from '../../../machines/type.ts';
import { defineTool } from '../../../src/builder/tool.ts';
import type { ToolContext, Tools } from '../../../src/runtime/types/work.ts';
import { replayAll } from '../../support/replay-all.ts';
import { CALLER, crashCopy, eventually, openTestRuntime } from '../../support/runtimes.ts';
import { AGENT, type Asked, document, MODEL, provider, said, talk, texts } from './chats.ts';

describe('a thread of a model', () => {
  it('is read, and continued with what is asked and answered, across executions', async () => {
    const { models, asked } = await provider((messages, n) => `answer ${n} after ${messages.length}`);
    const it = await openTestRuntime({ models });
    const first = await talk(it, 'Hello', { ...MODEL, system_prompt: 'Be kind.' });
    expect([first.status, first.state.answer]).toEqual(['completed', 'answer 1 after 2']);
    await talk(it, 'And now?', { ...MODEL, system_prompt: 'Be brief.' });
    await talk(it, 'Someone else', MODEL, 42);
    expect(asked.map(({ messages }) => texts(messages))).toEqual([
      ['system: Be kind.', 'user: Hello'],
      ['system: Be brief.', 'user: Hello', 'assistant: answer 1 after 2', 'user: And now?'],
      ['user: Someone else'],
    ]);
    expect(await said(it)).toEqual([
      '1 user: Hello',
      '2 assistant: answer 1 after 2',
      '3 user: And now?',
      '4 assistant: answer 2 after 4',
    ]);
    expect(await said(it, '42')).toEqual(['1 user: Someone else', '2 assistant: answer 3 after 1']);
    const { messages } = await it.runtime.threads.messages('default', 'ann', { order: 'desc', limit: 1 });
    expect(messages[0]).toMatchObject({ nodeId: 'talk', activation: 1, executionId: expect.stringMatching(/^exec_/) });
    const completed = (await it.log(first.id)).find(({ type }) => type === 'node_completed');
    expect(completed?.data.thread).toEqual({ thread_id: 'ann', first: 1, last: 2 });
    expect((await replayAll(it.path)).differing).toEqual([]);
  });

  it('takes what a request has appended into the next turn', async () => {
    const { models, asked } = await provider(() => 'Yes');
    const it = await openTestRuntime({ models });
    await it.runtime.threads.append(CALLER, 'ann', [
      { role: 'assistant', content: 'not first for a provider' },
      { role: 'user', content: 'I called yesterday' },
      { role: 'assistant', content: 'Noted' },
    ]);
    await talk(it, 'Do you know?');
    expect(texts(asked[0]?.messages)).toEqual(['user: I called yesterday', 'assistant: Noted', 'user: Do you know?']);
  });

  it('keeps the prompt within max_messages', async () => {
    const { models, asked } = await provider((_, n) => `a${n}`);
    const it = await openTestRuntime({ models });
    const kind = { ...MODEL, max_messages: 3 };
    for (const words of ['q1', 'q2', 'q3']) await talk(it, words, kind);
    expect(texts(asked[2]?.messages)).toEqual(['user: q2', 'assistant: a2', 'user: q3']);
    expect(await said(it)).toHaveLength(6);
  });

  it('has one turn at a time, each of which has seen those before', async () => {
    const { models, asked } = await provider((messages) => `after ${messages.length - 1}`);
    const it = await openTestRuntime({ models });
    await it.runtime.register(CALLER, document());
    const started = await Promise.all(
      ['a', 'b', 'c', 'd', 'e'].map((words) =>
        it.runtime.start(CALLER, { workflowId: 'chat', input: { said: words, customer: 'ann' } }),
      ),
    );
    for (const { executionId } of started) expect((await it.settled(executionId)).status).toBe('completed');
    expect((await said(it)).filter((_, i) => i % 2 === 1)).toEqual([0, 2, 4, 6, 8].map((n) => `${n + 2} assistant: after ${n}`));
    expect(asked).toHaveLength(5);
  });

  it('takes the turn again when something was appended meanwhile, and counts what both calls used', async () => {
    const { models, asked } = await provider(async (messages, n) => {
      if (n === 1) await it.runtime.threads.append(CALLER, 'ann', [{ role: 'user', content: 'Quick!' }]);
      return `after ${messages.length - 1}`;
    });
    const it = await openTestRuntime({ models });
    const { id, status } = await talk(it, 'Hello');
    expect(status).toBe('completed');
    expect(await said(it)).toEqual(['1 user: Quick!', '2 user: Hello', '3 assistant: after 1']);
    expect(asked).toHaveLength(2);
    const events = await it.log(id);
    expect(events.filter(({ type }) => type === 'usage_recorded').map(({ data }) => data.input_tokens)).toEqual([1000]);
    expect(events.filter(({ type }) => type === 'node_completed')).toHaveLength(1);
    expect((await replayAll(it.path)).differing).toEqual([]);
    expect(it.errors).toEqual([]);
  });

  it('is begun anew by a turn during which it was deleted', async () => {
    const { models } = await provider(async (messages, n) => {
      if (n === 2) await it.runtime.threads.remove(CALLER, 'ann');
      return `after ${messages.length - 1}`;
    });
    const it = await openTestRuntime({ models });
    await talk(it, 'one');
    await talk(it, 'two');
    expect(await said(it)).toEqual(['1 user: two', '2 assistant: after 0']);
  });

  it('holds nothing of a turn that fails or is cancelled', async () => {
    let fails = true;
    const { models } = await provider(() => (fails ? 'no JSON' : '{"ok":true}'));
    const it = await openTestRuntime({ models });
    const kind = { ...MODEL, output_schema: { type: 'object', required: ['ok'] } };
    const failed = await talk(it, 'Hello', kind);
    expect(failed.status).toBe('failed');
    await expect(it.runtime.threads.get('default', 'ann')).rejects.toMatchObject({ code: 'not_found' });
    fails = false;
    await it.runtime.retry(CALLER, failed.id);
    expect((await it.settled(failed.id)).status).toBe('completed');
    expect(await said(it)).toEqual(['1 user: Hello', '2 assistant: {"ok":true}']);
    const hanging = await openTestRuntime({ models: (await provider(() => null)).models });
    const id = await hanging.run(document(), { said: 'x', customer: 'ann' });
    await eventually(async () => (await hanging.timeline(id)).includes('node_started talk'));
    await hanging.runtime.cancel(CALLER, id, 'enough');
    expect((await hanging.settled(id)).status).toBe('cancelled');
    await expect(hanging.runtime.threads.get('default', 'ann')).rejects.toMatchObject({ code: 'not_found' });
  });

  it('has a turn once, wherever the process ends', async () => {
    const { models, asked } = await provider((messages, n) => `answer ${n} after ${messages.length - 1}`);
    const it = await openTestRuntime({ models });
    const copies: string[] = [];
    it.runtime.onCommit(() => copies.push(crashCopy(it.path)));
    const retried = document(MODEL, { nodes: { talk: { kind: MODEL, retry_policy: { max_attempts: 3 } } } });
    const spoken = async (words: string) => it.settled(await it.run(retried, { said: words, customer: 'ann' }));
    await spoken('Hello');
    await spoken('Again');
    expect(asked).toHaveLength(2);
    for (const path of copies) {
      const again = await openTestRuntime({ models, path });
      const executions = async () => (await again.runtime.executions('default', { limit: 9 })).executions;
      await eventually(async () => {
        again.clock.advance(1_000);
        return (await executions()).every(({ status }) => status === 'completed' || status === 'failed');
      });
      const count = (await executions()).length;
      const lines = count === 0 ? [] : await said(again);
      expect(lines.map((line) => line.replace(/answer.*/, ''))).toEqual(
        ['1 user: Hello', '2 assistant: ', '3 user: Again', '4 assistant: '].slice(0, lines.length),
      );
      expect(lines).toHaveLength(2 * count);
      expect((await replayAll(path)).differing).toEqual([]);
      await again.close();
    }
    expect(copies).toHaveLength(4);
  });

  it.each([
    ['', 'validation'],
    [null, 'validation'],
    ['a/b', 'validation'],
    [['a'], 'validation'],
  ])('fails the node for an id that is none: %j', async (customer, errorClass) => {
    const { models, asked } = await provider(() => 'x');
    const it = await openTestRuntime({ models });
    const { id, status } = await talk(it, 'Hello', MODEL, customer);
    expect(status).toBe('failed');
    const failed = (await it.log(id)).find(({ type }) => type === 'node_failed');
    expect([failed?.data.error_class, failed?.data.error]).toEqual([errorClass, expect.stringContaining('thread: ')]);
    expect(asked).toEqual([]);
  });

  it('is that of each item in a map', async () => {
    const { models } = await provider((messages) => `after ${messages.length - 1}`);
    const it = await openTestRuntime({ models });
    const work = { ...MODEL, thread: '{{ item }}', prompt: 'Hello {{ item }}' };
    const { output_key: _key, ...without } = work;
    const { status } = await talk(it, '', { type: 'map', items: ['ann', 'bob', 'ann'], do: without } as unknown as JsonObject);
    expect(status).toBe('completed');
    expect(await said(it, 'bob')).toEqual(['1 user: Hello bob', '2 assistant: after 0']);
    expect(await said(it)).toHaveLength(4);
  });

  it('has no personal data, and its id must be none', async () => {
    const { models, asked } = await provider(() => 'Write to ann@example.org');
    const it = await openTestRuntime({ models });
    const policy = { data_policy: { pii_detectors: ['email'] } };
    const run = async (input: JsonObject) => it.settled(await it.run(document(MODEL, policy), input));
    expect((await run({ said: 'I am bob@example.org', customer: 'ann' })).status).toBe('completed');
    expect(await said(it)).toEqual(['1 user: I am [REDACTED]', '2 assistant: Write to [REDACTED]']);
    expect(texts(asked[0]?.messages)).toEqual(['user: I am [REDACTED]']);
    const failed = await run({ said: 'x', customer: 'ann@example.org' });
    expect([failed.status, failed.error]).toEqual(['failed', expect.stringContaining('the id is personal data')]);
    const keepsNone = document(MODEL, { data_policy: { pii_detectors: ['email'], retain_outputs: false } });
    await expect(it.runtime.register(CALLER, keepsNone)).rejects.toMatchObject({
      diagnostics: [expect.objectContaining({ code: 'thread_not_retained', node_id: 'talk' })],
    });
    const { thread: _thread, ...alone } = MODEL;
    const { warnings } = await it.runtime.register(CALLER, document({ ...alone, max_messages: 5 }));
    expect(warnings).toMatchObject([{ code: 'no_thread', node_id: 'talk' }]);
  });
});

const two = (talk: JsonObject, billing: JsonObject) => ({
  talk: { kind: talk, retry_policy: 'no_retry' },
  billing: { kind: billing, retry_policy: 'no_retry' },
});

describe('a thread of an agent', () => {
  const tools: Tools = { lookup: () => ({ paid: true }) };

  it('gets the turn with its tool calls, once the agent has answered', async () => {
    const { models, asked } = await provider((messages) =>
      messages.at(-1)?.role === 'user' ? [['lookup', { order: 7 }]] : `answer after ${messages.length}`,
    );
    const it = await openTestRuntime({ models, tools });
    const first = await talk(it, 'Is it paid?', { ...AGENT, system_prompt: 'Be kind.' });
    expect([first.status, first.state.answer]).toEqual(['completed', 'answer after 4']);
    expect(await said(it)).toEqual([
      '1 user: Is it paid?',
      '2 assistant: ',
      '3 tool: {"paid":true}',
      '4 assistant: answer after 4',
    ]);
    await talk(it, 'Sure?', { ...AGENT, system_prompt: 'Be kind.' });
    expect(texts(asked[2]?.messages).slice(0, 5)).toHaveLength(5);
    expect(texts(asked[3]?.messages)).toEqual([
      'system: Be kind.',
      'user: Is it paid?',
      ...texts((asked[1]?.messages ?? []).slice(2, 3)),
      'tool: {"paid":true}',
      'assistant: answer after 4',
      'user: Sure?',
      ...texts((asked[3]?.messages ?? []).slice(6, 7)),
      'tool: {"paid":true}',
    ]);
    expect((await replayAll(it.path)).differing).toEqual([]);
  });

  it('is read by the tools that it calls, without the present turn', async () => {
    const read: unknown[] = [];
    const lookup = defineTool({
      input: Type.Object({ limit: Type.Optional(Type.Integer()) }),
      run: async ({ limit }, { thread }) => {
        const messages = await thread?.messages(limit === undefined ? {} : { limit });
        read.push([thread?.id, ...(messages ?? []).map(({ sequence, role, content }) => `${sequence} ${role}: ${content}`)]);
        return {};
      },
    });
    const asks = (messages: readonly JsonObject[]) => (messages.at(-1)?.content === 'all' ? {} : { limit: 1 });
    const { models } = await provider((messages, n) =>
      messages.at(-1)?.role === 'user' ? [['lookup', asks(messages)]] : `a${n}`,
    );
    const it = await openTestRuntime({ models, tools: { lookup } });
    for (const words of ['one', 'all']) await talk(it, words, AGENT, 42);
    const { thread: _thread, ...alone } = AGENT;
    await talk(it, 'one', alone);
    const lines = ['1 user: one', '2 assistant: ', '3 tool: {}', '4 assistant: a2'];
    expect(read).toEqual([['42'], ['42', ...lines], [undefined]]);
  });

  it('refuses a tool a limit that is none, which the model is told', async () => {
    const { models, asked } = await provider((messages) => (messages.at(-1)?.role === 'user' ? [['lookup', {}]] : 'done'));
    const it = await openTestRuntime({
      models,
      tools: { lookup: (_input: unknown, { thread }: ToolContext) => thread?.messages({ limit: 0 }) },
    });
    await talk(it, 'Hello', AGENT);
    expect(asked[1]?.messages.at(-1)?.content).toBe('error: limit must be a whole number from 1 to 1000');
  });

  it('goes on with the agent that it is handed over to, and gets the turn of both once', async () => {
    const { models, asked } = await provider((messages, n) =>
      n === 1 ? [['handoff_to_billing', { reason: 'an invoice' }]] : `answer after ${messages.length}`,
    );
    const it = await openTestRuntime({ models, tools });
    const handsOver = document({}, { nodes: two({ ...AGENT, handoff: ['billing'] }, { ...AGENT, description: 'Invoices.' }) });
    for (const words of ['Is it paid?', 'Sure?']) {
      const id = await it.run(handsOver, { said: words, customer: 'ann' });
      expect((await it.settled(id)).status).toBe('completed');
    }
    const before = await said(it);
    expect(before.filter((line) => line.includes('user: '))).toEqual([
      '1 user: Is it paid?',
      expect.stringContaining('user: Sure?'),
    ]);
    expect(before[3]).toBe('4 assistant: answer after 3');
    expect(texts(asked[1]?.messages)).toEqual(['user: Is it paid?', 'assistant: null', expect.stringContaining('tool: ')]);
    expect((await replayAll(it.path)).differing).toEqual([]);
  });

  it('must be that of all agents of one conversation', async () => {
    const it = await openTestRuntime({ tools });
    const other = { ...AGENT, thread: '{{ state.other }}' };
    const { thread: _thread, ...none } = AGENT;
    for (const billing of [other, none])
      await expect(
        it.runtime.register(CALLER, document({}, { nodes: two({ ...AGENT, handoff: ['billing'] }, billing) })),
      ).rejects.toMatchObject({
        diagnostics: [expect.objectContaining({ code: 'other_thread', node_id: 'talk', path: 'nodes.talk.handoff' })],
      });
  });

  it('is not repeated in the conversation of the state', async () => {
    const { models } = await provider((_, n) => `a${n}`);
    const it = await openTestRuntime({ models, tools });
    await talk(it, 'one', AGENT);
    const { state } = await talk(it, 'two', AGENT);
    expect((state.talk_conversation as unknown as Asked).messages).toMatchObject([{ content: 'two' }, { content: 'a2' }]);
  });

  it('does not have its tools called again when something was appended meanwhile', async () => {
    let called = 0;
    const { models } = await provider(async (messages, n) => {
      if (messages.at(-1)?.role === 'user') return [['lookup', {}]];
      if (n === 2) await it.runtime.threads.append(CALLER, 'ann', [{ role: 'user', content: 'Quick!' }]);
      return `after ${messages.length}`;
    });
    const it = await openTestRuntime({ models, tools: { lookup: () => ({ calls: ++called }) } });
    await talk(it, 'Hello', AGENT);
    expect(await said(it)).toEqual([
      '1 user: Quick!',
      '2 user: Hello',
      '3 assistant: ',
      '4 tool: {"calls":1}',
      '5 assistant: after 4',
    ]);
    expect(called).toBe(1);
    expect((await replayAll(it.path)).differing).toEqual([]);
  });
});
