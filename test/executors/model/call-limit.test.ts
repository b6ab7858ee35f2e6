import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../../machines/json.ts';
import { validate } from '../../../machines/validate/index.ts';
import { modelExecutor } from '../../../src/executors/model/index.ts';
import { readScript } from '../../../src/executors/model/script.ts';
import type { ModelSettings } from '../../../src/executors/model/settings.ts';
import { longestTurnMs } from '../../support/longest-turn.ts';
import { webServer } from '../web-server.ts';
import { contextWith, failure, workWith } from '../work.ts';
import { chatAnswer, modelNode } from './asking.ts';

const USAGE = { prompt_tokens: 1000, completion_tokens: 100, total_tokens: 1100 };
const count = <T>(calls: number, make: (i: number) => T): T[] => Array.from({ length: calls }, (_, i) => make(i));
const chatCall = (i: number) => ({ id: `c${i}`, type: 'function', function: { name: 'f', arguments: '{}' } });
const chunk = (delta: JsonObject, finish_reason: string | null = null) => ({
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'gpt-4o',
  choices: [{ index: 0, delta, finish_reason }],
});
const chatEnd = [chunk({}, 'tool_calls'), { ...chunk({}), choices: [], usage: USAGE }];
const block = (i: number) => [
  { type: 'content_block_start', index: i, content_block: { type: 'tool_use', id: `c${i}`, name: 'f', input: {} } },
  { type: 'content_block_delta', index: i, delta: { type: 'input_json_delta', partial_json: '{}' } },
  { type: 'content_block_stop', index: i },
];
const message = (content: readonly Json[]) => ({
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-sonnet-4-5',
  content,
  stop_reason: content.length === 0 ? null : 'tool_use',
  stop_sequence: null,
  usage: { input_tokens: 1000, output_tokens: 100 },
});
const candidates = (parts: readonly Json[]) => ({
  candidates: [{ content: { role: 'model', parts }, finishReason: 'STOP', index: 0 }],
  usageMetadata: { promptTokenCount: 1000, candidatesTokenCount: 100, totalTokenCount: 1100 },
  modelVersion: 'gemini-2.5-flash',
});
const googleCall = () => ({ functionCall: { name: 'f', args: {} } });
const item = (i: number) => ({
  type: 'function_call',
  id: `i${i}`,
  call_id: `c${i}`,
  name: 'f',
  arguments: '{}',
  status: 'completed',
});
const responseItem = (i: number) => [
  { type: 'response.output_item.added', output_index: i, item: { ...item(i), arguments: '' } },
  { type: 'response.output_item.done', output_index: i, item: item(i) },
];
const whole = {
  id: 'resp_1',
  object: 'response',
  created_at: 1,
  status: 'completed',
  model: 'gpt-4o',
  output: [] as readonly Json[],
};
const responseUsage = { input_tokens: 1000, output_tokens: 100, total_tokens: 1100 };

interface Provider {
  readonly model: string;
  readonly settings: (url: string) => ModelSettings;
  /** The answer with so many calls: messages of a stream, or a whole answer. */
  readonly answer: (calls: number) => readonly Json[] | JsonObject;
}
const openai = (baseUrl: string): ModelSettings => ({ providers: { openai: { apiKey: 'k', baseUrl } } });
const anthropic = (baseUrl: string): ModelSettings => ({ providers: { anthropic: { apiKey: 'k', baseUrl } } });
const google = (baseUrl: string): ModelSettings => ({ providers: { google: { apiKey: 'k', baseUrl } } });
const responses = (baseUrl: string): ModelSettings => ({
  names: { r: { provider: 'openai-responses', model: 'gpt-4o', apiKey: 'k', baseUrl } },
});
const ollama = (baseUrl: string): ModelSettings => ({ providers: { ollama: { baseUrl } } });
const oneChunk = (calls: number) => [chunk({ tool_calls: count(calls, (i) => ({ index: i, ...chatCall(i) })) }), ...chatEnd];

const PROVIDERS: Readonly<Record<string, Provider>> = {
  'Chat Completions, in one message of a stream': { model: 'gpt-4o', settings: openai, answer: oneChunk },
  'Chat Completions, in many messages of a stream': {
    model: 'gpt-4o',
    settings: openai,
    answer: (calls) => [...count(calls, (i) => chunk({ tool_calls: [{ index: i, ...chatCall(i) }] })), ...chatEnd],
  },
  'Chat Completions, whole': {
    model: 'gpt-4o',
    settings: openai,
    answer: (calls) => chatAnswer({ tool_calls: count(calls, chatCall) }, 'tool_calls'),
  },
  'a compatible server': { model: 'ollama/llama3.2', settings: ollama, answer: oneChunk },
  'Messages, in a stream': {
    model: 'claude-sonnet-4-5',
    settings: anthropic,
    answer: (calls) => [
      { type: 'message_start', message: message([]) },
      ...count(calls, block).flat(),
      { type: 'message_delta', delta: { stop_reason: 'tool_use', stop_sequence: null }, usage: { output_tokens: 100 } },
      { type: 'message_stop' },
    ],
  },
  'Messages, whole': {
    model: 'claude-sonnet-4-5',
    settings: anthropic,
    answer: (calls) => message(count(calls, (i) => ({ type: 'tool_use', id: `c${i}`, name: 'f', input: {} }))),
  },
  'Google, in a stream': {
    model: 'gemini-2.5-flash',
    settings: google,
    answer: (calls) => [candidates(count(calls, googleCall))],
  },
  'Google, whole': { model: 'gemini-2.5-flash', settings: google, answer: (calls) => candidates(count(calls, googleCall)) },
  'Responses, in a stream': {
    model: 'r',
    settings: responses,
    answer: (calls) => [
      { type: 'response.created', response: whole },
      ...count(calls, responseItem).flat(),
      { type: 'response.completed', response: { ...whole, usage: responseUsage } },
    ],
  },
  'Responses, whole': {
    model: 'r',
    settings: responses,
    answer: (calls) => ({ ...whole, output: count(calls, item), usage: responseUsage }),
  },
  'the sidecar': {
    model: 'other/model',
    settings: (sidecarUrl) => ({ sidecarUrl }),
    answer: (calls) => ({
      message: { content: '' },
      tool_calls: count(calls, (i) => ({ id: `c${i}`, name: 'f', arguments: {} })),
      input_tokens: 1,
      output_tokens: 1,
      finish_reason: 'tool_calls',
    }),
  },
};

