import { describe, expect, it } from 'vitest';
import { CallError, type DurableContext, durable, Type } from '../../../src/index.ts';
import { replayAll } from '../../support/replay-all.ts';
import { CALLER, crashCopy, eventually, openTestRuntime, type TestRuntime } from '../../support/runtimes.ts';

type Run = (ctx: DurableContext) => unknown;

const child = durable({
  id: 'child',
  version: '1',
  input: Type.Object({ n: Type.Number(), waits: Type.Optional(Type.Boolean()) }),
  output: Type.Object({ doubled: Type.Number() }),
  run: async (ctx, { n, waits = false }) => {
    if (n < 0) throw Object.assign(new Error('negative'), { retryable: false });
    if (waits) await ctx.event('go');
    return { doubled: n * 2 };
  },
});

const toolsWith = (run: Run) => ({ ...child.tools, ...durable({ id: 'f', version: '1', run }).tools });

async function started(run: Run, options: Parameters<typeof openTestRuntime>[0] = {}) {
  const { document } = durable({ id: 'f', version: '1', run });
  const opened = await openTestRuntime({ tools: toolsWith(run), ...options });
  await opened.runtime.register(CALLER, child.document);
  const id = await opened.run(document, {});
  return { ...opened, id };
}

async function afterCrash({ path, close }: TestRuntime, run: Run) {
  const copy = crashCopy(path);
  await close();
  return openTestRuntime({ tools: toolsWith(run), path: copy });
}

async function childrenOf({ runtime }: Pick<TestRuntime, 'runtime'>, parentId: string) {
  const { executions } = await runtime.executions('default', { parentId, limit: 100 });
  return executions;
}

async function ended({ settled }: TestRuntime, id: string) {
  await eventually(async () => ['completed', 'failed', 'cancelled'].includes((await settled(id)).status));
  return settled(id);
}

async function closedWell({ close, path, errors }: TestRuntime): Promise<void> {
  expect(errors).toEqual([]);
  await close();
  expect(await replayAll(path)).toMatchObject({ differing: [] });
}

