import { describe, expect, it } from 'vitest';
import { durable } from '../../../src/index.ts';
import { replayAll } from '../../support/replay-all.ts';
import { CALLER, eventually, openTestRuntime, type TestRuntime } from '../../support/runtimes.ts';
import { afterCrash, type Run, started, types } from './functions.ts';

/** The id of a segment, once it has begun. */
async function segment(runtime: TestRuntime['runtime'], first: string, number: number): Promise<string> {
  let id = first;
  for (let i = 0; i < number; i += 1) {
    await eventually(async () => (await runtime.execution('default', id)).nextExecutionId !== null);
    id = String((await runtime.execution('default', id)).nextExecutionId);
  }
  return id;
}

describe('a durable function that continues as new', () => {
  it('begins with its input and an empty journal, with the state, the labels and the early events', async () => {
    const calls: string[] = [];
    const { id, settled, runtime, log, path, close, errors } = await started(async (ctx, { n }) => {
      await ctx.expose({ rounds: n });
      await ctx.step(`round ${n}`, () => calls.push(`round ${n}`));
      if (n === 1) await ctx.event('go');
      if (n < 3) {
        await ctx.continueAsNew({ n: n + 1 });
        await ctx.step('never', () => calls.push('never'));
      }
      return { early: await ctx.event('early'), input: n };
    });
    await settled(id);
    await runtime.sendEvent(CALLER, id, { key: 'early', payload: 7 });
    await runtime.sendEvent(CALLER, id, { key: 'go', payload: null });
    const current = await segment(runtime, id, 2);
    expect(await settled(current)).toMatchObject({
      status: 'completed',
      firstExecutionId: id,
      state: { n: 1, rounds: 3, early: 7, input: 3 },
    });
    expect(calls).toEqual(['round 1', 'round 2', 'round 3']);
    expect((await settled(id)).status).toBe('limit_exceeded');
    const [begun, boundary] = [(await log(current))[0], (await log(id)).at(-1)];
    expect(begun?.data.carried).toMatchObject({ node: 'run', input: { n: 3 } });
    expect(boundary).toMatchObject({ type: 'segment_boundary', data: { reason: 'ctx.continueAsNew' } });
    expect((await log(current)).find(({ type }) => type === 'node_started')?.data.input).toEqual({ n: 3 });
    expect(errors).toEqual([]);
    await close();
    expect(await replayAll(path)).toMatchObject({ differing: [] });
  });

  it('does so once, also when it does not wait for it, and its next segment runs again after a crash', async () => {
    const run: Run = async (ctx, { n }) => {
      if (n === 1) {
        void ctx.continueAsNew({ n: 2 });
        void ctx.step('late', () => 1);
        return { from: 1 };
      }
      await ctx.sleep(10);
      return { from: n };
    };
    const before = await started(run);
    const next = await segment(before.runtime, before.id, 1);
    expect((await before.settled(next)).status).toBe('paused');
    expect(types(await before.timeline(before.id))).not.toContain('node_completed');
    const after = await afterCrash(before, run);
    after.clock.advance(10_000);
    await eventually(async () => (await after.settled(next)).status === 'completed');
    expect((await after.settled(next)).state).toMatchObject({ from: 2 });
    expect(after.errors).toEqual([]);
    await after.close();
    expect(await replayAll(after.path)).toMatchObject({ differing: [] });
  });

  it('waits for the end of a pause', async () => {
    let finish: (value: number) => void = () => {};
    const { id, settled, runtime, timeline, path, close } = await started(async (ctx, { n }) => {
      if (n === 2) return { from: 2 };
      await Promise.race([ctx.step('a', () => new Promise((resolve) => (finish = resolve as never))), ctx.sleep('1d')]);
      return ctx.continueAsNew({ n: 2 });
    });
    await eventually(async () => types(await timeline(id)).includes('step_started'));
    await runtime.pause(CALLER, id);
    finish(1);
    await eventually(async () => types(await timeline(id)).includes('function_parked'));
    expect((await runtime.execution('default', id)).status).toBe('paused');
    await runtime.resume(CALLER, id);
    const next = await segment(runtime, id, 1);
    expect(await settled(next)).toMatchObject({ status: 'completed', state: { from: 2 } });
    await close();
    expect(await replayAll(path)).toMatchObject({ differing: [] });
  });

  it('is an error in a parallel branch, which the function may catch', async () => {
    const functions = durable({
      id: 'f',
      run: async (ctx) => {
        try {
          return await ctx.continueAsNew({});
        } catch (error) {
          return { said: (error as Error).message };
        }
      },
    });
    const { run, settled, path, close } = await openTestRuntime({ tools: functions.tools });
    const f = { kind: { type: 'durable_function', function_ref: 'f' } };
    const id = await run(
      {
        workflow_id: 'w',
        version: '1',
        start_node: 'p',
        nodes: {
          p: { kind: { type: 'parallel', branches: ['a', 'b'] } },
          a: f,
          b: { kind: { type: 'wait', duration_secs: 1_000 } },
        },
        edges: [],
      },
      {},
    );
    await eventually(async () => (await settled(id)).state?.said !== undefined);
    expect((await settled(id)).state?.said).toContain('parallel branch');
    await close();
    expect(await replayAll(path)).toMatchObject({ differing: [] });
  });

  it('is what the error of too many operations advises, and may be done after 10,000', async () => {
    const { id, settled, runtime, log } = await started(async (ctx, { n }) => {
      if (n === 2) return { from: 2 };
      await Promise.all(Array.from({ length: 10_000 }, (_, i) => ctx.step(`s${i}`, () => i)));
      try {
        await ctx.step('one more', () => 1);
      } catch (error) {
        await ctx.continueAsNew({ n: (error as Error).message.includes('ctx.continueAsNew') ? 2 : 3 });
      }
      return {};
    });
    await eventually(async () => (await settled(id)).status === 'limit_exceeded');
    const next = await segment(runtime, id, 1);
    expect(await settled(next)).toMatchObject({ status: 'completed', state: { from: 2 } });
    expect((await log(next)).length).toBeLessThan(10);
  });

  it('fails in the next segment if the input does not fit its schema', async () => {
    const { id, settled, runtime } = await started((ctx, { n }) => (n === 1 ? ctx.continueAsNew({ n: 'two' }) : null));
    await eventually(async () => (await settled(id)).status === 'limit_exceeded');
    const next = await segment(runtime, id, 1);
    expect((await settled(next)).error).toContain('input.n must be number');
  });
});
