import { describe, expect, it } from 'vitest';
import { assign, fromPromise, setup } from 'xstate';
import { type DurableContext, durable, durableMachine, Type } from '../../src/index.ts';
import { CALLER, crashCopy, eventually, openTestRuntime } from '../support/runtimes.ts';
import { type Definition, ended, hostedBy, performed, serving } from './functions.ts';

type Run = (ctx: DurableContext) => unknown;

const child = durable({
  id: 'child',
  input: Type.Object({ n: Type.Number() }),
  output: Type.Object({ doubled: Type.Number() }),
  run: (_, { n }) => ({ doubled: n * 2 }),
});
const other = durable({ id: 'other', run: () => ({}) });

const caught = (calling: Promise<unknown>): Promise<string> =>
  calling.then(
    () => 'called',
    (error: Error & { retryable?: boolean }) => `${error.retryable} ${error.message}`,
  );

const UNDECLARED =
  'the document does not say that the function calls workflow "other": add it to `calls` of the function, and register the workflow again';

describe('the workflows that a durable function calls', () => {
  const run: Run = async (ctx) => {
    const refused = await caught(ctx.call(other, {}));
    const { doubled } = await ctx.call<{ doubled: number }>('child', { n: 4 });
    return { refused, doubled, again: await caught(ctx.call('other')) };
  };

  it.each(['process', 'worker'] as const)('are those that it says, in a %s', async (host) => {
    const opened = await hostedBy(host, [child, other, durable({ id: 'f', calls: [child], run })]);
    for (const { document } of [child, other]) await opened.runtime.register(CALLER, document);
    const id = await opened.run(durable({ id: 'f', calls: [child], run }).document, {});
    expect((await ended(opened, id)).state).toEqual({ refused: `false ${UNDECLARED}`, doubled: 8, again: `false ${UNDECLARED}` });
    const begun = (await opened.log(id)).filter(({ type }) => type === 'step_started').map(({ data }) => data.name);
    expect(begun).toEqual(['child']);
    expect(opened.errors).toEqual([]);
  });

  it.each([{ host: 'process', comes: 'completed' } as const, { host: 'worker', comes: 'failed' } as const])(
    'are any in the process of the server if it does not say, and none in a worker: $host',
    async ({ host, comes }) => {
      const definition = durable({ id: 'f', run: (ctx) => ctx.call(other, {}) });
      const opened = await hostedBy(host, [other, definition]);
      await opened.runtime.register(CALLER, other.document);
      const { status, error } = await ended(opened, await opened.run(definition.document, {}));
      expect({ status, error }).toEqual({ status: comes, error: comes === 'failed' ? `run: ${UNDECLARED}` : null });
      expect(opened.errors).toEqual([]);
    },
  );

  it('that it called in the process of a server are given to it in a worker', async () => {
    const definition = durable({
      id: 'f',
      run: async (ctx) => {
        const { doubled } = await ctx.call(child, { n: 2 });
        await ctx.event('go');
        return { doubled, refused: await caught(ctx.call(other, {})) };
      },
    });
    const inProcess = await hostedBy('process', [child, definition]);
    await inProcess.runtime.register(CALLER, child.document);
    const id = await inProcess.run(definition.document, {});
    await eventually(async () => (await inProcess.timeline(id)).filter((line) => line === 'function_parked run').length === 2);
    const copy = crashCopy(inProcess.path);
    await inProcess.close();
    const { store } = await openTestRuntime({ path: copy });
    const server = await serving([], { store });
    server.work('w1', { durable: [definition] });
    await server.runtime.sendEvent(CALLER, id, { key: 'go', payload: null });
    expect((await ended(server, id)).state).toEqual({ doubled: 4, refused: `false ${UNDECLARED}` });
  });

  it('are, of a state machine, those of its activities', async () => {
    const machine = setup({
      types: { context: {} as { got: unknown } },
      actors: { work: fromPromise(async (): Promise<unknown> => null) },
    }).createMachine({
      context: { got: null },
      initial: 'working',
      states: {
        working: {
          invoke: {
            src: 'work',
            input: { n: 3 },
            onDone: { target: 'done', actions: assign({ got: ({ event }) => event.output }) },
          },
        },
        done: { type: 'final' },
      },
    });
    const definition = durableMachine(machine, { id: 'f', activities: { work: child as never } });
    const play = async (host: 'process' | 'worker') => {
      const opened = await hostedBy(host, [child, definition as Definition]);
      await opened.runtime.register(CALLER, child.document);
      const id = await opened.run(definition.document, {});
      const { status, state } = await ended(opened, id);
      return { status, got: state.context, events: await performed(opened, id) };
    };
    const inProcess = await play('process');
    expect(inProcess).toMatchObject({ status: 'completed', got: { got: { doubled: 6 } } });
    expect(await play('worker')).toEqual(inProcess);
  });
});
