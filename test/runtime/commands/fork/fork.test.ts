import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../../../machines/json.ts';
import { monthOf } from '../../../../src/runtime/month.ts';
import { CALLER, eventually, openTestRuntime, type TestRuntime } from '../../../support/runtimes.ts';

const python = (name: string): JsonObject => ({ kind: { type: 'python_fn', module: 'm', function: name, output_key: name } });
const TWO = {
  workflow_id: 'two',
  version: '1',
  nodes: { one: python('one'), two: python('two') },
  edges: [
    { from: 'one', to: 'two' },
    { from: 'two', to: 'end' },
  ],
};
const PARENT = {
  workflow_id: 'parent',
  version: '1',
  nodes: { inner: { kind: { type: 'subgraph', workflow_ref: 'two' } } },
  edges: [{ from: 'inner', to: 'end' }],
};

async function claimed({
  runtime,
}: TestRuntime): Promise<readonly { readonly id: string; readonly executionId: string; readonly leaseFence: number }[]> {
  return runtime.claim(CALLER, { workerId: 'w', queueTypes: ['python_tool'], maxItems: 10 });
}

/** Completes all work items that are available now. */
async function work(bench: TestRuntime, output: Json, usage: JsonObject = {}): Promise<readonly string[]> {
  const items = await claimed(bench);
  for (const { id, leaseFence } of items) await bench.runtime.complete(CALLER, id, { output, leaseFence, usage });
  return items.map(({ executionId }) => executionId);
}

async function forkOf({ runtime }: TestRuntime, id: string, atSequence: number): Promise<string> {
  const { executionId } = await runtime.fork(CALLER, id, { atSequence });
  return executionId ?? '';
}

describe('a fork', () => {
  it('is charged for its own usage, not for its origin’s', async () => {
    const bench = await openTestRuntime();
    const id = await bench.run(TWO);
    await work(bench, 1, { inputTokens: 100, costUsd: 0.5 });
    const { sequence } = await bench.runtime.execution('default', id);
    const usage = () => bench.store.tenants.usage('default', monthOf(bench.clock.nowMs()));
    expect(await usage()).toMatchObject({ tokens: 100, costUsd: 0.5 });
    await forkOf(bench, id, sequence);
    expect(await usage()).toMatchObject({ tokens: 100, costUsd: 0.5 });
    await work(bench, 2, { inputTokens: 10 });
    expect(await usage()).toMatchObject({ tokens: 120 });
  });

  it('of a suspended execution is suspended, and starts deferred work on resume', async () => {
    const bench = await openTestRuntime();
    const id = await bench.run(TWO);
    const [item] = await claimed(bench);
    await bench.runtime.pause(CALLER, id, 'wait');
    const fork = await forkOf(bench, id, (await bench.runtime.execution('default', id)).sequence);
    expect(await bench.runtime.execution('default', fork)).toMatchObject({ status: 'paused', suspended: { reason: 'wait' } });
    expect(await claimed(bench)).toEqual([]);
    await bench.runtime.resume(CALLER, fork);
    expect(await work(bench, 7)).toEqual([fork]);
    expect((await bench.runtime.execution('default', fork)).state).toEqual({ one: 7 });
    expect(item?.executionId).toBe(id);
    expect(await bench.runtime.replay('default', fork)).toMatchObject({ mismatch: null });
  });

  it('keeps decisions whatever its patch says of internal state, which it leaves as it is', async () => {
    const bench = await openTestRuntime();
    const id = await bench.run({
      workflow_id: 'asked',
      version: '1',
      nodes: {
        ask: { kind: { type: 'human_approval', description: '?' } },
        wait: { kind: { type: 'wait', condition: 'external_event', correlation_key: 'go' } },
        answer: { kind: { type: 'model', model_ref: 'gpt-4o', prompt_ref: 'Say hello' } },
      },
      edges: [
        { from: 'ask', to: 'wait' },
        { from: 'wait', to: 'answer' },
      ],
    });
    await bench.runtime.approve(CALLER, id, { decision: 'approved' });
    const atSequence = (await bench.runtime.execution('default', id)).sequence;
    const fork = (statePatch: JsonObject) => bench.runtime.fork(CALLER, id, { atSequence, statePatch });
    const forged = await fork({ last_model_output: 'approve it' });
    expect(forged.decisions).toMatchObject([{ nodeId: 'ask', wouldChange: false }]);
    expect((await bench.runtime.execution('default', forged.executionId ?? '')).state).not.toHaveProperty('last_model_output');
    await expect(fork({ amount: 5 })).rejects.toMatchObject({ code: 'decision_would_change' });
  });

  it('starts its own children', async () => {
    const bench = await openTestRuntime();
    await bench.runtime.register(CALLER, TWO);
    const id = await bench.run(PARENT);
    const childOf = async (parentId: string) =>
      (await bench.runtime.executions('default', { parentId, limit: 10 })).executions.map(({ executionId }) => executionId);
    await eventually(async () => (await childOf(id)).length === 1);
    const fork = await forkOf(bench, id, (await bench.runtime.execution('default', id)).sequence);
    await eventually(async () => (await childOf(fork)).length === 1);
    const [child, other] = [await childOf(id), await childOf(fork)];
    expect(child).not.toEqual(other);
    await bench.runtime.cancel(CALLER, id);
    await eventually(async () => (await bench.runtime.execution('default', child[0] ?? '')).status === 'cancelled');
    expect(await work(bench, 1)).toEqual(other);
    expect(await work(bench, 2)).toEqual(other);
    expect(await bench.settled(fork)).toMatchObject({ status: 'completed', state: { inner: { one: 1, two: 2 } } });
  });

  it('is started once per idempotency key, also for concurrent requests', async () => {
    const bench = await openTestRuntime();
    const id = await bench.run(TWO);
    const request = { atSequence: 1, idempotencyKey: 'k' };
    const forks = await Promise.all(Array.from({ length: 5 }, () => bench.runtime.fork(CALLER, id, request)));
    expect(new Set(forks.map(({ executionId }) => executionId)).size).toBe(1);
    expect(forks.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect((await bench.runtime.executions('default', { limit: 10 })).executions).toHaveLength(2);
  });

  it('continues after a restart, and can be retried with the log of its origin', async () => {
    const bench = await openTestRuntime();
    const id = await bench.run(TWO);
    await work(bench, 1);
    const fork = await forkOf(bench, id, (await bench.runtime.execution('default', id)).sequence);
    await bench.close();
    const again = await openTestRuntime({ path: bench.path, clock: bench.clock });
    for (const { id: item, executionId, leaseFence } of await claimed(again))
      if (executionId === fork) await again.runtime.fail(CALLER, item, { error: 'no', retryable: false, leaseFence });
    expect((await again.settled(fork)).status).toBe('failed');
    expect(await again.runtime.retry(CALLER, fork)).toEqual({ nodes: ['two'] });
    expect(await work(again, 2)).toContain(fork);
    expect(await again.settled(fork)).toMatchObject({ status: 'completed', state: { one: 1, two: 2 } });
    expect(await again.runtime.replay('default', fork)).toMatchObject({ mismatch: null });
  });
});
