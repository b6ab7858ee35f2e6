import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../machines/json.ts';
import type { ModelSettings } from '../../../src/executors/model/settings.ts';
import { type ReceivedRequest, webServer } from '../web-server.ts';
import { ask, chatAnswer, reply } from './asking.ts';

const weather = {
  type: 'function',
  function: {
    name: 'weather',
    description: 'The weather of a town',
    parameters: { type: 'object', properties: { town: { type: 'string' } }, required: ['town'] },
  },
};
const conversation = [
  { role: 'system', content: 'Be terse.' },
  { role: 'user', content: 'Weather in Oslo?' },
  {
    role: 'assistant',
    content: null,
    tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"town":"Oslo"}' } }],
  },
  { role: 'tool', tool_call_id: 'call_1', content: '{"celsius": 3}' },
];
const schema = {
  type: 'object',
  properties: { celsius: { type: 'number' } },
  required: ['celsius'],
  additionalProperties: false,
};

async function answering(body: JsonObject): Promise<{ url: string; requests: ReceivedRequest[] }> {
  return webServer((_request, response) => reply(response, body));
}
const bodyOf = ({ requests }: { requests: ReceivedRequest[] }): JsonObject => JSON.parse(requests[0]?.body ?? '{}');

describe('openai', () => {
  const settings = (url: string): ModelSettings => ({ providers: { openai: { apiKey: 'sk-secret-1', baseUrl: `${url}/v1` } } });

  it.each([
    [{ prompt_tokens: -1_000_000, completion_tokens: -5 }],
    [{ prompt_tokens: 1.5, completion_tokens: 0.25 }],
    [{ prompt_tokens: 1e300, completion_tokens: 1e300 }],
  ])('counts nothing that is no count: %j', async (tokens) => {
    const server = await answering(chatAnswer({ content: 'Cold.' }, 'stop', tokens));
    const { usage } = await ask({ model_ref: 'gpt-4o', prompt_ref: 'Weather?' }, { settings: settings(server.url) });
    for (const key of ['input_tokens', 'output_tokens', 'cost_usd']) expect(usage).not.toHaveProperty(key);
  });

  it('may give names that are too long or cannot be stored', async () => {
    const body = { ...chatAnswer({ content: 'Cold.' }), id: `\ud800\0${'i'.repeat(1_000_000)}`, model: 'm'.repeat(1_000_000) };
    const server = await answering(body);
    const { usage } = await ask({ model_ref: 'gpt-4o', prompt_ref: 'Weather?' }, { settings: settings(server.url) });
    expect(usage?.gen_ai_response_id).toBe(`\ufffd\ufffd${'i'.repeat(198)}`);
    expect(usage?.gen_ai_model).toBe('m'.repeat(200));
  });

  it('is asked as Chat Completions', async () => {
    const server = await answering(chatAnswer({ content: 'Cold.' }));
    const kind = { model_ref: 'gpt-4o', prompt_ref: 'Weather?', system_prompt: 'Be terse.', temperature: 0.2, max_tokens: 64 };
    const { output, patch, usage } = await ask({ ...kind, output_key: 'answer' }, { settings: settings(server.url) });
    expect(output).toBe('Cold.');
    expect(patch).toEqual({
      answer: 'Cold.',
      last_model_output: 'Cold.',
      last_model_finish_reason: 'stop',
      last_model_tool_calls: [],
    });
    expect(usage).toEqual({
      gen_ai_system: 'openai',
      gen_ai_model: 'gpt-4o-2024-08-06',
      input_tokens: 1000,
      output_tokens: 100,
      finish_reason: 'stop',
      cost_usd: 0.0035,
      gen_ai_response_id: 'chatcmpl-1',
    });
    expect(server.requests.map(({ method, url }) => [method, url])).toEqual([['POST', '/v1/chat/completions']]);
    expect(server.requests[0]?.headers.authorization).toBe('Bearer sk-secret-1');
    expect(bodyOf(server)).toMatchObject({
      model: 'gpt-4o',
      temperature: 0.2,
      max_tokens: 64,
      messages: [
        { role: 'system', content: 'Be terse.' },
        { role: 'user', content: 'Weather?' },
      ],
    });
  });

  it('is given tools and their results as they are', async () => {
    const call = { id: 'call_2', type: 'function', function: { name: 'weather', arguments: '{"town":"Bergen"}' } };
    const server = await answering(chatAnswer({ tool_calls: [call] }, 'tool_calls'));
    const kind = { model_ref: 'openai/gpt-4o', tools: [weather], output_key: 'answer' };
    const { output, patch } = await ask(kind, { settings: settings(server.url) }, conversation);
    expect(output).toBe('');
    expect(patch).toEqual({
      last_model_output: '',
      last_model_finish_reason: 'tool_calls',
      last_model_tool_calls: [{ id: 'call_2', name: 'weather', arguments: { town: 'Bergen' } }],
    });
    const { messages, tools } = bodyOf(server);
    expect(tools).toMatchObject([weather]);
    expect(messages).toMatchObject([
      conversation[0],
      conversation[1],
      {
        role: 'assistant',
        tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"town":"Oslo"}' } }],
      },
      conversation[3],
    ]);
  });

  it('is told the schema of the answer', async () => {
    const server = await answering(chatAnswer({ content: '{"celsius": 3}' }));
    const kind = { model_ref: 'gpt-4o', prompt_ref: 'Weather?', output_schema: schema, output_key: 'weather' };
    const { output, patch } = await ask(kind, { settings: settings(server.url) });
    expect(output).toEqual({ celsius: 3 });
    expect(patch).toMatchObject({ weather: { celsius: 3 }, last_model_output: '{"celsius": 3}' });
    expect(bodyOf(server).response_format).toMatchObject({ type: 'json_schema', json_schema: { schema } });
  });

  it('is asked as Responses when the name says so', async () => {
    const server = await answering({
      id: 'resp_1',
      object: 'response',
      created_at: 1_767_225_600,
      model: 'gpt-5-mini',
      status: 'completed',
      output: [
        {
          type: 'message',
          id: 'msg_1',
          role: 'assistant',
          status: 'completed',
          content: [{ type: 'output_text', text: 'Cold.', annotations: [] }],
        },
      ],
      usage: { input_tokens: 10, output_tokens: 2, total_tokens: 12 },
    });
    const { output, usage } = await ask(
      { model_ref: 'openai-responses/gpt-5-mini', prompt: 'Weather?' },
      { settings: settings(server.url) },
    );
    expect(output).toBe('Cold.');
    expect(usage).toMatchObject({ gen_ai_system: 'openai', input_tokens: 10, output_tokens: 2, gen_ai_response_id: 'resp_1' });
    expect(server.requests[0]?.url).toBe('/v1/responses');
  });
});

