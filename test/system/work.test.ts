import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { JsonObject } from '../../machines/json.ts';
import { webServer } from '../executors/web-server.ts';
import { sharedServer } from '../support/in-process-server.ts';
import { ir, python, tool } from '../support/ir.ts';
import { startServer, temporaryFolder } from '../support/server.ts';
import { claim, eventually, refusal, run, settled, timeline } from './recorded-calls.ts';

const tools = new URL('./tools.mjs', import.meta.url).pathname;
const server = sharedServer({ tools, replays: true });
const logs = temporaryFolder();

const policy = (max_attempts: number, more: JsonObject = {}): JsonObject => ({
  retry_policies: {
    p: { max_attempts, backoff: 'fixed', initial_delay: 0, max_delay: 0, jitter: false, retryable_on: [], ...more },
  },
});
const retried = { retry_policy: 'p' };

describe('a tool', () => {
  it('without a mapping gets the whole state', async () => {
    const { client } = server();
    const id = await run(client, ir('whole', { a: tool('echo', { output_key: 'seen' }) }, [['a', 'end']]), { x: 1, y: [2] });
    expect(await settled(client, id)).toMatchObject({ state: { seen: { x: 1, y: [2] } } });
  });

  it('that fails is retried immediately if its delay is 0, until its attempts are exhausted', async () => {
    const { client } = server();
    const document = (id: string, attempts: number): JsonObject =>
      ir(id, { a: tool('flaky', { input_mapping: { failures: 2 }, node: retried }) }, [['a', 'end']], policy(attempts));
    const lucky = await run(client, document('lucky', 3));
    expect(await settled(client, lucky)).toMatchObject({ status: 'completed', state: { succeeded_at: 2 } });
    const unlucky = await run(client, document('unlucky', 2));
    expect(await settled(client, unlucky)).toMatchObject({ status: 'failed', error: expect.stringContaining('a') });
    const failures = (await client.events(unlucky)).filter(({ type }) => type === 'node_failed');
    expect(failures.map(({ data }) => [data.attempt, data.retryable, data.error])).toEqual([
      [0, true, 'attempt 0 fails'],
      [1, false, 'attempt 1 fails'],
    ]);
  });

  it('that fails with an error that is not retryable is not retried', async () => {
    const { client } = server();
    const id = await run(client, ir('useless', { a: tool('broken', { node: retried }) }, [['a', 'end']], policy(5)));
    expect(await settled(client, id)).toMatchObject({ status: 'failed' });
    expect((await timeline(client, id)).filter((line) => line === 'node_started a')).toHaveLength(1);
  });

  it('that times out is aborted and retried', async () => {
    const { client } = server();
    const log = join(logs, 'slow');
    const document = ir(
      'slow',
      { a: tool('patient', { node: { ...retried, node_timeout_secs: 0.1 } }) },
      [['a', 'end']],
      policy(2),
    );
    const id = await run(client, document, { log });
    expect(await settled(client, id)).toMatchObject({ status: 'failed' });
    await eventually(() => readFileSync(log, 'utf8') === 'a begun\na aborted\n'.repeat(2), 'both attempts are aborted');
    const failures = (await client.events(id)).filter(({ type }) => type === 'node_failed');
    expect(failures.map(({ data }) => data.error)).toEqual(['timed out after 0.1 s', 'timed out after 0.1 s']);
  });

  it('that is not registered in this process waits for an external worker', async () => {
    const { client } = server();
    const id = await run(client, ir('elsewhere', { a: tool('not.here') }, [['a', 'end']]));
    const item = await claim(client, 'tool');
    expect(item).toMatchObject({ execution_id: id, node_id: 'a', payload: { tool_ref: 'not.here' } });
    await client.completeWork(item.id, { output: { there: true }, lease_fence: item.lease_fence });
    expect(await settled(client, id)).toMatchObject({ status: 'completed', state: { there: true } });
  });

  it('takes its fallback after the last failed attempt, and the execution completes', async () => {
    const { client } = server();
    const document = ir(
      'rescued',
      { a: tool('broken', { fallback_node: 'b' }), b: tool('echo', { input_mapping: { reason: '{{ output.error }}' } }) },
      [
        ['a', 'end'],
        ['b', 'end'],
      ],
    );
    const id = await run(client, document);
    expect(await settled(client, id)).toMatchObject({ status: 'completed', state: { reason: 'broken for good' } });
  });
});

