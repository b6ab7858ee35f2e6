import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../machines/json.ts';
import type { ToolContext } from '../../../src/runtime/types/work.ts';
import { replayAll } from '../../support/replay-all.ts';
import { CALLER, crashCopy, eventually, openTestRuntime, type TestRuntime } from '../../support/runtimes.ts';

/** An in-process tool, then work for an external worker. */
const chain: JsonObject = {
  workflow_id: 'chain',
  version: '1',
  nodes: {
    first: { kind: { type: 'tool', tool_ref: 'work' }, retry_policy: 'once' },
    second: { kind: { type: 'python_fn', module: 'm', function: 'f' }, retry_policy: 'once' },
  },
  edges: [
    { from: 'first', to: 'second' },
    { from: 'second', to: 'end' },
  ],
  retry_policies: { once: { max_attempts: 1 }, later: { max_attempts: 2, backoff: 'fixed', initial_delay: 5, jitter: false } },
};

const one = (more: JsonObject = {}, node: JsonObject = {}): JsonObject => ({
  ...chain,
  workflow_id: 'one',
  nodes: { a: { kind: { type: 'tool', tool_ref: 'work' }, retry_policy: 'once', ...node } },
  edges: [],
  ...more,
});

async function expectToReplay(bench: TestRuntime): Promise<void> {
  await bench.close();
  expect((await replayAll(bench.path)).differing).toEqual([]);
}

const claim = (bench: TestRuntime) =>
  bench.runtime.claim(CALLER, { workerId: 'w', queueTypes: ['python_tool', 'general', 'tool'] });