describe('anthropic', () => {
  const settings = (url: string): ModelSettings => ({ providers: { anthropic: { apiKey: 'sk-ant-secret', baseUrl: url } } });
  const message = (content: JsonObject[], stop_reason = 'end_turn'): JsonObject => ({
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude-sonnet-4-5-20250929',
    content,
    stop_reason,
    stop_sequence: null,
    usage: { input_tokens: 1000, output_tokens: 100 },
  });

  it('is asked as Messages', async () => {
    const server = await answering(message([{ type: 'text', text: 'Cold.' }]));
    const kind = { model_ref: 'claude-sonnet-4-5', prompt_ref: 'Weather?', system_prompt: 'Be terse.', max_tokens: 64 };
    const { output, usage } = await ask(kind, { settings: settings(server.url) });
    expect(output).toBe('Cold.');
    expect(usage).toEqual({
      gen_ai_system: 'anthropic',
      gen_ai_model: 'claude-sonnet-4-5-20250929',
      input_tokens: 1000,
      output_tokens: 100,
      finish_reason: 'stop',
      cost_usd: 0.0045,
      gen_ai_response_id: 'msg_1',
    });
    expect(server.requests[0]).toMatchObject({ url: '/v1/messages', headers: { 'x-api-key': 'sk-ant-secret' } });
    expect(bodyOf(server)).toMatchObject({
      max_tokens: 64,
      system: [{ type: 'text', text: 'Be terse.' }],
      messages: [{ role: 'user', content: [{ type: 'text', text: 'Weather?' }] }],
    });
  });

  it('is given tools and their results as they are', async () => {
    const server = await answering(
      message([{ type: 'tool_use', id: 'toolu_2', name: 'weather', input: { town: 'Bergen' } }], 'tool_use'),
    );
    const { patch } = await ask(
      { model_ref: 'anthropic/claude-sonnet-4-5', tools: [weather] },
      { settings: settings(server.url) },
      conversation,
    );
    expect(patch).toMatchObject({
      last_model_finish_reason: 'tool_calls',
      last_model_tool_calls: [{ id: 'toolu_2', name: 'weather', arguments: { town: 'Bergen' } }],
    });
    expect(bodyOf(server)).toMatchObject({
      tools: [{ name: 'weather', input_schema: weather.function.parameters }],
      messages: [
        { role: 'user' },
        { role: 'assistant', content: [{ type: 'tool_use', id: 'call_1', name: 'weather', input: { town: 'Oslo' } }] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'call_1', content: '{"celsius": 3}' }] },
      ],
    });
  });
});

