import { afterAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../machines/json.ts';
import { Random } from '../support/random.ts';
import { checkStreams, checkWebhooks } from './check/deliveries.ts';
import type { FinalState, LogEvent, StoredExecution, StoredWork, ToolCall } from './check/final-state.ts';
import { checkLogs } from './check/logs.ts';
import { checkMessages } from './check/messages.ts';
import { checkOutcomes } from './check/outcomes.ts';
import { checkCalls, checkWork } from './check/work.ts';
import { History } from './history.ts';
import { Client } from './load/client.ts';
import { ExternalServer } from './load/external-server.ts';
import { StreamFollower } from './load/stream-follower.ts';
import { TrackedExecution } from './load/tracked-execution.ts';
import type { Claim } from './load/workers.ts';

/** A correct order execution, of which each test changes one detail. */
const ID = 'exec_1';
const result = (node: string): JsonObject => ({ [node]: { attempt: 0, call: `${ID}:${node}:1` } });
const STEPS: readonly (readonly [type: string, node: string | null, data: JsonObject])[] = [
  ['workflow_started', null, {}],
  ['node_scheduled', 'reserve', { attempt: 0, activation: 1 }],
  ['node_started', 'reserve', { attempt: 0, activation: 1 }],
  ['node_completed', 'reserve', { output: result('reserve'), activation: 1 }],
  ['node_started', 'review', { attempt: 0, activation: 1 }],
  ['approval_received', 'review', { decision: 'approved', user_id: 'yes', activation: 1 }],
  ['node_completed', 'review', { output: {}, activation: 1 }],
  ['node_scheduled', 'charge', { attempt: 0, activation: 1 }],
  ['node_started', 'charge', { attempt: 0, activation: 1 }],
  ['node_completed', 'charge', { output: 'receipt', activation: 1 }],
  ['node_started', 'paid', { attempt: 0, activation: 1 }],
  ['external_event_received', null, { payload: { nonce: 'paid', payer: 'k' } }],
  ['node_completed', 'paid', { output: { nonce: 'paid', payer: 'k' }, activation: 1 }],
  ['node_scheduled', 'ship', { attempt: 0, activation: 1 }],
  ['node_started', 'ship', { attempt: 0, activation: 1 }],
  ['node_completed', 'ship', { output: result('ship'), activation: 1 }],
  ['workflow_completed', null, { final_state: { receipt: 'receipt', payer: 'k' } }],
];

type Step = (typeof STEPS)[number];

interface Changes {
  readonly steps?: readonly Step[];
  readonly execution?: Partial<StoredExecution>;
  readonly work?: Partial<StoredWork>;
  readonly calls?: readonly ToolCall[];
  readonly executions?: readonly StoredExecution[];
}

function finalState({ steps = STEPS, execution = {}, work = {}, calls, executions = [] }: Changes = {}): FinalState {
  const log = steps.map(([type, node, data], index): LogEvent => ({ sequence: index + 1, type, node, atMs: 0, data }));
  const order = {
    id: ID,
    workflow: 'order',
    key: 'k',
    parent: null,
    status: 'completed',
    sequence: log.length,
    log,
    ...execution,
  };
  const item = { id: 'item', execution: ID, node: 'charge', activation: 1, attempt: 0, status: 'completed', fence: 1, ...work };
  const made = ['reserve', 'ship'].map((node) => ({
    execution: ID,
    node,
    attempt: 0,
    idempotencyKey: `${ID}:${node}:1`,
    pid: 1,
    atMs: 0,
  }));
  const all = [order, ...executions].map((each) => [each.id, each] as const);
  return { executions: new Map(all), work: [item], calls: calls ?? made, leftoverRows: {} };
}

const client = new Client('c', [], new Random(1), new History(), new AbortController().signal);
const external = await ExternalServer.open(new Random(1));
afterAll(() => external.close());

interface Reported {
  readonly trackedExecutions?: (tracked: TrackedExecution) => void;
  readonly claims?: readonly Claim[];
  readonly shown?: (follower: StreamFollower, evidence: FinalState) => void;
  readonly delivered?: readonly number[];
}

/** Returns the violated invariants. */
function violatedInvariants(
  evidence: FinalState,
  { trackedExecutions = () => {}, claims = [VALID_CLAIM], shown = showEverything, delivered }: Reported = {},
): readonly string[] {
  const history = new History();
  const tracked = new TrackedExecution('order', 'k', history);
  tracked.id = ID;
  tracked.finished = true;
  const message = (kind: 'start' | 'event' | 'decision', nonce: string) => ({ kind, nonce, ok: true, unknown: 0, once: true });
  tracked.messages.push(message('start', 'k'), message('event', 'paid'), message('decision', 'yes'));
  trackedExecutions(tracked);
  const follower = new StreamFollower('f', '/', client, history);
  shown(follower, evidence);
  external.delivered.set(ID, [...(delivered ?? evidence.executions.get(ID)?.log.map(({ sequence }) => sequence) ?? [])]);
  checkLogs(evidence, history);
  checkMessages([tracked], evidence, history);
  checkWork(claims, evidence, history);
  checkCalls(evidence, history);
  checkOutcomes(evidence, external, history);
  checkWebhooks(external, evidence, history);
  checkStreams([follower], new Map(), evidence, history);
  return history.violations.map(({ invariant }) => invariant);
}

function showEverything(follower: StreamFollower, evidence: FinalState): void {
  for (const { id, log } of evidence.executions.values()) {
    const kinds = log.map(({ sequence, type }) => {
      return { sequence, kind: type.replace(/(?:^|_)([a-z])/g, (_match, letter: string) => letter.toUpperCase()) };
    });
    follower.received.set(id, kinds);
  }
}

const VALID_CLAIM: Claim = {
  item: 'item',
  execution: ID,
  node: 'charge',
  fence: 1,
  worker: 'w',
  reports: [{ as: 'completed', nonce: 'receipt', outcome: 'ok' }],
};
const without = (type: string, node: string | null = null): readonly Step[] =>
  STEPS.filter((step) => !(step[0] === type && step[1] === node));
const twice = (at: number): readonly Step[] => STEPS.toSpliced(at, 0, STEPS[at] as Step);

const BROKEN_RUNS: readonly (readonly [invariant: string, broken: string, evidence: FinalState, said?: Reported])[] = [
  [
    'every acknowledged message counts once',
    'the loss of an acknowledged event',
    finalState({ steps: without('external_event_received') }),
  ],
  ['every acknowledged message counts once', 'an event that counts twice', finalState({ steps: twice(11) })],
  [
    'every acknowledged message counts once',
    'a start with two executions',
    finalState({ executions: [{ ...order(), id: 'exec_2' }] }),
  ],
  [
    'every acknowledged message counts once',
    'a refused decision that counts',
    finalState(),
    { trackedExecutions: ({ messages }) => set(messages[2], { ok: false }) },
  ],
  [
    'nothing starts without a request',
    'an execution that no client started',
    finalState({ executions: [{ ...order(), id: 'exec_2', key: 'x' }] }),
  ],
  [
    'no message is logged that no client sent',
    'an event that no client sent',
    finalState(),
    { trackedExecutions: ({ messages }) => void messages.splice(1, 1) },
  ],
  [
    'every execution ends',
    'a client that waits forever',
    finalState(),
    { trackedExecutions: (tracked) => set(tracked, { finished: false }) },
  ],
  [
    'no log has a gap',
    'a missing event',
    finalState({ execution: { log: finalState().executions.get(ID)?.log.toSpliced(3, 1) ?? [] } }),
  ],
  [
    'the stored sequence is that of the last event',
    'a stored sequence that is behind',
    finalState({ execution: { sequence: 3 } }),
  ],
  ['the status matches the last event', 'a status without its event', finalState({ execution: { status: 'failed' } })],
  ['nothing follows a terminal event', 'a result after the end', finalState({ steps: [...STEPS, STEPS[15] as Step] })],
  ['every visit to a node has one outcome', 'a node that completes twice', finalState({ steps: twice(3) })],
  [
    'attempts count up from 0',
    'a missing attempt',
    finalState({ steps: STEPS.with(2, ['node_started', 'reserve', { attempt: 2, activation: 1 }]) }),
  ],
  [
    'attempts fail with an expected error',
    'an unexpected error',
    finalState({ steps: STEPS.toSpliced(3, 0, ['node_failed', 'reserve', { error: 'oops', retryable: true, activation: 1 }]) }),
  ],
  ['every execution ends as modelled', 'a missing node', finalState({ steps: without('node_completed', 'ship') })],
  [
    'a fence is given to one claim',
    'one fence for two workers',
    finalState(),
    { claims: [VALID_CLAIM, { ...VALID_CLAIM, reports: [] }] },
  ],
  [
    'no work item is settled twice',
    'two acknowledged reports',
    finalState(),
    { claims: [VALID_CLAIM, { ...VALID_CLAIM, fence: 2 }] },
  ],
  [
    'a work item is settled under the fence of its report',
    'an item settled under a stale fence',
    finalState({ work: { fence: 2 } }),
  ],
  [
    'an acknowledged report counts once, a refused one never',
    'a refused report that counts',
    finalState(),
    { claims: [{ ...VALID_CLAIM, reports: [{ as: 'completed', nonce: 'receipt', outcome: 'refused' }] }] },
  ],
  [
    'a completed work item is in the log once',
    'an item without its event',
    finalState({ steps: without('node_completed', 'charge') }),
  ],
  [
    'every attempt is in the log, and made once',
    'an attempt that is not in the log',
    finalState({
      calls: [
        ...finalState().calls,
        { execution: ID, node: 'ship', attempt: 1, idempotencyKey: `${ID}:ship:1`, pid: 1, atMs: 0 },
      ],
    }),
  ],
  ['every result belongs to a call', 'a result without a call', finalState({ calls: finalState().calls.slice(1) })],
  [
    'every event is delivered at least once',
    'a webhook without the last event',
    finalState(),
    { delivered: STEPS.map((_, index) => index + 1).slice(0, -1) },
  ],
  [
    'events are delivered in order',
    'a webhook that receives the last event first',
    finalState(),
    { delivered: STEPS.map((_, index) => index + 1).reverse() },
  ],
  [
    'streams are complete, in order, without duplicates',
    'a stream with a missing event',
    finalState(),
    {
      shown: (f, e) => {
        showEverything(f, e);
        f.received.get(ID)?.splice(4, 1);
      },
    },
  ],
  [
    'streams are complete, in order, without duplicates',
    'a stream with a duplicate event',
    finalState(),
    {
      shown: (f, e) => {
        showEverything(f, e);
        f.received.get(ID)?.push({ sequence: 17, kind: 'WorkflowCompleted' });
      },
    },
  ],
];

describe('the checker', () => {
  it('accepts a correct run', () => {
    expect(violatedInvariants(finalState())).toEqual([]);
  });

  it.each(BROKEN_RUNS.map(([invariant, broken, evidence, said = {}]) => ({ invariant, broken, evidence, said })))(
    'detects $broken ($invariant)',
    ({ invariant, evidence, said }) => {
      expect(violatedInvariants(evidence, said)).toContain(invariant);
    },
  );
});

function order(): StoredExecution {
  const execution = finalState().executions.get(ID);
  if (execution === undefined) throw new Error('no such execution');
  return execution;
}

function set<T extends object>(target: T | undefined, values: Partial<T>): void {
  Object.assign(target ?? {}, values);
}
