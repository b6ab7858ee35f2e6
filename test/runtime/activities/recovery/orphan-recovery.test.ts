import { describe, expect, it } from 'vitest';
import type { ToolContext } from '../../../../src/runtime/types/work.ts';
import { StoreError } from '../../../../store/port/errors.ts';
import { openMigrated } from '../../../support/migrated-sqlite.ts';
import { CALLER, crashCopy, databasePath, eventually, openTestRuntime } from '../../../support/runtimes.ts';
import { withOverrides } from '../../../support/stores.ts';

const one = {
  workflow_id: 'one',
  version: '1',
  nodes: { a: { kind: { type: 'tool', tool_ref: 'work' }, retry_policy: 'quick' } },
  edges: [],
  retry_policies: {
    quick: { max_attempts: 2, backoff: 'fixed', initial_delay: 0, max_delay: 0, jitter: false, retryable_on: ['io_error'] },
  },
} as never;

describe('after a crash', () => {
  it('a running in-process attempt counts as failed and is retried', async () => {
    const attempts: number[] = [];
    const work = (_input: unknown, ctx: ToolContext) => {
      attempts.push(ctx.attempt);
      return ctx.attempt === 0 ? new Promise(() => {}) : { ok: true };
    };
    const first = await openTestRuntime({ tools: { work } });
    const id = await first.run(one);
    await eventually(() => attempts.length === 1);
    const second = await openTestRuntime({ path: crashCopy(first.path), tools: { work } });
    expect(await second.settled(id)).toMatchObject({ status: 'completed', state: { ok: true } });
    expect(attempts).toEqual([0, 1]);
    expect((await second.log(id)).find((event) => event.type === 'node_failed')).toMatchObject({
      data: { error: 'runtime lost', attempt: 0, retryable: true },
    });
  });

  it('a node that crashes its process cannot loop forever', async () => {
    let calls = 0;
    const work = () => new Promise(() => (calls += 1));
    const first = await openTestRuntime({ tools: { work } });
    const id = await first.run(one);
    await eventually(() => calls === 1);
    const second = await openTestRuntime({ path: crashCopy(first.path), tools: { work } });
    await eventually(() => calls === 2);
    const third = await openTestRuntime({ path: crashCopy(second.path), tools: { work } });
    expect(await third.settled(id)).toMatchObject({ status: 'failed' });
    expect(calls).toBe(2);
  });

  it('work that only waited for a slot has lost no attempt: it runs, though its node has only one', async () => {
    const once = {
      ...(one as object),
      workflow_id: 'once',
      nodes: { a: { kind: { type: 'tool', tool_ref: 'work' }, retry_policy: 'no_retry' } },
    };
    let calls = 0;
    const first = await openTestRuntime({ concurrency: 1, tools: { work: () => new Promise(() => (calls += 1)) } });
    const ids = [await first.run(once as never), await first.run(once as never), await first.run(once as never)];
    await eventually(async () => calls > 0 && (await first.timeline(ids.at(-1) ?? '')).includes('node_scheduled a'));
    const waiting: string[] = [];
    for (const id of ids) if (!(await first.timeline(id)).includes('node_started a')) waiting.push(id);
    expect(waiting.length).toBeGreaterThan(0);
    const second = await openTestRuntime({ path: crashCopy(first.path), tools: { work: () => ({ ok: true }) } });
    for (const id of ids) {
      const isWaiting = waiting.includes(id);
      expect((await second.settled(id)).status).toBe(isWaiting ? 'completed' : 'failed');
      const failed = (await second.log(id)).filter(({ type }) => type === 'node_failed');
      expect(failed).toHaveLength(isWaiting ? 0 : 1);
    }
  });

  it('executions are recovered although the first look at the database fails', async () => {
    let calls = 0;
    const first = await openTestRuntime({ tools: { work: () => new Promise(() => (calls += 1)) } });
    const id = await first.run(one);
    await eventually(() => calls === 1);
    const real = await openMigrated({ path: crashCopy(first.path), writer: 'test', nowMs: () => first.clock.nowMs() });
    let looks = 0;
    const store = withOverrides(real, {
      executionsWithLocalWork: async (asked) => {
        looks += 1;
        if (looks === 1) throw new StoreError('store_unavailable', 'disk I/O error');
        return real.executionsWithLocalWork(asked);
      },
    });
    const second = await openTestRuntime({ on: store, clock: first.clock, tools: { work: () => ({ ok: true }) } });
    await eventually(async () => {
      second.clock.advance(1_000);
      return (await second.runtime.execution('default', id)).status === 'completed';
    });
    expect(second.errors).toHaveLength(1);
  });

  it('an execution is recovered although it cannot be loaded at first', async () => {
    let calls = 0;
    const first = await openTestRuntime({ tools: { work: () => new Promise(() => (calls += 1)) } });
    const ids = [await first.run(one), await first.run(one)];
    await eventually(() => calls === 2);
    const real = await openMigrated({ path: crashCopy(first.path), writer: 'test', nowMs: () => first.clock.nowMs() });
    let failures = 2;
    const store = withOverrides(real, {
      checkpoint: async (executionId, before) => {
        if (executionId !== ids[0] || failures === 0) return real.checkpoint(executionId, before);
        failures -= 1;
        throw new StoreError('store_unavailable', 'disk I/O error');
      },
    });
    const second = await openTestRuntime({ on: store, clock: first.clock, tools: { work: () => ({ ok: true }) } });
    await second.settled(ids[1] ?? '');
    await eventually(async () => {
      second.clock.advance(1_000);
      return (await second.runtime.execution('default', ids[0] ?? '')).status === 'completed';
    });
    expect(failures).toBe(0);
  });

  it('executions that wait for an external worker are left alone', async () => {
    let calls = 0;
    const first = await openTestRuntime({ tools: { work: () => new Promise(() => (calls += 1)) } });
    const id = await first.run(one);
    await eventually(() => calls === 1);
    const second = await openTestRuntime({ path: crashCopy(first.path), tools: {}, shouldProcess: () => false });
    const before = await second.log(id);
    await second.close();
    expect(before).toEqual(await first.log(id));
  });

  it('an execution is loaded from its checkpoint and the tail of the log', async () => {
    const big = 'x'.repeat(500);
    const nodes = Object.fromEntries(
      Array.from({ length: 6 }, (_, i) => [
        `n${i}`,
        { kind: { type: 'tool', tool_ref: 'work', output_key: `k${i}`, input_mapping: { i } } },
      ]),
    );
    const edges = Array.from({ length: 6 }, (_, i) => ({ from: `n${i}`, to: i === 5 ? 'end' : `n${i + 1}` }));
    const steps: string[] = [];
    const work = (_input: unknown, ctx: ToolContext) => {
      steps.push(ctx.nodeId);
      return ctx.nodeId === 'n4' && ctx.attempt === 0 ? new Promise(() => {}) : { from: ctx.nodeId };
    };
    const first = await openTestRuntime({ tools: { work }, checkpointLogBytes: 100 });
    const id = await first.run({ workflow_id: 'big', version: '1', nodes, edges } as never, { big });
    await eventually(() => steps.includes('n4'));
    expect((await first.store.checkpoint(id))?.seq).toBeLessThan((await first.store.execution(id))?.seq ?? 0);
    const second = await openTestRuntime({ path: crashCopy(first.path), tools: { work }, clock: first.clock });
    await eventually(() => {
      second.clock.advance(1000);
      return steps.includes('n5');
    });
    const view = await second.settled(id);
    expect(view).toMatchObject({ status: 'completed', state: { big, k0: { from: 'n0' }, k5: { from: 'n5' } } });
  });
});

describe('a runtime that has a tool', () => {
  it('takes over work that waits for an external worker because its predecessor lacked the tool', async () => {
    const path = databasePath();
    const first = await openTestRuntime({ path, tools: {} });
    const id = await first.run(one);
    const held = await first.run(one);
    const [item] = await first.runtime.claim(CALLER, { workerId: 'w', queueTypes: ['tool'] });
    const [queued, claimed] = item?.executionId === id ? [held, id] : [id, held];
    await first.close();
    const second = await openTestRuntime({ path, clock: first.clock, tools: { work: () => ({ ok: true }) } });
    expect(await second.settled(queued)).toMatchObject({ status: 'completed', state: { ok: true } });
    expect((await second.runtime.execution('default', claimed)).status).toBe('running');
    await second.runtime.complete(CALLER, item?.id ?? '', { output: { by: 'w' }, leaseFence: 1 });
    expect(await second.settled(claimed)).toMatchObject({ status: 'completed', state: { by: 'w' } });
    const third = await openTestRuntime({ path: crashCopy(path), clock: first.clock, cacheBytes: 1 });
    expect(await third.settled(queued)).toMatchObject({ status: 'completed' });
  });
});
