import { describe, expect, it } from 'vitest';
import { type DurableContext, Type } from '../../../src/index.ts';
import { StoreError } from '../../../store/port/errors.ts';
import { replayAll } from '../../support/replay-all.ts';
import { CALLER, eventually, type TestRuntime } from '../../support/runtimes.ts';
import { afterCrash, type Run, started, types } from './functions.ts';

const Item = Type.Object({ sku: Type.String() });

/** A cart: items are added by updates, until it is closed. */
const cart: Run = async (ctx) => {
  const items: string[] = [];
  const closed = new Promise<void>((resolve) => {
    ctx.onUpdate('add', Item, ({ sku }) => {
      if (items.includes(sku)) throw Object.assign(new Error(`${sku} is in the cart`), { errorClass: 'twice' });
      items.push(sku);
      return { count: items.length };
    });
    ctx.onUpdate('close', null, () => resolve());
  });
  await closed;
  return { items };
};

async function send(
  { runtime }: Pick<TestRuntime, 'runtime'>,
  id: string,
  name: string,
  input: unknown = null,
  idempotencyKey?: string,
) {
  const key = idempotencyKey === undefined ? {} : { idempotencyKey };
  const receipt = await runtime.sendUpdate(CALLER, id, { name, input: input as never, ...key });
  return runtime.updateOutcome('default', receipt.executionId, receipt.sequence);
}

/** Until the function has said which updates it takes. */
const isReady = async ({ settled, id }: { readonly settled: TestRuntime['settled']; readonly id: string }) =>
  expect((await settled(id)).status).toBe('paused');

