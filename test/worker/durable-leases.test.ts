import { describe, expect, it } from 'vitest';
import { type DurableContext, durable, Type } from '../../src/index.ts';
import { replayAll } from '../support/replay-all.ts';
import { CALLER, eventually } from '../support/runtimes.ts';
import { ended, mortal, pass, type Serving, serving, stopped } from './functions.ts';

type Run = (ctx: DurableContext) => unknown;

const f = (run: Run) => durable({ id: 'f', run });

/** A server with an execution of the function that no worker has yet. */
async function started(run: Run): Promise<Serving & { readonly id: string }> {
  const definition = f(run);
  const server = await serving([definition]);
  return { ...server, id: await server.run(definition.document, {}) };
}

async function replays({ close, path, errors }: Serving): Promise<void> {
  expect(errors).toEqual([]);
  await close();
  expect(await replayAll(path)).toMatchObject({ differing: [] });
}

const parks = async ({ timeline }: Serving, id: string, times: number): Promise<void> =>
  eventually(async () => (await timeline(id)).filter((line) => line === 'function_parked run').length >= times);

/** A promise, and what resolves it. */
function gate<T = void>(): { readonly opened: Promise<T>; readonly open: (value: T) => void } {
  let open: (value: T) => void = () => {};
  const opened = new Promise<T>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

describe('the lease of a durable function', () => {
  it.each([
    ['go on in the memory of the worker, soon', 20, 1],
    ['run again when they have waited for long', 86_400, 3],
  ])('is held only while it works: parked functions %s', async (_, seconds, expected) => {
    let runs = 0;
    const server = await started(async (ctx) => {
      runs += 1;
      await ctx.sleep(seconds);
      await ctx.sleep(seconds);
      return { runs };
    });
    const worker = server.work('w1', { concurrency: 1 });
    await parks(server, server.id, 1);
    await eventually(() => worker.running === 0);
    expect((await server.runtime.workers('default')).find(({ id }) => id === 'w1')?.inFlight).toBe(0);
    await pass(server, server.id, seconds * 1_000);
    await parks(server, server.id, 2);
    await pass(server, server.id, seconds * 1_000);
    expect((await ended(server, server.id)).state).toEqual({ runs: expected });
    await replays(server);
  });

  it('is renewed while a step works', async () => {
    const { opened, open } = gate();
    const { opened: begun, open: begin } = gate();
    const server = await started(async (ctx) => {
      await ctx.step('long', () => {
        begin();
        return opened;
      });
      return {};
    });
    server.work('w1');
    await begun;
    const lease = async () => {
      const [row] = await server.store.due(Number.MAX_SAFE_INTEGER, 10);
      return row?.atMs ?? 0;
    };
    const before = await lease();
    server.clock.advance(10_000);
    await eventually(async () => (await lease()) === before + 10_000);
    open();
    expect((await ended(server, server.id)).status).toBe('completed');
  });

  it('expires when the worker is killed, and another one goes on: only the step in progress is repeated', async () => {
    const calls: string[] = [];
    const held = gate();
    const server = await started(async (ctx) => {
      await ctx.step('a', () => calls.push('a'));
      await ctx.step('b', async () => {
        calls.push('b');
        if (calls.filter((call) => call === 'b').length === 1) await held.opened;
        return calls.length;
      });
      return { last: await ctx.step('c', () => calls.push('c')) };
    });
    const { fetch, kill } = mortal();
    server.work('w1', { fetch });
    await eventually(() => calls.length === 2);
    await eventually(async () => (await server.timeline(server.id)).includes('step_completed run'));
    kill();
    server.work('w2');
    await pass(server, server.id, 30_000);
    expect(await ended(server, server.id)).toMatchObject({ status: 'completed', state: { last: 4 } });
    // What the killed worker comes to is refused by the fence.
    held.open();
    expect(calls).toEqual(['a', 'b', 'b', 'c']);
    const log = await server.log(server.id);
    expect(log.filter(({ type }) => type === 'node_started').map(({ data }) => [data.worker_id, data.attempt])).toEqual([
      ['w1', 0],
      ['w2', 0],
    ]);
    expect(log.filter(({ type }) => type === 'node_failed')).toEqual([]);
    await replays(server);
  });

  it('uses up an attempt only when it expires for the fourth time in a row and the function has not got on', async () => {
    let begun = 0;
    const server = await started(async (ctx) => {
      begun += 1;
      if (begun <= 4) await new Promise(() => {});
      return { attempt: ctx.execution.attempt };
    });
    for (let killed = 1; killed <= 4; killed += 1) {
      const { fetch, kill } = mortal();
      server.work(`w${killed}`, { fetch });
      await eventually(() => begun === killed);
      kill();
      await pass(server, server.id, 30_000);
    }
    server.work('w5');
    await eventually(async () => {
      server.clock.advance(1_000);
      return (await server.timeline(server.id)).includes('node_completed run');
    });
    expect((await server.settled(server.id)).state).toEqual({ attempt: 1 });
    const ends = (await server.log(server.id)).filter(({ type }) => type === 'attempt_lost' || type === 'node_failed');
    expect(ends.map(({ type, data }) => [type, data.error, data.attempt])).toEqual([
      ['attempt_lost', 'lease expired', 0],
      ['attempt_lost', 'lease expired', 0],
      ['attempt_lost', 'lease expired', 0],
      ['node_failed', 'lease expired', 0],
    ]);
    await replays(server);
  });

  it('is given back when the worker stops, and the signal of the function is aborted', async () => {
    const calls: string[] = [];
    const aborted = gate<string>();
    const server = await started(async (ctx) => {
      ctx.signal.addEventListener('abort', () => aborted.open(String(ctx.signal.reason)));
      await ctx.step('a', () => calls.push('a'));
      await ctx.step('b', () => (calls.push('b') === 2 ? new Promise(() => {}) : calls.length));
      return { attempt: ctx.execution.attempt };
    });
    const worker = server.work('w1');
    await eventually(() => calls.length === 2);
    await eventually(async () => (await server.timeline(server.id)).includes('step_completed run'));
    await stopped(server, worker);
    expect(await aborted.opened).toContain('the worker stopped');
    server.work('w2');
    expect(await ended(server, server.id)).toMatchObject({ status: 'completed', state: { attempt: 0 } });
    expect(calls).toEqual(['a', 'b', 'b']);
    await replays(server);
  });

  it('is lost when the execution is cancelled, and the signal of the function is aborted', async () => {
    const aborted = gate();
    const begun = gate();
    const server = await started(async (ctx) => {
      ctx.signal.addEventListener('abort', () => aborted.open());
      await ctx.step('long', () => {
        begun.open();
        return new Promise(() => {});
      });
    });
    const worker = server.work('w1');
    await begun.opened;
    await server.runtime.cancel(CALLER, server.id);
    server.clock.advance(1_000);
    await aborted.opened;
    await eventually(() => worker.running === 0);
    expect((await server.settled(server.id)).status).toBe('cancelled');
  });

  it('of one worker at a time: two never both commit an operation', async () => {
    const calls: string[] = [];
    const server = await started(async (ctx) => {
      for (let n = 0; n < 20; n += 1) await ctx.step(`s${n}`, async () => calls.push(`s${n}`));
      return {};
    });
    // A worker whose heartbeats and commits get lost from time to time, so that its lease expires while it goes on.
    let isCut = false;
    const cut: typeof globalThis.fetch = (url, init) => {
      if (isCut) return Promise.reject(new TypeError('the network is down'));
      return globalThis.fetch(url, init);
    };
    server.work('w1', { fetch: cut });
    await eventually(() => calls.length >= 5);
    isCut = true;
    server.work('w2');
    await pass(server, server.id, 30_000);
    await eventually(async () => (await server.timeline(server.id)).filter((line) => line === 'node_started run').length === 2);
    isCut = false;
    expect((await ended(server, server.id)).status).toBe('completed');
    const log = await server.log(server.id);
    const [, second] = log.flatMap(({ type, sequence }) => (type === 'node_started' ? [sequence] : []));
    const steps = log.filter(({ type }) => type === 'step_completed');
    expect(steps.map(({ data }) => data.operation)).toEqual(Array.from({ length: 20 }, (_, n) => n + 1));
    // Whose operations they are, says the worker that they were committed by.
    for (const { sequence, onBehalfOf } of steps)
      expect({ sequence, isOfSecond: onBehalfOf === 'w2' }).toEqual({ sequence, isOfSecond: sequence > (second ?? 0) });
    await replays(server);
  });
});

describe('a durable function in a worker', () => {
  it('that no process serves is told at its registration, and when it waits', async () => {
    const { document, tools } = f(() => ({}));
    const server = await serving([]);
    const warned = async () => (await server.post('/workflows', { ir: document })).body.warnings;
    expect(await warned()).toMatchObject([
      {
        code: 'unserved_tool',
        path: 'nodes.run.function_ref',
        message: 'node "run": no process serves the function "f"; the node will wait until a worker does',
      },
    ]);
    await server.post('/executions', { workflow_id: 'f', input: {} });
    expect((await server.get('/workers')).body).toMatchObject({ unserved: [{ queue: 'tool', tool: 'f', waiting: 1 }] });
    server.work('w1', { durable: [{ id: 'f', tools }] });
    await eventually(async () => (await warned()).length === 0);
  });

  it('is told of what comes while a step works', async () => {
    const held = gate();
    const begun = gate();
    const server = await started(async (ctx) => {
      const long = ctx.step('long', () => {
        begun.open();
        return held.opened;
      });
      const first = await Promise.race([long, ctx.event('now')]);
      return { first };
    });
    server.work('w1');
    await begun.opened;
    server.clock.advance(20);
    await eventually(async () => (await server.timeline(server.id)).filter((line) => line === 'step_started run').length === 2);
    server.clock.advance(1_000);
    await server.runtime.sendEvent(CALLER, server.id, { key: 'now', payload: 'event' });
    expect((await ended(server, server.id)).state).toEqual({ first: 'event' });
    held.open();
  });

  it('takes an update that was sent before a worker had claimed it, within the wait', async () => {
    const server = await started(async (ctx) => {
      const count = await ctx.step('prepare', () => 1);
      ctx.onUpdate('add', null, (n) => count + Number(n));
      await ctx.event('end');
    });
    const { id, runtime, clock, log } = server;
    const sent = (n: number, waitMs?: number) =>
      runtime.sendUpdate(CALLER, id, { name: 'add', input: n, idempotencyKey: `${n}` }, waitMs);
    const late = sent(1, 1_000);
    const held = sent(2);
    clock.advance(1_000);
    await expect(late).rejects.toMatchObject({
      code: 'not_found',
      message: expect.stringContaining('takes no update "add" yet: no worker has claimed its function'),
    });
    server.work('w1');
    const { sequence } = await held;
    expect(await sent(2)).toEqual({ executionId: id, sequence });
    expect(await runtime.updateOutcome('default', id, sequence)).toEqual({ status: 'completed', output: 3 });
    expect((await log(id)).filter(({ type }) => type === 'update_received')).toHaveLength(1);
  });

  it('goes no further while the execution is paused', async () => {
    const held = gate();
    const calls: string[] = [];
    const server = await started(async (ctx) => {
      await ctx.step('a', () => {
        calls.push('a');
        return held.opened;
      });
      await ctx.step('b', () => calls.push('b'));
      return {};
    });
    server.work('w1');
    await eventually(() => calls.length === 1);
    await server.runtime.pause(CALLER, server.id);
    held.open();
    await parks(server, server.id, 1);
    expect(calls).toEqual(['a']);
    await server.runtime.resume(CALLER, server.id);
    expect((await ended(server, server.id)).status).toBe('completed');
    expect(calls).toEqual(['a', 'b']);
    await replays(server);
  });

  it('continues as another execution', async () => {
    const definition = durable({
      id: 'f',
      input: Type.Object({ n: Type.Optional(Type.Number()) }),
      run: async (ctx, { n = 0 }) => {
        const next = await ctx.step('next', () => n + 1);
        return next < 3 ? ctx.continueAsNew({ n: next }) : { next };
      },
    });
    const server = await serving([definition]);
    server.work('w1');
    let id = await server.run(definition.document, {});
    for (let segment = 0; segment < 2; segment += 1) {
      const { status, nextExecutionId } = await server.settled(id);
      expect(status).toBe('limit_exceeded');
      id = String(nextExecutionId);
    }
    expect((await ended(server, id)).state).toMatchObject({ next: 3 });
    await replays(server);
  });

  it('fails when its code does something else than before, unless it asks for its version', async () => {
    const server = await started(async (ctx) => {
      await ctx.step('reserve', () => 1);
      await ctx.sleep(10);
    });
    const worker = server.work('w1');
    await parks(server, server.id, 1);
    await stopped(server, worker);
    const changed = f(async (ctx) => {
      const version = await ctx.version('charge first', 0, 1);
      await ctx.step(isFitting ? 'reserve' : 'charge', () => 1);
      await ctx.sleep(10);
      return { version };
    });
    let isFitting = false;
    server.work('w2', { durable: [changed] });
    await pass(server, server.id, 10_000);
    expect((await ended(server, server.id)).error).toContain(
      'operation 1 was step "reserve", but the function now begins step "charge"',
    );
    isFitting = true;
    await server.runtime.retry(CALLER, server.id);
    expect((await ended(server, server.id)).state).toEqual({ version: 0 });
    await replays(server);
  });

  it('is given a journal that no single reply has room for', async () => {
    const text = 'x'.repeat(300_000);
    const run: Run = async (ctx) => {
      const all = await ctx.map('part', Array.from({ length: 12 }), (_, n) => `${n}${text}`);
      const small = await ctx.map('small', Array.from({ length: 3_000 }), (_, n) => n, { maxConcurrency: 500 });
      await ctx.sleep('1h');
      return { lengths: all.map((part) => part.length), sum: small.length };
    };
    const server = await started(run);
    server.work('w1', { liveFunctions: 0 });
    await parks(server, server.id, 1);
    await pass(server, server.id, 3_600_000);
    const { state } = await ended(server, server.id);
    expect(state).toEqual({ lengths: Array.from({ length: 12 }, (_, n) => 300_000 + String(n).length), sum: 3_000 });
  });

  it('has steps whose results fit into a request', async () => {
    const server = await started(async (ctx) => {
      const failure = await ctx.step('large', () => 'ä'.repeat(1_100_000)).catch(String);
      return { failure };
    });
    server.work('w1');
    expect((await ended(server, server.id)).state.failure).toContain('the result is larger than the 2 MiB');
  });
});
