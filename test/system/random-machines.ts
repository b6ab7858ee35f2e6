import { setTimeout } from 'node:timers/promises';
import { type AnyStateMachine, assign, createMachine, fromPromise } from 'xstate';
import { Random } from '../support/random.ts';

interface Context {
  readonly done: Readonly<Record<string, unknown>>;
  readonly rounds: number;
}

type Args = { readonly context: Context; readonly event: { readonly type: string; readonly output?: unknown } };

const kept = (name: string): unknown =>
  assign(({ context, event }: Args) => ({ done: { ...context.done, [name]: event.output ?? event.type } }));

/**
 * A machine whose states follow each other, each of a random sort: with promises, failures, delays, actions, regions, actors and events. `called` is told
 * each activity that begins.
 */
export function randomMachine(seed: number, called: (name: string) => void): AnyStateMachine {
  const random = new Random(seed);
  const work = fromPromise(async ({ input: { name, ms, fails } }: { input: { name: string; ms: number; fails: boolean } }) => {
    called(name);
    await setTimeout(ms);
    if (fails) throw new Error(`${name} is broken`);
    return `${name} after ${ms}`;
  });
  const invoke = (name: string, target: string, fails = false) => ({
    src: 'work',
    input: { name, ms: random.between(20, 140), fails },
    onDone: { target, actions: kept(name) },
    onError: { target, actions: kept(name) },
  });
  const region = (name: string) => ({
    initial: 'at',
    states: { at: { invoke: invoke(name, 'over') }, over: { type: 'final' } },
  });
  const child = machineOf({
    initial: 'waits',
    states: { waits: { after: { 40: 'works' } }, works: { invoke: invoke(`${seed} child`, 'over') }, over: { type: 'final' } },
    output: 'of the child',
  }).provide({ actors: { work } });
  const sorts: readonly ((name: string, target: string, self: string) => object)[] = [
    (name, target) => ({ invoke: invoke(name, target) }),
    (name, target) => ({ invoke: invoke(name, target, true) }),
    (_, target) => ({ after: { [random.between(20, 170)]: target } }),
    (name, target) => ({ entry: { type: 'note', params: { name } }, always: target }),
    (name, target) => ({ type: 'parallel', states: { a: region(`${name}.a`), b: region(`${name}.b`) }, onDone: target }),
    (name, target) => ({ invoke: { src: 'child', onDone: { target, actions: kept(name) } } }),
    (name, target, self) => {
      const { onDone, ...once } = invoke(name, target);
      const again = { guard: ({ context }: Args) => context.rounds % 2 === 1, target: self, reenter: true };
      const counted = assign(({ context }: Args) => ({ rounds: context.rounds + 1 }));
      return { entry: counted, invoke: { ...once, onDone: [again, onDone] } };
    },
  ];
  const length = random.between(4, 7);
  const asks = random.between(0, length - 1);
  const states = Array.from({ length }, (_, i): [string, object] => {
    const [name, self, target] = [`${seed} s${i}`, `s${i}`, `s${i + 1}`];
    return [self, i === asks ? { on: { GO: { target, actions: kept(name) } } } : random.pick(sorts)(name, target, self)];
  });
  const breaks = { invoke: { src: 'work', input: { name: `${seed} end`, ms: 50, fails: true } } };
  return machineOf({
    id: `m${seed}`,
    context: { done: {}, rounds: 0 },
    initial: 's0',
    states: { ...Object.fromEntries(states), [`s${length}`]: seed % 10 === 9 ? breaks : { type: 'final' } },
    output: ({ context }: Args) => context.done,
  }).provide({ actors: { work, child }, actions: { note: (_, { name }: { name: string }) => called(name) } });
}

/** Its states are chosen at random, so that their types say nothing. */
function machineOf(config: object): AnyStateMachine {
  return createMachine(config as never) as unknown as AnyStateMachine;
}
