import { describe, expect, it } from 'vitest';
import { replayAll } from '../../support/replay-all.ts';
import { CALLER, eventually } from '../../support/runtimes.ts';
import { afterCrash, type Run, started } from './functions.ts';

describe('what a durable function exposes', () => {
  it('is seen while it lives, in its state at that time, and said once however often it runs', async () => {
    let runs = 0;
    const run: Run = async (ctx) => {
      runs += 1;
      await ctx.expose({ done: 1, left: { a: 1, b: 2 } });
      await ctx.expose({ left: { b: 2, a: 1 }, done: 1 });
      await ctx.sleep(10);
      await ctx.expose({ done: 2, left: { a: null } });
      await ctx.sleep(10);
      return { done: 3 };
    };
    const before = await started(run);
    expect((await before.settled(before.id)).state).toEqual({ n: 1, done: 1, left: { a: 1, b: 2 } });
    const after = await afterCrash(before, run);
    after.clock.advance(10_000);
    await eventually(async () => (await after.settled(before.id)).state?.done === 2);
    after.clock.advance(10_000);
    await eventually(async () => (await after.settled(before.id)).status === 'completed');
    expect((await after.settled(before.id)).state).toEqual({ n: 1, done: 3, left: { b: 2 } });
    const exposed = (await after.log(before.id)).filter(({ type, data }) => type === 'step_started' && data.kind === 'expose');
    expect(exposed.map(({ data }) => data.exposed)).toEqual([
      { done: 1, left: { a: 1, b: 2 } },
      { done: 2, left: { a: null } },
    ]);
    const [first] = exposed;
    expect((await after.runtime.stateAt('default', before.id, (first?.sequence ?? 0) + 1)).state).toEqual({
      n: 1,
      done: 1,
      left: { a: 1, b: 2 },
    });
    expect({ runs, errors: after.errors }).toEqual({ runs: 2, errors: [] });
    await after.close();
    expect(await replayAll(after.path)).toMatchObject({ differing: [] });
  });

  it('is logged although the function does not wait for it', async () => {
    const { id, settled, path, close } = await started((ctx) => {
      void ctx.expose({ last: true });
      return {};
    });
    expect(await settled(id)).toMatchObject({ status: 'completed', state: { n: 1, last: true } });
    await close();
    expect(await replayAll(path)).toMatchObject({ differing: [] });
  });

  it('stays in a fork, and after a failure', async () => {
    const { id, settled, log, runtime } = await started(async (ctx) => {
      await ctx.expose({ place: 'a' });
      await ctx.expose({ place: 'b' });
      throw Object.assign(new Error('broken'), { retryable: false });
    });
    expect(await settled(id)).toMatchObject({ status: 'failed', state: { place: 'b' } });
    const first = (await log(id)).find(({ type }) => type === 'step_completed')?.sequence ?? 0;
    const fork = String((await runtime.fork(CALLER, id, { atSequence: first })).executionId);
    expect(await settled(fork)).toMatchObject({ status: 'failed', state: { place: 'b' } });
    expect((await log(fork)).filter(({ type, data }) => type === 'step_started' && data.kind === 'expose')).toHaveLength(2);
  });

  it.each([
    [7, '7'],
    [[1], '1'],
    ['text', '"text"'],
    [() => 1, 'a function is not JSON'],
  ])('is an object, not %s', async (given, said) => {
    const { id, settled, log } = await started((ctx) => ctx.expose(given as object));
    expect((await settled(id)).status).toBe('failed');
    expect((await log(id)).find(({ type }) => type === 'node_failed')?.data.error).toContain(said);
  });

  it('fails the function when the state would be too large', async () => {
    const { id, settled, log, errors } = await started(async (ctx) => {
      for (let i = 0; i < 20; i += 1) await ctx.expose({ [`k${i}`]: 'x'.repeat(4 * 1024 * 1024) });
    });
    expect((await settled(id)).status).toBe('failed');
    expect((await log(id)).find(({ type }) => type === 'node_failed')?.data).toMatchObject({ error_class: 'state_too_large' });
    expect(errors).toEqual([]);
  });
});
