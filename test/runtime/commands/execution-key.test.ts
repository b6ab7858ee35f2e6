import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../machines/json.ts';
import type { StartRequest } from '../../../src/runtime/types/executions.ts';
import { CALLER, openTestRuntime } from '../../support/runtimes.ts';

const WAITING: JsonObject = {
  workflow_id: 'order',
  version: '1',
  nodes: { hold: { kind: { type: 'wait', correlation_key: 'go' } } },
  edges: [],
};
const WORKING: JsonObject = { ...WAITING, nodes: { work: { kind: { type: 'python_fn', module: 'm', function: 'work' } } } };

async function starting(document: JsonObject = WAITING) {
  const opened = await openTestRuntime();
  await opened.runtime.register(CALLER, document);
  const start = (change: Partial<StartRequest> = {}) =>
    opened.runtime.start(CALLER, { workflowId: 'order', key: 'order-42', ...change });
  return { ...opened, start };
}

type Opened = Awaited<ReturnType<typeof starting>>;

/** Does the next item of work. */
async function work({ runtime }: Opened, succeeds: boolean): Promise<void> {
  const [item] = await runtime.claim(CALLER, { workerId: 'w', queueTypes: ['python_tool'], maxItems: 1, waitMs: 5_000 });
  if (item === undefined) throw new Error('there is no work');
  const { id, leaseFence } = item;
  if (succeeds) await runtime.complete(CALLER, id, { output: {}, leaseFence });
  else await runtime.fail(CALLER, id, { error: 'broken', retryable: false, leaseFence });
}

const running = (executionId: string) => ({
  name: 'AlreadyRunning',
  code: 'already_running',
  message: `execution ${executionId} has the key 'order-42' and has not ended`,
  executionId,
});

