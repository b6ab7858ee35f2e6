import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../machines/json.ts';
import { MAX_LOSSES } from '../../../machines/limits.ts';
import { CallError, type DurableContext, Type } from '../../../src/index.ts';
import { FakeClock } from '../../support/clock.ts';
import { TRIES_ALL } from '../../support/properties.ts';
import { replayAll } from '../../support/replay-all.ts';
import { CALLER, crashCopy, eventually, openTestRuntime } from '../../support/runtimes.ts';
import { afterCrash, defined, type Run, started } from './functions.ts';

const HOUR_MS = 3_600_000;
/** Within this time a server notices that its clock was set. */
const NOTICED_MS = 60_000;

/** A clock that can be set while timers wait, which it does not move. */
class WallClock extends FakeClock {
  #aheadMs = 0;

  override nowMs(): number {
    return super.nowMs() + this.#aheadMs;
  }

  setBy(ms: number): void {
    this.#aheadMs += ms;
  }
}

describe('a clock that is set while a durable function sleeps', () => {
  const run = (calls: string[]): Run => {
    return async (ctx) => {
      const [sooner, later] = [ctx.sleep('1h').then(() => calls.push('1h')), ctx.sleep('2h').then(() => calls.push('2h'))];
      await Promise.all([sooner, later]);
      await ctx.step('after', () => calls.push('after'));
      return { woke: await ctx.now() };
    };
  };

  it('forward: overdue sleeps end within a minute, in their order, once', async () => {
    const [calls, clock] = [[] as string[], new WallClock()];
    const opened = await started(run(calls), { clock });
    expect((await opened.settled(opened.id)).status).toBe('paused');
    clock.setBy(5 * HOUR_MS);
    clock.advance(NOTICED_MS);
    await eventually(async () => (await opened.settled(opened.id)).status === 'completed');
    expect(calls).toEqual(['1h', '2h', 'after']);
    expect(opened.errors).toEqual([]);
    await opened.close();
    expect(await replayAll(opened.path)).toEqual({ compared: 1, differing: [] });
  });

  it('back: sleeps end at the time that they have noted, also after a crash', async () => {
    const [calls, clock] = [[] as string[], new WallClock()];
    const opened = await started(run(calls), { clock });
    expect((await opened.settled(opened.id)).status).toBe('paused');
    clock.setBy(-HOUR_MS);
    clock.advance(HOUR_MS);
    expect((await opened.settled(opened.id)).status).toBe('paused');
    expect(calls).toEqual([]);
    const next = await afterCrash(opened, run(calls), { clock });
    clock.advance(HOUR_MS);
    await eventually(() => calls.includes('1h'));
    expect(calls).toEqual(['1h']);
    clock.setBy(-30 * 24 * HOUR_MS);
    clock.setBy(31 * 24 * HOUR_MS);
    clock.advance(NOTICED_MS);
    await eventually(async () => (await next.settled(opened.id)).status === 'completed');
    expect(calls).toEqual(['1h', '2h', 'after']);
  });
});

describe('a durable function without an end', () => {
  const document = defined(() => null).document as JsonObject & { readonly nodes: { readonly run: JsonObject } };
  const limited = { ...document, nodes: { run: { ...document.nodes.run, timeout_secs: 2, retry_policy: 'no_retry' } } };

  it('that lets others run fails at the time limit of its node, and has its signal aborted', async () => {
    let signal: AbortSignal | undefined;
    const { tools } = defined(async (ctx) => {
      ({ signal } = ctx);
      while (!ctx.signal.aborted) await new Promise((resolve) => setImmediate(resolve));
      await ctx.step('too late', () => null);
    });
    const opened = await openTestRuntime({ tools });
    const id = await opened.run(limited, { n: 1 });
    await eventually(() => signal !== undefined);
    opened.clock.advance(2_000);
    const { status, error } = await opened.settled(id);
    expect([status, error]).toEqual(['failed', 'run: timed out after 2 s']);
    expect(signal?.aborted).toBe(true);
    await eventually(() => opened.runtime.inProcess('default').running === 0);
    expect((await opened.log(id)).filter(({ type }) => type === 'step_started')).toEqual([]);
  });

  it('that begins operations without an end fails, although it catches the error of too many', async () => {
    const { id, settled, log } = await started(async (ctx) => {
      for (;;) await ctx.now().catch(() => null);
    });
    expect((await settled(id)).status).toBe('failed');
    expect((await log(id)).find(({ type }) => type === 'node_failed')?.data.error_class).toBe('too_many_operations');
  });
});

