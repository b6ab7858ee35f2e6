import { describe, expect, it } from 'vitest';
import { type AnyStateMachine, assign, createMachine, fromTransition, raise, sendParent, sendTo, setup } from 'xstate';
import { Microsteps } from '../../../src/executors/durable/machine/microsteps.ts';
import { durableMachine } from '../../../src/index.ts';
import { replayAll } from '../../support/replay-all.ts';
import { CALLER, crashCopy, openTestRuntime } from '../../support/runtimes.ts';

/** What becomes of an execution whose machine is given GO. */
async function afterGo(machine: AnyStateMachine) {
  const definition = durableMachine(machine, { id: 'm' });
  const opened = await openTestRuntime({ tools: definition.tools });
  const id = await opened.run(definition.document);
  await opened.settled(id);
  await opened.runtime.sendEvent(CALLER, id, { key: 'GO', payload: {} });
  return { opened, definition, id, view: await opened.settled(id) };
}

/** Of a machine that goes round for 10,000 microsteps, or for as long as it may on a busy computer. */
function failedAfter(cause: string, round: string) {
  const problem = `too_many_microsteps: the machine does not come to rest after "${cause}": ${round}, `;
  return { status: 'failed', error: expect.stringContaining(problem) };
}

describe('a state machine that does not come to rest', () => {
  const round = createMachine({
    initial: 'rest',
    states: { rest: { on: { GO: 'work' } }, work: { initial: 'x', states: { x: { always: 'y' }, y: { always: 'x' } } } },
  });

  it('fails with the states that it goes round, also when it is replayed, retried and opened again', async () => {
    const { opened, definition, id, view } = await afterGo(round);
    expect(view).toMatchObject(failedAfter('GO', 'work.y → work.x → work.y'));
    const failures = (await opened.log(id)).filter(({ type }) => type === 'node_failed');
    expect(failures).toMatchObject([{ data: { retryable: false, error_class: 'too_many_microsteps' } }]);
    const again = await openTestRuntime({ tools: definition.tools, path: crashCopy(opened.path) });
    expect(await again.runtime.execution('default', id)).toMatchObject({ status: 'failed', state: { value: 'rest' } });
    await replayAll(opened.path);
    await again.runtime.retry(CALLER, id);
    expect(await again.settled(id)).toMatchObject(failedAfter('GO', 'work.y → work.x → work.y'));
  });

  it('fails at its start', async () => {
    const machine = createMachine({ initial: 'x', states: { x: { always: 'y' }, y: { always: 'x' } } });
    const definition = durableMachine(machine, { id: 'm' });
    const opened = await openTestRuntime({ tools: definition.tools });
    expect(await opened.settled(await opened.run(definition.document))).toMatchObject(failedAfter('xstate.init', 'x → y → x'));
  });

  it('fails by events that it raises, and by states that keep their name', async () => {
    const raising = createMachine({
      initial: 'a',
      states: { a: { on: { GO: { actions: raise({ type: 'MORE' }) }, MORE: { actions: raise({ type: 'MORE' }) } } } },
    });
    expect((await afterGo(raising)).view).toMatchObject(failedAfter('GO', 'a → a'));
    const counting = setup({ types: { context: {} as { count: number } } }).createMachine({
      context: { count: 0 },
      initial: 'rest',
      states: {
        rest: { on: { GO: 'all' } },
        all: {
          type: 'parallel',
          states: {
            p: { initial: 'a', states: { a: { always: { actions: assign({ count: ({ context }) => context.count + 1 }) } } } },
            q: { initial: 'b', states: { b: {} } },
          },
        },
      },
    });
    expect((await afterGo(counting)).view).toMatchObject(failedAfter('GO', 'all.(p.a, q.b) → all.(p.a, q.b)'));
  });

  it('fails by actors that send one another events, although the machine handles their errors', async () => {
    const answers = setup({}).createMachine({
      initial: 'a',
      states: { a: { on: { PING: { actions: sendParent({ type: 'PONG' }) } } } },
    });
    const machine = setup({ actors: { answers } }).createMachine({
      initial: 'rest',
      states: {
        rest: { on: { GO: 'talk' } },
        talk: {
          invoke: { src: 'answers', id: 'other', onError: 'rest' },
          entry: sendTo('other', { type: 'PING' }),
          on: { PONG: { actions: sendTo('other', { type: 'PING' }) }, '*': {} },
        },
      },
    });
    expect((await afterGo(machine)).view).toMatchObject(failedAfter('GO', 'other: a → talk → other: a'));
  });

  it('fails by reducers that send events', async () => {
    const echo = fromTransition((state: number, event: { type: string }, { self }) => {
      if (event.type === 'PING') self.send(event);
      return state + 1;
    }, 0);
    const machine = setup({ actors: { echo } }).createMachine({
      initial: 'rest',
      states: {
        rest: { on: { GO: 'talk' } },
        talk: { invoke: { src: 'echo', id: 'echo' }, entry: sendTo('echo', { type: 'PING' }) },
      },
    });
    expect((await afterGo(machine)).view).toMatchObject(failedAfter('GO', 'echo → echo'));
  });
});

describe('the microsteps of a step', () => {
  it('are 10,000 at most', () => {
    const microsteps = new Microsteps(() => 0);
    for (const cause of ['FIRST', 'SECOND']) {
      microsteps.begin(cause, false);
      for (let count = 1; count < 10_000; count += 1) microsteps.add('', count % 2 === 0 ? 'x' : { a: 'y' });
      expect(() => microsteps.add('', 'x')).toThrow(`after "${cause}": x → a.y → x, 10,000 microsteps`);
    }
  });

  it('take one second of CPU at most, but not when the machine came to rest before', () => {
    let cpuMs = 0;
    const microsteps = new Microsteps(() => cpuMs);
    const steps = () => {
      for (let count = 1; count <= 1_000; count += 1) {
        cpuMs += 5;
        microsteps.add('', `s${count}`);
      }
    };
    microsteps.begin('GO', false);
    expect(steps).toThrow(/after "GO": … → s\d+ → .*, 3\d\d microsteps in 1 s$/);
    microsteps.begin('GO', true);
    expect(steps).not.toThrow();
  });
});

it('a state machine may take many microsteps', async () => {
  const machine = setup({ types: { context: {} as { count: number } } }).createMachine({
    context: { count: 0 },
    initial: 'rest',
    states: {
      rest: { on: { GO: 'count' } },
      count: {
        always: [
          { guard: ({ context }) => context.count === 9_900, target: 'end' },
          { actions: assign({ count: ({ context }) => context.count + 1 }) },
        ],
      },
      end: { type: 'final' },
    },
  });
  expect((await afterGo(machine)).view).toMatchObject({ status: 'completed', state: { context: { count: 9_900 } } });
});
