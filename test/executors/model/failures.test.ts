import type { RequestListener } from 'node:http';
import { describe, expect, it } from 'vitest';
import { WorkError } from '../../../src/executors/executor.ts';
import { webServer } from '../web-server.ts';
import { failure } from '../work.ts';
import { ask, chatAnswer, reply } from './asking.ts';

const KEY = 'sk-secret-0123456789';
const openai = (baseUrl: string) => ({ providers: { openai: { apiKey: KEY, baseUrl } } });
const kind = { model_ref: 'gpt-4o', prompt_ref: 'Hello' };

async function failureWith(listener: RequestListener, keys = {}): Promise<WorkError> {
  const { url } = await webServer(listener);
  return failure(ask({ ...kind, ...keys }, { settings: openai(url) }));
}

describe('an attempt at a model fails', () => {
  it.each([
    [429, { 'retry-after': '12' }, { errorClass: 'rate_limit', retryable: true, retryAfterMs: 12_000 }],
    [429, { 'retry-after-ms': '250' }, { retryAfterMs: 250 }],
    [429, { 'retry-after': '999999' }, { retryAfterMs: 3_600_000 }],
    [429, {}, { retryable: true, retryAfterMs: null }],
    [429, { 'retry-after': '0' }, { retryable: true, retryAfterMs: null }],
    [429, { 'retry-after': '-5' }, { retryable: true, retryAfterMs: null }],
    [429, { 'retry-after': 'NaN' }, { retryable: true, retryAfterMs: null }],
    [429, { 'retry-after-ms': '-1e300' }, { retryable: true, retryAfterMs: null }],
    [500, {}, { errorClass: 'server_error', retryable: true, retryAfterMs: null }],
    [529, {}, { errorClass: 'server_error', retryable: true }],
    [400, {}, { errorClass: 'client_error', retryable: false }],
    [404, {}, { errorClass: 'client_error', retryable: false }],
  ])('on status %d with %j', async (status, headers, expected) => {
    const error = await failureWith((_request, response) => reply(response, { error: { message: 'no luck' } }, status, headers));
    expect(error).toMatchObject({ ...expected, httpStatus: status });
    expect(error.message).toContain('no luck');
  });

  it('without the key in its text', async () => {
    const error = await failureWith((request, response) =>
      reply(response, { error: { message: `bad key: ${request.headers.authorization}` } }, 401),
    );
    expect(error).toMatchObject({ retryable: false, httpStatus: 401 });
    expect(error.message).toContain('bad key: Bearer [key]');
  });

  it('retryably on a status that HTTP does not have', async () => {
    const error = await failureWith((_request, response) => {
      response.socket?.end('HTTP/1.1 999 Weird\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}');
    });
    expect(error).toMatchObject({ retryable: true, errorClass: 'invalid_response' });
    expect(error.message).toContain('answered 999');
  });

  it('when Google says in the body how long to wait', async () => {
    const { url } = await webServer((_request, response) =>
      reply(
        response,
        { error: { code: 429, message: 'quota', status: 'RESOURCE_EXHAUSTED', details: [{ retryDelay: '34s' }] } },
        429,
      ),
    );
    const settings = { providers: { google: { apiKey: KEY, baseUrl: url } } };
    expect(await failure(ask({ ...kind, model_ref: 'gemini-2.5-pro' }, { settings }))).toMatchObject({ retryAfterMs: 34_000 });
  });

  it.each([
    ['a page', 'text/html', '<html>Sign in</html>'],
    ['garbage', 'application/json', '{"choices": [{'],
    ['another document', 'application/json', '{"hello": "world"}'],
    ['nothing', 'application/json', ''],
  ])('retryably on a 200 with %s', async (_what, type, body) => {
    const error = await failureWith((_request, response) => response.writeHead(200, { 'content-type': type }).end(body));
    expect(error).toMatchObject({ retryable: true, errorClass: 'invalid_response' });
  });

  it('on a response without an end, at the limit of its size', async () => {
    const block = Buffer.alloc(1024 * 1024, 32);
    const error = await failureWith((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const more = (): void => {
        while (!response.destroyed && response.write(block));
      };
      response.on('drain', more);
      more();
    });
    expect(error).toMatchObject({ retryable: false, errorClass: 'response_too_large' });
  });

  it('on a redirect, which the key must not follow', async () => {
    const { url, requests } = await webServer((_request, response) => response.end());
    const error = await failureWith((_request, response) => response.writeHead(307, { location: url }).end());
    expect(error).toMatchObject({ retryable: false, httpStatus: 307 });
    expect(requests).toEqual([]);
  });

  it('retryably when the connection breaks', async () => {
    const error = await failureWith((request) => request.socket.destroy());
    expect(error.retryable).toBe(true);
  });

  it('as its signal says, when the provider says nothing', async () => {
    const controller = new AbortController();
    const reason = new WorkError('timed out after 5 s', { retryable: true, errorClass: 'timeout' });
    let closed: () => void = () => {};
    const whenClosed = new Promise<void>((resolve) => {
      closed = resolve;
    });
    const { url } = await webServer((request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).write('{');
      request.socket.on('close', closed);
      controller.abort(reason);
    });
    expect(await failure(ask(kind, { settings: openai(url), signal: controller.signal }))).toBe(reason);
    await whenClosed;
  });

  it('when the tools it asks for have arguments that are not JSON', async () => {
    const call = { id: 'c', type: 'function', function: { name: 'f', arguments: '{"a":' } };
    const error = await failureWith((_request, response) => reply(response, chatAnswer({ tool_calls: [call] }, 'tool_calls')), {
      tools: [{ name: 'f' }],
    });
    expect(error).toMatchObject({ retryable: true, errorClass: 'invalid_answer' });
  });

  it.each([
    ['Sure!', 'stop', 'is not JSON'],
    ['{"n": ', 'length', 'cut off at the limit of tokens'],
    ['{"n": "x"}', 'stop', 'does not match output_schema: /n'],
  ])('retryably when the answer does not fit the schema: %s', async (content, finish, message) => {
    const output_schema = { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] };
    const error = await failureWith((_request, response) => reply(response, chatAnswer({ content }, finish)), { output_schema });
    expect(error).toMatchObject({ retryable: true, errorClass: 'invalid_answer', message: expect.stringContaining(message) });
  });
});

