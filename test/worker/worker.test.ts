import { Type } from 'typebox';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ApiError } from '../../src/client/index.ts';
import { defineTool } from '../../src/index.ts';
import type { ToolContext, Tools } from '../../src/runtime/types/work.ts';
import { startWorker, type WorkerLogEntry, type WorkerOptions } from '../../src/worker/index.ts';
import { api } from '../api/support/api.ts';
import { eventually } from '../support/runtimes.ts';

const quote = (more: object = {}) => ({
  workflow_id: 'quote',
  version: '1',
  nodes: { draft: { kind: { type: 'tool', tool_ref: 'draft_quote', output_key: 'quote' }, ...more } },
  edges: [{ from: 'draft', to: 'end' }],
});

/** A server that listens, and workers that share its clock. */
async function serving() {
  const server = await api();
  const url = await server.app.listen({ host: '127.0.0.1', port: 0 });
  const token = await server.token('worker', { name: 'worker' });
  const lines: WorkerLogEntry[] = [];
  const work = (tools: Tools, options: Partial<WorkerOptions> = {}) => {
    const given = { url, token, tools, id: 'w1', onLog: (entry: WorkerLogEntry) => lines.push(entry), ...options };
    const worker = startWorker(given, server.clock);
    worker.stopped.catch(() => {});
    onTestFinished(async () => {
      await worker.stop({ timeoutMs: 0 }).catch(() => {});
    });
    return worker;
  };
  const logged = (message: string): boolean => lines.some((line) => line.message.includes(message));
  const log = (id: string) => eventsOf(server, id);
  return { ...server, server, url, token, work, lines, logged, events: log };
}

async function eventsOf({ runtime }: Awaited<ReturnType<typeof api>>, id: string) {
  const events = [];
  for await (const event of runtime.events('default', id)) events.push(event);
  return events;
}

/** A tool that goes on until it is told to end, or its signal is aborted. */
function held() {
  const contexts: ToolContext[] = [];
  const finish: ((value: unknown) => void)[] = [];
  const tool = (_input: unknown, context: ToolContext) =>
    new Promise((resolve, reject) => {
      contexts.push(context);
      finish.push(resolve);
      context.signal.addEventListener('abort', () => reject(context.signal.reason), { once: true });
    });
  return { tool, contexts, finish };
}

