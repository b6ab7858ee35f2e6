import { describe, expect, it } from 'vitest';
import { CALLER, databasePath, eventually, openTestRuntime } from '../../../support/runtimes.ts';

const code = (more: object = {}) =>
  ({
    workflow_id: 'code',
    version: '1',
    nodes: { f: { kind: { type: 'python_fn', module: 'flows', function: 'f' }, retry_policy: 'quick', ...more } },
    edges: [],
    retry_policies: {
      quick: { max_attempts: 2, backoff: 'fixed', initial_delay: 0, max_delay: 0, jitter: false, retryable_on: [] },
    },
  }) as never;
const PYTHON = { workerId: 'w1', queueTypes: ['python_tool'] };

describe('external workers', () => {
  it('claim an item with everything the work needs, and complete it', async () => {
    const { run, runtime, settled, timeline } = await openTestRuntime();
    const id = await run(code(), { order: 7 });
    const [item] = await runtime.claim(CALLER, PYTHON);
    expect(item).toMatchObject({
      executionId: id,
      nodeId: 'f',
      queueType: 'python_tool',
      workflowId: 'code',
      attempt: 0,
      maxAttempts: 2,
      leaseFence: 1,
      payload: {
        workflow_id: 'code',
        node_id: 'f',
        module: 'flows',
        function: 'f',
        input: { order: 7 },
        state: { order: 7 },
        kind: { type: 'python_fn' },
      },
    });
    expect(await runtime.claim(CALLER, PYTHON)).toEqual([]);
    await runtime.complete(CALLER, item?.id ?? '', { output: { ok: true }, leaseFence: 1, durationMs: 12 });
    expect(await settled(id)).toMatchObject({ status: 'completed', state: { order: 7, ok: true } });
    expect((await timeline(id)).slice(1, 3)).toEqual(['node_scheduled f', 'node_started f']);
  });

  it('get the timeout of the document, also when it is not a whole number of milliseconds in floating point', async () => {
    const { run, runtime, store } = await openTestRuntime();
    const timeouts = { workflow_timeout: 2.0005 };
    const id = await run({ ...(code({ node_timeout_secs: 1.001 }) as object), timeouts });
    const [item] = await runtime.claim(CALLER, PYTHON);
    expect(await store.workItem('default', item?.id ?? '')).toMatchObject({ executionId: id, timeoutMs: 1_001 });
    const { createdAtMs = 0, deadlineAtMs } = (await store.execution(id)) ?? {};
    expect(deadlineAtMs).toBe(createdAtMs + 2_001);
  });

  it('are woken from their long poll by the item itself', async () => {
    const { run, runtime } = await openTestRuntime();
    const polling = runtime.claim(CALLER, { ...PYTHON, waitMs: 30_000 });
    const other = runtime.claim(CALLER, { ...PYTHON, workerId: 'w2', waitMs: 30_000 });
    await run(code());
    expect(await polling).toHaveLength(1);
    await run(code());
    expect(await other).toHaveLength(1);
  });

  it('get nothing when the long poll runs out', async () => {
    const { runtime, clock } = await openTestRuntime();
    const polling = runtime.claim(CALLER, { ...PYTHON, waitMs: 1000 });
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(1000);
    expect(await polling).toEqual([]);
  });

  it('lose the item when the lease expires: the next attempt is another item, and the old fence is stale', async () => {
    const { run, runtime, clock, settled, timeline } = await openTestRuntime();
    const id = await run(code());
    const [first] = await runtime.claim(CALLER, PYTHON);
    clock.advance(30_000);
    const polling = runtime.claim(CALLER, { ...PYTHON, workerId: 'w2', waitMs: 10_000 });
    const [second] = await polling;
    expect(second).toMatchObject({ attempt: 1 });
    for (const settle of [
      runtime.complete(CALLER, first?.id ?? '', { output: 'late', leaseFence: 1 }),
      runtime.fail(CALLER, first?.id ?? '', { error: 'late', leaseFence: 1 }),
      runtime.heartbeat(CALLER, first?.id ?? '', { workerId: 'w1', leaseFence: 1 }),
    ]) {
      await expect(settle).rejects.toMatchObject({ code: 'stale_fence' });
    }
    await runtime.complete(CALLER, second?.id ?? '', { output: {}, leaseFence: second?.leaseFence ?? 0 });
    expect((await settled(id)).status).toBe('completed');
    expect((await timeline(id)).filter((line) => line.startsWith('node_completed'))).toHaveLength(1);
  });

  it('keep the item as long as they send heartbeats', async () => {
    const { run, runtime, clock } = await openTestRuntime();
    await run(code({ node_timeout_secs: 3600 }));
    const [item] = await runtime.claim(CALLER, PYTHON);
    for (let i = 0; i < 5; i += 1) {
      clock.advance(20_000);
      await runtime.heartbeat(CALLER, item?.id ?? '', { workerId: 'w1', leaseFence: 1 });
    }
    await runtime.complete(CALLER, item?.id ?? '', { output: {}, leaseFence: 1 });
    await expect(runtime.complete(CALLER, item?.id ?? '', { output: {}, leaseFence: 1 })).rejects.toMatchObject({
      code: 'stale_fence',
    });
  });

  it('time out at the deadline of the node, which counts from the claim', async () => {
    const { run, runtime, clock, log } = await openTestRuntime();
    const id = await run(code({ node_timeout_secs: 10 }));
    clock.advance(60_000);
    await runtime.claim(CALLER, PYTHON);
    clock.advance(10_000);
    await eventually(async () => (await log(id)).some((event) => event.type === 'node_failed'));
    expect((await log(id)).find((event) => event.type === 'node_failed')).toMatchObject({
      data: { error: 'timed out after 10 s', retryable: true },
    });
  });

  it('fail attempts, which are retried as the policy says', async () => {
    const { run, runtime, settled } = await openTestRuntime();
    const id = await run(code());
    for (const attempt of [0, 1]) {
      const [item] = await runtime.claim(CALLER, { ...PYTHON, waitMs: 1000 });
      expect(item?.attempt).toBe(attempt);
      await runtime.fail(CALLER, item?.id ?? '', { error: 'no luck', leaseFence: item?.leaseFence ?? 0 });
    }
    expect(await settled(id)).toMatchObject({ status: 'failed' });
  });

  it('are refused once the execution is cancelled', async () => {
    const { run, runtime, log } = await openTestRuntime();
    const id = await run(code());
    const [item] = await runtime.claim(CALLER, PYTHON);
    await runtime.cancel(CALLER, id);
    const before = await log(id);
    await expect(runtime.complete(CALLER, item?.id ?? '', { output: {}, leaseFence: 1 })).rejects.toMatchObject({
      code: 'stale_fence',
    });
    expect(await log(id)).toEqual(before);
  });

  it('see nothing of another tenant', async () => {
    const { run, runtime } = await openTestRuntime();
    await run(code());
    expect(await runtime.claim({ ...CALLER, tenantId: 'other' }, PYTHON)).toEqual([]);
    const [item] = await runtime.claim(CALLER, PYTHON);
    await expect(runtime.complete({ ...CALLER, tenantId: 'other' }, item?.id ?? '', { output: {} })).rejects.toMatchObject({
      code: 'not_found',
    });
  });

  it('keep their lease across a restart', async () => {
    const path = databasePath();
    const first = await openTestRuntime({ path });
    const id = await first.run(code());
    const [item] = await first.runtime.claim(CALLER, PYTHON);
    await first.close();
    const second = await openTestRuntime({ path, clock: first.clock });
    await second.runtime.complete(CALLER, item?.id ?? '', { output: { ok: 1 }, leaseFence: 1 });
    expect(await second.settled(id)).toMatchObject({ status: 'completed', state: { ok: 1 } });
  });

  it('are listed with their claims, beside the runtime', async () => {
    const { run, runtime } = await openTestRuntime();
    await run(code());
    await runtime.claim(CALLER, PYTHON);
    await eventually(async () => (await runtime.workers('default')).length === 2);
    const workers = await runtime.workers('default');
    expect(workers.find((worker) => worker.id === 'w1')).toMatchObject({
      kind: 'external',
      queueTypes: ['python_tool'],
      inFlight: 1,
      claimedTotal: 1,
      status: 'active',
    });
    expect(workers.find((worker) => worker.kind === 'runtime')?.id).toBe(runtime.id);
  });

  it('are recorded up to a thousand of a tenant, and get work beyond it', async () => {
    const { run, runtime, store, clock } = await openTestRuntime();
    const recorded = new Set<string>();
    store.heartbeat = async ({ id, kind }) => void (kind === 'external' && recorded.add(id));
    await run(code());
    for (let n = 0; n < 1_000; n += 1) await runtime.claim(CALLER, { ...PYTHON, workerId: `w${n}`, queueTypes: ['other'] });
    expect(await runtime.claim(CALLER, { ...PYTHON, workerId: 'too-many' })).toHaveLength(1);
    expect([recorded.size, recorded.has('too-many')]).toEqual([1_000, false]);
    clock.advance(10 * 60_000 + 1);
    await runtime.claim(CALLER, { ...PYTHON, workerId: 'later' });
    expect(recorded.has('later')).toBe(true);
  });

  it('have all their claims counted, which are stored at most every five seconds', async () => {
    const { run, runtime, store, clock } = await openTestRuntime();
    const stored: number[] = [];
    const heartbeat = store.heartbeat.bind(store);
    store.heartbeat = (row) => {
      if (row.id === 'w1') stored.push(row.claimed);
      return heartbeat(row);
    };
    const claimedTotal = async () => (await runtime.workers('default')).find((worker) => worker.id === 'w1')?.claimedTotal;
    for (const [claims, afterMs] of [
      [1, 1_000],
      [2, 1_000],
      [3, 5_000],
      [4, 1_000],
    ] as const) {
      await run(code());
      await runtime.claim(CALLER, PYTHON);
      await eventually(async () => (await claimedTotal()) === claims);
      clock.advance(afterMs);
    }
    expect(stored).toEqual([0, 3]);
  });

  it('may get work outside the graph, whose patch is merged and which routes nothing', async () => {
    const { run, runtime, settled, log } = await openTestRuntime();
    const id = await run(code());
    const { workItemId } = await runtime.enqueue(CALLER, {
      executionId: id,
      nodeId: 'f',
      queueType: 'general',
      payload: { hint: 1 },
    });
    const [item] = await runtime.claim(CALLER, { workerId: 'w1', queueTypes: ['general'] });
    expect(item).toMatchObject({ id: workItemId, payload: { hint: 1 } });
    await runtime.complete(CALLER, workItemId, { output: 'noted', statePatch: { note: 'noted' }, leaseFence: 1 });
    expect(await runtime.execution('default', id)).toMatchObject({ status: 'running', state: { note: 'noted' } });
    const [own] = await runtime.claim(CALLER, PYTHON);
    await runtime.complete(CALLER, own?.id ?? '', { output: {}, leaseFence: 1 });
    expect(await settled(id)).toMatchObject({ status: 'completed', stepsExecuted: 2 });
    expect((await log(id)).filter((event) => event.data.activation === 0).map((event) => event.type)).toEqual([
      'node_scheduled',
      'node_completed',
    ]);
    const more = { executionId: id, nodeId: 'f', queueType: 'general', payload: {} };
    await expect(runtime.enqueue(CALLER, more)).rejects.toMatchObject({ code: 'conflict' });
  });

  it('may complete an item that none has claimed by its id alone, once', async () => {
    const { run, runtime, settled, store } = await openTestRuntime();
    const id = await run(code());
    const [item] = await store.unclaimedWork({ queue: 'python_tool', after: '', limit: 1 });
    const result = { output: { ok: 1 } };
    for (const other of [{ nodeId: 'other' }, { executionId: 'exec_other' }])
      await expect(runtime.complete(CALLER, item?.id ?? '', { ...result, ...other })).rejects.toMatchObject({
        code: 'bad_request',
      });
    const own = { nodeId: item?.nodeId ?? '', executionId: id };
    await expect(runtime.complete(CALLER, item?.id ?? '', { ...result, leaseFence: 1 })).rejects.toMatchObject({
      code: 'stale_fence',
    });
    await runtime.complete(CALLER, item?.id ?? '', { ...result, ...own });
    expect(await settled(id)).toMatchObject({ status: 'completed', state: { ok: 1 } });
    await expect(runtime.complete(CALLER, item?.id ?? '', result)).rejects.toMatchObject({ code: 'stale_fence' });
  });

  it('fail no node with work outside the graph, even if it names one that has failed', async () => {
    const { run, runtime, settled } = await openTestRuntime();
    const node = (tool_ref: string) => ({ kind: { type: 'tool', tool_ref }, retry_policy: 'no_retry' });
    const nodes = { both: { kind: { type: 'parallel', branches: ['a', 'b'] } }, a: node('a'), b: node('b') };
    const id = await run({ workflow_id: 'pair', version: '1', nodes, edges: [] } as never);
    const own = await runtime.claim(CALLER, { workerId: 'w1', queueTypes: ['tool'], maxItems: 2 });
    const itemOf = (nodeId: string) => own.find((item) => item.nodeId === nodeId)?.id ?? '';
    const { workItemId } = await runtime.enqueue(CALLER, { executionId: id, nodeId: 'a', queueType: 'general', payload: {} });
    await runtime.fail(CALLER, itemOf('a'), { error: 'no a' });
    await runtime.fail(CALLER, workItemId, { error: 'beside' });
    await runtime.complete(CALLER, itemOf('b'), { output: {} });
    expect(await settled(id)).toMatchObject({ status: 'failed', error: 'a: no a' });
  });

  it('cannot be given work for an unknown node', async () => {
    const { run, runtime } = await openTestRuntime();
    const id = await run(code());
    const item = { executionId: id, nodeId: 'nowhere', queueType: 'general', payload: {} };
    await expect(runtime.enqueue(CALLER, item)).rejects.toMatchObject({ code: 'bad_request' });
  });
});