describe('pause', () => {
  it('lets in-process work end and starts nothing after it until resume', async () => {
    let finish: (value: unknown) => void = () => {};
    const bench = await openTestRuntime({ tools: { work: () => new Promise((resolve) => (finish = resolve)) } });
    const id = await bench.run(chain);
    await bench.runtime.pause(CALLER, id, 'a look first');
    expect(await bench.runtime.execution('default', id)).toMatchObject({
      status: 'paused',
      suspended: { reason: 'a look first' },
    });
    finish({ n: 1 });
    await eventually(async () => (await bench.runtime.execution('default', id)).stepsExecuted === 1);
    expect(await claim(bench)).toEqual([]);
    expect(await bench.runtime.execution('default', id)).toMatchObject({ status: 'paused', state: { n: 1 } });
    await bench.runtime.resume(CALLER, id);
    expect(await bench.runtime.execution('default', id)).toMatchObject({ status: 'running', suspended: null });
    expect(await claim(bench)).toMatchObject([{ nodeId: 'second', attempt: 0 }]);
    await expectToReplay(bench);
  });

  it('withdraws unclaimed work and offers it again after resume', async () => {
    const bench = await openTestRuntime();
    const id = await bench.run({ ...chain, start_node: 'second' });
    await bench.runtime.pause(CALLER, id);
    expect(await claim(bench)).toEqual([]);
    const waiting = bench.runtime.claim(CALLER, {
      workerId: 'w',
      queueTypes: ['python_tool', 'general'],
      waitMs: 10_000,
    });
    await bench.runtime.resume(CALLER, id);
    const [item] = await waiting;
    expect(item).toMatchObject({ nodeId: 'second', attempt: 0 });
    await bench.runtime.complete(CALLER, item?.id ?? '', { output: { ok: true }, leaseFence: item?.leaseFence ?? 0 });
    expect(await bench.settled(id)).toMatchObject({ status: 'completed', state: { ok: true } });
  });

  it('takes the result of claimed work, which may end the execution', async () => {
    const bench = await openTestRuntime();
    const id = await bench.run({ ...chain, start_node: 'second' });
    const [item] = await claim(bench);
    await bench.runtime.pause(CALLER, id);
    await bench.runtime.complete(CALLER, item?.id ?? '', { output: {}, leaseFence: item?.leaseFence ?? 0 });
    expect(await bench.runtime.execution('default', id)).toMatchObject({ status: 'completed', suspended: null });
  });

  it('defers an attempt whose backoff ends meanwhile', async () => {
    const attempts: number[] = [];
    const work = (_input: unknown, { attempt }: ToolContext) => {
      attempts.push(attempt);
      if (attempt === 0) throw new Error('not yet');
      return {};
    };
    const bench = await openTestRuntime({ tools: { work } });
    const id = await bench.run(one({}, { retry_policy: 'later' }));
    await eventually(async () => (await bench.timeline(id)).includes('retry_scheduled a'));
    await bench.runtime.pause(CALLER, id);
    bench.clock.advance(60_000);
    await eventually(async () => (await bench.timeline(id)).includes('timer_fired a'));
    expect(attempts).toEqual([0]);
    await bench.runtime.resume(CALLER, id);
    expect((await bench.settled(id)).status).toBe('completed');
    expect(attempts).toEqual([0, 1]);
  });

  it('lasts across a crash, whose lost attempt is deferred, and across a clean stop', async () => {
    const attempts: number[] = [];
    const work = (_input: unknown, { attempt }: ToolContext) => {
      attempts.push(attempt);
      return attempt === 0 ? new Promise(() => {}) : { ok: true };
    };
    const policies = { soon: { max_attempts: 2, backoff: 'fixed', initial_delay: 0, max_delay: 0, jitter: false } };
    const bench = await openTestRuntime({ tools: { work } });
    const id = await bench.run(one({ retry_policies: policies }, { retry_policy: 'soon' }));
    await eventually(() => attempts.length === 1);
    await bench.runtime.pause(CALLER, id);
    const second = await openTestRuntime({ path: crashCopy(bench.path), clock: bench.clock, tools: { work } });
    await eventually(async () => (await second.timeline(id)).includes('retry_scheduled a'));
    expect((await second.runtime.execution('default', id)).suspended).toEqual({ reason: null });
    await second.close();
    const third = await openTestRuntime({ path: second.path, clock: bench.clock, tools: { work } });
    expect(attempts).toEqual([0]);
    await third.runtime.resume(CALLER, id);
    expect(await third.settled(id)).toMatchObject({ status: 'completed', state: { ok: true } });
    expect(attempts).toEqual([0, 1]);
    await expectToReplay(third);
  });

  it('stops neither the workflow timeout nor cancel', async () => {
    const bench = await openTestRuntime({ tools: { work: () => new Promise(() => {}) } });
    const late = await bench.run(one({ timeouts: { workflow_timeout: 60 } }));
    const cancelled = await bench.run(one());
    for (const id of [late, cancelled]) await bench.runtime.pause(CALLER, id);
    await bench.runtime.cancel(CALLER, cancelled, 'enough');
    expect(await bench.runtime.execution('default', cancelled)).toMatchObject({ status: 'cancelled', suspended: null });
    bench.clock.advance(61_000);
    await eventually(async () => (await bench.runtime.execution('default', late)).status === 'cancelled');
  });

  it('is refused when the execution is paused already or has ended, as resume is when it is not suspended', async () => {
    const bench = await openTestRuntime({ tools: { work: () => ({}) } });
    const asks = await bench.run(one({}, { kind: { type: 'human_approval', description: 'Go?' } }));
    await expect(bench.runtime.resume(CALLER, asks)).rejects.toMatchObject({
      code: 'conflict',
      message: `execution ${asks} is not paused by an operator: node a waits for a decision (approve)`,
    });
    await bench.runtime.pause(CALLER, asks);
    await expect(bench.runtime.pause(CALLER, asks)).rejects.toMatchObject({
      code: 'conflict',
      message: `execution ${asks} is paused already`,
    });
    const done = await bench.run({ ...one(), workflow_id: 'done' });
    await bench.settled(done);
    for (const act of [() => bench.runtime.pause(CALLER, done), () => bench.runtime.resume(CALLER, done)])
      await expect(act()).rejects.toMatchObject({ code: 'conflict', message: `execution ${done} has ended: completed` });
    const other = { ...CALLER, tenantId: 'other' };
    const { runtime } = bench;
    const { pause, resume, retry } = runtime;
    for (const act of [() => pause(other, asks), () => resume(other, asks), () => retry(other, done)])
      await expect(act()).rejects.toMatchObject({ code: 'not_found' });
  });

  it('of a parent does not affect its running child, and starts no other', async () => {
    const bench = await openTestRuntime({ tools: { work: () => ({ n: 1 }) } });
    await bench.runtime.register(CALLER, one({ workflow_id: 'inner' }, { kind: { type: 'human_approval', description: '?' } }));
    const id = await bench.run({
      ...chain,
      workflow_id: 'outer',
      nodes: {
        sub: { kind: { type: 'subgraph', workflow_ref: 'inner' } },
        again: { kind: { type: 'subgraph', workflow_ref: 'inner' } },
      },
      edges: [{ from: 'sub', to: 'again' }],
    });
    const children = async () => (await bench.runtime.executions('default', { parentId: id, limit: 9, offset: 0 })).executions;
    await eventually(async () => (await children())[0]?.status === 'paused');
    await bench.runtime.pause(CALLER, id);
    const [child] = await children();
    await bench.runtime.approve(CALLER, child?.executionId ?? '', { decision: 'approved' });
    await eventually(async () => (await bench.timeline(id)).includes('node_completed sub'));
    expect(await children()).toHaveLength(1);
    await bench.runtime.resume(CALLER, id);
    await eventually(async () => (await children()).length === 2);
  });
});

