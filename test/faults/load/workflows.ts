import type { JsonObject } from '../../../machines/json.ts';
import { ir, python, tool } from '../../support/ir.ts';

/** Whatever happens to servers, only time ends the attempts. */
const PATIENT: JsonObject = {
  max_attempts: 1_000,
  backoff: 'fixed',
  initial_delay: 0,
  max_delay: 0,
  jitter: false,
  retryable_on: [],
};
const more = { retry_policies: { patient: PATIENT } };
const node = { retry_policy: 'patient' };
const step = (ms: number, failures = 0): JsonObject => tool('step', { node, input_mapping: { ms, failures } });
const timer = (seconds: number): JsonObject => ({ type: 'wait', condition: 'timer', timeout_secs: seconds });
const event = (key: string): JsonObject => ({ type: 'wait', condition: 'external_event', correlation_key: key });

/** A function, a decision, an external worker, a payment, a function. */
const ORDER = ir(
  'order',
  {
    reserve: step(20),
    review: { type: 'human_approval', description: 'Accept the order?' },
    charge: python('charge', { node, output_key: 'receipt' }),
    paid: event('paid'),
    ship: step(5),
  },
  [
    ['reserve', 'review'],
    ['review', 'charge'],
    ['charge', 'paid'],
    ['paid', 'ship'],
    ['ship', 'end'],
  ],
  more,
);

/** Twice round: three branches, one with a retry, one of an external worker, one of time, and their join. */
const ROUNDS = ir(
  'rounds',
  {
    fan: { type: 'parallel', branches: ['quick', 'outside', 'later'] },
    quick: step(0, 2),
    outside: python('outside', { node, output_key: 'outside' }),
    later: timer(0.5),
    join: { type: 'join', wait_for: ['quick', 'outside', 'later'], merge_strategy: 'collect' },
    count: tool('count', { node, input_mapping: { n: 'state.n' } }),
    again: { type: 'condition', branches: [{ condition: 'state.n < 2', target: 'fan' }, { target: 'end' }] },
  },
  [
    ['quick', 'join'],
    ['outside', 'join'],
    ['later', 'join'],
    ['join', 'count'],
    ['count', 'again'],
  ],
  more,
);

/** Only time moves it on. */
const REMINDER = ir(
  'reminder',
  { soon: timer(0.5), note: step(5), later: timer(1) },
  [
    ['soon', 'note'],
    ['note', 'later'],
    ['later', 'end'],
  ],
  more,
);

/** What the execution of it is for its parent: a function, time, an external worker. */
const CHILD = ir(
  'child',
  { prepare: step(5), rest: timer(0.3), outside: python('child', { node, output_key: 'outside' }) },
  [
    ['prepare', 'rest'],
    ['rest', 'outside'],
    ['outside', 'end'],
  ],
  more,
);

const PARENT = ir(
  'parent',
  { before: step(5), sub: { type: 'subgraph', workflow_ref: 'child', node }, after: step(5) },
  [
    ['before', 'sub'],
    ['sub', 'after'],
    ['after', 'end'],
  ],
  more,
);

/** An event or time, whichever comes first. */
const RACE = ir(
  'race',
  {
    fork: { type: 'parallel', branches: ['paid', 'alarm'] },
    paid: event('paid'),
    alarm: timer(1.5),
    first: { type: 'join', wait_for: ['paid', 'alarm'], merge_strategy: 'first' },
    note: step(5),
  },
  [
    ['paid', 'first'],
    ['alarm', 'first'],
    ['first', 'note'],
    ['note', 'end'],
  ],
  more,
);

/** Ten events, one after the other, in a loop. */
const TICKS = ir(
  'ticks',
  {
    tick: event('tick'),
    count: tool('count', { node, input_mapping: { n: 'state.n' } }),
    again: { type: 'condition', branches: [{ condition: 'state.n < 10', target: 'tick' }, { target: 'end' }] },
  },
  [
    ['tick', 'count'],
    ['count', 'again'],
  ],
  more,
);

/** Works in all ways at once, until somebody cancels it. */
const LONG = ir(
  'long',
  {
    fork: { type: 'parallel', branches: ['work', 'outside', 'ask', 'sub', 'sleep'] },
    work: step(400),
    outside: python('long', { node, output_key: 'outside' }),
    ask: { type: 'human_approval', description: 'Go on?' },
    sub: { type: 'subgraph', workflow_ref: 'child', node },
    sleep: timer(3_600),
  },
  ['work', 'outside', 'ask', 'sub', 'sleep'].map((from) => [from, 'end'] as const),
  more,
);

/** Fails for good the first time. */
const REFUSED = ir(
  'refused',
  { before: step(5), refuses: tool('refuses', { node }), after: step(5) },
  [
    ['before', 'refuses'],
    ['refuses', 'after'],
    ['after', 'end'],
  ],
  more,
);

/** A request to a server outside, which fails at times. */
const calling = (sinkUrl: string): JsonObject =>
  ir(
    'calling',
    {
      call: {
        type: 'http',
        method: 'POST',
        url: `${sinkUrl}/sink`,
        headers: { 'content-type': 'application/json' },
        body: { execution: '{{ execution.id }}', key: 'state.key' },
        node,
      },
      after: step(5),
    },
    [
      ['call', 'after'],
      ['after', 'end'],
    ],
    more,
  );

export const workflows = (sinkUrl: string): readonly JsonObject[] => [
  ORDER,
  ROUNDS,
  REMINDER,
  CHILD,
  PARENT,
  RACE,
  TICKS,
  LONG,
  REFUSED,
  calling(sinkUrl),
];