describe('a process that is lost again and again', () => {
  const { tools, document } = defined((ctx) => ctx.step('long', () => new Promise(() => {}), { retry: { maxAttempts: 1 } }));
  const long = document as JsonObject & { readonly nodes: { readonly run: JsonObject } };
  const once = { ...long, nodes: { run: { ...long.nodes.run, retry_policy: 'no_retry' } } };
  const item = { type: 'tool', tool_ref: 'f', input: {} };
  const map = {
    workflow_id: 'map',
    version: '1',
    nodes: { m: { kind: { type: 'map', items: '[1]', do: item, output_key: 'done' }, retry_policy: 'no_retry' } },
  };
  const hangs = { f: () => new Promise(() => {}) };

  /** Begins the work in so many processes, of which each is killed in the middle of it. */
  async function killed(
    workflow: JsonObject,
    times: number,
    has = tools,
  ): Promise<{ readonly path: string; readonly id: string }> {
    let opened = await openTestRuntime({ tools: has });
    const id = await opened.run(workflow, { n: 1 });
    for (let kills = 1; ; kills += 1) {
      const begun = async () => (await opened.timeline(id)).filter((line) => /^node_started/.test(line)).length;
      await eventually(async () => (await begun()) === kills);
      const path = crashCopy(opened.path);
      await opened.close();
      if (kills === times) return { path, id };
      opened = await openTestRuntime({ tools: has, path });
    }
  }

  it('uses up neither the only attempt of a function nor that of its step', async () => {
    const { path, id } = await killed(once, 6);
    const done = defined((ctx) => ctx.step('long', ({ attempt }) => ({ attempt }), { retry: { maxAttempts: 1 } }));
    const opened = await openTestRuntime({ tools: done.tools, path });
    expect(await opened.settled(id)).toMatchObject({ status: 'completed', state: { attempt: 0 } });
    const log = await opened.log(id);
    expect(log.filter(({ type }) => type === 'attempt_lost').map(({ data }) => data.error)).toEqual(
      Array.from({ length: 6 }, () => 'runtime lost'),
    );
    await opened.close();
    expect(await replayAll(path)).toEqual({ compared: 1, differing: [] });
  });

  it('uses up no attempt of an item of a map, which only one has', async () => {
    const { path, id } = await killed(map, 6, hangs);
    const opened = await openTestRuntime({ tools: { f: (_, { attempt }) => attempt }, path });
    expect(await opened.settled(id)).toMatchObject({ status: 'completed', state: { done: [0] } });
    await opened.close();
    expect(await replayAll(path)).toEqual({ compared: 1, differing: [] });
  });

  it.runIf(TRIES_ALL)('is the fault of its work in the end', async () => {
    for (const [workflow, has] of [
      [once, tools],
      [map, hangs],
    ] as const) {
      const { path, id } = await killed(workflow, MAX_LOSSES + 1, has as typeof tools);
      const opened = await openTestRuntime({ tools: has as typeof tools, path });
      const { status, error } = await opened.settled(id);
      expect([status, error?.endsWith('runtime lost')]).toEqual(['failed', true]);
    }
  });
});

