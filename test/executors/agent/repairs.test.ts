import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../machines/json.ts';
import type { Tools } from '../../../src/runtime/types/work.ts';
import { Timeline } from '../../../src/views/timeline.ts';
import { replayAll } from '../../support/replay-all.ts';
import { CALLER, eventually, openTestRuntime, type TestRuntime } from '../../support/runtimes.ts';
import { chatAnswer, reply } from '../model/asking.ts';
import { webServer } from '../web-server.ts';

/** A call as a model writes it: the arguments are a text. */
type Call = readonly [tool: string, args: string];
/** Null = the provider never answers. */
type Answer = string | readonly Call[] | null;

/** A provider of OpenAI's wire format that gives these answers one after the other; the last one again and again. */
async function provider(...answers: readonly Answer[]) {
  let at = 0;
  const server = await webServer((_request, response) => {
    const answer = answers[Math.min(at, answers.length - 1)] ?? null;
    at += 1;
    if (answer === null) return;
    if (typeof answer === 'string') return reply(response, chatAnswer({ content: answer }));
    const calls = answer.map(([name, args], i) => ({
      id: `call_${at}_${i}`,
      type: 'function',
      function: { name, arguments: args },
    }));
    return reply(response, chatAnswer({ tool_calls: calls }, 'tool_calls'));
  });
  const asked = () => server.requests.map(({ body }) => JSON.parse(body) as { messages: JsonObject[] });
  return { models: { providers: { openai: { apiKey: 'sk-1', baseUrl: `${server.url}/v1` } } }, asked };
}

const FIND = {
  name: 'find',
  parameters: {
    type: 'object',
    properties: { number: { type: 'integer' }, lines: { type: 'array', items: { type: 'object', required: ['sku'] } } },
    required: ['number'],
    additionalProperties: false,
  },
};

const document = (kind: JsonObject = {}, node: JsonObject = {}): JsonObject => ({
  workflow_id: 'help',
  version: '1',
  nodes: {
    helper: {
      kind: { type: 'agent', model_ref: 'gpt-4o', prompt: 'Help.', tools: [FIND], output_key: 'answer', ...kind },
      retry_policy: 'no_retry',
      ...node,
    },
  },
  edges: [],
});

/** Opens a runtime whose tool `find` notes what it is called with. */
async function open(answers: readonly Answer[], more: { readonly path?: string } = {}) {
  const { models, asked } = await provider(...answers);
  const found: unknown[] = [];
  const tools: Tools = { find: (input) => `found ${found.push(input)}` };
  return { ...(await openTestRuntime({ models, tools, ...more })), asked, found };
}

const toolResults = (messages: readonly JsonObject[] | undefined) =>
  (messages ?? []).filter(({ role }) => role === 'tool').map(({ tool_call_id, content }) => [tool_call_id, content]);

const rejections = async ({ log }: TestRuntime, id: string) =>
  (await log(id)).filter(({ type }) => type === 'tool_call_rejected').map(({ nodeId, data }) => [nodeId, data]);

const turns = async ({ log }: TestRuntime, id: string) =>
  (await log(id)).filter(({ type, nodeId }) => type === 'node_completed' && nodeId === 'helper').length;

