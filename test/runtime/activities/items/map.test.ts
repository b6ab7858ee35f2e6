import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../../machines/json.ts';
import { replayAll } from '../../../support/replay-all.ts';
import { CALLER, crashCopy, eventually, openTestRuntime } from '../../../support/runtimes.ts';

const customers = (count: number) => Array.from({ length: count }, (_, id) => ({ id }));

function document(more: JsonObject = {}, beside: JsonObject = {}): JsonObject {
  const work = { type: 'tool', tool_ref: 'lookup', input: { id: '{{ customer.id }}' } };
  const kind = { type: 'map', items: 'state.customers', as: 'customer', do: work, output_key: 'scores', ...more };
  return { workflow_id: 'map', version: '1', nodes: { m: { kind, retry_policy: 'no_retry', ...beside } } };
}

describe('a map', () => {
  it('runs a tool of this process for every item, so many at a time, each with a key of its own', async () => {
    let running = 0;
    let most = 0;
    const keys: string[] = [];
    const lookup = async ({ id }: { id: number }, context: { idempotencyKey: string }) => {
      running += 1;
      most = Math.max(most, running);
      keys.push(context.idempotencyKey);
      await new Promise(setImmediate);
      running -= 1;
      return { score: id * 2 };
    };
    const { run, settled, path, errors, close } = await openTestRuntime({ tools: { lookup } });
    const id = await run(document({ max_concurrency: 8 }), { customers: customers(200) });
    const { status, state } = await settled(id);
    expect([status, state.scores]).toEqual(['completed', customers(200).map((each) => ({ score: each.id * 2 }))]);
    expect(most).toBe(8);
    expect(new Set(keys).size).toBe(200);
    expect(keys[3]).toBe(`${id}:m:1:3`);
    expect(errors).toEqual([]);
    await close();
    expect(await replayAll(path)).toEqual({ compared: 1, differing: [] });
  });

  it('repeats no completed item after a crash', async () => {
    const done: number[] = [];
    let reached: () => void = () => {};
    const half = new Promise<void>((resolve) => {
      reached = resolve;
    });
    const lookup = async ({ id }: { id: number }, { signal }: { signal: AbortSignal }) => {
      if (id >= 50) {
        reached();
        await new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
      }
      return id;
    };
    const first = await openTestRuntime({ tools: { lookup } });
    const id = await first.run(document({ max_concurrency: 4 }, { retry_policy: 'fast' }), { customers: customers(100) });
    await half;
    await eventually(async () => (await first.timeline(id)).filter((line) => line === 'node_completed m').length === 50);
    const copy = crashCopy(first.path);
    const again = async ({ id: item }: { id: number }) => {
      done.push(item);
      return item;
    };
    const second = await openTestRuntime({ tools: { lookup: again }, path: copy, clock: first.clock });
    await eventually(async () => {
      first.clock.advance(60_000);
      return (await second.runtime.execution('default', id)).status !== 'running';
    });
    const { status, state } = await second.settled(id);
    expect([status, state.scores]).toEqual(['completed', customers(100).map((each) => each.id)]);
    expect(done.sort((a, b) => a - b)).toEqual(
      customers(100)
        .slice(50)
        .map((each) => each.id),
    );
  });

  it('takes its list once, also when a branch beside it changes the list in the state', async () => {
    let begun: () => void = () => {};
    const isBegun = new Promise<void>((resolve) => {
      begun = resolve;
    });
    let changed: () => void = () => {};
    const isChanged = new Promise<void>((resolve) => {
      changed = resolve;
    });
    const lookup = async ({ id }: { id: number }) => {
      begun();
      await isChanged;
      return id;
    };
    const change = async () => {
      await isBegun;
      return customers(1);
    };
    const { run, settled, timeline, runtime } = await openTestRuntime({ tools: { lookup, change } });
    const { nodes, ...list } = document({ max_concurrency: 2 }) as { readonly nodes: JsonObject };
    const both = { kind: { type: 'parallel', branches: ['m', 'c'] } };
    const c = { kind: { type: 'tool', tool_ref: 'change', output_key: 'customers' } };
    const id = await run({ ...list, nodes: { both, ...nodes, c } }, { customers: customers(5) });
    await eventually(async () => (await timeline(id)).includes('node_completed c'));
    expect((await runtime.execution('default', id)).state.customers).toEqual(customers(1));
    changed();
    expect(await settled(id)).toMatchObject({ status: 'completed', state: { scores: [0, 1, 2, 3, 4], customers: customers(1) } });
  });

  it('hands each item to an external worker as a work item of its own', async () => {
    const { run, runtime, settled, store } = await openTestRuntime();
    const work = { type: 'python_fn', module: 'flows', function: 'score', input: { id: '{{ customer.id }}' } };
    const id = await run(document({ do: work, max_concurrency: 2, on_item_error: 'collect' }), { customers: customers(3) });
    const claim = { workerId: 'w1', queueTypes: ['python_tool'], maxItems: 10 };
    const first = await runtime.claim(CALLER, claim);
    expect(first).toMatchObject([
      { item: 0, idempotencyKey: `${id}:m:1:0`, payload: { input: { id: 0 }, kind: { type: 'python_fn' } } },
      { item: 1, idempotencyKey: `${id}:m:1:1`, payload: { input: { id: 1 } } },
    ]);
    expect(await store.workItem('default', first[1]?.id ?? '')).toMatchObject({ nodeId: 'm', item: 1 });
    await runtime.complete(CALLER, first[1]?.id ?? '', { output: 11, leaseFence: 1 });
    const [third, ...none] = await runtime.claim(CALLER, claim);
    expect([third?.item, none]).toEqual([2, []]);
    await runtime.fail(CALLER, third?.id ?? '', { error: 'no', leaseFence: 1, retryable: false });
    await runtime.complete(CALLER, first[0]?.id ?? '', { output: 10, leaseFence: 1 });
    expect(await settled(id)).toMatchObject({ status: 'completed', state: { scores: [10, 11, { error: 'no' }] } });
    await expect(runtime.complete(CALLER, first[0]?.id ?? '', { output: 1, leaseFence: 1 })).rejects.toThrow('stale');
  });

  it('withdraws the work items of the others when one item fails the node', async () => {
    const { run, runtime, settled } = await openTestRuntime();
    const work = { type: 'python_fn', module: 'flows', function: 'score' };
    const id = await run(document({ do: work }), { customers: customers(3) });
    const [item, other] = await runtime.claim(CALLER, { workerId: 'w1', queueTypes: ['python_tool'], maxItems: 2 });
    await runtime.fail(CALLER, item?.id ?? '', { error: 'no', leaseFence: 1, retryable: false });
    expect(await settled(id)).toMatchObject({ status: 'failed', error: 'm: item 0: no' });
    await expect(runtime.complete(CALLER, other?.id ?? '', { output: 1, leaseFence: 1 })).rejects.toThrow('stale');
    expect(await runtime.claim(CALLER, { workerId: 'w1', queueTypes: ['python_tool'] })).toEqual([]);
  });

  it('runs one child execution for each item, and cancels them with itself', async () => {
    const score = async ({ id }: { id: number }) => ({ score: id + 1 });
    const { run, runtime, settled, path, close } = await openTestRuntime({ tools: { score } });
    const child = {
      workflow_id: 'one',
      version: '1',
      nodes: { a: { kind: { type: 'tool', tool_ref: 'score', output_key: 'result' } } },
    };
    await runtime.register(CALLER, child);
    const more = { do: null, workflow: 'one', input: { id: '{{ customer.id }}' }, output: '{{ output.result.score }}' };
    const id = await run(document(more), { customers: customers(40) });
    expect(await settled(id)).toMatchObject({ status: 'completed', state: { scores: customers(40).map((each) => each.id + 1) } });
    const { executions } = await runtime.executions('default', { limit: 100, parentId: id });
    expect(executions).toHaveLength(40);
    await close();
    expect(await replayAll(path)).toMatchObject({ differing: [] });
  });

  it('asks a person about each item that a policy holds', async () => {
    const { run, runtime, settled } = await openTestRuntime({ tools: { lookup: async () => 1 } });
    const id = await run(document({}, { policy: { require_approval_for: ['lookup'] } }), { customers: customers(2) });
    const { pending } = await runtime.approvals('default', id);
    expect(pending).toMatchObject([
      { nodeId: 'm', item: 0, toolName: 'lookup', input: { id: 0 } },
      { nodeId: 'm', item: 1, toolName: 'lookup', input: { id: 1 } },
    ]);
    await expect(runtime.approve(CALLER, id, { decision: 'approved', nodeId: 'm' })).rejects.toThrow('specify node_id and item');
    await runtime.approve(CALLER, id, { decision: 'approved', nodeId: 'm', item: 1 });
    await runtime.approve(CALLER, id, { decision: 'approved', nodeId: 'm' });
    expect(await settled(id)).toMatchObject({ status: 'completed', state: { scores: [1, 1] } });
  });

  it('runs only the items that have not succeeded when the execution is retried', async () => {
    const calls: number[] = [];
    let isBroken = true;
    const lookup = async ({ id }: { id: number }) => {
      calls.push(id);
      if (id === 3 && isBroken) throw new Error('broken');
      return id;
    };
    const { run, runtime, settled } = await openTestRuntime({ tools: { lookup } });
    const id = await run(document({ max_concurrency: 1 }), { customers: customers(5) });
    expect(await settled(id)).toMatchObject({ status: 'failed', error: 'm: item 3: broken' });
    isBroken = false;
    await runtime.retry(CALLER, id);
    expect(await settled(id)).toMatchObject({ status: 'completed', state: { scores: [0, 1, 2, 3, 4] } });
    expect(calls).toEqual([0, 1, 2, 3, 3, 4]);
  });
});

