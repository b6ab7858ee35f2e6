import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../../machines/json.ts';
import type { Tools } from '../../../src/runtime/types/work.ts';
import { replayAll } from '../../support/replay-all.ts';
import { CALLER, eventually, openTestRuntime, type TestRuntime } from '../../support/runtimes.ts';
import { chatAnswer, reply } from '../model/asking.ts';
import { webServer } from '../web-server.ts';

type Answer = string | readonly (readonly [tool: string, args: Json])[] | ((response: ServerResponse) => void);

/** A provider of OpenAI's wire format that gives these answers one after the other: texts, or calls of tools. */
async function provider(...answers: readonly Answer[]) {
  let at = 0;
  const server = await webServer((_request, response) => {
    const answer = answers[at] ?? 'no more answers';
    at += 1;
    if (typeof answer === 'function') return answer(response);
    if (typeof answer === 'string') return reply(response, chatAnswer({ content: answer }));
    const calls = answer.map(([name, args], i) => ({
      id: `call_${at}_${i}`,
      type: 'function',
      function: { name, arguments: JSON.stringify(args) },
    }));
    return reply(response, chatAnswer({ tool_calls: calls }, 'tool_calls'));
  });
  const asked = () =>
    server.requests.map(({ body }) => JSON.parse(body) as { messages: JsonObject[]; tools?: JsonObject[]; tool_choice?: Json });
  return { models: { providers: { openai: { apiKey: 'sk-1', baseUrl: `${server.url}/v1` } } }, asked };
}

const SEARCH = {
  name: 'search',
  description: 'Finds orders.',
  parameters: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
};

/** A workflow with one agent. */
const helper = (kind: JsonObject, more: JsonObject = {}): JsonObject => ({
  workflow_id: 'help',
  version: '1',
  start_node: 'helper',
  nodes: {
    helper: {
      kind: {
        type: 'agent',
        model_ref: 'gpt-4o',
        system_prompt: 'Be kind.',
        prompt: '{{ state.question }}',
        output_key: 'answer',
        ...kind,
      },
    },
  },
  edges: [],
  ...more,
});

const toolMessages = (messages: readonly JsonObject[] | undefined) =>
  (messages ?? []).filter(({ role }) => role === 'tool').map(({ content }) => content);

/** Visits to nodes, in order, as `node status`. */
async function visits({ log }: TestRuntime, id: string): Promise<readonly string[]> {
  const ends = (await log(id)).filter(({ type }) => type === 'node_completed' || type === 'node_failed');
  return ends.map(({ type, nodeId }) => (type === 'node_failed' ? `${nodeId} failed` : String(nodeId)));
}

