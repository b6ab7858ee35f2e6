import { describe, expect, it } from 'vitest';
import { assign, fromPromise, setup } from 'xstate';
import { CallError, type DurableContext, durable, durableMachine, type StepError, Type } from '../../src/index.ts';
import { replayAll } from '../support/replay-all.ts';
import { CALLER, eventually, type TestRuntime } from '../support/runtimes.ts';
import { type Definition, ended, hostedBy, pass, performed } from './functions.ts';

type Run = (ctx: DurableContext) => unknown;

const child = durable({
  id: 'child',
  input: Type.Object({ n: Type.Number() }),
  output: Type.Object({ doubled: Type.Number() }),
  run: async (ctx, { n }) => {
    if (n < 0) throw Object.assign(new Error('negative'), { retryable: false });
    return { doubled: await ctx.step('double', () => n * 2) };
  },
});

const door = durableMachine(
  setup({
    types: { context: {} as { opened: number } },
    actors: { knock: fromPromise(async () => 'come in') },
  }).createMachine({
    id: 'door',
    initial: 'knocking',
    context: { opened: 0 },
    states: {
      knocking: { invoke: { src: 'knock', onDone: 'shut' } },
      shut: { on: { open: { target: 'open', actions: assign({ opened: ({ context }) => context.opened + 1 }) } } },
      open: { after: { 60000: 'gone' } },
      gone: { type: 'final' },
    },
  }),
  { id: 'f' },
);

interface Example {
  readonly title: string;
  readonly run: Run | Definition;
  /** What comes from outside. */
  readonly happens?: (host: TestRuntime, id: string) => Promise<void>;
  readonly status?: string;
}

const parks = async ({ timeline }: TestRuntime, id: string, times: number): Promise<void> =>
  eventually(async () => (await timeline(id)).filter((line) => line === 'function_parked run').length >= times);

let begin = (): void => {};
const begun = new Promise<void>((resolve) => {
  begin = resolve;
});