describe('the name of an operation', () => {
  const OPERATIONS: Readonly<Record<string, (ctx: DurableContext, name: string) => unknown>> = {
    'a step': (ctx, name) => ctx.step(name, () => 1),
    'an event': (ctx, name) => ctx.event(name, { timeout: '1ms' }),
    'a map': (ctx, name) => ctx.map(name, [1], () => 1),
    'an update': (ctx, name) => ctx.onUpdate(name, null, () => 1),
    'a change': (ctx, name) => ctx.version(name, 0, 1),
    'a call': (ctx, name) =>
      ctx.call(name, {}).catch((error) => {
        if (!(error instanceof CallError)) throw error;
      }),
  };
  const REFUSED: readonly (readonly [what: string, name: unknown, problem: string])[] = [
    ['nothing', undefined, 'must be a text, not undefined'],
    ['a number', 7, 'must be a text, not number'],
    ['an empty text', '', 'must be a text, not an empty one'],
    ['1 MB', 'x'.repeat(1_000_000), 'must have at most 200 characters, not 1000000'],
    ['NUL', 'a\0b', 'must not have control characters'],
    ['a line break', 'a\nb', 'must not have control characters'],
    ['an unpaired surrogate', 'a\ud800', 'must not have control characters or unpaired surrogates'],
  ];

  it.each(Object.keys(OPERATIONS))('of %s is refused with what is wrong with it', async (operation) => {
    const problems: string[] = [];
    const { id, settled } = await started(async (ctx) => {
      for (const [, name] of REFUSED) {
        try {
          await OPERATIONS[operation]?.(ctx, name as string);
          problems.push('accepted');
        } catch (error) {
          problems.push((error as Error).message);
        }
      }
    });
    expect((await settled(id)).status).toBe('completed');
    expect(problems).toEqual(REFUSED.map(([, , problem]) => expect.stringContaining(problem)));
  });

  it.each(Object.keys(OPERATIONS))('of %s may be one that objects inherit', async (operation) => {
    const run: Run = async (ctx) => {
      for (const name of ['__proto__', 'constructor', 'toString', '🏖 plage', ' ']) await OPERATIONS[operation]?.(ctx, name);
      await ctx.event('end');
      return { done: true };
    };
    const opened = await started(run);
    const passes = async () => {
      opened.clock.advance(1_000);
      return (await opened.log(opened.id)).some(({ type, data }) => type === 'step_started' && data.name === 'end');
    };
    await eventually(passes);
    const next = await afterCrash(opened, run, { clock: opened.clock });
    await next.runtime.sendEvent(CALLER, opened.id, { key: 'end', payload: null });
    await eventually(async () => (await next.settled(opened.id)).status === 'completed');
    expect((await next.settled(opened.id)).state).toMatchObject({ done: true });
    expect(({} as JsonObject).done).toBeUndefined();
    await next.close();
    expect(await replayAll(next.path)).toMatchObject({ differing: [] });
  });
});

/** What one visit may be sent; the usual run tries fewer, 10,000 of them take half a minute. */
const UPDATES = TRIES_ALL ? 10_000 : 500;

it(`${UPDATES.toLocaleString('en')} updates are all answered, in order`, async () => {
  const opened = await started(async (ctx) => {
    let count = 0;
    ctx.onUpdate('put', Type.Number(), (n) => {
      count += 1;
      return [n, count];
    });
    await ctx.event('end');
    return { count };
  });
  const { id, runtime, settled } = opened;
  expect((await settled(id)).status).toBe('paused');
  const send = async (n: number) => {
    const { sequence } = await runtime.sendUpdate(CALLER, id, { name: 'put', input: n });
    return runtime.updateOutcome('default', id, sequence);
  };
  for (let n = 0; n < UPDATES; n += 500) {
    const numbers = Array.from({ length: 500 }, (_, i) => n + i);
    const answers = numbers.map((number) => ({ status: 'completed', output: [number, number + 1] }));
    expect(await Promise.all(numbers.map(send))).toEqual(answers);
  }
  if (TRIES_ALL) await expect(send(0)).rejects.toMatchObject({ code: 'too_many_events' });
  await runtime.sendEvent(CALLER, id, { key: 'end', payload: null });
  expect((await settled(id)).state).toMatchObject({ count: UPDATES });
});