describe('an external worker', () => {
  it('that fails can claim the item again under the next attempt and a higher fence', async () => {
    const { client } = server();
    await run(client, ir('failing', { a: python('a', { node: retried }) }, [['a', 'end']], policy(2)));
    const first = await claim(client, 'python_tool');
    await client.failWork(first.id, { error: 'out of memory', lease_fence: first.lease_fence });
    const second = await claim(client, 'python_tool');
    expect([first.attempt, second.attempt]).toEqual([0, 1]);
    expect(await refusal(client.completeWork(first.id, { output: 'late', lease_fence: first.lease_fence }))).toMatchObject({
      status: 409,
    });
    await client.failWork(second.id, { error: 'again', lease_fence: second.lease_fence });
    expect(await settled(client, second.execution_id)).toMatchObject({ status: 'failed' });
  });

  it('whose failure has an error class that is not retryable gets no other attempt', async () => {
    const { client } = server();
    await run(
      client,
      ir('classes', { a: python('a', { node: retried }) }, [['a', 'end']], policy(5, { retryable_on: ['timeout'] })),
    );
    const item = await claim(client, 'python_tool');
    await client.failWork(item.id, { error: 'no', error_class: 'io_error', lease_fence: item.lease_fence });
    expect(await settled(client, item.execution_id)).toMatchObject({ status: 'failed' });
  });

  it('whose lease expires loses its item', async () => {
    const { client } = server();
    await run(
      client,
      ir('overdue', { a: python('a', { node: { ...retried, node_timeout_secs: 4 } }) }, [['a', 'end']], policy(2)),
    );
    const first = await claim(client, 'python_tool');
    const second = await claim(client, 'python_tool');
    expect(second).toMatchObject({ node_id: 'a', attempt: 1, execution_id: first.execution_id });
    expect(await refusal(client.completeWork(first.id, { output: 1, lease_fence: first.lease_fence }))).toMatchObject({
      status: 409,
    });
    await client.completeWork(second.id, { output: { ok: true }, lease_fence: second.lease_fence });
    expect(await settled(client, first.execution_id)).toMatchObject({ status: 'completed', state: { ok: true } });
  });

  it('long-polls for work', async () => {
    const { client } = server();
    const waiting = client.claimWork({ worker_id: 'patient', queue_types: ['java_tool'], wait_ms: 20_000 });
    const id = await run(client, ir('java', { a: { type: 'java_fn', class_name: 'C', method: 'm' } }, [['a', 'end']]), { x: 1 });
    const { work_item } = await waiting;
    expect(work_item).toMatchObject({ execution_id: id, payload: { class: 'C', method: 'm', input: { x: 1 } } });
    await client.cancel(id);
  });

  it('that exceeds the token budget fails the execution, with its result logged', async () => {
    const { client } = server();
    const document = ir(
      'budget',
      { a: python('a'), b: python('b') },
      [
        ['a', 'b'],
        ['b', 'end'],
      ],
      { token_budget: { total_tokens: 100 } },
    );
    const id = await run(client, document);
    const item = await claim(client, 'python_tool');
    await client.completeWork(item.id, {
      output: { paid: true },
      input_tokens: 90,
      output_tokens: 20,
      lease_fence: item.lease_fence,
    });
    expect(await settled(client, id)).toMatchObject({
      status: 'failed',
      error: expect.stringContaining('budget'),
      state: { paid: true },
    });
    expect(await timeline(client, id)).toEqual(
      expect.arrayContaining(['node_completed a', 'token_budget_exceeded a', 'workflow_failed']),
    );
  });
});

