import {
  type AnyEventObject,
  type AnyStateMachine,
  and,
  assign,
  cancel,
  createMachine,
  emit,
  enqueueActions,
  fromPromise,
  fromTransition,
  log,
  not,
  or,
  raise,
  sendParent,
  sendTo,
  setup,
  spawnChild,
  stateIn,
  stopChild,
} from 'xstate';
import type { Json } from '../../machines/json.ts';

/** What happens to a machine: an event comes, or time passes. */
export type Happening = { readonly send: AnyEventObject } | { readonly wait: number };

/** A machine, and what happens to it. */
export interface Example {
  readonly name: string;
  /** `called` is told each call of a custom action. */
  readonly machine: (called: (name: string) => void) => AnyStateMachine;
  readonly input?: Json;
  readonly happens: readonly Happening[];
}

const send = (type: string, payload: object = {}): Happening => ({ send: { ...payload, type } });
const wait = (ms: number): Happening => ({ wait: ms });

const later = async <T>(value: T): Promise<T> => {
  await new Promise((resolve) => setImmediate(resolve));
  return value;
};

/** A lamp that counts what its parent sends it. */
const lamp = setup({ types: { context: {} as { switched: number } } }).createMachine({
  id: 'lamp',
  context: { switched: 0 },
  initial: 'off',
  states: {
    off: { on: { SWITCH: { target: 'on', actions: assign({ switched: ({ context }) => context.switched + 1 }) } } },
    on: { on: { SWITCH: 'off', BREAK: 'broken' } },
    broken: { type: 'final' },
  },
  output: ({ context }) => ({ switched: context.switched }),
});

