import { afterAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../machines/json.ts';
import { Random } from '../support/random.ts';
import { checkEndings } from './check/endings.ts';
import type { Evidence, LogEvent, StoredExecution, StoredWork, ToolCall } from './check/evidence.ts';
import { checkLogs } from './check/logs.ts';
import { checkMessages } from './check/messages.ts';
import { checkStreams, checkWebhooks } from './check/outside.ts';
import { checkCalls, checkWork } from './check/work.ts';
import { History } from './history.ts';
import { Client } from './load/client.ts';
import { Follower } from './load/followers.ts';
import { Outside } from './load/outside.ts';
import { Story } from './load/story.ts';
import type { Claim } from './load/workers.ts';

/** One order as it must be, of which each test breaks one thing. */
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

interface Left {
  readonly steps?: readonly Step[];
  readonly execution?: Partial<StoredExecution>;
  readonly work?: Partial<StoredWork>;
  readonly calls?: readonly ToolCall[];
  readonly executions?: readonly StoredExecution[];
}

function left({ steps = STEPS, execution = {}, work = {}, calls, executions = [] }: Left = {}): Evidence {
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
  return { executions: new Map(all), work: [item], calls: calls ?? made, left: {} };
}

const client = new Client('c', [], new Random(1), new History(), new AbortController().signal);
const outside = await Outside.open(new Random(1));
afterAll(() => outside.close());

interface Said {
  readonly stories?: (story: Story) => void;
  readonly claims?: readonly Claim[];
  readonly shown?: (follower: Follower, evidence: Evidence) => void;
  readonly told?: readonly number[];
}

/** The invariants that are violated. */
function violated(
  evidence: Evidence,
  { stories = () => {}, claims = [CLAIM], shown = whole, told }: Said = {},
): readonly string[] {
  const history = new History();
  const story = new Story('order', 'k', history);
  story.id = ID;
  story.done = true;
  const message = (kind: 'start' | 'event' | 'decision', nonce: string) => ({ kind, nonce, ok: true, unknown: 0, once: true });
  story.messages.push(message('start', 'k'), message('event', 'paid'), message('decision', 'yes'));
  stories(story);
  const follower = new Follower('f', '/', client, history);
  shown(follower, evidence);
  outside.told.set(ID, [...(told ?? evidence.executions.get(ID)?.log.map(({ sequence }) => sequence) ?? [])]);
  checkLogs(evidence, history);
  checkMessages([story], evidence, history);
  checkWork(claims, evidence, history);
  checkCalls(evidence, history);
  checkEndings(evidence, outside, history);
  checkWebhooks(outside, evidence, history);
  checkStreams([follower], new Map(), evidence, history);
  return history.violations.map(({ invariant }) => invariant);
}

function whole(follower: Follower, evidence: Evidence): void {
  for (const { id, log } of evidence.executions.values()) {
    const kinds = log.map(({ sequence, type }) => {
      return { sequence, kind: type.replace(/(?:^|_)([a-z])/g, (_match, letter: string) => letter.toUpperCase()) };
    });
    follower.shown.set(id, kinds);
  }
}

const CLAIM: Claim = {
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

const BROKEN: readonly (readonly [invariant: string, broken: string, evidence: Evidence, said?: Said])[] = [
  [
    'every acknowledged message counts once',
    'an event that was acknowledged is gone',
    left({ steps: without('external_event_received') }),
  ],
  ['every acknowledged message counts once', 'an event counts twice', left({ steps: twice(11) })],
  ['every acknowledged message counts once', 'a start made two executions', left({ executions: [{ ...order(), id: 'exec_2' }] })],
  [
    'every acknowledged message counts once',
    'a refused decision counts',
    left(),
    { stories: ({ messages }) => set(messages[2], { ok: false }) },
  ],
  [
    'nothing starts that nobody asked for',
    'an execution of nobody',
    left({ executions: [{ ...order(), id: 'exec_2', key: 'x' }] }),
  ],
  ['nothing is logged that nobody sent', 'an event of nobody', left(), { stories: ({ messages }) => void messages.splice(1, 1) }],
  [
    'every execution comes to its end',
    'a client that waits for ever',
    left(),
    { stories: (story) => set(story, { done: false }) },
  ],
  ['no log has a gap', 'an event is missing', left({ execution: { log: left().executions.get(ID)?.log.toSpliced(3, 1) ?? [] } })],
  ['a head is at the end of its log', 'a head that is behind', left({ execution: { sequence: 3 } })],
  ['every execution ends, and its log with it', 'a status without its event', left({ execution: { status: 'failed' } })],
  ['nothing happens after an end', 'a result after the end', left({ steps: [...STEPS, STEPS[15] as Step] })],
  ['every visit to a node has one outcome', 'a node completes twice', left({ steps: twice(3) })],
  [
    'attempts count up from 0',
    'an attempt is left out',
    left({ steps: STEPS.with(2, ['node_started', 'reserve', { attempt: 2, activation: 1 }]) }),
  ],
  [
    'attempts fail for a reason that there was',
    'an error of ours',
    left({ steps: STEPS.toSpliced(3, 0, ['node_failed', 'reserve', { error: 'oops', retryable: true, activation: 1 }]) }),
  ],
  ['every execution ends as modelled', 'a node is left out', left({ steps: without('node_completed', 'ship') })],
  ['a fence is given to one claim', 'one item to two workers', left(), { claims: [CLAIM, { ...CLAIM, reports: [] }] }],
  ['no work item is settled twice', 'both reports are acknowledged', left(), { claims: [CLAIM, { ...CLAIM, fence: 2 }] }],
  ['a work item is settled under the fence of its report', 'a stale fence settles', left({ work: { fence: 2 } })],
  [
    'a report counts once if it was acknowledged, and never if it was refused',
    'a refused report counts',
    left(),
    { claims: [{ ...CLAIM, reports: [{ as: 'completed', nonce: 'receipt', outcome: 'refused' }] }] },
  ],
  ['a completed work item is in the log once', 'an item without its event', left({ steps: without('node_completed', 'charge') })],
  [
    'no attempt is made that is not in the log, and none twice',
    'an attempt before it is stored',
    left({
      calls: [...left().calls, { execution: ID, node: 'ship', attempt: 1, idempotencyKey: `${ID}:ship:1`, pid: 1, atMs: 0 }],
    }),
  ],
  ['a result is that of a call', 'a result without a call', left({ calls: left().calls.slice(1) })],
  [
    'every event is told at least once',
    'a webhook is not told the end',
    left(),
    { told: STEPS.map((_, index) => index + 1).slice(0, -1) },
  ],
  [
    'events are told in their order',
    'a webhook is told the end first',
    left(),
    { told: STEPS.map((_, index) => index + 1).reverse() },
  ],
  [
    'streams are complete, in order, and show nothing twice',
    'a stream leaves one out',
    left(),
    {
      shown: (f, e) => {
        whole(f, e);
        f.shown.get(ID)?.splice(4, 1);
      },
    },
  ],
  [
    'streams are complete, in order, and show nothing twice',
    'a stream shows one twice',
    left(),
    {
      shown: (f, e) => {
        whole(f, e);
        f.shown.get(ID)?.push({ sequence: 17, kind: 'WorkflowCompleted' });
      },
    },
  ],
];

describe('the checker', () => {
  it('finds nothing wrong with what is right', () => {
    expect(violated(left())).toEqual([]);
  });

  it.each(BROKEN.map(([invariant, broken, evidence, said = {}]) => ({ invariant, broken, evidence, said })))(
    'finds that $invariant: $broken',
    ({ invariant, evidence, said }) => {
      expect(violated(evidence, said)).toContain(invariant);
    },
  );
});

function order(): StoredExecution {
  const execution = left().executions.get(ID);
  if (execution === undefined) throw new Error('there is none');
  return execution;
}

function set<T extends object>(target: T | undefined, values: Partial<T>): void {
  Object.assign(target ?? {}, values);
}