it('a list that timed out while its execution was suspended, with items that waited for a slot, begins with the retry', async () => {
  let hangs = true;
  const lookup = ({ id }: { id: number }) => (hangs ? new Promise(() => {}) : id);
  const { runtime, clock, run, settled, log, close, path } = await openTestRuntime({ tools: { lookup }, concurrency: 1 });
  const { nodes, ...list } = document({ timeout_total: '60s' }) as { readonly nodes: JsonObject };
  const ask = { kind: { type: 'human_approval' } };
  const all = { kind: { type: 'parallel', branches: ['m', 'ask'] } };
  const id = await run({ ...list, nodes: { all, ask, ...nodes } }, { customers: customers(3) });
  await eventually(() => runtime.inProcess('default').waiting === 2);
  await runtime.pause(CALLER, id, 'later');
  await eventually(async () => {
    clock.advance(60_000);
    return (await log(id)).some(({ type, nodeId }) => type === 'node_failed' && nodeId === 'm');
  });
  await runtime.resume(CALLER, id);
  await runtime.approve(CALLER, id, { decision: 'approved' });
  expect((await settled(id)).status).toBe('failed');
  hangs = false;
  await runtime.retry(CALLER, id);
  expect(await settled(id)).toMatchObject({ status: 'completed', state: { scores: [0, 1, 2] } });
  await close();
  expect(await replayAll(path)).toEqual({ compared: 1, differing: [] });
});
