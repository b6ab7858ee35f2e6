import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../machines/json.ts';
import { httpExecutor } from '../../src/executors/http.ts';
import { httpToolExecutor } from '../../src/executors/http-tool.ts';
import { Outbound } from '../../src/executors/outbound/index.ts';
import { webServer } from './web-server.ts';
import { contextWith, failure, workWith } from './work.ts';

const outbound = new Outbound({ allowPrivateAddresses: true });
const send = (input: JsonObject, method = 'GET', context = contextWith()) =>
  httpExecutor(outbound)(workWith(input, { method }), context);
const json = (body: Json) => ({ headers: { 'content-type': 'application/json' }, body });

describe('the http executor', () => {
  it('sends its body as JSON with the headers that identify the attempt', async () => {
    const { url, requests } = await webServer((_, response) => response.end());
    await send({ url, body: { a: [1, null] } }, 'POST');
    expect(requests).toMatchObject([
      {
        method: 'POST',
        body: '{"a":[1,null]}',
        headers: { 'content-type': 'application/json', 'idempotency-key': 'exec_1:n:1', 'x-jamjet-execution': 'exec_1' },
      },
    ]);
  });

  it('masks variables that it sends as credentials, where the response repeats them', async () => {
    const { url } = await webServer((request, response) => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ sent: request.headers['x-key'], asked: request.url, home: 'https://home.example' }));
    });
    const vars = { KEY: 'key-0123456789', QUERY: 'query-0123456789', HOME: 'https://home.example' };
    const input = { url: `${url}/items?token=query-0123456789`, headers: { 'X-Key': 'Key key-0123456789' } };
    const { output } = await httpExecutor(outbound, vars)(workWith(input, { method: 'GET' }), contextWith());
    expect(output).toEqual({ sent: 'Key [key]', asked: '/items?token=[key]', home: 'https://home.example' });
  });

  it('sends text as text and a form as a form', async () => {
    const { url, requests } = await webServer((_, response) => response.end());
    await send({ url, body: 'plain' }, 'POST');
    await send(
      { url, body: { to: 'a b', tag: ['x', 'y'], none: null }, headers: { 'Content-Type': 'application/x-www-form-urlencoded' } },
      'POST',
    );
    await send({ url, ...json('quoted') }, 'POST');
    expect(requests.map(({ body, headers }) => [headers['content-type'], body])).toEqual([
      ['text/plain; charset=utf-8', 'plain'],
      ['application/x-www-form-urlencoded', 'to=a+b&tag=x&tag=y'],
      ['application/json', '"quoted"'],
    ]);
  });

  it('adds its query to the URL', async () => {
    const { url, requests } = await webServer((_, response) => response.end());
    await send({ url: `${url}/p`, query: { q: 'a&b', n: 2, ok: true, none: null, list: [1, 2] } });
    await send({ url: `${url}/p?first=1#part`, query: { second: 2 } });
    await send({ url: `${url}/p?first=1`, query: {} });
    expect(requests.map((request) => request.url)).toEqual([
      '/p?q=a%26b&n=2&ok=true&list=1&list=2',
      '/p?first=1&second=2',
      '/p?first=1',
    ]);
  });

  it('lets the workflow override headers, case-insensitively', async () => {
    const { url, requests } = await webServer((_, response) => response.end());
    await send({ url, headers: { 'IDEMPOTENCY-KEY': 'mine', 'X-Count': 3 } });
    expect(requests[0]?.headers).toMatchObject({ 'idempotency-key': 'mine', 'x-count': '3' });
  });

  it('encodes node ids in any script for headers', async () => {
    const { url, requests } = await webServer((_, response) => response.end());
    await send({ url }, 'GET', contextWith({ idempotencyKey: 'exec_1:zahlung prüfen:1' }));
    expect(requests[0]?.headers['idempotency-key']).toBe('exec_1:zahlung%20pr%c3%bcfen:1');
  });

  it.each<[string, string, Json]>([
    ['application/json', '{"a":1}', { a: 1 }],
    ['application/problem+json; charset=utf-8', '[1]', [1]],
    ['text/plain', '{"a":1}', '{"a":1}'],
    ['application/json', '', null],
    ['application/jsonlines', '{}\n{}', '{}\n{}'],
  ])('of type %s with the body %j', async (type, body, output) => {
    const { url } = await webServer((_, response) => response.writeHead(200, { 'content-type': type }).end(body));
    expect(await send({ url })).toEqual({ output });
  });

  it('fails if a JSON response is malformed', async () => {
    const { url } = await webServer((_, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end('<html>'),
    );
    expect(await failure(send({ url }))).toMatchObject({ errorClass: 'server_error', retryable: true });
  });

  it('refuses a response that is nested too deeply', async () => {
    const { url } = await webServer((_, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end('['.repeat(5_000) + ']'.repeat(5_000)),
    );
    expect(await failure(send({ url }))).toMatchObject({ errorClass: 'validation', retryable: false });
  });

  it.each<[JsonObject, string]>([
    [{}, 'url must be text, not missing'],
    [{ url: null }, 'url must be text, not null'],
    [{ url: 5 }, 'url must be text, not a number'],
    [{ url: 'http://127.0.0.1:1', headers: ['a'] }, 'headers must be an object, not a list'],
    [{ url: 'http://127.0.0.1:1', headers: { a: { b: 1 } } }, 'headers.a must be text, a number or true/false, not an object'],
    [{ url: 'http://127.0.0.1:1', query: 'a=b' }, 'query must be an object, not a string'],
  ])('refuses %j', async (input, message) => {
    expect(await failure(send(input))).toMatchObject({ message, errorClass: 'validation', retryable: false });
  });

  it('is aborted with the attempt', async () => {
    const controller = new AbortController();
    const { url } = await webServer(() => controller.abort());
    expect(await failure(send({ url }, 'GET', contextWith({ signal: controller.signal })))).toMatchObject({ retryable: true });
  });
});

describe('the http tool executor', () => {
  it('POSTs the input as JSON and returns the response', async () => {
    const { url, requests } = await webServer((_, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"rate":7}'),
    );
    const execute = httpToolExecutor(outbound, `${url}/rate`);
    expect(await execute(workWith({ city: 'Rome' }), contextWith())).toEqual({ output: { rate: 7 } });
    expect(requests).toMatchObject([
      {
        method: 'POST',
        url: '/rate',
        body: '{"city":"Rome"}',
        headers: { 'content-type': 'application/json', 'idempotency-key': 'exec_1:n:1' },
      },
    ]);
  });
});