describe('retry', () => {
  it('runs the failed node again in the same execution, once the cause is gone', async () => {
    let broken = true;
    const keys: string[] = [];
    const work = (_input: unknown, { nodeId, idempotencyKey }: ToolContext) => {
      keys.push(idempotencyKey);
      if (broken && nodeId === 'b') throw new Error('down');
      return { [nodeId]: true };
    };
    const tool = { kind: { type: 'tool', tool_ref: 'work' }, retry_policy: 'once' };
    const bench = await openTestRuntime({ tools: { work } });
    const id = await bench.run({
      ...chain,
      nodes: { a: tool, b: tool, c: tool },
      edges: [
        { from: 'a', to: 'b' },
        { from: 'b', to: 'c' },
      ],
      timeouts: { workflow_timeout: 100 },
    });
    expect(await bench.settled(id)).toMatchObject({ status: 'failed', error: 'b: down' });
    bench.clock.advance(99_000);
    broken = false;
    const notes: unknown[] = [];
    bench.runtime.onCommit((note) => notes.push(note));
    expect(await bench.runtime.retry(CALLER, id)).toEqual({ nodes: ['b'] });
    expect(await bench.settled(id)).toMatchObject({
      status: 'completed',
      error: null,
      state: { a: true, b: true, c: true },
      stepsExecuted: 3,
    });
    expect(keys).toEqual([`${id}:a:1`, `${id}:b:1`, `${id}:b:2`, `${id}:c:1`]);
    expect(notes[0]).toMatchObject({ executionId: id, began: true, ended: false });
    await expectToReplay(bench);
  });

  it('restarts the workflow timeout', async () => {
    let broken = true;
    const work = () => (broken ? Promise.reject(new Error('down')) : new Promise(() => {}));
    const bench = await openTestRuntime({ tools: { work } });
    const id = await bench.run(one({ timeouts: { workflow_timeout: 100 } }));
    await bench.settled(id);
    bench.clock.advance(500_000);
    broken = false;
    await bench.runtime.retry(CALLER, id);
    expect(await bench.runtime.execution('default', id)).toMatchObject({ status: 'running', completedAtMs: null, error: null });
    bench.clock.advance(99_000);
    await bench.runtime.pause(CALLER, id);
    expect((await bench.runtime.execution('default', id)).status).toBe('paused');
    bench.clock.advance(2_000);
    await eventually(async () => (await bench.runtime.execution('default', id)).status === 'cancelled');
    await expect(bench.runtime.retry(CALLER, id)).rejects.toMatchObject({ code: 'conflict' });
  });

  it.each([0, 4_096])(
    'survives a crash right after it, also with a large state (checkpoints from %s bytes)',
    async (checkpointLogBytes) => {
      let broken = true;
      const seen: number[] = [];
      const work = (_input: unknown, { attempt }: ToolContext) => {
        seen.push(attempt);
        return broken ? Promise.reject(new Error('down')) : new Promise(() => {});
      };
      const bench = await openTestRuntime({ checkpointLogBytes, tools: { work } });
      const big = 'x'.repeat(20_000);
      await bench.runtime.register(CALLER, one());
      const { executionId: id } = await bench.runtime.start(CALLER, { workflowId: 'one', input: { big } });
      await bench.settled(id);
      broken = false;
      await bench.runtime.retry(CALLER, id);
      await eventually(() => seen.length === 2);
      const second = await openTestRuntime({ path: crashCopy(bench.path), clock: bench.clock, tools: { work } });
      expect(await second.settled(id)).toMatchObject({ status: 'failed', state: { big } });
      expect((await second.log(id)).filter((event) => event.type === 'node_failed').map((event) => event.data)).toMatchObject([
        { error: 'down', activation: 1 },
        { error: 'runtime lost', activation: 2 },
      ]);
      await second.runtime.retry(CALLER, id);
      await second.runtime.cancel(CALLER, id);
      await expectToReplay(second);
    },
  );

  it('succeeds for one of several concurrent callers', async () => {
    let broken = true;
    const work = () => (broken ? Promise.reject(new Error('down')) : new Promise(() => {}));
    const bench = await openTestRuntime({ tools: { work } });
    const id = await bench.run(one());
    await bench.settled(id);
    broken = false;
    const answers = await Promise.allSettled([bench.runtime.retry(CALLER, id), bench.runtime.retry(CALLER, id)]);
    expect(answers.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(answers.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'conflict' } });
  });

  it('refuses results of the visit that failed', async () => {
    const bench = await openTestRuntime();
    const id = await bench.run({ ...chain, start_node: 'second' });
    const [item] = await claim(bench);
    await bench.runtime.fail(CALLER, item?.id ?? '', { error: 'no', retryable: false });
    await bench.runtime.retry(CALLER, id);
    const result = { output: {}, leaseFence: item?.leaseFence ?? 0 };
    await expect(bench.runtime.complete(CALLER, item?.id ?? '', result)).rejects.toMatchObject({ code: 'stale_fence' });
    const [again] = await claim(bench);
    expect(again).toMatchObject({ nodeId: 'second', attempt: 0 });
    await bench.runtime.complete(CALLER, again?.id ?? '', { output: {}, leaseFence: again?.leaseFence ?? 0 });
    expect((await bench.settled(id)).status).toBe('completed');
  });

  it('starts a new child in place of a failed one, which stays as it is', async () => {
    let broken = true;
    const work = () => (broken ? Promise.reject(new Error('down')) : { n: 1 });
    const bench = await openTestRuntime({ tools: { work } });
    await bench.runtime.register(CALLER, one({ workflow_id: 'inner' }));
    const id = await bench.run({
      ...chain,
      workflow_id: 'outer',
      nodes: { sub: { kind: { type: 'subgraph', workflow_ref: 'inner' }, retry_policy: 'once' } },
      edges: [],
    });
    expect((await bench.settled(id)).status).toBe('failed');
    const children = async () => (await bench.runtime.executions('default', { parentId: id, limit: 9, offset: 0 })).executions;
    const [child] = await children();
    await expect(bench.runtime.retry(CALLER, child?.executionId ?? '')).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining(`it is a child of execution ${id}`),
    });
    broken = false;
    await bench.runtime.retry(CALLER, id);
    expect(await bench.settled(id)).toMatchObject({ status: 'completed', state: { sub: { n: 1 } } });
    expect((await children()).map(({ status }) => status)).toEqual(['completed', 'failed']);
  });

  it('is refused with the reason', async () => {
    const bench = await openTestRuntime({ tools: { work: () => ({}) }, stepLimit: 1 });
    const limited = await bench.run(one());
    const blocked = await bench.run(one({ workflow_id: 'blocked', policy: { blocked_tools: ['work'] } }));
    const asks = await bench.run(one({ workflow_id: 'asks' }, { kind: { type: 'human_approval', description: 'Go?' } }));
    for (const [id, why] of [
      [limited, 'it failed as a whole (step limit of 1 node completions reached), not by a node'],
      [blocked, 'node(s) a are blocked by policy, and would be again'],
      [asks, 'it is paused, and only failed executions can be'],
    ] as const) {
      await bench.settled(id);
      await expect(bench.runtime.retry(CALLER, id)).rejects.toMatchObject({
        code: 'conflict',
        message: `execution ${id} cannot be retried: ${why}`,
      });
    }
  });
});