describe('google', () => {
  const settings = (url: string): ModelSettings => ({ providers: { google: { apiKey: 'AIza-secret', baseUrl: url } } });
  const candidate = (parts: JsonObject[]): JsonObject => ({
    candidates: [{ content: { role: 'model', parts }, finishReason: 'STOP', index: 0 }],
    usageMetadata: { promptTokenCount: 1000, candidatesTokenCount: 100, totalTokenCount: 1100 },
    modelVersion: 'gemini-2.5-flash',
    responseId: 'r-1',
  });

  it('is asked with generateContent', async () => {
    const server = await answering(candidate([{ text: '{"celsius": 3}' }]));
    const kind = { model_ref: 'gemini-2.5-flash', prompt_ref: 'Weather?', system_prompt: 'Be terse.', output_schema: schema };
    const { output, usage } = await ask(kind, { settings: settings(server.url) });
    expect(output).toEqual({ celsius: 3 });
    expect(usage).toMatchObject({ gen_ai_system: 'google', input_tokens: 1000, output_tokens: 100, cost_usd: 0.00055 });
    expect(server.requests[0]).toMatchObject({
      url: '/v1beta/models/gemini-2.5-flash:generateContent',
      headers: { 'x-goog-api-key': 'AIza-secret' },
    });
    expect(bodyOf(server)).toMatchObject({
      systemInstruction: { parts: [{ text: 'Be terse.' }] },
      contents: [{ role: 'user', parts: [{ text: 'Weather?' }] }],
      generationConfig: { responseMimeType: 'application/json' },
    });
  });

  it('is given tools and their results as they are', async () => {
    const server = await answering(candidate([{ functionCall: { name: 'weather', args: { town: 'Bergen' } } }]));
    const { patch } = await ask(
      { model_ref: 'google/gemini-2.5-flash', tools: [weather] },
      { settings: settings(server.url) },
      conversation,
    );
    expect(patch).toMatchObject({
      last_model_finish_reason: 'tool_calls',
      last_model_tool_calls: [{ id: expect.any(String), name: 'weather', arguments: { town: 'Bergen' } }],
    });
    expect(bodyOf(server)).toMatchObject({
      contents: [
        { role: 'user' },
        { role: 'model', parts: [{ functionCall: { name: 'weather', args: { town: 'Oslo' } } }] },
        { role: 'user', parts: [{ functionResponse: { name: 'weather' } }] },
      ],
    });
  });
});

