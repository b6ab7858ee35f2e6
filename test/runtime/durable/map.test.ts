import { describe, expect, it } from 'vitest';
import type { StepError } from '../../../src/index.ts';
import { replayAll } from '../../support/replay-all.ts';
import { CALLER, eventually } from '../../support/runtimes.ts';
import { afterCrash, type Run, started } from './functions.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('ctx.map', () => {
  it('gives the results in the order of the list, with so many items at once', async () => {
    let [now, most] = [0, 0];
    const { id, settled, log, path, close, errors } = await started((ctx) =>
      ctx.map(
        'mail',
        ['c', 'a', 'b', 'd', 'e'],
        async (item, index) => {
          now += 1;
          most = Math.max(most, now);
          for (let turns = 5 - index; turns > 0; turns -= 1) await turn();
          now -= 1;
          return `${item}${index}`;
        },
        { maxConcurrency: 2 },
      ),
    );
    expect((await settled(id)).state?.run).toEqual(['c0', 'a1', 'b2', 'd3', 'e4']);
    expect(most).toBe(2);
    const begun = (await log(id)).filter(({ type }) => type === 'step_started');
    expect(begun.map(({ data }) => data.name)).toEqual(['mail[0]', 'mail[1]', 'mail[2]', 'mail[3]', 'mail[4]']);
    expect(errors).toEqual([]);
    await close();
    expect(await replayAll(path)).toMatchObject({ differing: [] });
  });

  it('runs no completed item again after a crash, and begins the others in the same order', async () => {
    const calls: number[] = [];
    const run: Run = async (ctx) => {
      const list = Array.from({ length: 20 }, (_, i) => i);
      const failsOnce = ctx.map(
        'n',
        list,
        async (n, _, { attempt }) => {
          calls.push(n);
          for (let turns = (n * 7) % 5; turns > 0; turns -= 1) await turn();
          if (n % 6 === 5 && attempt === 0) throw new Error('busy');
          return n * 2;
        },
        { maxConcurrency: 3, retry: { initialDelay: 60 } },
      );
      const [doubled] = await Promise.all([failsOnce, ctx.sleep(1)]);
      return { sum: doubled.reduce((sum, n) => sum + n, 0), length: doubled.length };
    };
    const before = await started(run);
    await eventually(async () => (await before.timeline(before.id)).at(-1) === 'function_parked run');
    const after = await afterCrash(before, run);
    for (let i = 0; i < 10; i += 1) {
      await eventually(async () => after.runtime.inProcess().running === 0);
      after.clock.advance(60_000);
    }
    await eventually(async () => (await after.settled(before.id)).status === 'completed');
    expect((await after.settled(before.id)).state).toMatchObject({ sum: 380, length: 20 });
    expect(calls.toSorted((a, b) => a - b)).toEqual([...Array(20).keys(), 5, 11, 17].toSorted((a, b) => a - b));
    expect(after.errors).toEqual([]);
    await after.close();
    expect(await replayAll(after.path)).toMatchObject({ differing: [] });
  });

  it('begins nothing after a failure, and throws it once the others have ended; a retry keeps those', async () => {
    const calls: number[] = [];
    let isBroken = true;
    let said: StepError | null = null;
    const { id, settled, runtime } = await started(async (ctx) => {
      try {
        return await ctx.map(
          'n',
          [0, 1, 2, 3, 4],
          async (n) => {
            calls.push(n);
            if (n === 1 && isBroken) throw new Error('broken');
            for (let turns = 0; turns < 20; turns += 1) await turn();
            return n;
          },
          { maxConcurrency: 3, retry: { maxAttempts: 1 } },
        );
      } catch (error) {
        said = error as StepError;
        throw error;
      }
    });
    expect((await settled(id)).status).toBe('failed');
    expect(said).toMatchObject({ step: 'n[1]', message: 'broken', attempts: 1 });
    expect(calls).toEqual([0, 1, 2]);
    isBroken = false;
    await runtime.retry(CALLER, id);
    expect((await settled(id)).state?.run).toEqual([0, 1, 2, 3, 4]);
    expect(calls).toEqual([0, 1, 2, 1, 3, 4]);
  });

  it('takes its list once: what the function and the steps do to it later changes nothing', async () => {
    const list = ['a', 'b', 'c'];
    const { id, settled, errors } = await started(async (ctx) => {
      const change = (item: string): string => {
        list.push(`${item}!`);
        list[2] = 'z';
        return item;
      };
      const mapped = ctx.map('m', list, change, { maxConcurrency: 1 });
      list.shift();
      return { mapped: await mapped };
    });
    expect((await settled(id)).state.mapped).toEqual(['a', 'b', 'c']);
    expect(errors).toEqual([]);
  });

  it('gives an empty list at once', async () => {
    const { id, settled, log } = await started(async (ctx) => ({ none: await ctx.map('n', [], () => 1) }));
    expect((await settled(id)).state?.none).toEqual([]);
    expect((await log(id)).filter(({ type }) => type === 'step_started')).toEqual([]);
  });

  it.each<readonly [string, readonly unknown[], string]>([
    ['a name', ['', [1], () => 1], 'the name of ctx.map must be a text, not an empty one'],
    ['a name that leaves room for the index', ['x'.repeat(199), [1], () => 1], 'at most 200 characters, not 202'],
    ['a list', ['n', 'text', () => 1], 'ctx.map("n") needs a list as its second argument, not "text"'],
    ['a list that is there', ['n', null, () => 1], 'ctx.map("n") needs a list as its second argument, not null'],
    ['a function', ['n', [1]], 'ctx.map("n") needs the function to run'],
    ['a concurrency', ['n', [1], () => 1, { maxConcurrency: 0 }], 'an integer of at least 1, not 0'],
    ['a list that is not too long', ['n', Array(10_001).fill(1), () => 1], '10001 items'],
    ['a retry', ['n', [1], () => 1, { retry: { maxAttempts: 0 } }], 'retry.maxAttempts'],
  ])('needs %s', async (_, args, problem) => {
    const { id, settled, log } = await started((ctx) => (ctx.map as (...all: readonly unknown[]) => unknown)(...args));
    expect((await settled(id)).status).toBe('failed');
    expect((await log(id)).find(({ type }) => type === 'node_failed')?.data).toMatchObject({
      error_class: 'validation',
      error: expect.stringContaining(problem),
    });
  });
});
