import { setImmediate } from 'node:timers/promises';
import { expect } from 'vitest';
import { assign, setup } from 'xstate';
import { toolsOfWorkflows } from '../../src/builder/workflow-tools.ts';
import { durable, durableMachine } from '../../src/index.ts';
import type { FakeClock } from './clock.ts';
import type { Call, serveStore } from './golden-databases.ts';

/** The fields of the replies that are looked at here. */
export interface CaseReply {
  readonly execution_id: string;
  readonly id: string;
  readonly status: string;
  readonly work_items?: readonly { readonly id: string; readonly node_id: string; readonly lease_fence: number }[];
  readonly executions: readonly object[];
  readonly jobs: readonly { readonly status: string }[];
}

type Server = Awaited<ReturnType<typeof serveStore<CaseReply>>>;
type Node = Readonly<Record<string, unknown>> & { readonly id: string };

const DAY_MS = 86_400_000;
/** Of parallel work in a loop: the log is so long that several checkpoints along it are kept, and has few commits. */
export const ROUNDS = 55;
const BRANCHES_PER_ROUND = 40;
/** Of one step that asks for an approval in each: more events than an entry has. */
const APPROVALS = 150;

const RETRIES = {
  once: { max_attempts: 1, backoff: 'fixed', initial_delay: 0, max_delay: 0 },
  twice: { max_attempts: 2, backoff: 'fixed', initial_delay: 3600, max_delay: 3600 },
  thrice: { max_attempts: 3, backoff: 'fixed', initial_delay: 0, max_delay: 0 },
};

const tool = (id: string, retry_policy = 'once', tool_ref = `t.${id}`): Node => ({
  id,
  kind: { type: 'tool', tool_ref },
  retry_policy,
});
const approval = (id: string, settings = {}): Node => ({
  id,
  kind: { type: 'human_approval', description: `decide ${id}`, ...settings },
});
const event = (id: string, correlation_key: string): Node => ({
  id,
  kind: { type: 'wait', condition: 'external_event', correlation_key },
});
const timer = (id: string): Node => ({ id, kind: { type: 'wait', condition: 'timer', timeout_secs: 3600 } });
const parallel = (branches: readonly string[]): Node => ({ id: 'split', kind: { type: 'parallel', branches } });
const JOIN: Node = { id: 'all', kind: { type: 'join', merge_strategy: 'collect', output_key: 'all' } };
const AFTER = tool('after');

function branches(count: number): readonly Node[] {
  return Array.from({ length: count }, (_, index) => tool(`b${index}`, 'once', 'echo'));
}

/** An edge as text: `from>to condition`. */
function graph(workflow_id: string, nodes: readonly Node[], edges: readonly string[], settings = {}): object {
  return {
    workflow_id,
    version: '1',
    start_node: nodes[0]?.id,
    retry_policies: RETRIES,
    nodes,
    edges: edges.map((edge) => {
      const [, from, to, condition] = /^(\w+)>(\w+) ?(.*)$/.exec(edge) ?? [];
      return { from, to, condition: condition === '' ? null : condition };
    }),
    ...settings,
  };
}

/** One node after the other. */
function chain(workflow_id: string, nodes: readonly Node[], settings = {}): object {
  const edges = nodes.slice(1).map(({ id }, index) => `${nodes[index]?.id}>${id}`);
  return graph(workflow_id, nodes, edges, settings);
}

const CROSSING = [
  tool('a'),
  tool('b', 'twice'),
  approval('c', { timeout_secs: 7200 }),
  event('d', 'k'),
  event('e', 'early'),
  tool('f'),
];
const CHOICES = [tool('a'), approval('b'), approval('c'), tool('d'), tool('e'), tool('f')];
const LANES = [approval('a'), approval('b', { timeout_secs: 7200 }), tool('c')];
const WIDE = Array.from({ length: APPROVALS }, (_, index) => approval(`b${index}`));
const ROUND = branches(BRANCHES_PER_ROUND);
const COUNTING: Node = { ...tool('work', 'once', 'count'), kind: { type: 'tool', tool_ref: 'count', output_key: 'done' } };

