import type { JsonObject } from '../../../machines/json.ts';
import { ir, python, tool } from '../../support/ir.ts';

/** Enough attempts that failures of servers do not fail a node. */
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

/** A function, an approval, an external worker, a payment event, a function. */
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

/** A loop with two iterations of a fan-out: a function with retries, an external worker, a timer, and their join. */
const ROUNDS = ir(
  'rounds',
  {
    fan: { type: 'parallel', branches: ['quick', 'external', 'later'] },
    quick: step(0, 2),
    external: python('external', { node, output_key: 'external' }),
    later: timer(0.5),
    join: { type: 'join', wait_for: ['quick', 'external', 'later'], merge_strategy: 'collect' },
    count: tool('count', { node, input_mapping: { n: 'state.n' } }),
    again: { type: 'condition', branches: [{ condition: 'state.n < 2', target: 'fan' }, { target: 'end' }] },
  },
  [
    ['quick', 'join'],
    ['external', 'join'],
    ['later', 'join'],
    ['join', 'count'],
    ['count', 'again'],
  ],
  more,
);

/** Timers and a function. */
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

/** Child workflow: a function, a timer, an external worker. */
const CHILD = ir(
  'child',
  { prepare: step(5), rest: timer(0.3), external: python('child', { node, output_key: 'external' }) },
  [
    ['prepare', 'rest'],
    ['rest', 'external'],
    ['external', 'end'],
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

/** A race between an event and a timer. */
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

/** Ten events in a loop. */
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

/** A fan-out of all kinds of work that is cancelled. */
const LONG = ir(
  'long',
  {
    fork: { type: 'parallel', branches: ['work', 'external', 'ask', 'sub', 'sleep'] },
    work: step(400),
    external: python('long', { node, output_key: 'external' }),
    ask: { type: 'human_approval', description: 'Go on?' },
    sub: { type: 'subgraph', workflow_ref: 'child', node },
    sleep: timer(3_600),
  },
  ['work', 'external', 'ask', 'sub', 'sleep'].map((from) => [from, 'end'] as const),
  more,
);

/** Its tool fails the first time, without a retry. */
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

/** A request to the external server, which sometimes refuses it. */
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