describe('over HTTP', () => {
  const fetching = (url: string): JsonObject =>
    ir(
      'fetching',
      {
        get: {
          type: 'http',
          url: `${url}/items/{{ state.id }}`,
          query: { lang: 'de' },
          headers: { 'x-kind': '{{ state.kind }}' },
          output_key: 'item',
        },
        post: { type: 'http', url, method: 'POST', body: { item: '{{ state.item }}', all: [1, '{{ state.id }}'] } },
        rate: tool('rate', { input_mapping: { id: 'state.id' } }),
      },
      [
        ['get', 'post'],
        ['post', 'rate'],
        ['rate', 'end'],
      ],
      { tools: { rate: { kind: 'http', reference: `${url}/rate` } } },
    );

  it('a node sends its mapped input, and its output is the response body', async () => {
    const { client } = server();
    const { url, requests: seen } = await webServer(({ method, url: path }, response) => {
      response.setHeader('content-type', 'application/json');
      response.end(path === '/rate' ? '{"rate":3}' : method === 'GET' ? '{"name":"Rad"}' : '"stored"');
    });
    const id = await run(client, fetching(url), { id: 7, kind: 'x' });
    expect(await settled(client, id)).toMatchObject({
      status: 'completed',
      state: { id: 7, item: { name: 'Rad' }, post: 'stored', rate: 3 },
    });
    expect(seen).toMatchObject([
      {
        method: 'GET',
        url: '/items/7?lang=de',
        headers: { 'x-kind': 'x', 'x-jamjet-execution': id, 'idempotency-key': `${id}:get:1` },
      },
      { method: 'POST', url: '/', body: '{"item":{"name":"Rad"},"all":[1,7]}', headers: { 'content-type': 'application/json' } },
      { method: 'POST', url: '/rate', body: '{"id":7}', headers: { 'idempotency-key': `${id}:rate:1` } },
    ]);
  });

  it('an attempt with a 503 reply is retried under the same idempotency key', async () => {
    const { client } = server();
    const { url, requests: seen } = await webServer((_, response) => response.writeHead(seen.length < 3 ? 503 : 200).end());
    const document = ir(
      'unavailable',
      { a: { type: 'http', url, node: retried } },
      [['a', 'end']],
      policy(5, { retryable_on: ['server_error'] }),
    );
    const id = await run(client, document);
    expect(await settled(client, id)).toMatchObject({ status: 'completed' });
    expect(new Set(seen.map(({ headers }) => headers['idempotency-key']))).toEqual(new Set([`${id}:a:1`]));
    expect(seen).toHaveLength(3);
  });

  it('a 404 reply is not retried', async () => {
    const { client } = server();
    const { url, requests: seen } = await webServer((_, response) => response.writeHead(404).end('no such thing'));
    const id = await run(client, ir('missing', { a: { type: 'http', url, node: retried } }, [['a', 'end']], policy(5)));
    expect(await settled(client, id)).toMatchObject({ status: 'failed' });
    expect(seen).toHaveLength(1);
    const failed = (await client.events(id)).find(({ type }) => type === 'node_failed');
    expect(failed?.data.error).toBe(`${url}/ answered 404: no such thing`);
  });

  it('a cancelled request is aborted', async () => {
    const { client } = server();
    let hungUp = false;
    const { url, requests: seen } = await webServer((request) => {
      request.socket.once('close', () => {
        hungUp = true;
      });
    });
    const id = await run(client, ir('hanging', { a: { type: 'http', url } }, [['a', 'end']]));
    await eventually(() => seen.length === 1, 'the request arrives');
    await client.cancel(id);
    await eventually(() => hungUp, 'the connection is closed');
  });
});

describe('jamjet serve', () => {
  it('sends nothing to private addresses', async () => {
    const folder = temporaryFolder(onTestFinished);
    const { client, kill } = await startServer({ folder, command: 'serve' });
    onTestFinished(async () => void (await kill()));
    const { url, requests: seen } = await webServer((_, response) => response.end());
    const id = await run(client, ir('inside', { a: { type: 'http', url } }, [['a', 'end']]));
    expect(await settled(client, id)).toMatchObject({ status: 'failed' });
    const failed = (await client.events(id)).find(({ type }) => type === 'node_failed');
    expect(failed?.data).toMatchObject({ error: expect.stringContaining('a private address'), retryable: false });
    expect(seen).toEqual([]);
    expect(existsSync(join(folder, 'runtime.db'))).toBe(true);
  });
});