describe('createWorker', () => {
  it('calls a tool with the input and the context that it has in process, and completes the node', async () => {
    const { work, started, runtime, server } = await serving();
    // Memory is not open to workers.
    const token = await server.token('developer');
    const seen: { input: unknown; context: ToolContext }[] = [];
    work(
      {
        draft_quote: (input: unknown, context: ToolContext) => {
          seen.push({ input, context });
          return { total: 42 };
        },
      },
      { token },
    );
    const id = await started(quote(), { sku: 'A-17' });
    expect(await runtime.settled('default', id)).toMatchObject({ status: 'completed', state: { quote: { total: 42 } } });
    expect(seen).toHaveLength(1);
    const { signal, memory, log, reportUsage, progress, heartbeat, ...rest } = seen[0]?.context ?? ({} as ToolContext);
    expect(seen[0]?.input).toEqual({ sku: 'A-17' });
    expect(rest).toEqual({
      tenantId: 'default',
      executionId: id,
      nodeId: 'draft',
      attempt: 0,
      idempotencyKey: `${id}:draft:1`,
      startedBy: { actorId: 'developer', actorType: 'human' },
      labels: {},
    });
    expect(signal.aborted).toBe(false);
    expect(await memory.add('notes', { text: 'blue paint' })).toHaveLength(1);
    expect(await memory.search('notes', 'paint')).toMatchObject([{ text: 'blue paint' }]);
    expect([await memory.remove('notes', 'unknown'), await memory.remove('notes')]).toEqual([0, 1]);
    expect([typeof log.info, typeof reportUsage, typeof progress, typeof heartbeat]).toEqual(Array(4).fill('function'));
  });

  it('reports failures with their class and what was used, and the node is retried by its policy', async () => {
    const { work, started, events, clock, runtime } = await serving();
    work({
      draft_quote: (_input: unknown, { attempt, reportUsage }: ToolContext) => {
        reportUsage({ inputTokens: 5 });
        if (attempt === 0) throw Object.assign(new Error('price list is locked'), { code: 'ECONNRESET' });
        throw Object.assign(new RangeError('no such product', { cause: { code: 42 } }), { retryable: false });
      },
    });
    const id = await started(quote());
    await eventually(async () => (await events(id)).some(({ type }) => type === 'retry_scheduled'));
    clock.advance(60_000);
    expect((await runtime.settled('default', id)).status).toBe('failed');
    const failed = (await events(id)).filter(({ type }) => type === 'node_failed').map(({ data }) => data);
    expect(failed).toMatchObject([
      { error: 'price list is locked', error_class: 'connection_reset', retryable: true, input_tokens: 5 },
      {
        error: expect.stringContaining('no such product'),
        error_name: 'RangeError',
        stack: expect.stringContaining('at draft_quote (test/worker/worker.test.ts:'),
        cause: { message: '{code: 42}' },
        retryable: false,
        input_tokens: 5,
      },
    ]);
  });

  it('validates typed tools: a mismatch names the field and is not retried', async () => {
    const { work, started, events, runtime } = await serving();
    const draft_quote = defineTool({
      input: Type.Object({ sku: Type.String() }),
      output: Type.Object({ total: Type.Number() }),
      run: async () => ({ total: 1 }),
    });
    work({ draft_quote });
    const id = await started(quote(), { sku: 17 });
    expect((await runtime.settled('default', id)).error).toContain('input.sku');
    expect((await events(id)).filter(({ type }) => type === 'node_failed')).toHaveLength(1);
  });

  it('fails an attempt for good whose result is not JSON', async () => {
    const { work, started, runtime } = await serving();
    work({ draft_quote: () => ({ total: 1n }) });
    const id = await started(quote());
    expect((await runtime.settled('default', id)).error).toContain('result.total: a bigint is not JSON');
  });

  it('renews the lease while a tool runs, and shows its progress', async () => {
    const { work, started, clock, runtime, events } = await serving();
    const { tool, contexts, finish } = held();
    work({ draft_quote: tool });
    const id = await started(quote());
    await eventually(() => contexts.length === 1);
    const stop = new AbortController();
    onTestFinished(() => stop.abort());
    const shown: unknown[] = [];
    void (async () => {
      for await (const update of runtime.live('default', id, stop.signal)) shown.push(update);
    })();
    contexts[0]?.progress('asking for the price');
    await eventually(() => shown.length === 1);
    contexts[0]?.progress(0.5);
    for (let second = 0; second < 90; second += 1) {
      clock.advance(1_000);
      await contexts[0]?.heartbeat();
    }
    await eventually(() => shown.length >= 2);
    expect(shown).toMatchObject([
      { nodeId: 'draft', activation: 1, attempt: 0, progress: { fraction: null, text: 'asking for the price' } },
      { progress: { fraction: 0.5, text: 'asking for the price' } },
    ]);
    finish[0]?.({});
    expect((await runtime.settled('default', id)).status).toBe('completed');
    expect((await events(id)).filter(({ type }) => type === 'node_started')).toHaveLength(1);
  });

  it('renews the lease by itself, every ten seconds', async () => {
    const { work, started, clock, runtime, events, url, token } = await serving();
    const { tool, contexts, finish } = held();
    let beats = 0;
    const counting: typeof fetch = async (input, init) => {
      const reply = await fetch(input, init);
      if (String(input).endsWith('/heartbeat')) beats += 1;
      return reply;
    };
    work({ draft_quote: tool }, { fetch: counting, url, token });
    const id = await started(quote());
    await eventually(() => contexts.length === 1);
    for (let beat = 1; beat <= 6; beat += 1) {
      clock.advance(10_000);
      await eventually(() => beats === beat);
    }
    finish[0]?.({});
    expect((await runtime.settled('default', id)).status).toBe('completed');
    expect((await events(id)).some(({ type }) => type === 'node_failed')).toBe(false);
  });

  it('aborts the signal when the lease is lost, rejects heartbeats, and reports nothing', async () => {
    const { work, started, post, clock, logged, events } = await serving();
    const { tool, contexts } = held();
    const worker = work({ draft_quote: tool });
    const id = await started(quote());
    await eventually(() => contexts.length === 1);
    await post(`/executions/${id}/cancel`);
    clock.advance(10_000);
    await eventually(() => contexts[0]?.signal.aborted === true);
    expect(contexts[0]?.signal.reason).toMatchObject({ name: 'LeaseLost', code: 'lease_lost' });
    await expect(contexts[0]?.heartbeat()).rejects.toMatchObject({ name: 'LeaseLost' });
    await eventually(() => worker.running === 0);
    expect(logged('the lease of the work item was lost')).toBe(true);
    expect((await events(id)).at(-1)?.type).toBe('workflow_cancelled');
  });

  it('aborts the signal at the deadline of the attempt', async () => {
    const { work, started, clock } = await serving();
    const { tool, contexts } = held();
    work({ draft_quote: tool });
    await started(quote({ node_timeout_secs: 5 }));
    await eventually(() => contexts.length === 1);
    clock.advance(5_000);
    expect(contexts[0]?.signal.reason).toMatchObject({ message: 'timed out after 5 s' });
  });

  it('works on as many items at a time as it may', async () => {
    const { work, started, runtime } = await serving();
    const { tool, contexts, finish } = held();
    const worker = work({ draft_quote: tool }, { concurrency: 2 });
    const ids = [];
    for (let n = 0; n < 5; n += 1) ids.push(await started(quote()));
    for (let n = 0; n < 5; n += 1) {
      await eventually(() => contexts.length === Math.min(5, n + 2));
      expect(worker.running).toBeLessThanOrEqual(2);
      finish[n]?.({});
    }
    for (const id of ids) expect((await runtime.settled('default', id)).status).toBe('completed');
  });

  it('lets tools finish when it stops, and claims no more', async () => {
    const { work, started, runtime, get } = await serving();
    const { tool, contexts, finish } = held();
    const worker = work({ draft_quote: tool });
    const first = await started(quote());
    await eventually(() => contexts.length === 1);
    const stopped = worker.stop();
    expect(worker.status).toBe('running');
    const second = await started(quote());
    await eventually(() => worker.status === 'stopping');
    finish[0]?.({});
    await stopped;
    expect([worker.status, worker.running]).toEqual(['stopped', 0]);
    expect((await runtime.settled('default', first)).status).toBe('completed');
    expect((await get(`/executions/${second}`)).body.status).toBe('running');
    await worker.stop();
  });

  it('hands back what does not finish in time, so that another worker need not wait for the lease', async () => {
    const { work, started, clock, events, runtime } = await serving();
    const { tool, contexts } = held();
    const worker = work({ draft_quote: tool }, { stopTimeoutMs: 5_000 });
    const id = await started(quote());
    await eventually(() => contexts.length === 1);
    const stopped = worker.stop();
    await eventually(() => worker.status === 'stopping');
    await eventually(() => {
      clock.advance(1_000);
      return contexts[0]?.signal.aborted === true;
    });
    await stopped;
    expect((await events(id)).find(({ type }) => type === 'node_failed')?.data).toMatchObject({
      error: 'the worker stopped before the tool had ended',
      retryable: true,
    });
    work({ draft_quote: () => ({}) }, { id: 'w2' });
    clock.advance(5_000);
    expect((await runtime.settled('default', id)).status).toBe('completed');
  });

  it('waits for a server that does not answer, and goes on', async () => {
    const { work, started, clock, runtime, lines, url, token } = await serving();
    let isDown = true;
    const unreliable: typeof fetch = (input, init) =>
      isDown ? Promise.reject(Object.assign(new TypeError('fetch failed'), { code: 'ECONNREFUSED' })) : fetch(input, init);
    const worker = work({ draft_quote: () => ({}) }, { fetch: unreliable, url, token });
    await eventually(() => lines.some(({ message }) => message.includes('does not answer')));
    expect(worker.status).toBe('connecting');
    isDown = false;
    await eventually(() => {
      clock.advance(1_000);
      return worker.status === 'running';
    });
    await worker.connected;
    const id = await started(quote());
    expect((await runtime.settled('default', id)).status).toBe('completed');
  });

  it('reports a result when the server answers again, as long as the lease lasts', async () => {
    const { work, started, clock, runtime, url, token } = await serving();
    let isDown = false;
    let refused = 0;
    const unreliable: typeof fetch = (input, init) => {
      if (!isDown) return fetch(input, init);
      if (String(input).endsWith('/complete')) refused += 1;
      return Promise.reject(Object.assign(new TypeError('fetch failed'), { code: 'ECONNREFUSED' }));
    };
    const { tool, contexts, finish } = held();
    work({ draft_quote: tool }, { fetch: unreliable, url, token });
    const id = await started(quote());
    await eventually(() => contexts.length === 1);
    isDown = true;
    finish[0]?.({ total: 7 });
    await eventually(() => {
      clock.advance(50);
      return refused >= 3;
    });
    isDown = false;
    await eventually(async () => {
      clock.advance(50);
      return (await runtime.execution('default', id)).status === 'completed';
    });
    expect((await runtime.execution('default', id)).state).toEqual({ quote: { total: 7 } });
  });

  it('gives an attempt up whose lease cannot be renewed in time', async () => {
    const { work, started, clock, url, token } = await serving();
    let isDown = false;
    const unreliable: typeof fetch = (input, init) =>
      isDown ? Promise.reject(Object.assign(new TypeError('fetch failed'), { code: 'ECONNREFUSED' })) : fetch(input, init);
    const { tool, contexts } = held();
    work({ draft_quote: tool }, { fetch: unreliable, url, token });
    await started(quote());
    await eventually(() => contexts.length === 1);
    isDown = true;
    await eventually(() => {
      clock.advance(1_000);
      return contexts[0]?.signal.aborted === true;
    });
    expect(String(contexts[0]?.signal.reason)).toContain('it could not be renewed in time: cannot reach');
  });

  it('stops with the error if its token is refused', async () => {
    const { work } = await serving();
    const worker = work({ draft_quote: () => ({}) }, { token: 'jj_wrong' });
    await expect(worker.stopped).rejects.toThrow(ApiError);
    await expect(worker.connected).rejects.toMatchObject({ status: 401 });
    expect(worker.status).toBe('stopped');
  });

  it('serves functions of other languages and items that clients enqueue, by name', async () => {
    const { work, started, post, runtime } = await serving();
    const inputs: unknown[] = [];
    const tools = {
      'app.tools.double': ({ n }: { n: number }) => ({ n: n * 2 }),
      draft: (input: unknown) => {
        inputs.push(input);
        return {};
      },
    };
    work(tools, { queues: ['python_tool', 'general'] });
    const nodes = { double: { kind: { type: 'python_fn', module: 'app.tools', function: 'double' } } };
    const id = await started({ workflow_id: 'py', version: '1', nodes, edges: [] }, { n: 4 });
    expect((await runtime.settled('default', id)).state).toEqual({ n: 8 });
    const waiting = await started(quote());
    await post('/work-items', { execution_id: waiting, node_id: 'draft', payload: { note: 'hello' } });
    await eventually(() => inputs.length === 1);
    expect(inputs).toEqual([{ note: 'hello' }]);
  });

  it('logs what tools log, with the attempt', async () => {
    const { work, started, runtime, lines } = await serving();
    work({
      draft_quote: (_input: unknown, { log }: ToolContext) => {
        log.warn('few left', { stock: 2 });
        return {};
      },
    });
    const id = await started(quote());
    await runtime.settled('default', id);
    const fields = { stock: 2, execution: id, node: 'draft', attempt: 0, tenant: 'default', worker: 'w1' };
    expect(lines).toContainEqual({ level: 'warn', message: 'few left', fields });
  });

  it.each([
    [{ url: 'localhost:7700' }, 'url: expected http://host:port, not "localhost:7700"'],
    [{ tools: {} }, 'tools: expected at least one function, here or in `durable`, not object'],
    [{ durable: {} as never }, 'durable: expected a list of workflow definitions, not object'],
    [{ durable: [{ id: 'f' } as never] }, 'durable[0]: expected what durable() or durableMachine() has made, not object'],
    [{ liveFunctions: -1 }, 'liveFunctions: expected a whole number of at least 0, not -1'],
    [{ tools: { a: 1 } }, 'tools.a: expected a function, not 1'],
    [{ queues: [] }, 'queues: expected 1 to 64 names, not object'],
    [{ concurrency: 0 }, 'concurrency: expected a whole number from 1 to 10000, not 0'],
    [{ id: '' }, 'id: expected a text of 1 to 256 characters, not ""'],
    [{ stopTimeoutMs: -1 }, 'stopTimeoutMs: expected milliseconds, 0 or more, not -1'],
  ])('refuses %j', (options, message) => {
    const given = { url: 'http://127.0.0.1:1', tools: { a: () => ({}) }, ...options } as WorkerOptions;
    expect(() => startWorker(given, { nowMs: () => 0, after: () => () => {} })).toThrow(
      new TypeError(`createWorker: ${message}`),
    );
  });
});