/** Each of three items is work of a worker; two at a time. */
const MAP: Node = {
  id: 'each',
  kind: {
    type: 'map',
    items: ['a', 'b', 'c'],
    do: { type: 'tool', tool_ref: 't.item' },
    max_concurrency: 2,
    retry: { max_attempts: 3 },
    on_item_error: 'collect',
    output_key: 'each',
  },
};

const WORKFLOWS = [
  chain('two-tools', [tool('a'), tool('b')]),
  chain('cancelled', [approval('ask')]),
  chain('failed', [tool('a'), tool('b')]),
  chain('retried', [tool('a'), tool('b')]),
  chain('approval', [approval('ask'), AFTER]),
  chain('policy-held', [{ ...tool('pay'), policy: { require_approval_for: ['t.*'] } }, AFTER]),
  chain('timer', [timer('nap'), AFTER]),
  chain('event', [event('paid', 'payment'), AFTER]),
  chain('event-early', [approval('ask'), event('paid', 'payment')]),
  chain('retry-later', [tool('a', 'twice')]),
  chain('suspended', [tool('a'), tool('b')]),
  graph('suspended-parallel', [parallel(['x', 'y']), approval('x'), timer('y'), JOIN, AFTER], ['x>all', 'y>all', 'all>after']),
  chain('fork-origin', [tool('a'), tool('b'), tool('c')]),
  chain('inner', [approval('inside'), tool('inside_tool')]),
  chain('parent', [{ id: 'child', kind: { type: 'subgraph', workflow_ref: 'inner', output_key: 'child' } }, AFTER]),
  graph('crossing', CROSSING, ['a>b', 'a>c', 'a>d', 'b>e', 'c>e', 'c>f', 'd>f', 'e>f']),
  graph('crossing-choices', CHOICES, [
    'a>b',
    'a>c',
    'b>d state.left',
    'b>e not state.left',
    'c>e state.right',
    'c>d state.never',
    'd>f',
    'e>f',
  ]),
  graph('parallel', [parallel(['a', 'b', 'c']), ...LANES, JOIN, AFTER], ['a>all', 'b>all', 'c>all', 'all>after']),
  graph('loop', [tool('work'), approval('again')], ['work>again', 'again>work state.round < 3', 'again>end state.round >= 3']),
  chain('offloaded', [
    tool('big'),
    approval('look'),
    { ...AFTER, kind: { ...(AFTER.kind as object), input_mapping: { text: 'state.big' } } },
  ]),
  chain('deadline', [approval('ask')], { timeouts: { workflow_timeout: 7200 } }),
  chain('bulk', [approval('ask')]),
  chain('leased', [tool('a', 'thrice'), tool('b')]),
  chain('unclaimed', [tool('a'), tool('b')]),
  chain('in-process', [tool('work', 'thrice', 'hang'), AFTER]),
  chain('map', [MAP, AFTER]),
  graph(
    'segments',
    [tool('work'), approval('again')],
    ['work>again', 'again>work state.round < 3', 'again>end state.round >= 3'],
    {
      continue_as_new: { after_steps: 2, at: 'work' },
    },
  ),
  graph(
    'rounds',
    [COUNTING, parallel(ROUND.map(({ id }) => id)), ...ROUND, JOIN, approval('stop'), AFTER],
    [
      'work>split',
      ...ROUND.map(({ id }) => `${id}>all`),
      `all>work state.done.round < ${ROUNDS}`,
      `all>stop state.done.round >= ${ROUNDS}`,
      'stop>after',
    ],
  ),
  graph(
    'wide',
    [parallel(WIDE.map(({ id }) => id)), ...WIDE, JOIN],
    WIDE.map(({ id }) => `${id}>all`),
  ),
];