const EXAMPLES: readonly Example[] = [
  {
    title: 'steps, values and versions',
    run: async (ctx) => {
      const [a, b] = await Promise.all([ctx.step('a', () => 1), ctx.step('b', async () => 2)]);
      const seen = { random: typeof (await ctx.random()), uuid: typeof (await ctx.uuid()), at: await ctx.now() };
      return { a, b, ...seen, version: await ctx.version('change', 1, 4), state: ctx.state };
    },
  },
  {
    title: 'a map, one at a time of which fails',
    run: async (ctx) => {
      const squares = await ctx.map('square', [1, 2, 3, 4, 5], (n) => n * n, { maxConcurrency: 2 });
      const failure = await ctx
        .map('fail', [1, 2, 3], (n) => (n === 2 ? Promise.reject(new Error('two')) : n), {
          maxConcurrency: 1,
          retry: { maxAttempts: 1 },
        })
        .catch(({ message, step, attempts }: StepError) => ({ message, step, attempts }));
      return { squares, failure };
    },
  },
  {
    title: 'sleeps, and events that come before, in time and too late',
    run: async (ctx) => {
      const early = await ctx.event('early');
      await ctx.sleep('3d');
      await ctx.sleepUntil('2026-03-16');
      const [inTime, late] = await Promise.all([ctx.event('in time', { timeout: '1h' }), ctx.event('late', { timeout: '1h' })]);
      return { early, inTime, late };
    },
    happens: async (host, id) => {
      await parks(host, id, 1);
      await host.runtime.sendEvent(CALLER, id, { key: 'in time', payload: [1] });
      await host.runtime.sendEvent(CALLER, id, { key: 'early', payload: { n: 1 } });
      await parks(host, id, 2);
      await pass(host, id, 3 * 86_400_000);
      await parks(host, id, 3);
      await pass(host, id, 86_400_000);
      await parks(host, id, 4);
      await pass(host, id, 3_600_000);
    },
  },
  {
    title: 'questions',
    run: async (ctx) => {
      const answers = await Promise.all([ctx.approval({ message: 'One?' }), ctx.approval({ message: 'Two?', timeout: '1h' })]);
      return { answers };
    },
    happens: async (host, id) => {
      await parks(host, id, 1);
      await host.runtime.approve(CALLER, id, { decision: 'rejected', userId: 'ann', comment: 'no' });
      await parks(host, id, 2);
      await pass(host, id, 3_600_000);
    },
  },
  {
    title: 'calls, one of which fails',
    run: async (ctx) => {
      const [one, failed] = await Promise.all([
        ctx.call(child, { n: 1 }),
        ctx.call(child, { n: -1 }).catch((error) => (error instanceof CallError ? error.message : 'another error')),
      ]);
      return { one: one.doubled, failed };
    },
  },
  {
    title: 'a step that is attempted again, and fails for good',
    run: async (ctx) => {
      let calls = 0;
      const charge = ctx.step(
        'charge',
        ({ attempt }) => {
          calls += 1;
          throw Object.assign(new Error(`no money ${attempt}`), { errorClass: 'declined' });
        },
        { retry: { maxAttempts: 3, initialDelay: '1m', backoff: 'fixed', maxDelay: '1m' } },
      );
      return charge.catch(({ errorClass, attempts, message }: StepError) => ({ errorClass, attempts, message, calls }));
    },
    happens: async (host, id) => {
      await parks(host, id, 1);
      await pass(host, id, 60_000);
      await parks(host, id, 2);
      await pass(host, id, 60_000);
    },
  },
  {
    title: 'a step with a time limit',
    run: async (ctx) => {
      const slow = (): Promise<never> => {
        begin();
        return new Promise(() => {});
      };
      const limited = await ctx
        .step('limited', slow, { timeout: '5s', retry: { maxAttempts: 1 } })
        .catch(({ errorClass }: StepError) => ({ errorClass }));
      return { limited };
    },
    happens: async (host, id) => {
      await eventually(async () => (await host.timeline(id)).includes('node_started run'));
      await begun;
      await pass(host, id, 5_000);
      await eventually(async () => (await host.timeline(id)).includes('step_failed run'));
    },
  },
  {
    title: 'what it exposes',
    run: async (ctx) => {
      await ctx.expose({ done: 1, of: 2 });
      await ctx.event('go');
      await ctx.expose({ done: 2, of: null });
      await ctx.expose({ done: 2, of: null });
      return { finished: true };
    },
    happens: async (host, id) => {
      await parks(host, id, 1);
      expect((await host.settled(id)).state).toMatchObject({ done: 1, of: 2 });
      await host.runtime.sendEvent(CALLER, id, { key: 'go', payload: null });
    },
  },
  {
    title: 'updates',
    run: async (ctx) => {
      const items: string[] = [];
      ctx.onUpdate('add', Type.Object({ sku: Type.String() }), async ({ sku }) => {
        if (items.includes(sku)) throw Object.assign(new Error(`${sku} is there`), { errorClass: 'twice' });
        items.push(await ctx.step('check', () => sku));
        return { count: items.length };
      });
      await ctx.event('checkout');
      return { items };
    },
    happens: async (host, id) => {
      await parks(host, id, 1);
      const answers = [];
      for (const sku of ['a', 'b', 'a']) {
        const { executionId, sequence } = await host.runtime.sendUpdate(CALLER, id, { name: 'add', input: { sku } });
        answers.push(await host.runtime.updateOutcome('default', executionId, sequence));
      }
      expect(answers).toEqual([
        { status: 'completed', output: { count: 1 } },
        { status: 'completed', output: { count: 2 } },
        { status: 'failed', error: 'a is there', errorClass: 'twice' },
      ]);
      await host.runtime.sendEvent(CALLER, id, { key: 'checkout', payload: null });
    },
  },
  {
    title: 'an error, which is retried by the policy of the node',
    run: async (ctx) => {
      await ctx.step('a', () => 1);
      if (ctx.execution.attempt < 2) throw new RangeError(`attempt ${ctx.execution.attempt}`);
      return { attempt: ctx.execution.attempt };
    },
    happens: async (host, id) => {
      for (const failures of [1, 2]) {
        await eventually(
          async () => (await host.timeline(id)).filter((line) => line === 'retry_scheduled run').length === failures,
        );
        await pass(host, id, 2_000);
      }
    },
  },
  {
    title: 'an error for good',
    run: async (ctx) => {
      await ctx.step('a', () => 1);
      throw Object.assign(new RangeError('never'), { retryable: false });
    },
    status: 'failed',
  },
  {
    title: 'a result that is no JSON',
    run: async () => ({ n: 1n }),
    status: 'failed',
  },
  {
    title: 'a state machine',
    run: door,
    happens: async (host, id) => {
      await parks(host, id, 1);
      await host.runtime.sendEvent(CALLER, id, { key: 'open', payload: {} });
      await parks(host, id, 2);
      await pass(host, id, 60_000);
    },
  },
];

describe('a durable function in a worker', () => {
  it.each(EXAMPLES)('does the same as in process: $title', async ({ run, happens, status = 'completed' }) => {
    const definition = typeof run === 'function' ? durable({ id: 'f', calls: [child], run }) : run;
    const play = async (host: 'process' | 'worker') => {
      const opened = await hostedBy(host, [child, definition]);
      const { workflowId } = await opened.runtime.register(CALLER, child.document);
      expect(workflowId).toBe('child');
      const id = await opened.run(definition.document, {});
      await happens?.(opened, id);
      const { state, error, status: came } = await ended(opened, id);
      expect({ came, error }).toEqual({ came: status, error: status === 'failed' ? expect.any(String) : null });
      expect(opened.errors).toEqual([]);
      const events = await performed(opened, id);
      await opened.close();
      expect(await replayAll(opened.path)).toMatchObject({ differing: [] });
      return { state, error, events };
    };
    const inProcess = await play('process');
    expect(await play('worker')).toEqual(inProcess);
  });
});