describe('a workflow that a durable function calls', () => {
  it('may call itself, up to a depth that the error names', async () => {
    const opened = await started((ctx) => ctx.call('f', {}));
    expect(await ended(opened, opened.id)).toMatchObject({ status: 'failed' });
    expect((await opened.settled(opened.id)).error).toContain('calls of workflows are nested more than 16 deep');
    await closedWell(opened);
  });

  it('gives its final state, side by side with steps and others', async () => {
    const opened = await started(async (ctx) => {
      const [a, b, c] = await Promise.all([
        ctx.call(child, { n: 1 }),
        ctx.call<{ doubled: number }>('child', { n: 2 }),
        ctx.step('three', () => 3),
      ]);
      return { a: a.doubled, b: b.doubled, c };
    });
    expect((await ended(opened, opened.id)).state).toMatchObject({ a: 2, b: 4, c: 3 });
    expect(await childrenOf(opened, opened.id)).toHaveLength(2);
    await closedWell(opened);
  });

  it('is waited for without a slot, also through a crash, and started once', async () => {
    let runs = 0;
    const run: Run = async (ctx) => {
      runs += 1;
      const { doubled } = await ctx.call(child, { n: 4, waits: true });
      return { doubled };
    };
    const before = await started(run);
    await eventually(async () => (await childrenOf(before, before.id))[0]?.status === 'paused');
    await eventually(() => before.runtime.inProcess().running === 0);
    expect((await before.runtime.execution('default', before.id)).status).toBe('running');
    const after = await afterCrash(before, run);
    const [called] = await childrenOf(after, before.id);
    await after.runtime.sendEvent(CALLER, called?.executionId ?? '', { key: 'go', payload: null });
    expect((await ended(after, before.id)).state).toMatchObject({ doubled: 8 });
    expect({ runs, children: (await childrenOf(after, before.id)).length }).toEqual({ runs: 2, children: 1 });
    await closedWell(after);
  });

  it('throws a CallError when it fails, which names the child', async () => {
    const opened = await started(async (ctx) => {
      try {
        await ctx.call(child, { n: -1 });
        return {};
      } catch (error) {
        const { message, executionId, step } = error as CallError;
        return { isCallError: error instanceof CallError, message, executionId, step };
      }
    });
    const { state } = await ended(opened, opened.id);
    const [called] = await childrenOf(opened, opened.id);
    expect(state).toMatchObject({ isCallError: true, step: 'child', executionId: called?.executionId });
    expect((state as { message: string }).message).toContain('negative');
    await closedWell(opened);
  });

  it('throws a CallError when it is not registered, or does not take the input', async () => {
    const opened = await started(async (ctx) => {
      const failed = async (calling: Promise<unknown>): Promise<string> =>
        calling.then(
          () => 'none',
          (error: CallError) => `${error.errorClass} ${error.executionId} ${error.message}`,
        );
      return {
        unknown: await failed(ctx.call('nowhere')),
        version: await failed(ctx.call(child, { n: 1 }, { version: '7' })),
      };
    });
    expect((await ended(opened, opened.id)).state).toMatchObject({
      unknown: 'validation null workflow nowhere is not registered',
      version: 'validation null workflow child v7 is not registered',
    });
    await closedWell(opened);
  });

  it('is cancelled with the function, and when the function ends before it', async () => {
    const opened = await started(async (ctx) => {
      const call = ctx.call(child, { n: 1, waits: true });
      return Promise.race([call.then(() => ({})), ctx.event('stop').then(() => ({ stopped: true }))]);
    });
    const { runtime, id } = opened;
    await eventually(async () => (await childrenOf(opened, id))[0]?.status === 'paused');
    await runtime.sendEvent(CALLER, id, { key: 'stop', payload: null });
    expect((await ended(opened, id)).state).toMatchObject({ stopped: true });
    await eventually(async () => (await childrenOf(opened, id))[0]?.status === 'cancelled');

    const second = await opened.run(durable({ id: 'f', version: '1', run: () => ({}) }).document, {});
    await eventually(async () => (await childrenOf(opened, second))[0]?.status === 'paused');
    await runtime.cancel(CALLER, second, 'enough');
    await eventually(async () => (await childrenOf(opened, second))[0]?.status === 'cancelled');
    expect((await runtime.execution('default', second)).status).toBe('cancelled');
    await closedWell(opened);
  });

  it('starts again as a new child when the execution is retried', async () => {
    let isBroken = true;
    const run: Run = async (ctx) => {
      const first = await ctx.step('first', () => 1);
      const { doubled } = await ctx.call(child, { n: isBroken ? -5 : 5 });
      return { doubled, first };
    };
    const opened = await started(run);
    expect((await ended(opened, opened.id)).status).toBe('failed');
    isBroken = false;
    // The input is that of the journal.
    await opened.runtime.retry(CALLER, opened.id);
    await eventually(async () => (await childrenOf(opened, opened.id)).length === 2);
    expect((await ended(opened, opened.id)).status).toBe('failed');
    await closedWell(opened);
  });

  it('is started when a paused execution is resumed', async () => {
    let release: () => void = () => {};
    const opened = await started(async (ctx) => {
      const call = ctx.step(
        'slow',
        () =>
          new Promise<number>((resolve) => {
            release = () => resolve(1);
          }),
      );
      await call;
      return ctx.call(child, { n: 3 });
    });
    const { runtime, id } = opened;
    await runtime.pause(CALLER, id, 'later');
    release();
    await eventually(() => runtime.inProcess().running === 0);
    expect(await childrenOf(opened, id)).toHaveLength(0);
    await runtime.resume(CALLER, id);
    expect((await ended(opened, id)).state).toMatchObject({ doubled: 6 });
    await closedWell(opened);
  });
});