/** Waits for an event and for a time, with a step before and one after. Its code fits the journals of the databases: it never changes. */
const JOURNEY = durable({
  id: 'journey',
  run: async (ctx) => {
    const booked = await ctx.step('book', () => 'B-1');
    ctx.expose({ booked });
    ctx.onUpdate('rename', null, (name) => ({ renamed: name }));
    const [paid] = await Promise.all([ctx.event('payment'), ctx.sleep('1h')]);
    return { receipt: await ctx.step('receipt', () => ({ booked, paid })) };
  },
});

/** Waits for an event in its second state. */
const LIGHT = durableMachine(
  setup({
    types: { context: {} as { switched: number }, events: {} as { type: 'SWITCH' } | { type: 'BREAK' } },
    actions: { count: assign({ switched: ({ context }) => context.switched + 1 }) },
  }).createMachine({
    id: 'light',
    context: { switched: 0 },
    initial: 'off',
    states: {
      off: { on: { SWITCH: { target: 'on', actions: 'count' } } },
      on: { on: { SWITCH: { target: 'off', actions: 'count' }, BREAK: 'broken' }, after: { 86400000: 'broken' } },
      broken: { type: 'final' },
    },
    output: ({ context }) => ({ switched: context.switched }),
  }),
  { id: 'light', version: '1' },
);

const DEFINITIONS = [JOURNEY, LIGHT];

/** The functions of the workflows that are written as code. */
export const functionsOfCases = () => toolsOfWorkflows(DEFINITIONS);

/** The in-process tools of a server that records. */
export function recordingTools() {
  let round = 0;
  const own = { hang: () => new Promise<never>(() => {}), echo: () => ({}), count: () => ({ round: ++round }) };
  return { ...functionsOfCases(), ...own };
}

/** Brings about every kind of execution and of other resource; `received`: an address that answers with 200. */
export async function recordCases({ operatorOf }: Server, clock: FakeClock, received: string): Promise<void> {
  const call = await operatorOf('default');
  await call('POST', '/tenants', { id: 'gone', name: 'Gone' });
  await call('PUT', '/tenants/gone', { status: 'suspended' });
  await recordRetention(call, operatorOf, clock);

  for (const ir of [...WORKFLOWS, ...DEFINITIONS.map(({ document }) => document)]) await call('POST', '/workflows', { ir });
  await call('POST', '/webhooks', { url: received, events: ['workflow_completed', 'workflow_failed'], description: 'delivered' });
  const refused = {
    url: 'http://127.0.0.1:9/refused',
    events: ['workflow_started', 'workflow_completed'],
    description: 'refused',
  };
  await call('POST', '/webhooks', refused);
  const card = { id: 'agent-1', uri: 'jamjet://default/agent-1', name: 'Agent', description: 'An agent', version: '1.0.0' };
  const skills = { skills: ['research'], protocols: ['a2a'], tools_provided: [], tools_consumed: [] };
  const agent = { ...card, capabilities: skills, autonomy: 'deterministic', auth: { type: 'none' } };
  await call('POST', '/agents', agent);
  await call('POST', '/agents/agent-1/activate');

  await new Cases(call).record();
  await recordAgents(call, await operatorOf('default', 'agent:planner'));
}

async function recordRetention(call: Call<CaseReply>, operatorOf: Server['operatorOf'], clock: FakeClock): Promise<void> {
  await call('POST', '/tenants', { id: 'acme', name: 'Acme', limits: { retention_days: 1, max_concurrent_executions: 50 } });
  const acme = await operatorOf('acme');
  for (const ir of [chain('short', [tool('a')]), chain('ask', [approval('ask'), AFTER])])
    await acme('POST', '/workflows', { ir });
  const cases = new Cases(acme);
  await cases.start('short', 'short');
  await cases.finish();
  clock.advance(3 * DAY_MS);
  const limits = { retention_days: 1000, max_concurrent_executions: 50 };
  await expect.poll(async () => (await acme('GET', '/executions')).executions.length).toBe(0);
  await call('PUT', '/tenants/acme', { limits, policy: { require_approval_for: ['t.secret'] } });
  await cases.start('ask', 'acme-approval');
}