describe('bad arguments of a model', () => {
  it('are told to it, with what is wrong and where, and the tool is called when they fit', async () => {
    const opened = await open([
      [['find', '{"number":"7","lines":[{}],"numbr":7}']],
      [['find', '{"number": 7']],
      [['fnd', '{}']],
      [['find', '{"number":7}']],
      'It is here.',
    ]);
    const { run, settled, log, asked, found } = opened;
    const id = await run(document());
    expect((await settled(id)).state.answer).toBe('It is here.');
    expect(found).toEqual([{ number: 7 }]);
    const problems = [
      'the arguments of find do not fit: unknown key "numbr"; did you mean "number"?; number must be integer; lines.0.sku is required',
      expect.stringMatching(/^the arguments of find are not JSON: .*position 12/),
      'there is no tool "fnd"; did you mean "find"?',
    ];
    expect(toolResults(asked().at(-1)?.messages)).toEqual([
      ...problems.map((problem, i) => [
        `call_${i + 1}_0`,
        typeof problem === 'string' ? `error: ${problem}` : expect.stringContaining('error: the arguments of find are not JSON'),
      ]),
      ['call_4_0', 'found 1'],
    ]);
    // What providers read as arguments is an object, whatever the model has written.
    expect(asked()[2]?.messages.at(-2)).toMatchObject({ tool_calls: [{ function: { name: 'find', arguments: '{}' } }] });
    expect(await rejections(opened, id)).toEqual([
      ['helper', { tool: 'find', problem: problems[0], repair: 1, activation: 1 }],
      ['helper', { tool: 'find', problem: problems[1], repair: 2, activation: 2 }],
      ['helper', { tool: 'fnd', problem: problems[2], repair: 3, activation: 3 }],
    ]);
    // Each answer is a turn that is paid for.
    const ends = (await log(id)).filter(({ type, nodeId }) => type === 'node_completed' && nodeId === 'helper');
    expect(ends.map(({ data }) => data.input_tokens)).toEqual([1000, 1000, 1000, 1000, 1000]);
    await opened.close();
    expect((await replayAll(opened.path)).differing).toEqual([]);
  });

  it.each([
    [undefined, 4, 'the model asked for a call that cannot be carried out, and was told 3 times: '],
    [1, 2, 'the model asked for a call that cannot be carried out, and was told once: '],
    [0, 1, 'the model asked for a call that cannot be carried out: '],
  ])('fail the node when the model gives them once more (max_repairs: %s)', async (max, answers, error) => {
    const opened = await open([[['find', '{}']]]);
    const id = await opened.run(document(max === undefined ? {} : { max_repairs: max }));
    expect((await opened.settled(id)).status).toBe('failed');
    expect(opened.asked()).toHaveLength(answers);
    const failure = (await opened.log(id)).find(({ type }) => type === 'node_failed');
    expect(failure?.data).toMatchObject({
      error: `${error}the arguments of find do not fit: number is required`,
      error_class: 'invalid_answer',
      input_tokens: 1000,
    });
    expect(await rejections(opened, id)).toHaveLength(answers - 1);
  });

  it('count in a row: an answer that can be carried out begins anew', async () => {
    const bad: readonly Call[] = [['find', '{}']];
    const good: readonly Call[] = [['find', '{"number":1}']];
    const opened = await open([bad, good, bad, good, bad, 'Done.']);
    const id = await opened.run(document({ max_repairs: 1 }));
    expect((await opened.settled(id)).state.answer).toBe('Done.');
    expect((await rejections(opened, id)).map(([, data]) => (data as JsonObject).repair)).toEqual([1, 1, 1]);
  });

  it('do not keep the other calls of the answer from being carried out', async () => {
    for (const parallel_tool_calls of [1, 2]) {
      const mixed: readonly Call[] = [
        ['find', '{"number":1}'],
        ['find', '[]'],
        ['erase', '{}'],
        ['find', '{"number":2}'],
      ];
      const opened = await open([mixed, 'Done.']);
      const id = await opened.run(document({ parallel_tool_calls }));
      expect((await opened.settled(id)).state.answer).toBe('Done.');
      expect(opened.found).toEqual([{ number: 1 }, { number: 2 }]);
      expect(toolResults(opened.asked()[1]?.messages)).toEqual([
        ['call_1_0', 'found 1'],
        ['call_1_1', 'error: the arguments of find do not fit: it must be object'],
        ['call_1_2', 'error: there is no tool "erase"; there are: find'],
        ['call_1_3', 'found 2'],
      ]);
      expect((await rejections(opened, id)).map(([, data]) => (data as JsonObject).repair)).toEqual([1, 1]);
    }
  });

  it('take turns: at the last one the model has to answer', async () => {
    const opened = await open([[['find', '{}']], 'I give up.']);
    const id = await opened.run(document({ max_turns: 2 }));
    expect((await opened.settled(id)).state.answer).toBe('I give up.');
    expect(await turns(opened, id)).toBeGreaterThan(1);
  });

  it('count towards the budgets of the execution', async () => {
    const opened = await open([[['find', '{}']]]);
    const id = await opened.run({ ...document({ max_repairs: 20, max_turns: 30 }), token_budget: { total_tokens: 2_000 } });
    expect(await opened.settled(id)).toMatchObject({ status: 'failed', error: expect.stringContaining('token budget') });
    expect(opened.asked()).toHaveLength(2);
  });

  it('are counted on after a restart', async () => {
    const bad: readonly Call[] = [['find', '{}']];
    const opened = await open([bad, bad, null]);
    // A turn that a stop interrupts begins again, and one that fails does not.
    const node = { retry_policy: null, retry: { max_attempts: 2, retryable_on: ['lost'] } };
    const id = await opened.run(document({ max_repairs: 2 }, node));
    await eventually(() => opened.asked().length === 3);
    await opened.close();
    const again = await open([bad], { path: opened.path });
    expect((await again.settled(id)).status).toBe('failed');
    expect(again.asked()).toHaveLength(1);
    expect((await rejections(again, id)).map(([, data]) => (data as JsonObject).repair)).toEqual([1, 2]);
  });

  it('are what is no object, of a tool that nothing describes', async () => {
    const opened = await open([[['find', '[7]']], [['find', '{"any":7}']], 'Done.']);
    const id = await opened.run(document({ tools: ['find'] }));
    expect((await opened.settled(id)).state.answer).toBe('Done.');
    expect(opened.found).toEqual([{ any: 7 }]);
    expect((await rejections(opened, id)).map(([, data]) => (data as JsonObject).problem)).toEqual([
      'the arguments of find do not fit: it must be object',
    ]);
  });

  it('are not looked for where the parameters of a tool are no JSON Schema', async () => {
    const tools = [{ name: 'find', parameters: { type: 'nothing' } }];
    const opened = await open([[['find', '{"any": 1}']], 'Done.']);
    const id = await opened.run(document({ tools }));
    expect((await opened.settled(id)).state.answer).toBe('Done.');
    expect(opened.found).toEqual([{ any: 1 }]);
  });

  it('are a line of the timeline', async () => {
    const opened = await open([[['find', '{}']], 'Done.']);
    const id = await opened.run(document());
    await opened.settled(id);
    const timeline = new Timeline({ awaitedKey: () => null });
    const lines = (await opened.log(id)).flatMap(({ sequence, type, nodeId, data }) =>
      timeline.apply({ sequence, type, node_id: nodeId, data, created_at: '2026-01-01T00:00:00.000Z' }),
    );
    expect(lines.filter(({ status }) => status === 'note').map(({ node, text }) => [node, text])).toEqual([
      ['helper', 'tells the model (1 in a row): the arguments of find do not fit: number is required'],
    ]);
  });

  it('may be told up to 20 times', async () => {
    const { runtime } = await openTestRuntime();
    const codes = async (max_repairs: number) =>
      runtime.register(CALLER, document({ max_repairs })).then(
        () => [],
        (error: { diagnostics: readonly { code: string; path: string }[] }) =>
          error.diagnostics.map(({ code, path }) => [code, path]),
      );
    expect(await codes(20)).toEqual([]);
    expect(await codes(21)).toEqual([['out_of_range', 'nodes.helper.kind.max_repairs']]);
    expect(await codes(-1)).toEqual([['wrong_type', 'nodes.helper.kind.max_repairs']]);
  });
});