/** Asks a provider that gives an answer; an answer in a stream is asked for as one. */
async function open({ model, settings, answer }: Provider, calls: number, more: JsonObject = {}) {
  const given = answer(calls);
  const isStream = Array.isArray(given);
  const event = (data: Json) =>
    `${typeof data === 'object' && data !== null && 'type' in data ? `event: ${String(data.type)}\n` : ''}data: ${JSON.stringify(data)}\n\n`;
  const body = isStream ? (given as readonly Json[]).map(event).join('') : JSON.stringify(given);
  const { url } = await webServer((_request, response) => {
    response.writeHead(200, { 'content-type': isStream ? 'text/event-stream' : 'application/json' }).end(body);
  });
  const node = modelNode({ prompt_ref: 'Hello', model_ref: model, tools: [{ name: 'f' }], ...more });
  const executor = modelExecutor(node, { settings: settings(url), allowlistOf: async () => [] });
  return async () => {
    const { patch } = await executor(workWith({ prompt_ref: 'Hello' }), contextWith(), isStream ? () => {} : undefined);
    return ((patch as JsonObject).last_model_tool_calls as readonly Json[]).length;
  };
}

/** CPU time in ms; the calls took seconds when the client of the provider read them. */
const MAX_HOLD_MS = 250;

describe.each(Object.entries(PROVIDERS))('tool calls of one answer of %s', (_name, provider) => {
  it('are at most 128, or as many as the node says', async () => {
    expect(await (await open(provider, 128))()).toBe(128);
    expect(await failure((await open(provider, 129))())).toMatchObject({
      errorClass: 'too_many_calls',
      retryable: false,
      message: 'the model asked for more than 128 tools in one answer, the maximum (max_calls_per_answer)',
    });
    expect(await (await open(provider, 3, { max_calls_per_answer: 3 }))()).toBe(3);
    expect(await failure((await open(provider, 4, { max_calls_per_answer: 3 }))())).toMatchObject({
      errorClass: 'too_many_calls',
    });
    expect(await (await open(provider, 1024, { max_calls_per_answer: 1024 }))()).toBe(1024);
  });

  it('do not hold the process, however many there are', async () => {
    const ask = await open(provider, 30_000);
    await (await open(provider, 1))();
    const held = await longestTurnMs(async () => {
      expect(await failure(ask())).toMatchObject({ errorClass: 'too_many_calls' });
    });
    expect(held).toBeLessThan(MAX_HOLD_MS);
  });
});

describe('a message of a stream', () => {
  it('that would become a hundred thousand parts is refused before it does', async () => {
    const texts = {
      ...PROVIDERS['Google, in a stream'],
      answer: (parts: number) => [candidates(count(parts, () => ({ text: 'a' })))],
    };
    expect(await (await open(texts as Provider, 4_096))()).toBe(0);
    const ask = await open(texts as Provider, 100_000);
    const held = await longestTurnMs(async () => {
      expect(await failure(ask())).toMatchObject({ errorClass: 'invalid_response', retryable: false });
    });
    expect(held).toBeLessThan(MAX_HOLD_MS);
  });
});

describe('calls of a scripted model', () => {
  it('have the same limit, and the usage of the answer counts', async () => {
    const node = modelNode({ prompt_ref: 'Hello', model_ref: 'gpt-4o', max_calls_per_answer: 2 });
    const script = readScript([{ tools: ['f', 'f', 'f'], usage: { input_tokens: 7, output_tokens: 8 } }]);
    const executor = modelExecutor(node, { settings: { script }, allowlistOf: async () => [] });
    const error = await failure(Promise.resolve(executor(workWith({ prompt_ref: 'Hello' }), contextWith())));
    expect(error).toMatchObject({ errorClass: 'too_many_calls', usage: { input_tokens: 7, output_tokens: 8 } });
  });
});

describe('max_calls_per_answer', () => {
  it.each([
    ['model', 1_024, []],
    ['model', 1_025, ['out_of_range']],
    ['agent', 1_024, []],
    ['agent', 1_025, ['out_of_range']],
    ['agent', 0, ['wrong_type']],
  ])('of a node of type %s is checked: %i, %j', (type, max_calls_per_answer, codes) => {
    const kind = { type, model_ref: 'gpt-4o', prompt: 'Hello', max_calls_per_answer };
    const { diagnostics } = validate({ workflow_id: 'w', version: '1', nodes: { n: { kind } }, edges: [] });
    expect(diagnostics.map(({ code }) => code)).toEqual(codes);
  });
});
