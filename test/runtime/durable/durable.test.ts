import { describe, expect, it } from 'vitest';
import type { StepError } from '../../../src/index.ts';
import { replayAll } from '../../support/replay-all.ts';
import { CALLER, eventually } from '../../support/runtimes.ts';
import { afterCrash, defined, type Run, started, types } from './functions.ts';

describe('a durable function', () => {
  it('logs its steps, and completes with what it returns', async () => {
    const { id, settled, log, path, close, errors } = await started(async (ctx, { n }) => {
      const doubled = await ctx.step('double', () => n * 2);
      const tripled = await ctx.step('triple', async () => doubled * 3);
      return { doubled, tripled };
    });
    expect(await settled(id)).toMatchObject({ status: 'completed', state: { n: 1, doubled: 2, tripled: 6 } });
    const events = await log(id);
    expect(events.map(({ type }) => type)).toEqual([
      'workflow_started',
      'node_scheduled',
      'node_started',
      'step_started',
      'step_completed',
      'step_started',
      'step_completed',
      'node_completed',
      'workflow_completed',
    ]);
    expect(events[4]?.data).toMatchObject({ name: 'double', operation: 1, attempt: 0, output: 2 });
    expect(errors).toEqual([]);
    await close();
    expect(await replayAll(path)).toMatchObject({ differing: [] });
  });

  it('waits without a slot, and goes on without running again', async () => {
    let runs = 0;
    const { id, settled, clock, runtime, timeline, path, close, errors } = await started(async (ctx) => {
      runs += 1;
      await ctx.sleep('20s');
      const paid = await ctx.event<{ by: string }>('payment', { timeout: '7d' });
      const { approved } = await ctx.approval({ message: 'Go on?' });
      return { paid, approved };
    });
    expect((await settled(id)).status).toBe('paused');
    await eventually(() => runtime.inProcess().running === 0);
    clock.advance(20_000);
    await eventually(async () => types(await timeline(id)).filter((type) => type === 'function_parked').length === 2);
    expect(await runtime.sendEvent(CALLER, id, { key: 'payment', payload: { by: 'ann' } })).toMatchObject({ matched: true });
    await eventually(async () => (await runtime.approvals('default', id)).pending.length === 1);
    await runtime.approve(CALLER, id, { decision: 'approved' });
    const { status, state } = await settled(id);
    expect({ status, state, runs }).toMatchObject({
      status: 'completed',
      state: { paid: { by: 'ann' }, approved: true },
      runs: 1,
    });
    expect(errors).toEqual([]);
    await close();
    expect(await replayAll(path)).toMatchObject({ differing: [] });
  });

  it('gives null for an event that does not come in time, and takes one that came before', async () => {
    const { id, settled, clock, runtime } = await started(async (ctx) => {
      const late = await ctx.event('late', { timeout: '1h' });
      const early = await ctx.event('early');
      return { isLate: late === null, early };
    });
    await settled(id);
    await runtime.sendEvent(CALLER, id, { key: 'early', payload: 7 });
    clock.advance(3_600_000);
    await eventually(async () => (await settled(id)).status === 'completed');
    expect((await settled(id)).state).toMatchObject({ isLate: true, early: 7 });
  });

  it('runs again from its top after a crash, and its steps do not', async () => {
    const calls: string[] = [];
    let runs = 0;
    const run: Run = async (ctx) => {
      runs += 1;
      const [a, b] = await Promise.all([
        ctx.step('a', () => calls.push('a')),
        ctx.step('b', async () => {
          await new Promise((resolve) => setImmediate(resolve));
          return calls.push('b');
        }),
      ]);
      const id = await ctx.uuid();
      await ctx.sleep(10);
      return { a, b, id, again: await ctx.step('c', () => calls.push('c')) };
    };
    const before = await started(run);
    expect((await before.settled(before.id)).status).toBe('paused');
    const after = await afterCrash(before, run);
    after.clock.advance(10_000);
    await eventually(async () => (await after.settled(before.id)).status === 'completed');
    expect({ calls, runs, errors: after.errors }).toEqual({ calls: ['a', 'b', 'c'], runs: 2, errors: [] });
    await after.close();
    expect(await replayAll(after.path)).toMatchObject({ differing: [] });
  });

  it('runs again when it has left the memory', async () => {
    let runs = 0;
    const { id, settled, clock, errors } = await started(
      async (ctx) => {
        runs += 1;
        await ctx.step('a', () => 1);
        await ctx.sleep(10);
        return {};
      },
      { liveFunctions: 0 },
    );
    await settled(id);
    clock.advance(10_000);
    await eventually(async () => (await settled(id)).status === 'completed');
    expect({ runs, errors }).toEqual({ runs: 2, errors: [] });
  });

  it.each([
    ['goes on where it is, soon', 10, 1],
    ['runs again when it has waited for long', 60, 2],
  ])('%s', async (_, seconds, expected) => {
    let runs = 0;
    const { id, settled, clock, errors } = await started(async (ctx) => {
      runs += 1;
      await ctx.sleep(seconds);
      return {};
    });
    await settled(id);
    // Another half is left when it has been in memory for long enough.
    for (let n = 0; n < 2; n += 1) clock.advance(seconds * 500);
    await eventually(async () => (await settled(id)).status === 'completed');
    expect({ runs, errors }).toEqual({ runs: expected, errors: [] });
  });

  it('retries a step by its policy, then throws its error', async () => {
    let calls = 0;
    const { id, settled, clock, timeline } = await started(async (ctx) => {
      try {
        return await ctx.step(
          'charge',
          () => {
            calls += 1;
            throw Object.assign(new Error('no money'), { errorClass: 'declined' });
          },
          { retry: { maxAttempts: 3, initialDelay: '1m', backoff: 'fixed', maxDelay: '1m' } },
        );
      } catch (error) {
        const { errorClass, attempts, message, step } = error as StepError;
        return { errorClass, attempts, message, step };
      }
    });
    for (const attempts of [1, 2]) {
      await eventually(() => calls === attempts);
      await eventually(async () => types(await timeline(id)).filter((type) => type === 'function_parked').length === attempts);
      clock.advance(60_000);
    }
    await eventually(async () => (await settled(id)).status === 'completed');
    expect((await settled(id)).state).toMatchObject({ errorClass: 'declined', attempts: 3, message: 'no money', step: 'charge' });
  });

  it('keeps what has succeeded when the execution is retried', async () => {
    const calls: string[] = [];
    let isBroken = true;
    const { id, settled, runtime, path, close } = await started(async (ctx) => {
      await ctx.step('a', () => calls.push('a'));
      await ctx.step(
        'b',
        () => {
          calls.push('b');
          if (isBroken) throw new Error('broken');
        },
        { retry: { maxAttempts: 1 } },
      );
      return {};
    });
    expect((await settled(id)).status).toBe('failed');
    isBroken = false;
    await runtime.retry(CALLER, id);
    expect((await settled(id)).status).toBe('completed');
    expect(calls).toEqual(['a', 'b', 'b']);
    await close();
    expect(await replayAll(path)).toMatchObject({ differing: [] });
  });

  it('waits for another attempt at a step that has failed for good before a retry', async () => {
    let calls = 0;
    const { id, settled, runtime, clock, timeline, path, close } = await started(async (ctx) => {
      await ctx.step(
        'a',
        () => {
          calls += 1;
          if (calls < 4) throw new Error('broken');
        },
        { retry: { maxAttempts: 2, initialDelay: '1m' } },
      );
      return {};
    });
    const parks = async (times: number) =>
      eventually(async () => types(await timeline(id)).filter((type) => type === 'function_parked').length === times);
    await parks(1);
    clock.advance(60_000);
    await eventually(async () => (await settled(id)).status === 'failed');
    await runtime.retry(CALLER, id);
    await parks(2);
    clock.advance(60_000);
    await eventually(async () => (await settled(id)).status === 'completed');
    expect(calls).toBe(4);
    await close();
    expect(await replayAll(path)).toMatchObject({ differing: [] });
  });

  it('fails when it does something else than before', async () => {
    const before = await started(async (ctx) => {
      await ctx.step('reserve', () => 1);
      await ctx.sleep(10);
    });
    await before.settled(before.id);
    const after = await afterCrash(before, async (ctx) => {
      await ctx.step('charge', () => 1);
      await ctx.sleep(10);
    });
    after.clock.advance(10_000);
    await eventually(async () => (await after.settled(before.id)).status === 'failed');
    const [failed] = (await after.log(before.id)).filter(({ type }) => type === 'node_failed');
    expect(failed?.data).toMatchObject({ error_class: 'journal_mismatch', retryable: false });
    expect(failed?.data.error).toMatch(
      /operation 1 was step "reserve", but the function now begins step "charge" \(at .*durable\.test\.ts:\d+:\d+\): deploy/,
    );
  });

  it('goes on with changed code that asks for its version', async () => {
    const before = await started(async (ctx) => {
      await ctx.step('a', () => 1);
      await ctx.sleep(10);
    });
    await before.settled(before.id);
    const after = await afterCrash(before, async (ctx) => {
      const version = await ctx.version('check first', 0, 1);
      if (version >= 1) await ctx.step('check', () => 1);
      await ctx.step('a', () => 1);
      await ctx.sleep(10);
      return { version };
    });
    after.clock.advance(10_000);
    await eventually(async () => (await after.settled(before.id)).status === 'completed');
    expect((await after.settled(before.id)).state).toMatchObject({ version: 0 });
    const fresh = await after.run(defined(async () => 0).document, { n: 2 });
    await after.settled(fresh);
    after.clock.advance(10_000);
    await eventually(async () => (await after.settled(fresh)).status === 'completed');
    expect((await after.settled(fresh)).state).toMatchObject({ version: 1 });
  });

  it('goes no further while the execution is paused', async () => {
    let finish: (value: number) => void = () => {};
    const calls: string[] = [];
    const { id, settled, runtime, timeline, path, close } = await started(async (ctx) => {
      await ctx.step('a', () => new Promise((resolve) => (finish = resolve as never)));
      await ctx.step('b', () => calls.push('b'));
      return {};
    });
    await eventually(async () => types(await timeline(id)).includes('node_started'));
    await runtime.pause(CALLER, id);
    finish(1);
    await eventually(async () => types(await timeline(id)).includes('function_parked'));
    expect(calls).toEqual([]);
    await runtime.resume(CALLER, id);
    expect((await settled(id)).status).toBe('completed');
    expect(calls).toEqual(['b']);
    await close();
    expect(await replayAll(path)).toMatchObject({ differing: [] });
  });

  it('is told when it is cancelled', async () => {
    let aborted = false;
    const { id, runtime, settled, timeline } = await started(async (ctx) => {
      ctx.signal.addEventListener('abort', () => (aborted = true));
      await ctx.sleep('1h');
    });
    await settled(id);
    await runtime.cancel(CALLER, id);
    expect((await settled(id)).status).toBe('cancelled');
    expect(aborted).toBe(true);
    expect(types(await timeline(id))).toContain('node_cancelled');
  });

  it('is forked in the middle', async () => {
    const calls: string[] = [];
    const { id, runtime, settled, clock, log } = await started(async (ctx) => {
      await ctx.step('a', () => calls.push('a'));
      await ctx.sleep(10);
      await ctx.step('b', () => calls.push('b'));
      return { done: true };
    });
    await settled(id);
    const sequence = (await log(id)).at(-1)?.sequence ?? 0;
    const fork = String((await runtime.fork(CALLER, id, { atSequence: sequence })).executionId);
    clock.advance(10_000);
    await eventually(async () => (await settled(id)).status === 'completed' && (await settled(fork)).status === 'completed');
    expect(calls).toEqual(['a', 'b', 'b']);
  });

  it.each([
    ['', 'an empty one'],
    ['x'.repeat(201), 'at most 200'],
    ['a\nb', 'control characters'],
    ['\ud800', 'surrogates'],
  ])('refuses the name %j of a step', async (name, problem) => {
    const { id, settled, log } = await started((ctx) => ctx.step(name, () => 1));
    expect((await settled(id)).status).toBe('failed');
    expect((await log(id)).find(({ type }) => type === 'node_failed')?.data.error).toContain(problem);
  });

  it('has at most 10,000 operations', async () => {
    const { id, settled, log } = await started(async (ctx) => {
      await Promise.all(Array.from({ length: 10_001 }, (_, i) => ctx.step(`s${i}`, () => i)));
    });
    expect((await settled(id)).status).toBe('failed');
    expect((await log(id)).find(({ type }) => type === 'node_failed')?.data.error_class).toBe('too_many_operations');
  });
});

it('a step that fails before the function awaits it does not end the process', async () => {
  const { id, settled, clock, timeline } = await started(async (ctx) => {
    const early = ctx.step('early', () => Promise.reject(new Error('too soon')), { retry: { maxAttempts: 1 } });
    void ctx.step('never awaited', () => Promise.reject(new Error('unseen')), { retry: { maxAttempts: 1 } });
    await ctx.sleep('1s');
    return early.catch((error: Error) => ({ caught: error.message }));
  });
  await eventually(async () => (await timeline(id)).at(-1) === 'function_parked run');
  await eventually(async () => {
    clock.advance(100);
    return (await timeline(id)).some((line) => line.startsWith('workflow_completed'));
  });
  expect((await settled(id)).state).toMatchObject({ caught: 'too soon' });
  expect((await timeline(id)).filter((line) => line === 'step_failed run')).toHaveLength(2);
});