describe('payloads', () => {
  const wide = (count: number, mapping?: Record<string, string>) =>
    ({
      workflow_id: 'wide',
      version: '1',
      nodes: {
        split: { kind: { type: 'parallel', branches: Array.from({ length: count }, (_, i) => `n${i}`) } },
        ...Object.fromEntries(
          Array.from({ length: count }, (_, i) => [
            `n${i}`,
            {
              kind: { type: 'tool', tool_ref: 't', ...(mapping === undefined ? {} : { input_mapping: mapping }) },
              retry_policy: 'no_retry',
            },
          ]),
        ),
      },
      edges: [],
    }) as never;
  const TOOLS = { workerId: 'w1', queueTypes: ['tool'], maxItems: 100 };

  it('are rendered when an item is claimed, also when many nodes on a large state start together', async () => {
    const { run, runtime, store } = await openTestRuntime();
    const large = 'x'.repeat(1_000_000);
    const id = await run(wide(200), { large });
    const stored = await store.unclaimedWork({ queue: 'tool', after: '', limit: 200 });
    expect(stored).toHaveLength(200);
    expect(stored.reduce((chars, { payload }) => chars + payload.length, 0)).toBe(0);
    // Input and state have a million characters each, so that a reply has at most about 16 million.
    const items = await runtime.claim(CALLER, TOOLS);
    expect(items.length).toBeGreaterThan(6);
    expect(items.length).toBeLessThan(30);
    expect(items[0]).toMatchObject({ executionId: id, payload: { state: { large } } });
    const small = await openTestRuntime();
    await small.run(wide(200), { few: 1 });
    expect(await small.runtime.claim(CALLER, TOOLS)).toHaveLength(100);
  });

  it('show the state as it is when the item is claimed', async () => {
    const { run, runtime } = await openTestRuntime();
    await run(wide(2), { n: 1 });
    const [first] = await runtime.claim(CALLER, { ...TOOLS, maxItems: 1 });
    await runtime.complete(CALLER, first?.id ?? '', { output: { n: 2 }, leaseFence: 1 });
    const [second] = await runtime.claim(CALLER, { ...TOOLS, maxItems: 1 });
    expect(second).toMatchObject({ payload: { state: { n: 2 } } });
  });

  it('that exceed the evaluation budget fail their node, and no worker gets it', async () => {
    const { run, runtime, settled, log } = await openTestRuntime();
    const mapping = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`k${i}`, `{{ len(state.s.split('a')) + ${i} }}`]));
    const id = await run(wide(1, mapping), { s: 'a'.repeat(299_000) });
    expect(await runtime.claim(CALLER, TOOLS)).toEqual([]);
    expect(await settled(id)).toMatchObject({ status: 'failed' });
    const failure = (await log(id)).find(({ type }) => type === 'node_failed');
    expect(failure).toMatchObject({
      nodeId: 'n0',
      data: { retryable: false, error_class: 'expression_budget_exceeded', error: expect.stringContaining("split('a')") },
    });
  });

  it('that call a filter that does not exist fail their node, and no worker gets it', async () => {
    const { run, runtime, settled, log } = await openTestRuntime();
    const id = await run(wide(1, { text: '{{ state.s | shout }}' }), { s: 'a' });
    expect(await runtime.claim(CALLER, TOOLS)).toEqual([]);
    expect(await settled(id)).toMatchObject({ status: 'failed' });
    expect((await log(id)).find(({ type }) => type === 'node_failed')).toMatchObject({
      nodeId: 'n0',
      data: { retryable: false, error_class: 'validation', error: expect.stringContaining('unknown filter "shout"') },
    });
  });
});