describe('nothing is asked', () => {
  it.each([
    ['gpt-4o', 'OPENAI_API_KEY'],
    ['anthropic/claude-sonnet-4-5', 'ANTHROPIC_API_KEY'],
    ['gemini-2.5-pro', 'GOOGLE_GENERATIVE_AI_API_KEY'],
  ])('without a key: %s', async (model_ref, variable) => {
    const error = await failure(ask({ ...kind, model_ref }, { settings: {} }));
    expect(error).toMatchObject({
      retryable: false,
      errorClass: 'missing_key',
      message: expect.stringContaining(`set ${variable}`),
    });
  });

  it('without the key of a name', async () => {
    const names = {
      house: { provider: 'openai', model: 'm', baseUrl: 'http://127.0.0.1:1', apiKeyVariable: 'HOUSE_KEY' },
    } as const;
    expect((await failure(ask({ ...kind, model_ref: 'house' }, { settings: { names } }))).message).toContain('set HOUSE_KEY');
  });

  it.each(['default_chat', 'unheard/of', 'constructor'])('of an unknown model: %s', async (model_ref) => {
    expect(await failure(ask({ ...kind, model_ref }, { settings: {} }))).toMatchObject({
      retryable: false,
      errorClass: 'unknown_model',
    });
  });

  it('of a model that the tenant may not use, whatever a workflow calls it', async () => {
    const declared = { 'gpt-4o-mini': { provider: 'openai', model: 'gpt-4o' } };
    const asking = { settings: openai('http://127.0.0.1:1'), allowlist: ['gpt-4o-mini', 'openai/gpt-4o-mini'] };
    for (const more of [{}, { declared }])
      expect(
        await failure(ask({ ...kind, model_ref: 'declared' in more ? 'gpt-4o-mini' : 'gpt-4o' }, { ...asking, ...more })),
      ).toMatchObject({
        retryable: false,
        errorClass: 'blocked_model',
      });
  });

  it('without a prompt or messages', async () => {
    for (const messages of [undefined, [], 'hello'])
      expect((await failure(ask({ model_ref: 'gpt-4o' }, { settings: {} }, messages))).message).toContain(
        'state.messages must be a list',
      );
  });

  it('with a prompt that names a file', async () => {
    for (const prompt_ref of ['prompts/a.md', 'x.txt', 'prompts/b'])
      expect((await failure(ask({ ...kind, prompt_ref }, { settings: {} }))).message).toContain('names a file');
  });

  it.each([
    [[{ role: 'robot', content: 'x' }], 'messages[0].role'],
    [['x'], 'messages[0] must be an object'],
    [[{ role: 'tool', content: 'x' }], 'messages[0].tool_call_id'],
    [[{ role: 'assistant', tool_calls: [{ id: 'a', name: 'f', arguments: '{' }] }], 'arguments is not JSON'],
    [[{ role: 'user', content: [{ type: 'audio' }] }], 'messages[0].content[0]'],
  ])('with messages that no provider could be given: %j', async (messages, message) => {
    const error = await failure(ask({ model_ref: 'gpt-4o' }, { settings: openai('http://127.0.0.1:1') }, messages));
    expect(error).toMatchObject({ retryable: false, message: expect.stringContaining(message) });
  });
});

describe('an answer without a schema', () => {
  it.each([
    ['{"a": 1}', { a: 1 }],
    ['[1, 2]', [1, 2]],
    ['Here:\n```json\n{"a": 1}\n```\n', { a: 1 }],
    ['42', '42'],
    ['```\na\n```\n```\n{}\n```', '```\na\n```\n```\n{}\n```'],
    ['{"a": ', '{"a": '],
  ])('%j is %j', async (content, output) => {
    const { url } = await webServer((_request, response) => reply(response, chatAnswer({ content })));
    expect((await ask(kind, { settings: openai(url) })).output).toEqual(output);
  });
});
