import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Json, JsonObject } from '../../../machines/json.ts';
import type { WorkResult } from '../../../src/executors/executor.ts';
import { modelExecutor } from '../../../src/executors/model/index.ts';
import type { ModelSettings } from '../../../src/executors/model/settings.ts';
import { sampleOf } from '../../support/properties.ts';
import { webServer } from '../web-server.ts';
import { contextWith, failure, workWith } from '../work.ts';
import { chatAnswer, modelNode, reply } from './asking.ts';

async function streamed(
  kind: JsonObject,
  settings: ModelSettings,
  signal = new AbortController().signal,
): Promise<WorkResult & { readonly parts: readonly string[] }> {
  const parts: string[] = [];
  const executor = modelExecutor(modelNode({ prompt_ref: 'Hello', ...kind }), { settings, allowlistOf: async () => [] });
  const result = await executor(workWith({ prompt_ref: 'Hello' }), contextWith({ signal }), (text) => parts.push(text));
  return { ...result, parts };
}

function sse(response: ServerResponse, messages: readonly (Json | string)[], end = true): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const message of messages) {
    const isEvent = typeof message === 'object' && message !== null && 'type' in message;
    response.write(
      `${isEvent ? `event: ${String(message.type)}\n` : ''}data: ${typeof message === 'string' ? message : JSON.stringify(message)}\n\n`,
    );
  }
  if (end) response.end();
}

const chunk = (delta: JsonObject, finish_reason: string | null = null): JsonObject => ({
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  created: 1_767_225_600,
  model: 'gpt-4o-2024-08-06',
  choices: [{ index: 0, delta, finish_reason }],
});
const usage = { ...chunk({}), choices: [], usage: { prompt_tokens: 1000, completion_tokens: 100, total_tokens: 1100 } };
const openai = (baseUrl: string): ModelSettings => ({ providers: { openai: { apiKey: 'sk-secret-1', baseUrl } } });

/** A provider in a process of its own, which writes as fast as it can. */
async function separateProvider(parts: number): Promise<string> {
  const script = `
    const part = 'data: {"choices":[{"index":0,"delta":{"content":"z"}}]}\\n\\n';
    const end = 'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\\n\\ndata: [DONE]\\n\\n';
    require('node:http').createServer((request, response) => {
      request.resume();
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (let i = 0; i < ${parts}; i += 1) response.write(part);
      response.end(end);
    }).listen(0, '127.0.0.1', function () { console.log(this.address().port); });
  `;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill());
  const [port] = (await once(child.stdout, 'data')) as [Buffer];
  return `http://127.0.0.1:${String(port).trim()}`;
}