describe('an agent', () => {
  it('asks its model, calls the tools that it asks for, and gives the answer', async () => {
    const { models, asked } = await provider([['search', { text: 'lamp' }]], [['price', { id: 7 }]], 'It costs 12 euros.');
    const calls: unknown[] = [];
    const tools: Tools = {
      search: (input) => {
        calls.push(['search', input]);
        return { id: 7 };
      },
      price: (input) => {
        calls.push(['price', input]);
        return 12;
      },
    };
    const opened = await openTestRuntime({ models, tools });
    const id = await opened.run(helper({ tools: [SEARCH, 'price'] }), { question: 'What does the lamp cost?' });
    const { status, state } = await opened.settled(id);
    expect([status, state.answer]).toEqual(['completed', 'It costs 12 euros.']);
    // What tools give does not change the state.
    expect(Object.keys(state).sort()).toEqual(['answer', 'helper_conversation', 'question']);
    expect(calls).toEqual([
      ['search', { text: 'lamp' }],
      ['price', { id: 7 }],
    ]);
    const [first, second, third] = asked();
    expect(first?.messages).toEqual([
      { role: 'system', content: 'Be kind.' },
      { role: 'user', content: 'What does the lamp cost?' },
    ]);
    expect(first?.tools).toMatchObject([{ function: SEARCH }, { function: { name: 'price', parameters: { type: 'object' } } }]);
    expect(toolMessages(second?.messages)).toEqual(['{"id":7}']);
    expect(toolMessages(third?.messages)).toEqual(['{"id":7}', '12']);
    expect(state.helper_conversation).toMatchObject({ requested: [], calls: [], waiting: 0, turns: 3, tool_calls: 2 });

    // Each turn and each call is a visit of its own, with its usage.
    expect(await visits(opened, id)).toEqual([
      'helper',
      'helper.call',
      'helper.search',
      'helper',
      'helper.call',
      'helper.price',
      'helper',
    ]);
    const turns = (await opened.log(id)).filter(({ type, nodeId }) => type === 'node_completed' && nodeId === 'helper');
    expect(turns.map(({ data }) => [data.activation, data.input_tokens, data.gen_ai_system])).toEqual([
      [1, 1000, 'openai'],
      [2, 1000, 'openai'],
      [3, 1000, 'openai'],
    ]);
    await opened.close();
    expect((await replayAll(opened.path)).differing).toEqual([]);
  });

  it('tells its model what went wrong with a call, and goes on', async () => {
    const { models, asked } = await provider([['search', { text: 'x' }]], [['erase', {}]], [['search', { text: 'y' }]], 'Sorry.');
    const search = ({ text }: JsonObject) => {
      if (text === 'x') throw Object.assign(new Error('no such text'), { retryable: false });
      return { error: 'not an error of the call' };
    };
    const opened = await openTestRuntime({ models, tools: { search } as never });
    const id = await opened.run(helper({ tools: [SEARCH] }), { question: '?' });
    expect((await opened.settled(id)).state.answer).toBe('Sorry.');
    expect(toolMessages(asked().at(-1)?.messages)).toEqual([
      'error: no such text',
      'error: there is no tool "erase"; there are: search',
      '{"error":"not an error of the call"}',
    ]);
  });

  it('carries out calls of one answer one after the other, or at the same time', async () => {
    for (const parallel of [1, 2]) {
      const wanted = ['a', 'b', 'c'].map((text) => ['search', { text }] as const);
      const { models, asked } = await provider(wanted, 'Done.');
      let started = 0;
      let running = 0;
      let most = 0;
      const search = async ({ text }: JsonObject) => {
        started += 1;
        running += 1;
        most = Math.max(most, running);
        await eventually(() => started >= parallel);
        running -= 1;
        return `found ${String(text)}`;
      };
      const opened = await openTestRuntime({ models, tools: { search } as never });
      const id = await opened.run(helper({ tools: [SEARCH], parallel_tool_calls: parallel }), { question: '?' });
      expect((await opened.settled(id)).state.answer).toBe('Done.');
      expect(toolMessages(asked()[1]?.messages)).toEqual(['found a', 'found b', 'found c']);
      expect(asked()).toHaveLength(2);
      expect(most).toBe(parallel);
    }
  });

  it('waits for approval before a tool that a policy holds, and tells its model of a rejection', async () => {
    const { models, asked } = await provider([['refund', { order: 7 }]], [['refund', { order: 8 }]], 'One refund.');
    const refunds: unknown[] = [];
    const opened = await openTestRuntime({ models, tools: { refund: (input) => ({ count: refunds.push(input) }) } });
    const id = await opened.run(helper({ tools: ['refund'] }, { policy: { require_approval_for: ['refund'] } }), {
      question: '?',
    });
    const pending = async () => (await opened.runtime.approvals('default', id)).pending;
    await eventually(async () => (await pending()).length === 1);
    expect(refunds).toEqual([]);
    const shown = { calls: [{ name: 'refund', arguments: { order: 7 } }] };
    expect(await pending()).toMatchObject([{ nodeId: 'helper.refund', toolName: 'refund', context: shown }]);
    await opened.runtime.approve(CALLER, id, { decision: 'approved' });
    await eventually(async () => (await pending()).length === 1 && refunds.length === 1);
    await opened.runtime.approve(CALLER, id, { decision: 'rejected', comment: 'enough' });
    expect((await opened.settled(id)).state.answer).toBe('One refund.');
    expect(refunds).toEqual([{ order: 7 }]);
    expect(toolMessages(asked().at(-1)?.messages)).toEqual(['{"count":1}', 'error: approval rejected by tester: enough']);
  });

  it('is not given a tool that a policy blocks', async () => {
    const { models, asked } = await provider([['refund', {}]], 'No.');
    const opened = await openTestRuntime({ models, tools: { refund: () => 'paid' } });
    const id = await opened.run(helper({ tools: ['refund'] }, { policy: { blocked_tools: ['ref*'] } }), { question: '?' });
    expect((await opened.settled(id)).state.answer).toBe('No.');
    expect(toolMessages(asked()[1]?.messages)).toEqual(['error: blocked by policy: refund']);
    expect((await opened.log(id)).filter(({ type }) => type === 'policy_violation')).toHaveLength(1);
  });

  it('has to answer at its last turn', async () => {
    const { models, asked } = await provider([['search', { text: 'a' }]], 'Enough.');
    const opened = await openTestRuntime({ models, tools: { search: () => 'nothing' } });
    const id = await opened.run(helper({ tools: [SEARCH], max_turns: 2 }), { question: '?' });
    expect((await opened.settled(id)).state.answer).toBe('Enough.');
    expect(asked().map(({ tool_choice }) => tool_choice)).toEqual(['auto', 'none']);
  });

  it('resumes after a restart at its last turn: no call that completed is made again, nor is the model asked again', async () => {
    const answers = await provider([['search', { text: 'a' }]], [['slow', {}]], 'Done.');
    const calls: string[] = [];
    let isRestarted = false;
    const tools: Tools = {
      search: () => calls.push('search'),
      slow: (_input, { signal }) => {
        calls.push('slow');
        if (isRestarted) return 'done';
        return new Promise((_done, failed) => signal.addEventListener('abort', () => failed(new Error('stopped'))));
      },
    };
    const opened = await openTestRuntime({ models: answers.models, tools });
    const id = await opened.run(helper({ tools: [SEARCH, 'slow'] }), { question: '?' });
    await eventually(() => calls.length === 2);
    await opened.close();
    isRestarted = true;
    const again = await openTestRuntime({ models: answers.models, tools, path: opened.path });
    expect((await again.settled(id)).state.answer).toBe('Done.');
    expect(calls).toEqual(['search', 'slow', 'slow']);
    expect(answers.asked()).toHaveLength(3);
  });

  it('is cancelled with what it calls', async () => {
    const { models } = await provider([['slow', {}]]);
    let aborted = false;
    const slow: Tools[string] = (_input, { signal }) =>
      new Promise((_done, failed) =>
        signal.addEventListener('abort', () => {
          aborted = true;
          failed(new Error('stopped'));
        }),
      );
    const opened = await openTestRuntime({ models, tools: { slow } });
    const id = await opened.run(helper({ tools: ['slow'] }), { question: '?' });
    await eventually(async () => (await opened.timeline(id)).includes('node_started helper.slow'));
    await opened.runtime.cancel(CALLER, id, 'enough');
    await eventually(() => aborted);
    expect((await opened.settled(id)).status).toBe('cancelled');
  });

  it('fails when its model does, for good', async () => {
    const { models } = await provider((response) => reply(response, { error: { message: 'bad key' } }, 401));
    const opened = await openTestRuntime({ models });
    const id = await opened.run(helper({}), { question: '?' });
    expect(await opened.settled(id)).toMatchObject({ status: 'failed' });
    expect((await opened.log(id)).find(({ type }) => type === 'node_failed')?.data).toMatchObject({ http_status: 401 });
  });

  it('gives an answer of the form that its schema asks for', async () => {
    const { models } = await provider('{"urgent": true}');
    const schema = { type: 'object', properties: { urgent: { type: 'boolean' } }, required: ['urgent'] };
    const opened = await openTestRuntime({ models });
    const id = await opened.run(helper({ output_schema: schema }), { question: '?' });
    expect((await opened.settled(id)).state.answer).toEqual({ urgent: true });
  });

  it('continues its conversation when it is visited again', async () => {
    const { models, asked } = await provider('Hello.', 'As I said: hello.');
    const document = helper(
      {},
      {
        nodes: {
          helper: { kind: { type: 'agent', model_ref: 'gpt-4o', prompt: '{{ state.question }}', output_key: 'answer' } },
          hear: { kind: { type: 'wait', condition: 'external_event', correlation_key: 'say' } },
        },
        edges: [
          { from: 'helper', to: 'hear', condition: 'state.question != "bye"' },
          { from: 'helper', to: 'end' },
          { from: 'hear', to: 'helper' },
        ],
      },
    );
    const opened = await openTestRuntime({ models });
    const id = await opened.run(document, { question: 'hi' });
    await opened.settled(id);
    await opened.runtime.sendEvent(CALLER, id, { key: 'say', payload: { question: 'bye' } });
    expect((await opened.settled(id)).state.answer).toBe('As I said: hello.');
    expect(asked()[1]?.messages.map(({ content }) => content)).toEqual(['hi', 'Hello.', 'bye']);
  });

  it('keeps at most max_messages of its conversation when it is visited again, from one of the user on', async () => {
    const { models, asked } = await provider([['search', { text: 'a' }]], 'one', 'two', 'three');
    const { run, settled } = await openTestRuntime({ models, tools: { search: () => 'found' } });
    const id = await run(
      helper(
        { tools: [SEARCH], max_messages: 3, prompt: 'Round {{ state.answer }}' },
        { edges: [{ from: 'helper', to: 'helper', condition: "state.answer != 'three'" }] },
      ),
      { answer: 'zero' },
    );
    const { status, state } = await settled(id);
    expect([status, state.answer]).toEqual(['completed', 'three']);
    const texts = asked().map(({ messages }) => messages.map(({ role, content }) => `${role}: ${content}`));
    expect(texts.slice(2)).toEqual([
      // The call of the first task would be cut in two.
      ['system: Be kind.', 'user: Round one'],
      ['system: Be kind.', 'user: Round one', 'assistant: two', 'user: Round two'],
    ]);
  });

  it('goes on with the messages of the conversation that its input has', async () => {
    const { models, asked } = await provider('As I said: hello.');
    const opened = await openTestRuntime({ models });
    const messages = [
      { role: 'user', content: 'hi' },
      { role: 'assistant', content: 'Hello.' },
    ];
    const id = await opened.run(helper({}), { question: 'What?', helper_conversation: { messages } });
    const { state } = await opened.settled(id);
    expect(asked()[0]?.messages.map(({ content }) => content)).toEqual(['Be kind.', 'hi', 'Hello.', 'What?']);
    expect(state).toMatchObject({ answer: 'As I said: hello.', helper_conversation: { calls: [], turns: 1 } });
    await opened.close();
    expect((await replayAll(opened.path)).differing).toEqual([]);
  });

  it('is refused when its tools cannot be told apart or offered', async () => {
    const { runtime } = await openTestRuntime();
    const problems = async (kind: JsonObject) =>
      runtime.register(CALLER, helper(kind)).then(
        () => [],
        (error: { diagnostics: readonly { code: string; message: string }[] }) => error.diagnostics.map(({ code }) => code),
      );
    expect(await problems({ tools: ['a', { name: 'a', tool: 'b' }] })).toEqual(['duplicate_tool']);
    expect(await problems({ tools: [{ name: 'not a name', tool: 'b' }] })).toEqual(['bad_name']);
    expect(await problems({ tools: [{}] })).toEqual(['bad_tool']);
    expect(await problems({ tools: [7] })).toEqual(['wrong_type']);
    expect(await problems({ tools: ['a'], parallel_tool_calls: 99 })).toEqual(['out_of_range']);
    expect(await problems({ tools: ['a'], conversation_key: 'a b' })).toContain('bad_name');
  });
});