describe('a server with the interface of OpenAI', () => {
  it('is Ollama, without a key', async () => {
    const server = await answering({ ...chatAnswer({ content: 'Cold.' }), model: 'llama3.2' });
    const { output, usage } = await ask(
      { model_ref: 'ollama/llama3.2', prompt_ref: 'Weather?' },
      { settings: { providers: { ollama: { baseUrl: server.url } } } },
    );
    expect(output).toBe('Cold.');
    expect(usage).not.toHaveProperty('cost_usd');
    expect(server.requests[0]?.url).toBe('/v1/chat/completions');
    expect(server.requests[0]?.headers).not.toHaveProperty('authorization');
  });

  it("is one that the operator has named, and the provider's own key does not go there", async () => {
    const server = await answering(chatAnswer({ content: 'Cold.' }));
    const providers = { openai: { apiKey: 'sk-secret-1' } };
    const named = { provider: 'openai', model: 'mistral-7b', baseUrl: server.url, temperature: 0.5 } as const;
    await ask({ model_ref: 'house', prompt_ref: 'Weather?' }, { settings: { providers, names: { house: named } } });
    expect(bodyOf(server)).toMatchObject({ model: 'mistral-7b', temperature: 0.5 });
    expect(JSON.stringify(server.requests)).not.toContain('sk-secret-1');
  });

  it('answers for the models that a workflow declares', async () => {
    const server = await answering(chatAnswer({ content: 'Cold.' }));
    const declared = { fast: { provider: 'openai', model: 'gpt-4o-mini', temperature: 0.2, max_tokens: 256 } };
    const settings = { providers: { openai: { apiKey: 'sk-secret-1', baseUrl: server.url } } };
    await ask({ model_ref: 'fast', prompt_ref: 'Weather?', temperature: 0 }, { settings, declared });
    expect(bodyOf(server)).toMatchObject({ model: 'gpt-4o-mini', temperature: 0, max_tokens: 256 });
  });
});

describe('the model sidecar', () => {
  const complete = {
    message: { role: 'assistant', content: 'Cold.' },
    tool_calls: [],
    input_tokens: 5,
    output_tokens: 2,
    cost_usd: 0.5,
    model: 'house-1',
    finish_reason: 'stop',
  };

  it('answers for every model, and gets the messages as they are', async () => {
    const server = await answering(complete);
    const { output, usage } = await ask(
      { model_ref: 'gpt-4o', tools: [weather] },
      { settings: { sidecarUrl: server.url } },
      conversation,
    );
    expect(output).toBe('Cold.');
    expect(usage).toEqual({
      gen_ai_system: 'openai',
      gen_ai_model: 'house-1',
      input_tokens: 5,
      output_tokens: 2,
      finish_reason: 'stop',
      cost_usd: 0.5,
    });
    expect(server.requests[0]?.url).toBe('/v1/complete');
    expect(bodyOf(server)).toEqual({ model: 'gpt-4o', messages: conversation, tools: [weather] });
  });

  it.each([
    ['token counts', { ...complete, output_tokens: null }, 'input_tokens'],
    ['a tool', { ...complete, finish_reason: 'tool_calls' }, 'names no tool'],
    ['a text', { ...complete, message: { role: 'assistant' } }, 'neither message.content nor tool_calls'],
    ['the name of a tool', { ...complete, tool_calls: [{ id: 'a', name: ' ' }] }, 'without id or name'],
  ])('fails the attempt without %s', async (_what, body, message) => {
    const server = await answering(body as JsonObject);
    const asked = ask({ model_ref: 'gpt-4o', prompt_ref: 'x' }, { settings: { sidecarUrl: server.url } });
    await expect(asked).rejects.toMatchObject({ retryable: true, message: expect.stringContaining(message) });
  });

  it('says when to ask again', async () => {
    const server = await webServer((_request, response) => reply(response, { error: 'busy', retry_after: 7 }, 429));
    const asked = ask({ model_ref: 'gpt-4o', prompt_ref: 'x' }, { settings: { sidecarUrl: server.url } });
    await expect(asked).rejects.toMatchObject({ errorClass: 'rate_limit', httpStatus: 429, retryAfterMs: 7000 });
  });
});