describe('a stream', () => {
  it('of tiny parts leaves the process its turns', async () => {
    const parts = sampleOf(100_000);
    const url = await separateProvider(parts);
    const other = await webServer((_request, response) => response.end());
    let requests = 0;
    let isOver = false;
    const asking = (async () => {
      for (; !isOver; requests += 1) await (await fetch(other.url)).text();
    })();
    const executor = modelExecutor(modelNode({ prompt_ref: 'Hello', model_ref: 'gpt-4o' }), {
      settings: openai(url),
      allowlistOf: async () => [],
    });
    const { output } = await executor(workWith({ prompt_ref: 'Hello' }), contextWith(), () => {});
    isOver = true;
    await asking;
    expect(output).toBe('z'.repeat(parts));
    expect(requests).toBeGreaterThan(sampleOf(20));
  });

  it('of something else fails retryably, without its text in the error', async () => {
    for (const data of ['{"secret": 1', '{"secret": 1}']) {
      const { url } = await webServer((_request, response) => sse(response, [data]));
      const error = await failure(streamed({ model_ref: 'gpt-4o' }, openai(url)));
      expect(error).toMatchObject({ retryable: true, errorClass: 'invalid_response' });
      expect(error.message).not.toContain('secret');
    }
  });

  it('of Chat Completions gives the text in parts, and the same result', async () => {
    const { url, requests } = await webServer((_request, response) =>
      sse(response, [
        chunk({ role: 'assistant', content: 'Good ' }),
        chunk({ content: 'day.' }),
        chunk({}, 'stop'),
        usage,
        '[DONE]',
      ]),
    );
    const { output, parts, usage: used } = await streamed({ model_ref: 'gpt-4o' }, openai(url));
    expect(parts).toEqual(['Good ', 'day.']);
    expect(output).toBe('Good day.');
    expect(used).toEqual({
      gen_ai_system: 'openai',
      gen_ai_model: 'gpt-4o-2024-08-06',
      input_tokens: 1000,
      output_tokens: 100,
      finish_reason: 'stop',
      cost_usd: 0.0035,
      gen_ai_response_id: 'chatcmpl-1',
    });
    expect(JSON.parse(requests[0]?.body ?? '')).toMatchObject({ stream: true, stream_options: { include_usage: true } });
  });

  it('of Chat Completions gives the tools that are asked for', async () => {
    const call = (more: JsonObject) => chunk({ tool_calls: [{ index: 0, ...more }] });
    const { url } = await webServer((_request, response) =>
      sse(response, [
        call({ id: 'call_1', type: 'function', function: { name: 'f', arguments: '{"a"' } }),
        call({ function: { arguments: ':1}' } }),
        chunk({}, 'tool_calls'),
        usage,
        '[DONE]',
      ]),
    );
    const { patch } = await streamed({ model_ref: 'gpt-4o', tools: [{ name: 'f' }] }, openai(url));
    expect(patch).toMatchObject({
      last_model_finish_reason: 'tool_calls',
      last_model_tool_calls: [{ id: 'call_1', name: 'f', arguments: { a: 1 } }],
    });
  });

  it('of Ollama has the usage as well', async () => {
    const { url } = await webServer((_request, response) =>
      sse(response, [chunk({ content: 'Hi.' }), chunk({}, 'stop'), usage, '[DONE]']),
    );
    const { parts, usage: used } = await streamed({ model_ref: 'ollama/llama3.2' }, { providers: { ollama: { baseUrl: url } } });
    expect(parts).toEqual(['Hi.']);
    expect(used).toMatchObject({ gen_ai_system: 'ollama', input_tokens: 1000, output_tokens: 100 });
  });

  it('of Messages gives the text in parts', async () => {
    const message = {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: 'claude-sonnet-4-5-20250929',
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: { input_tokens: 1000, output_tokens: 1 },
    };
    const text = (part: string) => ({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: part } });
    const { url } = await webServer((_request, response) =>
      sse(response, [
        { type: 'message_start', message },
        { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
        text('Good '),
        text('day.'),
        { type: 'content_block_stop', index: 0 },
        { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 100 } },
        { type: 'message_stop' },
      ]),
    );
    const {
      parts,
      output,
      usage: used,
    } = await streamed({ model_ref: 'claude-sonnet-4-5' }, { providers: { anthropic: { apiKey: 'k', baseUrl: url } } });
    expect([parts, output]).toEqual([['Good ', 'day.'], 'Good day.']);
    expect(used).toMatchObject({ input_tokens: 1000, output_tokens: 100, cost_usd: 0.0045, gen_ai_response_id: 'msg_1' });
  });

  it('of Google gives the text in parts', async () => {
    const part = (text: string, more: JsonObject = {}) => ({
      candidates: [{ content: { role: 'model', parts: [{ text }] }, index: 0, ...more }],
      usageMetadata: { promptTokenCount: 1000, candidatesTokenCount: 100, totalTokenCount: 1100 },
      modelVersion: 'gemini-2.5-flash',
    });
    const { url, requests } = await webServer((_request, response) =>
      sse(response, [part('Good '), part('day.', { finishReason: 'STOP' })]),
    );
    const {
      parts,
      output,
      usage: used,
    } = await streamed({ model_ref: 'gemini-2.5-flash' }, { providers: { google: { apiKey: 'k', baseUrl: url } } });
    expect([parts, output]).toEqual([['Good ', 'day.'], 'Good day.']);
    expect(used).toMatchObject({ input_tokens: 1000, output_tokens: 100 });
    expect(requests[0]?.url).toBe('/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse');
  });

  it('that is answered as a whole is read as a whole, without another request', async () => {
    const { url, requests } = await webServer((_request, response) => reply(response, chatAnswer({ content: 'Good day.' })));
    const { parts, output } = await streamed({ model_ref: 'gpt-4o' }, openai(url));
    expect([parts, output, requests.length]).toEqual([[], 'Good day.', 1]);
  });

  it('that a server does not have is replaced by the whole answer', async () => {
    const { url } = await webServer((request, response) => {
      if (request.url?.includes('stream') === true) response.writeHead(404).end();
      else
        reply(response, {
          candidates: [{ content: { role: 'model', parts: [{ text: 'Good day.' }] }, finishReason: 'STOP', index: 0 }],
        });
    });
    const { output } = await streamed(
      { model_ref: 'gemini-2.5-flash' },
      { providers: { google: { apiKey: 'k', baseUrl: url } } },
    );
    expect(output).toBe('Good day.');
  });

  it.each([
    ['ends early', [chunk({ content: 'Good ' })], 'ended before the answer did'],
    ['holds an error', [chunk({ content: 'Good ' }), { error: { message: 'overloaded', type: 'server_error' } }], 'overloaded'],
  ])('that %s fails the attempt retryably', async (_what, messages, text) => {
    const { url } = await webServer((_request, response) => sse(response, messages as Json[]));
    expect(await failure(streamed({ model_ref: 'gpt-4o' }, openai(url)))).toMatchObject({
      retryable: true,
      message: expect.stringContaining(text),
    });
  });

  it('that breaks off fails the attempt retryably', async () => {
    const { url } = await webServer((request, response) => {
      sse(response, [chunk({ content: 'Good ' })], false);
      setImmediate(() => request.socket.destroy());
    });
    expect(await failure(streamed({ model_ref: 'gpt-4o' }, openai(url)))).toMatchObject({ retryable: true });
  });

  it('without an end is cut off', async () => {
    const block = `data: ${JSON.stringify(chunk({ content: 'x'.repeat(1024 * 1024) }))}\n\n`;
    const { url } = await webServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const more = (): void => {
        while (!response.destroyed && response.write(block));
      };
      response.on('drain', more);
      more();
    });
    expect(await failure(streamed({ model_ref: 'gpt-4o' }, openai(url)))).toMatchObject({
      retryable: false,
      errorClass: 'response_too_large',
    });
  });

  it('that stalls ends with the signal', async () => {
    const controller = new AbortController();
    const { url } = await webServer((_request, response) => {
      sse(response, [chunk({ content: 'Good ' })], false);
      setImmediate(() => controller.abort(new Error('enough')));
    });
    expect((await failure(streamed({ model_ref: 'gpt-4o' }, openai(url), controller.signal))).message).toContain('enough');
  });

  it('that is a page fails retryably, and says what it is', async () => {
    const { url } = await webServer((_request, response) =>
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end('<html>Sign in</html>'),
    );
    const error = await failure(streamed({ model_ref: 'gpt-4o' }, openai(url)));
    expect(error).toMatchObject({ retryable: true, errorClass: 'invalid_response' });
    expect(error.message).toContain('text/html');
  });
});