async function recordAgents(call: Call<CaseReply>, agent: Call<CaseReply>): Promise<void> {
  const started = await agent('POST', '/executions', { workflow_id: 'approval', input: {}, labels: { case: 'by-agent' } });
  const decided = await call('POST', '/executions', { workflow_id: 'approval', input: {}, labels: { case: 'delegated' } });
  const decision = { node_id: 'ask', decision: 'approved', user_id: 'jane', comment: 'for Jane' };
  await agent('POST', `/executions/${decided.execution_id}/approve`, decision);
  await call('POST', `/executions/${started.execution_id}/pause`, { reason: 'by hand' });
}

class Cases {
  readonly #call: Call<CaseReply>;

  constructor(call: Call<CaseReply>) {
    this.#call = call;
  }

  async start(workflow_id: string, name = workflow_id, headers = {}, more = {}): Promise<string> {
    const request = { workflow_id, input: {}, labels: { case: name }, ...more };
    return (await this.#call('POST', '/executions', request, headers)).execution_id;
  }

  async #claim(maxItems = 50) {
    const request = { worker_id: 'worker-1', queue_types: ['tool'], max_items: maxItems };
    return (await this.#call('POST', '/work-items/claim', request)).work_items ?? [];
  }

  /** Completes all work that a worker can claim. */
  async finish(result: object = {}): Promise<void> {
    for (const { id, node_id, lease_fence } of await this.#claim())
      await this.#call('POST', `/work-items/${id}/complete`, { output: { done: node_id }, ...result, lease_fence });
  }

  async #fail(error: string, retryable: boolean): Promise<void> {
    for (const { id, lease_fence } of await this.#claim())
      await this.#call('POST', `/work-items/${id}/fail`, { error, retryable, lease_fence });
  }

  /** Claims the work, lets an operator pause the execution, and completes it. */
  async #finishPaused(id: string): Promise<void> {
    const items = await this.#claim();
    await this.#call('POST', `/executions/${id}/pause`, { reason: 'maintenance' });
    for (const { id: item, node_id, lease_fence } of items)
      await this.#call('POST', `/work-items/${item}/complete`, { output: { done: node_id }, lease_fence });
  }

  #approve(id: string, node_id: string): Promise<CaseReply> {
    return this.#call('POST', `/executions/${id}/approve`, { node_id, decision: 'approved' });
  }