describe('the key of an execution', () => {
  it('is of one live execution of the workflow', async () => {
    const { start, runtime } = await starting();
    await runtime.register(CALLER, { ...WAITING, workflow_id: 'parcel' });
    const { executionId } = await start();
    expect(await runtime.execution('default', executionId)).toMatchObject({
      key: 'order-42',
      labels: { 'jamjet.key': 'order-42' },
    });
    await expect(start()).rejects.toMatchObject(running(executionId));
    const others = [await start({ key: 'order-43' }), await start({ workflowId: 'parcel' })];
    expect(new Set(others.map((other) => other.executionId))).not.toContain(executionId);
    const acme = { ...CALLER, tenantId: 'acme' };
    await runtime.register(acme, WAITING);
    await expect(runtime.start(acme, { workflowId: 'order', key: 'order-42' })).resolves.toMatchObject({ replayed: false });
    await runtime.cancel(CALLER, executionId);
    const next = await start();
    expect(next.executionId).not.toBe(executionId);
    await expect(start()).rejects.toMatchObject(running(next.executionId));
    expect((await runtime.execution('default', executionId)).key).toBe('order-42');
  });

  it('gives the live execution to a start that asks for it', async () => {
    const { start, runtime } = await starting();
    const { executionId } = await start({ ifRunning: 'return' });
    const again = { executionId, replayed: false, alreadyRunning: true };
    expect(await start({ ifRunning: 'return', input: { other: true } })).toEqual(again);
    await runtime.cancel(CALLER, executionId);
    expect(await start({ ifRunning: 'return' })).toEqual({
      executionId: expect.not.stringMatching(executionId),
      replayed: false,
    });
  });

  it('goes with an idempotency key: the same request has the same execution, also when that has ended', async () => {
    const { start, runtime } = await starting();
    const first = await start({ idempotencyKey: 'a' });
    expect(await start({ idempotencyKey: 'a' })).toEqual({ ...first, replayed: true });
    await expect(start({ idempotencyKey: 'b' })).rejects.toMatchObject({ code: 'already_running' });
    const asked = { idempotencyKey: 'c', ifRunning: 'return' } as const;
    expect(await start(asked)).toEqual({ ...first, alreadyRunning: true });
    await expect(start({ ...asked, key: 'order-43' })).rejects.toMatchObject({ code: 'conflict' });
    await runtime.cancel(CALLER, first.executionId);
    expect(await start(asked)).toEqual({ ...first, replayed: true, alreadyRunning: true });
    // Its request was refused, so nothing was remembered.
    expect(await start({ idempotencyKey: 'b' })).toMatchObject({ replayed: false });
    expect(await start({ idempotencyKey: 'a' })).toEqual({ ...first, replayed: true });
  });

  it('is held while the execution is pending', async () => {
    const { start, clock, runtime } = await starting();
    const { executionId } = await start({ delayMs: 5_000 });
    await expect(start()).rejects.toMatchObject(running(executionId));
    await clock.advance(5_000);
    await expect(start()).rejects.toMatchObject(running(executionId));
    await runtime.cancel(CALLER, executionId);
    await expect(start()).resolves.toBeDefined();
  });

  it('is free when the execution has completed or failed, and taken again by a retry', async () => {
    const bench = await starting(WORKING);
    const { start, runtime, settled } = bench;
    const { executionId: failed } = await start();
    await work(bench, false);
    await settled(failed);
    const { executionId: second } = await start();
    await expect(runtime.retry(CALLER, failed)).rejects.toMatchObject(running(second));
    expect((await runtime.execution('default', failed)).status).toBe('failed');
    await work(bench, true);
    expect(await settled(second)).toMatchObject({ status: 'completed' });
    await runtime.retry(CALLER, failed);
    await expect(start()).rejects.toMatchObject(running(failed));
    await work(bench, true);
    await settled(failed);
    const { executionId: last } = await start();
    expect(await runtime.replay('default', failed)).toMatchObject({ mismatch: null });
    await expect(start()).rejects.toMatchObject(running(last));
  });

  it('passes to the execution that continues its holder', async () => {
    const bench = await starting({ ...WORKING, continue_as_new: true, token_budget: { total_tokens: 1 } });
    const { start, runtime } = bench;
    const { executionId } = await start();
    const [item] = await runtime.claim(CALLER, { workerId: 'w', queueTypes: ['python_tool'], maxItems: 1, waitMs: 5_000 });
    if (item === undefined) throw new Error('there is no work');
    await runtime.complete(CALLER, item.id, { output: {}, usage: { inputTokens: 9 }, leaseFence: item.leaseFence });
    const { nextExecutionId } = await runtime.execution('default', executionId);
    if (nextExecutionId === null) throw new Error('nothing continues the execution');
    await expect(start()).rejects.toMatchObject(running(nextExecutionId));
    expect(await runtime.execution('default', nextExecutionId)).toMatchObject({ key: 'order-42' });
    await runtime.cancel(CALLER, nextExecutionId);
    await expect(start()).resolves.toBeDefined();
  });

  it('is not of a fork', async () => {
    const { start, runtime, log } = await starting();
    const { executionId } = await start();
    const fork = await runtime.fork(CALLER, executionId, { atSequence: (await log(executionId)).length });
    expect(await runtime.execution('default', fork.executionId ?? '')).toMatchObject({ key: null });
  });

  it('is of one execution when a thousand are started at once', async () => {
    const { start, runtime } = await starting();
    const results = await Promise.all(Array.from({ length: 1_000 }, () => start({ ifRunning: 'return' })));
    expect(new Set(results.map(({ executionId }) => executionId)).size).toBe(1);
    expect(results.filter(({ alreadyRunning }) => alreadyRunning === undefined)).toHaveLength(1);
    expect((await runtime.executions('default', { limit: 10 })).executions).toHaveLength(1);
  });

  it.each([
    [{ key: '' }, 'the key of an execution is a text of 1 to 256 characters, without control characters'],
    [{ key: 'x'.repeat(257) }, 'the key of an execution is a text of 1 to 256 characters, without control characters'],
    [{ key: 'a\0b' }, 'the key of an execution is a text of 1 to 256 characters, without control characters'],
    [{ key: '\ud800' }, 'the key of an execution is a text of 1 to 256 characters, without control characters'],
    [{ key: undefined, ifRunning: 'return' }, 'if_running needs a key'],
  ])('is refused if it is %j', async (change, message) => {
    const { start } = await starting();
    await expect(start(change as Partial<StartRequest>)).rejects.toMatchObject({ code: 'bad_request', message });
  });

  it('is not personal data by the data policy', async () => {
    const { start } = await starting({ ...WAITING, data_policy: { pii_detectors: ['email'] } });
    await expect(start({ key: 'ann@example.com' })).rejects.toMatchObject({ code: 'bad_request' });
    await expect(start()).resolves.toBeDefined();
  });
});