describe('updates of a durable function', () => {
  it('are handled in order and answered by the handler, and an error does not end the function', async () => {
    const opened = await started(cart);
    const { id, settled, log, path, close, errors } = opened;
    await isReady(opened);
    expect(await send(opened, id, 'add', { sku: 'a' })).toEqual({ status: 'completed', output: { count: 1 } });
    expect(await send(opened, id, 'add', { sku: 'a' })).toEqual({
      status: 'failed',
      error: 'a is in the cart',
      errorClass: 'twice',
    });
    expect(await Promise.all(['b', 'c', 'd'].map((sku) => send(opened, id, 'add', { sku })))).toEqual(
      [2, 3, 4].map((count) => ({ status: 'completed', output: { count } })),
    );
    expect(await send(opened, id, 'close')).toEqual({ status: 'completed', output: null });
    expect(await settled(id)).toMatchObject({ status: 'completed', state: { items: ['a', 'b', 'c', 'd'] } });
    const handled = (await log(id)).filter(({ type }) => type === 'update_handled');
    expect(handled.map(({ data }) => data.error ?? data.output)).toEqual([
      { count: 1 },
      'a is in the cart',
      { count: 2 },
      { count: 3 },
      { count: 4 },
      null,
    ]);
    expect(errors).toEqual([]);
    await close();
    expect(await replayAll(path)).toMatchObject({ differing: [] });
  });

  it('are handled once, also after crashes and out of memory, and answered with the first answer', async () => {
    let handled = 0;
    const run: Run = async (ctx) => {
      let sum = 0;
      ctx.onUpdate('add', Type.Object({ n: Type.Number() }), async ({ n }) => {
        handled += 1;
        sum += n;
        const added = await ctx.step(`add ${n}`, () => n);
        await ctx.sleep(5);
        return { sum, added };
      });
      while (sum < 6) await ctx.sleep(10);
      await ctx.sleep(10);
      return { sum };
    };
    const before = await started(run, { liveFunctions: 0 });
    await isReady(before);
    const { runtime } = before;
    const first = await runtime.sendUpdate(CALLER, before.id, { name: 'add', input: { n: 1 }, idempotencyKey: 'k1' });
    await eventually(async () => types(await before.timeline(before.id)).includes('update_received'));
    expect(await runtime.updateOutcome('default', before.id, first.sequence, 0)).toEqual({ status: 'accepted' });
    const after = await afterCrash(before, run, { liveFunctions: 0 });
    const second = await after.runtime.sendUpdate(CALLER, before.id, { name: 'add', input: { n: 2 } });
    await after.runtime.sendUpdate(CALLER, before.id, { name: 'add', input: { n: 3 } });
    const again = await after.runtime.sendUpdate(CALLER, before.id, { name: 'add', input: { n: 1 }, idempotencyKey: 'k1' });
    expect(again).toEqual(first);
    await eventually(async () => {
      const { status } = await after.runtime.execution('default', before.id);
      if (after.runtime.inProcess().running === 0) after.clock.advance(5_000);
      return status === 'completed';
    });
    expect((await after.settled(before.id)).state).toMatchObject({ sum: 6 });
    expect(await after.runtime.updateOutcome('default', before.id, first.sequence)).toMatchObject({ output: { added: 1 } });
    expect(await after.runtime.updateOutcome('default', before.id, second.sequence)).toMatchObject({ output: { added: 2 } });
    const events = await after.log(before.id);
    expect(events.filter(({ type }) => type === 'update_handled')).toHaveLength(3);
    expect(events.filter(({ type, data }) => type === 'step_completed' && String(data.name).startsWith('add '))).toHaveLength(3);
    expect(handled).toBeGreaterThan(3);
    expect(after.errors).toEqual([]);
    await after.close();
    expect(await replayAll(after.path)).toMatchObject({ differing: [] });
  });

  it('are refused by name, by schema, and by the end of the execution', async () => {
    const opened = await started(cart);
    const { id, settled } = opened;
    await isReady(opened);
    await expect(send(opened, id, 'ad', {})).rejects.toMatchObject({
      code: 'not_found',
      message: expect.stringContaining('it takes add, close; did you mean "add"?'),
    });
    await expect(send(opened, id, 'add', { sku: 7 })).rejects.toMatchObject({
      code: 'invalid_input',
      message: expect.stringContaining('sku must be string'),
    });
    await send(opened, id, 'close');
    expect((await settled(id)).status).toBe('completed');
    await expect(send(opened, id, 'add', { sku: 'a' })).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('has ended: completed'),
    });
  });

  it('right after the start are taken once the function has named them, by its commits alone', async () => {
    let goOn: (() => void) | null = null;
    const opened = await started(async (ctx, input) => {
      await ctx.step('prepare', () => new Promise<void>((resolve) => (goOn = resolve)));
      return cart(ctx, input);
    });
    const { id, runtime, log } = opened;
    const keyed = Array.from({ length: 2 }, () => send(opened, id, 'add', { sku: 'a' }, 'k'));
    const other = send(opened, id, 'add', { sku: 'b' });
    // At the time at which it is sent, and with no time to wait.
    await expect(runtime.sendUpdate(CALLER, id, { name: 'add', input: { sku: 'c' } }, 0)).rejects.toMatchObject({
      code: 'not_found',
      message: expect.stringMatching(/takes no update "add" yet: (no function of it has begun|its function, which is at work,)/),
    });
    await eventually(() => goOn !== null && runtime.load().pendingMessages === 0);
    (goOn as (() => void) | null)?.();
    const answers = await Promise.all([...keyed, other]);
    expect(answers[1]).toEqual(answers[0]);
    const counts = [answers[0], answers[2]].map((answer) => (answer?.status === 'completed' ? answer.output : answer));
    expect(counts).toEqual(expect.arrayContaining([{ count: 1 }, { count: 2 }]));
    const received = (await log(id)).filter(({ type }) => type === 'update_received');
    expect(received.map(({ data }) => data.input)).toEqual(expect.arrayContaining([{ sku: 'a' }, { sku: 'b' }]));
    expect(received).toHaveLength(2);
  });

  it('are taken by an execution that was started for later, once it has begun', async () => {
    const { runtime, clock } = await started(cart);
    const { executionId } = await runtime.start(CALLER, { workflowId: 'f', input: { n: 1 }, startAtMs: clock.nowMs() + 1_000 });
    const update = { name: 'add', input: { sku: 'a' } };
    await expect(runtime.sendUpdate(CALLER, executionId, update, 0)).rejects.toMatchObject({
      code: 'not_found',
      message: expect.stringContaining('yet: no function of it has begun'),
    });
    const held = runtime.sendUpdate(CALLER, executionId, update);
    clock.advance(1_000);
    expect(await runtime.updateOutcome('default', executionId, (await held).sequence)).toMatchObject({ output: { count: 1 } });
  });

  it('that no function names are refused as soon as it waits, ends or continues as new, or the wait is over', async () => {
    const next = new Map<number, (what: string) => void>();
    const opened = await started(async (ctx, { n }) => {
      const what = await ctx.step('begin', () => new Promise<string>((resolve) => next.set(n, resolve)));
      if (what === 'fail') throw Object.assign(new Error('broken'), { retryable: false });
      if (what === 'continue') return ctx.continueAsNew({ n: n + 100 });
      if (what === 'wait') await ctx.event('go');
      ctx.onUpdate('late', null, () => 'taken');
      return what === 'end' ? {} : ctx.event('never');
    });
    const { runtime, clock, errors } = opened;
    const begun = async (n: number) => {
      const { executionId } = await runtime.start(CALLER, { workflowId: 'f', input: { n } });
      const sent = runtime.sendUpdate(CALLER, executionId, { name: 'late', input: null }).catch((error: unknown) => error);
      await eventually(() => next.has(n));
      return { sent, go: (what: string) => next.get(n)?.(what), executionId };
    };
    const [waits, fails, ends, continues, stays] = [
      await begun(2),
      await begun(3),
      await begun(4),
      await begun(5),
      await begun(6),
    ];
    waits.go('wait');
    expect(await waits.sent).toMatchObject({
      code: 'not_found',
      message: expect.stringContaining('takes no update "late": no function of it has called ctx.onUpdate for it'),
    });
    fails.go('fail');
    expect(await fails.sent).toMatchObject({ code: 'conflict', message: expect.stringContaining('has ended: failed') });
    ends.go('end');
    expect(await ends.sent).toMatchObject({ code: 'conflict' });
    continues.go('continue');
    await eventually(() => next.has(105));
    next.get(105)?.('take');
    const taken = (await continues.sent) as { readonly executionId: string };
    expect(taken.executionId).toBe((await runtime.execution('default', continues.executionId)).nextExecutionId);
    const aborted = new AbortController();
    const given = runtime.sendUpdate(CALLER, stays.executionId, { name: 'late', input: null }, 60_000, aborted.signal);
    aborted.abort();
    await expect(given).rejects.toMatchObject({ code: 'not_found' });
    clock.advance(60_000);
    expect(await stays.sent).toMatchObject({
      code: 'not_found',
      message: expect.stringContaining('yet: its function, which is at work, has not called ctx.onUpdate for it'),
    });
    expect(errors).toEqual([]);
  });

  it('that the function does not handle before its end are answered so', async () => {
    const opened = await started(async (ctx) => {
      ctx.onUpdate('slow', null, () => ctx.sleep('1h'));
      ctx.onUpdate('again', null, async () => ctx.continueAsNew({ n: 2 }));
      await ctx.event('end');
    });
    const { id, runtime, settled } = opened;
    await isReady(opened);
    const { sequence } = await runtime.sendUpdate(CALLER, id, { name: 'slow', input: null });
    const outcome = runtime.updateOutcome('default', id, sequence).catch((error: unknown) => error);
    await runtime.sendEvent(CALLER, id, { key: 'end', payload: null });
    expect((await settled(id)).status).toBe('completed');
    expect(await outcome).toMatchObject({ code: 'conflict', message: expect.stringContaining('has not handled the update') });
  });

  it('are taken by the segment that continues the execution, and by a function that runs again after a retry', async () => {
    let isBroken = true;
    const opened = await started(async (ctx, { n }) => {
      const got: unknown[] = [];
      ctx.onUpdate('put', null, (input) => got.push(input));
      if (n === 1) {
        await ctx.event('go');
        return ctx.continueAsNew({ n: 2 });
      }
      await ctx.event('end');
      await ctx.step('check', () => {
        if (isBroken) throw Object.assign(new Error('broken'), { retryable: false });
      });
      return { got };
    });
    const { id, runtime, settled, path, close } = opened;
    await isReady(opened);
    await runtime.sendEvent(CALLER, id, { key: 'go', payload: null });
    await eventually(async () => (await runtime.execution('default', id)).nextExecutionId !== null);
    const next = String((await runtime.execution('default', id)).nextExecutionId);
    expect((await settled(next)).status).toBe('paused');
    expect((await runtime.sendUpdate(CALLER, id, { name: 'put', input: 'x' })).executionId).toBe(next);
    expect(await send(opened, id, 'put', 'y')).toEqual({ status: 'completed', output: 2 });
    await runtime.sendEvent(CALLER, id, { key: 'end', payload: null });
    await eventually(async () => (await settled(next)).status === 'failed');
    isBroken = false;
    await runtime.retry(CALLER, next);
    expect(await settled(next)).toMatchObject({ status: 'completed', state: { got: ['x', 'y'] } });
    await close();
    expect(await replayAll(path)).toMatchObject({ differing: [] });
  });

  it('are handled when a paused execution is resumed', async () => {
    const opened = await started(cart);
    const { id, runtime } = opened;
    await isReady(opened);
    await runtime.pause(CALLER, id);
    const { sequence } = await runtime.sendUpdate(CALLER, id, { name: 'add', input: { sku: 'a' } });
    expect(await runtime.updateOutcome('default', id, sequence, 0)).toEqual({ status: 'accepted' });
    await runtime.resume(CALLER, id);
    expect(await runtime.updateOutcome('default', id, sequence)).toEqual({ status: 'completed', output: { count: 1 } });
  });

  it('are bounded', async () => {
    const opened = await started(async (ctx) => {
      let count = 0;
      ctx.onUpdate('put', null, () => (count += 1));
      await ctx.event('end');
      return { count };
    });
    const { id, runtime, settled } = opened;
    await isReady(opened);
    const large = 'x'.repeat(3 * 1024 * 1024);
    await send(opened, id, 'put', large);
    await send(opened, id, 'put', large);
    await expect(send(opened, id, 'put', large)).rejects.toMatchObject({
      code: 'too_many_events',
      message: expect.stringContaining('10,000 updates, or 8 MiB'),
    });
    const counts = await Promise.all(Array.from({ length: 500 }, () => send(opened, id, 'put')));
    expect(counts.map((outcome) => 'output' in outcome && outcome.output)).toEqual(Array.from({ length: 500 }, (_, i) => i + 3));
    await runtime.sendEvent(CALLER, id, { key: 'end', payload: null });
    expect((await settled(id)).state).toMatchObject({ count: 502 });
  });

  it('are answered before the function ends, although it ends while the answer is being committed, at first in vain', async () => {
    let end: () => void = () => {};
    const opened = await started(async (ctx) => {
      const notes: unknown[] = [];
      const ended = new Promise<void>((resolve) => {
        end = resolve;
      });
      ctx.onUpdate('note', null, (note) => notes.push(note));
      await ended;
      return { notes };
    });
    const { id, store, clock, runtime, settled, log, errors } = opened;
    await isReady(opened);
    const commit = store.commit.bind(store);
    const isAnswer = ({ units }: Parameters<typeof commit>[0]) =>
      units.some(({ executions }) => executions.some(({ events }) => events.some(({ type }) => type === 'update_handled')));
    store.commit = async (batch) => {
      if (!isAnswer(batch)) return commit(batch);
      store.commit = commit;
      end();
      for (let i = 0; i < 5; i += 1) await new Promise((resolve) => setImmediate(resolve));
      throw new StoreError('store_unavailable', 'for a moment');
    };
    const answer = send(opened, id, 'note', 'milk');
    await eventually(async () => {
      clock.advance(10);
      return (await runtime.execution('default', id)).status === 'completed';
    });
    expect(await answer).toEqual({ status: 'completed', output: 1 });
    expect((await settled(id)).state).toMatchObject({ notes: ['milk'] });
    const ends = (await log(id)).map(({ type }) => type).filter((type) => type === 'update_handled' || type === 'node_completed');
    expect(ends).toEqual(['update_handled', 'node_completed']);
    expect(errors).toMatchObject([{ code: 'store_unavailable' }]);
  });

  it.each<readonly [string, (ctx: DurableContext) => unknown, string]>([
    ['a name', (ctx) => ctx.onUpdate('', null, () => 1), 'the name of an update'],
    [
      'a schema',
      (ctx) => ctx.onUpdate('a', 'text' as never, () => 1),
      'needs a TypeBox schema, a JSON Schema or null, not "text"',
    ],
    ['a handler', (ctx) => ctx.onUpdate('a', null, undefined as never), 'needs the handler as its third argument'],
    [
      'one handler',
      (ctx) => {
        ctx.onUpdate('a', null, () => 1);
        ctx.onUpdate('a', null, () => 2);
      },
      'ctx.onUpdate("a") was called before',
    ],
  ])('need %s', async (_, run, problem) => {
    const { id, settled, log } = await started(run);
    expect((await settled(id)).status).toBe('failed');
    expect((await log(id)).find(({ type }) => type === 'node_failed')?.data.error).toContain(problem);
  });
});
