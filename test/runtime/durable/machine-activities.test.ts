import { describe, expect, it } from 'vitest';
import { type AnyStateMachine, assign, createActor, createMachine, fromCallback, fromPromise, setup, spawnChild } from 'xstate';
import { durable, durableMachine, InvalidWorkflow, Type } from '../../../src/index.ts';
import { CALLER, eventually, openTestRuntime } from '../../support/runtimes.ts';

/** A runtime in which an execution of the machine is started. */
async function started(
  machine: AnyStateMachine,
  activities: Record<string, unknown> = {},
  more: readonly ReturnType<typeof durable>[] = [],
) {
  const definition = durableMachine(machine, { id: 'm', activities: activities as never });
  const tools = Object.assign({}, definition.tools, ...more.map((one) => one.tools));
  const opened = await openTestRuntime({ tools });
  for (const one of more) await opened.runtime.register(CALLER, one.document);
  const id = await opened.run(definition.document);
  const state = async () => (await opened.runtime.execution('default', id)).state as Record<string, never>;
  const reaches = (value: unknown) => eventually(async () => JSON.stringify((await state()).value) === JSON.stringify(value));
  return { ...opened, id, state, reaches };
}

/** The messages with which a machine is refused. */
function problemsOf(machine: AnyStateMachine, activities: Record<string, unknown> = {}): readonly string[] {
  try {
    durableMachine(machine, { id: 'm', activities: activities as never });
    return [];
  } catch (error) {
    if (!(error instanceof InvalidWorkflow)) throw error;
    return error.diagnostics.map(({ message }) => message);
  }
}

const working = setup({
  types: { context: {} as { got: unknown; problem: string | null } },
  actors: { work: fromPromise(async (): Promise<unknown> => 'of the machine') },
}).createMachine({
  context: { got: null, problem: null },
  initial: 'work',
  states: {
    work: {
      invoke: {
        src: 'work',
        input: { n: 2 },
        onDone: { target: 'done', actions: assign({ got: ({ event }) => event.output }) },
        onError: { target: 'failed', actions: assign({ problem: ({ event }) => (event.error as Error).message }) },
      },
      on: { LEAVE: 'left' },
    },
    done: {},
    failed: {},
    left: {},
  },
});

describe('an activity of a state machine', () => {
  it('does the work of an actor, and is attempted again by its policy', async () => {
    let attempts = 0;
    const keys = new Set<string>();
    const run = ({ n }: { n: number }, { idempotencyKey, tenantId }: { idempotencyKey: string; tenantId: string }) => {
      attempts += 1;
      keys.add(idempotencyKey);
      if (attempts < 3) throw new Error('not yet');
      return { doubled: n * 2, tenantId };
    };
    const { reaches, state, clock, errors } = await started(working, {
      work: { run, retry: { maxAttempts: 3, initialDelay: 1 } },
    });
    await eventually(async () => {
      clock.advance(1_000);
      return (await state()).value === 'done';
    });
    await reaches('done');
    expect((await state()).context).toEqual({ got: { doubled: 4, tenantId: 'default' }, problem: null });
    expect({ attempts, keys: keys.size, errors }).toEqual({ attempts: 3, keys: 1, errors: [] });
  });

  it('may be another workflow, which is cancelled when its state is left', async () => {
    const child = durable({
      id: 'child',
      input: Type.Object({ n: Type.Number() }),
      run: async (ctx, { n }) => ({ n, paid: await ctx.event('paid') }),
    });
    const first = await started(working, { work: child }, [child as never]);
    const childIdOf = async () =>
      (await first.log(first.id)).find(({ type }) => type === 'child_workflow_started')?.data.child_execution_id;
    await eventually(async () => (await childIdOf()) !== undefined);
    await first.runtime.sendEvent(CALLER, String(await childIdOf()), { key: 'paid', payload: 5 });
    await first.reaches('done');
    expect((await first.state()).context).toMatchObject({ got: { n: 2, paid: 5 } });

    const second = await started(working, { work: child }, [child as never]);
    const idOf = async () =>
      (await second.log(second.id)).find(({ type }) => type === 'child_workflow_started')?.data.child_execution_id;
    await eventually(async () => (await idOf()) !== undefined);
    await second.runtime.sendEvent(CALLER, second.id, { key: 'LEAVE', payload: {} });
    await second.reaches('left');
    const childId = String(await idOf());
    await eventually(async () => (await second.runtime.execution('default', childId)).status === 'cancelled');
    expect((await second.log(second.id)).filter(({ type }) => type === 'step_cancelled').map(({ data }) => data.name)).toContain(
      'child',
    );
  });

  it('has its signal aborted when its state is left, and what it gives then is not used', async () => {
    let aborted = false;
    let give: (value: string) => void = () => {};
    const run = (_: unknown, { signal }: { signal: AbortSignal }) => {
      signal.addEventListener('abort', () => {
        aborted = true;
      });
      return new Promise<string>((resolve) => {
        give = resolve;
      });
    };
    const { runtime, id, reaches, state, errors } = await started(working, { work: run });
    await reaches('work');
    await runtime.sendEvent(CALLER, id, { key: 'LEAVE', payload: {} });
    await reaches('left');
    await eventually(() => aborted);
    give('late');
    await new Promise((resolve) => setImmediate(resolve));
    expect((await state()).value).toBe('left');
    expect(errors).toEqual([]);
  });

  it('that is an action and fails for good, fails the execution unless the machine handles it', async () => {
    const machine = (handles: boolean) =>
      setup({
        actions: {
          notify: (): void => {
            throw Object.assign(new Error('no mail'), { retryable: false });
          },
        },
      }).createMachine({
        initial: 'a',
        states: { a: { entry: 'notify', ...(handles ? { on: { 'error.activity.notify': 'sorry' } } : {}) }, sorry: {} },
      });
    const handled = await started(machine(true));
    await handled.reaches('sorry');
    const unhandled = await started(machine(false));
    expect(await unhandled.settled(unhandled.id)).toMatchObject({ status: 'failed', error: expect.stringContaining('no mail') });
  });

  it('cannot send events past the journal', async () => {
    const machine = setup({
      actors: {
        sneak: fromPromise(async ({ self }) => {
          (self as { _parent?: { send: (event: object) => void } })._parent?.send({ type: 'GO' });
        }),
      },
    }).createMachine({ initial: 'a', states: { a: { invoke: { src: 'sneak' }, on: { GO: 'b' } }, b: {} } });
    const { settled, id } = await started(machine);
    expect(await settled(id)).toMatchObject({
      status: 'failed',
      error: expect.stringContaining('was sent by code of an activity'),
    });
  });
});