  #event(id: string, correlation_key: string, payload: unknown): Promise<CaseReply> {
    return this.#call('POST', `/executions/${id}/external-event`, { correlation_key, payload });
  }

  async #paused(id: string): Promise<void> {
    await expect.poll(async () => (await this.#call('GET', `/executions/${id}`)).status).toBe('paused');
  }

  async record(): Promise<void> {
    await this.#recordEnded();
    await this.#recordWaiting();
    await this.#recordForks();
    await this.#recordGraphs();
    await this.#recordBackground();
    await this.#recordForms();
    await this.#call('POST', `/executions/${await this.start('wide')}/cancel`);
    await this.#paused(await this.start('rounds'));
    await this.#recordWork();
  }

  async #recordEnded(): Promise<void> {
    await this.start('two-tools', 'completed');
    await this.finish();
    await this.finish();
    await this.#call('POST', `/executions/${await this.start('cancelled')}/cancel`);
    await this.start('failed');
    await this.finish();
    await this.#fail('broken', false);
    const retried = await this.start('retried');
    await this.finish();
    await this.#fail('broken', false);
    await this.#call('POST', `/executions/${retried}/retry`);
    await this.finish();
  }

  async #recordWaiting(): Promise<void> {
    await this.start('approval', 'approval', { 'idempotency-key': 'start-approval' });
    for (const waiting of ['policy-held', 'timer', 'event', 'deadline', 'parent']) await this.start(waiting);
    await this.#event(await this.start('event-early'), 'payment', { sum: 7 });
    await this.start('retry-later');
    await this.#fail('try later', true);
    await this.#finishPaused(await this.start('suspended'));
    await this.#call('POST', `/executions/${await this.start('suspended-parallel')}/pause`);
  }

  async #recordForks(): Promise<void> {
    const origin = await this.start('fork-origin');
    for (let node = 0; node < 3; node += 1) await this.finish();
    const fork = { at_sequence: 7, state_patch: { forked: true } };
    await this.#call('POST', `/executions/${origin}/fork`, fork);
    await this.finish();
    await this.finish();
    const { execution_id: suspended } = await this.#call('POST', `/executions/${origin}/fork`, fork);
    await this.#fail('broken', false);
    await this.#call('POST', `/executions/${suspended}/retry`);
    await this.#finishPaused(suspended);
  }

  async #recordGraphs(): Promise<void> {
    const crossing = await this.start('crossing');
    await this.finish();
    await this.#fail('try later', true);
    await this.#event(crossing, 'early', 1);
    const choices = await this.start('crossing-choices');
    await this.finish({ state_patch: { left: true, right: true } });
    await this.#approve(choices, 'b');
    const lanes = await this.start('parallel');
    await this.finish();
    await this.#approve(lanes, 'a');
    await this.start('loop');
    await this.finish({ state_patch: { round: 1 } });
    await this.start('offloaded');
    await this.finish({ output: { text: 'x'.repeat(20_000) }, state_patch: { big: 'y'.repeat(9_000) } });
  }

  async #recordBackground(): Promise<void> {
    const yearly = { name: 'yearly', cron_expression: '0 0 1 1 *', workflow_id: 'two-tools', input: { from: 'cron' } };
    await this.#call('POST', '/cron', yearly);
    await this.#call('POST', '/cron', { ...yearly, name: 'paused', cron_expression: '0 0 * * *', enabled: false });
    await this.#call('POST', '/cron/yearly/trigger');
    await this.finish();
    await this.finish();
    await this.start('bulk', 'bulk-cancelled');
    await this.#call('POST', '/executions/bulk', { action: 'cancel', filter: { workflow_id: 'bulk' }, reason: 'golden' });
    await expect.poll(async () => (await this.#call('GET', '/jobs')).jobs[0]?.status).toBe('completed');
  }

  /** Lists, functions and machines in the middle, a key, a start in the future, and a conversation. */
  async #recordForms(): Promise<void> {
    await this.start('map');
    const [first] = await this.#claim(1);
    await this.#call('POST', `/work-items/${first?.id}/complete`, { output: { done: 'a' }, lease_fence: first?.lease_fence });
    await this.#fail('try later', true);
    const journey = await this.start('journey');
    await this.#paused(journey);
    await this.#call('POST', `/executions/${journey}/updates/rename`, { input: 'Ada', wait_ms: 10_000 });
    const light = await this.start('light');
    await this.#paused(light);
    await this.#event(light, 'SWITCH', {});
    await this.#paused(light);
    await this.start('approval', 'keyed', {}, { key: 'order-1' });
    await this.start('two-tools', 'later', {}, { delay: '1h' });
    const messages = [
      { role: 'user', content: 'Hello' },
      { role: 'assistant', content: 'Good morning' },
    ];
    await this.#call('POST', '/threads/ada/messages', { messages });
  }

  /** Work in progress: at a worker, in the queue, and in the process. */
  async #recordWork(): Promise<void> {
    await this.start('leased');
    await this.#claim(1);
    const segments = await this.start('segments');
    await this.finish({ state_patch: { round: 1 } });
    await this.#approve(segments, 'again');
    await this.start('unclaimed');
    const started = await this.start('in-process');
    const isStarted = async () =>
      JSON.stringify(await this.#call('GET', `/executions/${started}/events`)).includes('node_started');
    await expect.poll(isStarted).toBe(true);
    await setImmediate();
  }
}