/** Machines in the manner of XState's own examples, each for some of its features. */
export const EXAMPLES: readonly Example[] = [
  {
    name: 'toggle',
    machine: () =>
      createMachine({
        id: 'toggle',
        initial: 'inactive',
        states: { inactive: { on: { TOGGLE: 'active' } }, active: { on: { TOGGLE: 'inactive' } } },
      }),
    happens: [send('TOGGLE'), send('TOGGLE'), send('TOGGLE')],
  },
  {
    name: 'counter with guards',
    machine: () =>
      setup({
        types: { context: {} as { count: number }, input: {} as { from: number } },
        guards: { isSmall: ({ context }) => context.count < 2, isPositive: ({ context }) => context.count > 0 },
      }).createMachine({
        context: ({ input }) => ({ count: input.from }),
        on: {
          INC: { guard: 'isSmall', actions: assign({ count: ({ context }) => context.count + 1 }) },
          DEC: { guard: and(['isPositive', not('isSmall')]), actions: assign({ count: ({ context }) => context.count - 1 }) },
        },
      }),
    input: { from: 0 },
    happens: [send('DEC'), send('INC'), send('INC'), send('INC'), send('DEC')],
  },
  {
    name: 'traffic light, nested and delayed',
    machine: () =>
      createMachine({
        id: 'light',
        initial: 'green',
        states: {
          green: { after: { 1000: 'yellow' } },
          yellow: { after: { 500: 'red' } },
          red: {
            initial: 'walk',
            after: { 4000: 'green' },
            states: { walk: { after: { 1000: 'wait' } }, wait: { after: { 1000: 'stop' } }, stop: {} },
          },
        },
      }),
    happens: [wait(1_000), wait(500), wait(1_000), wait(1_000), wait(2_000)],
  },
  {
    name: 'text editor, parallel',
    machine: () =>
      createMachine({
        id: 'editor',
        type: 'parallel',
        states: {
          bold: { initial: 'off', states: { off: { on: { BOLD: 'on' } }, on: { on: { BOLD: 'off', CLEAR: 'off' } } } },
          italic: { initial: 'off', states: { off: { on: { ITALIC: 'on' } }, on: { on: { ITALIC: 'off', CLEAR: 'off' } } } },
        },
      }),
    happens: [send('BOLD'), send('ITALIC'), send('CLEAR'), send('ITALIC')],
  },
  {
    name: 'player with shallow history',
    machine: () =>
      createMachine({
        id: 'player',
        initial: 'playing',
        states: {
          playing: {
            initial: 'slow',
            states: {
              slow: { on: { FASTER: 'fast' } },
              fast: { initial: 'x2', states: { x2: { on: { FASTER: 'x4' } }, x4: {} } },
              hist: { type: 'history' },
            },
            on: { PAUSE: 'paused' },
          },
          paused: { on: { PLAY: 'playing.hist' } },
        },
      }),
    happens: [send('FASTER'), send('FASTER'), send('PAUSE'), send('PLAY'), send('PAUSE')],
  },
  {
    name: 'wizard with deep history',
    machine: () =>
      createMachine({
        id: 'wizard',
        initial: 'form',
        states: {
          form: {
            type: 'parallel',
            states: {
              page: {
                initial: 'one',
                states: { one: { on: { NEXT: 'two' } }, two: { initial: 'a', states: { a: { on: { NEXT: 'b' } }, b: {} } } },
              },
              help: { initial: 'closed', states: { closed: { on: { HELP: 'open' } }, open: {} } },
              hist: { type: 'history', history: 'deep' },
            },
            on: { AWAY: 'away' },
          },
          away: { on: { BACK: 'form.hist' } },
        },
      }),
    happens: [send('NEXT'), send('NEXT'), send('HELP'), send('AWAY'), send('BACK')],
  },
  {
    name: 'history with a default target',
    machine: () =>
      createMachine({
        initial: 'idle',
        states: {
          idle: { on: { RESUME: 'work.hist' } },
          work: { initial: 'a', states: { a: {}, b: { on: { IDLE: '#idle2' } }, hist: { type: 'history', target: 'b' } } },
          idle2: { id: 'idle2', on: { RESUME: 'work.hist' } },
        },
      }),
    happens: [send('RESUME'), send('IDLE'), send('RESUME')],
  },
  {
    name: 'always, in a chain',
    machine: () =>
      setup({ types: { context: {} as { n: number } } }).createMachine({
        context: { n: 0 },
        initial: 'counting',
        states: {
          counting: {
            always: { guard: ({ context }) => context.n >= 3, target: 'done' },
            on: {
              ADD: { actions: assign({ n: ({ context, event }) => context.n + (event as { n: number } & typeof event).n }) },
            },
          },
          done: { always: 'after' },
          after: { type: 'final' },
        },
        output: ({ context }) => ({ n: context.n }),
      }),
    happens: [send('ADD', { n: 1 }), send('ADD', { n: 2 })],
  },
  {
    name: 'final states of regions, with output',
    machine: () =>
      createMachine({
        initial: 'both',
        states: {
          both: {
            type: 'parallel',
            states: {
              a: { initial: 'x', states: { x: { on: { A: 'y' } }, y: { type: 'final', output: { a: 1 } } } },
              b: { initial: 'x', states: { x: { on: { B: 'y' } }, y: { type: 'final', output: { b: 2 } } } },
            },
            onDone: 'end',
          },
          end: { type: 'final', output: { all: true } },
        },
        output: ({ event }) => ({ from: event.type, got: event.output as unknown }),
      }),
    happens: [send('B'), send('A')],
  },
  {
    name: 'fetch with a promise',
    machine: () =>
      setup({
        types: { context: {} as { user: { id: string } | null } },
        actors: { fetchUser: fromPromise(async ({ input }: { input: { id: string } }) => later({ id: input.id.toUpperCase() })) },
      }).createMachine({
        id: 'fetch',
        context: { user: null },
        initial: 'idle',
        states: {
          idle: { on: { FETCH: 'loading' } },
          loading: {
            invoke: {
              id: 'user',
              src: 'fetchUser',
              input: ({ event }) => ({ id: (event as unknown as { id: string }).id }),
              onDone: { target: 'loaded', actions: assign({ user: ({ event }) => event.output }) },
            },
          },
          loaded: { on: { FETCH: 'loading' } },
        },
      }),
    happens: [send('FETCH', { id: 'a' }), send('FETCH', { id: 'b' })],
  },
  {
    name: 'a promise that fails, and is tried again by the machine',
    machine: () =>
      setup({
        types: { context: {} as { tries: number; problem: string | null } },
        actors: {
          work: fromPromise(async ({ input }: { input: number }) => {
            if (input < 2) throw new Error(`no luck at ${input}`);
            return later(input);
          }),
        },
        delays: { pause: ({ context }) => context.tries * 1_000 },
      }).createMachine({
        context: { tries: 0, problem: null },
        initial: 'trying',
        states: {
          trying: {
            entry: assign({ tries: ({ context }) => context.tries + 1 }),
            invoke: {
              src: 'work',
              input: ({ context }) => context.tries - 1,
              onDone: 'done',
              onError: { target: 'waiting', actions: assign({ problem: ({ event }) => (event.error as Error).message }) },
            },
          },
          waiting: { after: { pause: 'trying' } },
          done: { type: 'final' },
        },
        output: ({ context }) => context,
      }),
    happens: [wait(1_000), wait(2_000)],
  },
  {
    name: 'a promise without a name',
    machine: () =>
      createMachine({
        initial: 'loading',
        context: { got: null as number | null },
        states: {
          loading: {
            invoke: {
              src: fromPromise(async () => later(7)),
              onDone: { target: 'ok', actions: assign({ got: ({ event }) => event.output }) },
            },
          },
          ok: {},
        },
      }),
    happens: [send('NOTHING')],
  },
  {
    name: 'two promises side by side, one left with its state',
    machine: () =>
      setup({
        actors: {
          fast: fromPromise(async () => later('fast')),
          slow: fromPromise(() => new Promise<string>(() => {})),
        },
      }).createMachine({
        type: 'parallel',
        states: {
          a: { initial: 'run', states: { run: { invoke: { src: 'fast', onDone: 'end' } }, end: {} } },
          b: { initial: 'idle', states: { idle: { on: { GO: 'end' } }, end: {} } },
        },
      }),
    happens: [send('GO')],
  },
  {
    name: 'invoked machine with output',
    machine: () =>
      setup({ actors: { lamp }, types: { context: {} as { switched: number } } }).createMachine({
        context: { switched: 0 },
        initial: 'lit',
        states: {
          lit: {
            invoke: {
              id: 'lamp',
              src: 'lamp',
              onDone: {
                target: 'dark',
                actions: assign({ switched: ({ event }) => (event.output as { switched: number }).switched }),
              },
            },
            on: { '*': { actions: sendTo('lamp', ({ event }) => event) } },
          },
          dark: { type: 'final' },
        },
        output: ({ context }) => context,
      }),
    happens: [send('SWITCH'), send('SWITCH'), send('SWITCH'), send('BREAK')],
  },
  {
    name: 'spawned machines, with ids and without',
    machine: () =>
      setup({ actors: { lamp }, types: { context: {} as { lamps: unknown[] } } }).createMachine({
        context: { lamps: [] },
        entry: spawnChild('lamp', { id: 'first', syncSnapshot: true }),
        on: {
          ADD: {
            actions: assign({
              lamps: ({ context, spawn }) => [...context.lamps, spawn('lamp', { id: `lamp ${context.lamps.length}` })],
            }),
          },
          SWITCH: {
            actions: enqueueActions(({ context, enqueue, event }) => {
              for (const one of context.lamps) enqueue.sendTo(one as never, event as never);
            }),
          },
          STOP: { actions: stopChild('first') },
        },
      }),
    happens: [send('ADD'), send('ADD'), send('SWITCH'), send('STOP'), send('ADD'), send('SWITCH')],
  },
  {
    name: 'a child that answers its parent, with delays of its own',
    machine: () => {
      const child = createMachine({
        initial: 'quiet',
        states: {
          quiet: { on: { PING: 'thinking' } },
          thinking: { after: { 2000: { target: 'quiet', actions: sendParent({ type: 'PONG', by: 'child' }) } } },
        },
      });
      return setup({ actors: { child }, types: { context: {} as { pongs: number } } }).createMachine({
        context: { pongs: 0 },
        invoke: { id: 'child', src: 'child', systemId: 'kid' },
        on: {
          ASK: { actions: sendTo(({ system }) => system.get('kid'), { type: 'PING' }) },
          PONG: { actions: assign({ pongs: ({ context }) => context.pongs + 1 }) },
        },
      });
    },
    happens: [send('ASK'), wait(2_000), send('ASK'), wait(2_000)],
  },
  {
    name: 'a reducer as an actor',
    machine: () =>
      setup({
        actors: {
          sum: fromTransition((total: { n: number }, event: { type: string; n: number }) => ({ n: total.n + event.n }), { n: 0 }),
        },
      }).createMachine({
        invoke: { id: 'sum', src: 'sum' },
        on: { ADD: { actions: sendTo('sum', ({ event }) => event as never) } },
      }),
    happens: [send('ADD', { n: 2 }), send('ADD', { n: 3 })],
  },
  {
    name: 'delayed events that are raised, sent and cancelled',
    machine: () =>
      setup({ types: { context: {} as { got: string[] } } }).createMachine({
        context: { got: [] },
        entry: [raise({ type: 'late' }, { delay: 5_000, id: 'late' }), raise({ type: 'soon' }, { delay: 1_000 })],
        on: {
          CANCEL: { actions: cancel('late') },
          SELF: { actions: sendTo(({ self }) => self, { type: 'self' }, { delay: 500 }) },
          late: { actions: assign({ got: ({ context }) => [...context.got, 'late'] }) },
          soon: { actions: assign({ got: ({ context }) => [...context.got, 'soon'] }) },
          self: { actions: assign({ got: ({ context }) => [...context.got, 'self'] }) },
        },
      }),
    happens: [wait(1_000), send('SELF'), wait(500), send('CANCEL'), wait(10_000)],
  },
  {
    name: 'delay by name and by function',
    machine: () =>
      setup({
        types: { context: {} as { ms: number } },
        delays: { short: 100, byContext: ({ context }) => context.ms },
      }).createMachine({
        context: { ms: 300 },
        initial: 'a',
        states: {
          a: { after: { short: 'b' } },
          b: { after: { byContext: 'c' }, on: { HURRY: 'c' } },
          c: { after: { 0: 'd' } },
          d: { type: 'final' },
        },
      }),
    happens: [wait(100), wait(300), wait(1)],
  },
  {
    name: 'a timer that is left',
    machine: () =>
      createMachine({
        initial: 'a',
        states: { a: { after: { 1000: 'late' }, on: { GO: 'b' } }, b: { on: { BACK: 'a' } }, late: {} },
      }),
    happens: [send('GO'), wait(5_000), send('BACK'), wait(999), wait(1)],
  },
  {
    name: 'tags and meta',
    machine: () =>
      createMachine({
        initial: 'loading',
        states: {
          loading: { tags: ['busy'], meta: { title: 'Wait' }, on: { DONE: 'ready' } },
          ready: { tags: 'usable', on: { AGAIN: 'loading' } },
        },
      }),
    happens: [send('DONE'), send('AGAIN')],
  },
  {
    name: 'wildcards',
    machine: () =>
      setup({ types: { context: {} as { seen: string[] } } }).createMachine({
        context: { seen: [] },
        on: {
          'order.*': { actions: assign({ seen: ({ context, event }) => [...context.seen, `order ${event.type}`] }) },
          'order.paid': { actions: assign({ seen: ({ context }) => [...context.seen, 'paid'] }) },
          '*': { actions: assign({ seen: ({ context, event }) => [...context.seen, event.type] }) },
        },
      }),
    happens: [send('order.sent'), send('order.paid'), send('anything'), send('order')],
  },
  {
    name: 'custom actions with parameters',
    machine: (called) =>
      setup({
        types: { context: {} as { n: number } },
        actions: {
          greet: (_, params: { name: string }) => called(`greet ${params.name}`),
          leave: () => called('leave'),
          count: assign({ n: ({ context }) => context.n + 1 }),
        },
      }).createMachine({
        context: { n: 0 },
        initial: 'in',
        entry: { type: 'greet', params: { name: 'root' } },
        states: {
          in: {
            entry: ['count', { type: 'greet', params: ({ context }) => ({ name: `n${context.n}` }) }],
            exit: 'leave',
            on: { GO: 'out' },
          },
          out: { on: { GO: { target: 'in', actions: 'count' } } },
        },
      }),
    happens: [send('GO'), send('GO')],
  },
  {
    name: 'actions that are enqueued',
    machine: (called) =>
      setup({
        types: { context: {} as { n: number } },
        actions: { say: (_, params: { text: string }) => called(params.text) },
      }).createMachine({
        context: { n: 0 },
        on: {
          ADD: {
            actions: enqueueActions(({ enqueue, check, context }) => {
              enqueue.assign({ n: context.n + 1 });
              if (check(({ context: now }) => now.n > 0)) enqueue({ type: 'say', params: { text: `had ${context.n}` } });
              enqueue.raise({ type: 'DOUBLE' });
            }),
          },
          DOUBLE: { actions: assign({ n: ({ context }) => context.n * 2 }) },
        },
      }),
    happens: [send('ADD'), send('ADD')],
  },
  {
    name: 'emitted events and log',
    machine: () =>
      setup({ types: { emitted: {} as { type: string; n?: number } } }).createMachine({
        entry: emit({ type: 'hello' }),
        on: {
          SAY: { actions: [emit(({ event }) => ({ type: 'said', n: (event as unknown as { n: number }).n })), log('said')] },
        },
      }),
    happens: [send('SAY', { n: 1 }), send('SAY', { n: 2 })],
  },
  {
    name: 'reentry and internal transitions',
    machine: (called) =>
      setup({ actions: { entered: () => called('entered'), left: () => called('left') } }).createMachine({
        initial: 'a',
        states: {
          a: {
            entry: 'entered',
            exit: 'left',
            initial: 'x',
            on: { IN: { target: '.y' }, OUT: { target: 'a', reenter: true }, NONE: {} },
            states: { x: {}, y: {} },
          },
        },
      }),
    happens: [send('IN'), send('OUT'), send('IN')],
  },
  {
    name: 'stateIn and or',
    machine: () =>
      createMachine({
        type: 'parallel',
        states: {
          door: { initial: 'closed', states: { closed: { on: { OPEN: 'open' } }, open: { on: { CLOSE: 'closed' } } } },
          light: {
            initial: 'off',
            states: { off: { on: { SWITCH: { guard: or([stateIn({ door: 'open' }), () => false]), target: 'on' } } }, on: {} },
          },
        },
      }),
    happens: [send('SWITCH'), send('OPEN'), send('SWITCH')],
  },
  {
    name: 'context of null, nested objects and lists',
    machine: () =>
      setup({
        types: { context: {} as { a: null | { b: null | number; list: (number | null)[] }; 'x/y~z': string } },
      }).createMachine({
        context: { a: null, 'x/y~z': 'q' },
        on: {
          SET: { actions: assign({ a: { b: null, list: [1, null] } }) },
          DEEP: {
            actions: assign({ a: ({ context }) => ({ b: 4, list: [...(context.a?.list ?? []), 2] }), 'x/y~z': 'changed' }),
          },
          CLEAR: { actions: assign({ a: null }) },
        },
      }),
    happens: [send('SET'), send('DEEP'), send('SET'), send('CLEAR')],
  },
  {
    name: 'errors that end the machine',
    machine: () =>
      createMachine({
        initial: 'a',
        states: {
          a: { on: { GO: 'b' } },
          b: {
            on: {
              FAIL: {
                actions: assign(() => {
                  throw new Error('impossible');
                }),
              },
            },
          },
        },
      }),
    happens: [send('GO'), send('FAIL')],
  },
  {
    name: 'a promise whose failure nothing handles',
    machine: () =>
      setup({
        actors: {
          work: fromPromise(async () => {
            throw new Error('out of order');
          }),
        },
      }).createMachine({
        initial: 'idle',
        states: { idle: { on: { GO: 'work' } }, work: { invoke: { src: 'work', onDone: 'idle' } } },
      }),
    happens: [send('GO')],
  },
  {
    name: 'final at once',
    machine: () => createMachine({ initial: 'end', states: { end: { type: 'final' } }, output: { ok: true } }),
    happens: [],
  },
  {
    name: 'checkout, all together',
    machine: (called) =>
      setup({
        types: { context: {} as { items: string[]; receipt: string | null }, input: {} as { items: string[] } },
        actors: {
          pay: fromPromise(async ({ input }: { input: { items: number } }) => later(`receipt for ${input.items}`)),
          lamp,
        },
        actions: { mail: (_, params: { text: string }) => called(params.text) },
        delays: { patience: 60_000 },
      }).createMachine({
        id: 'checkout',
        context: ({ input }) => ({ items: input.items, receipt: null }),
        initial: 'cart',
        states: {
          cart: {
            tags: 'open',
            on: {
              ADD: {
                actions: assign({
                  items: ({ context, event }) => [...context.items, (event as unknown as { item: string }).item],
                }),
              },
              BUY: 'paying',
            },
            after: { patience: 'abandoned' },
          },
          paying: {
            invoke: {
              src: 'pay',
              input: ({ context }) => ({ items: context.items.length }),
              onDone: {
                target: 'shipping',
                actions: [
                  assign({ receipt: ({ event }) => event.output }),
                  { type: 'mail', params: ({ event }) => ({ text: event.output }) },
                ],
              },
            },
          },
          shipping: {
            type: 'parallel',
            states: {
              parcel: { initial: 'packed', states: { packed: { after: { 30000: 'sent' } }, sent: { type: 'final' } } },
              review: { initial: 'asked', states: { asked: { on: { REVIEW: 'given' } }, given: { type: 'final' } } },
            },
            onDone: 'closed',
          },
          closed: { type: 'final' },
          abandoned: { type: 'final' },
        },
        output: ({ context }) => ({ receipt: context.receipt }),
      }),
    input: { items: ['tea'] },
    happens: [send('ADD', { item: 'cup' }), send('BUY'), send('REVIEW'), wait(30_000)],
  },
];