describe('an event for a state machine', () => {
  const door = createMachine({
    initial: 'closed',
    states: { closed: { on: { OPEN: 'open' } }, open: { on: { CLOSE: 'closed', 'paint.*': 'painted' } }, painted: {} },
  });

  it('is kept until a state accepts it, or with strict refused', async () => {
    const { runtime, id, reaches, state } = await started(door);
    await reaches('closed');
    await expect(runtime.sendEvent(CALLER, id, { key: 'CLOSE', payload: {}, strict: true })).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('does not accept CLOSE; it accepts OPEN'),
    });
    expect(await runtime.sendEvent(CALLER, id, { key: 'paint.red', payload: {} })).toMatchObject({ matched: false });
    expect(await runtime.sendEvent(CALLER, id, { key: 'OPEN', payload: {}, strict: true })).toMatchObject({ matched: true });
    await reaches('painted');
    await expect(runtime.sendEvent(CALLER, id, { key: 'xstate.stop', payload: {}, strict: true })).rejects.toMatchObject({
      code: 'conflict',
    });
    const restored = createActor(door, { snapshot: (await state()) as never }).start();
    expect(restored.getSnapshot().value).toBe('painted');
  });
});

describe('a machine that would not survive', () => {
  it('is refused, with the place', () => {
    const inline = setup({ actions: { ok: assign({}) } }).createMachine({
      initial: 'a',
      states: { a: { entry: ['ok', () => {}], after: { 10: { actions: () => {} } }, on: { GO: { actions: () => {} } } } },
    });
    expect(
      problemsOf(inline)
        .map((problem) => problem.split(':')[0])
        .sort(),
    ).toEqual(['states.a.after.10.actions[0]', 'states.a.entry[1]', 'states.a.on.GO.actions[0]']);
  });

  it('is refused for actors that have no result, and accepted when an activity does their work', () => {
    const machine = setup({ actors: { ticks: fromCallback(() => {}) } }).createMachine({ invoke: { src: 'ticks' } });
    expect(problemsOf(machine)).toEqual([expect.stringMatching(/^actors\.ticks: an actor of fromCallback/)]);
    expect(problemsOf(machine, { ticks: () => 1 })).toEqual([]);
    const within = setup({ actors: { child: machine } }).createMachine({ invoke: { src: 'child' } });
    expect(problemsOf(within)).toEqual([expect.stringMatching(/^actors\.child actors\.ticks: /)]);
    expect(problemsOf(createMachine({ entry: spawnChild(fromPromise(async () => 1)) }))).toEqual([
      expect.stringMatching(/^entry\[0\]\.src: an actor that is spawned without a name/),
    ]);
  });

  it('is refused for names that nothing has', () => {
    const machine = createMachine({ entry: 'hello', invoke: { src: 'missing' } });
    expect(problemsOf(machine, { other: () => 1 })).toEqual([
      expect.stringMatching(/^entry\[0\]: nothing carries out the action "hello"/),
      expect.stringMatching(/^invoke\[0\]\.src: nothing carries out the actor "missing"/),
      expect.stringMatching(/^activities\.other: the machine has neither/),
    ]);
    expect(problemsOf({} as never)).toEqual([expect.stringMatching(/needs a machine of XState 5/)]);
  });
});
