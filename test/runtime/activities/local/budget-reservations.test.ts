import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../../machines/json.ts';
import type { Visit } from '../../../../machines/messages.ts';
import type { ActivityTask } from '../../../../src/runtime/activities/local/activity-task.ts';
import { BudgetReservations } from '../../../../src/runtime/activities/local/budget-reservations.ts';
import { TaskRegistry } from '../../../../src/runtime/activities/local/task-registry.ts';
import { TimeSlices } from '../../../../src/runtime/scheduling/time-slices.ts';
import type { ToolContext } from '../../../../src/runtime/types/work.ts';
import { StoreError } from '../../../../store/port/errors.ts';
import { chatAnswer, reply } from '../../../executors/model/asking.ts';
import { webServer } from '../../../executors/web-server.ts';
import { Driver } from '../../../support/driver.ts';
import { CALLER, crashCopy, databasePath, eventually, openTestRuntime } from '../../../support/runtimes.ts';
import { workflow } from '../../../support/workflows.ts';

/** A provider that answers when it is told to; each answer has taken 1,000 tokens in all. */
async function provider() {
  const open: (() => void)[] = [];
  const { url, requests } = await webServer((_request, response) => {
    const usage = { prompt_tokens: 900, completion_tokens: 100, total_tokens: 1_000 };
    open.push(() => reply(response, { ...chatAnswer({ content: 'hello' }), usage }));
  });
  return { requests, open, models: { providers: { openai: { apiKey: 'sk-secret-0123', baseUrl: url } } } };
}

/** A fan-out of so many calls. */
function fanOut(calls: number, more: JsonObject, kind: JsonObject = {}): JsonObject {
  const names = Array.from({ length: calls }, (_, i) => `call${i}`);
  const model = { type: 'model', model_ref: 'gpt-4o', prompt_ref: 'Say hello', ...kind };
  return {
    workflow_id: 'wide',
    version: '1',
    nodes: {
      all: { kind: { type: 'parallel', branches: names } },
      ...Object.fromEntries(names.map((name) => [name, { kind: model }])),
    },
    edges: names.map((name) => ({ from: name, to: 'end' })),
    ...more,
  };
}

async function answerAll({ open }: { readonly open: (() => void)[] }, isOver: () => Promise<boolean>): Promise<number> {
  let most = 0;
  await eventually(async () => {
    most = Math.max(most, open.length);
    open.shift()?.();
    return isOver();
  });
  return most;
}

describe('calls of models that are given up', () => {
  const model = { type: 'model', model_ref: 'gpt-4o', prompt_ref: 'Say hello', system_prompt: 'x'.repeat(4_000) };
  const asking = (more: JsonObject = {}) => ({
    workflow_id: 'ask',
    version: '1',
    nodes: { ask: { kind: model, ...more } },
    edges: [],
  });

  it('count for the month when the execution is cancelled, with what was sent', async () => {
    const { models, open } = await provider();
    const { run, runtime, store } = await openTestRuntime({ models });
    const id = await run(asking());
    await eventually(() => open.length === 1);
    await runtime.cancel(CALLER, id);
    await eventually(async () => (await store.tenants.usage('default', '2026-03')).tokens > 0);
    const { tokens, costUsd } = await store.tenants.usage('default', '2026-03');
    expect(tokens).toBeGreaterThan(1_000);
    expect(tokens).toBeLessThan(1_100);
    expect(costUsd).toBeCloseTo((tokens * 2.5) / 1e6, 9);
  });

  it('count for the budget and the month when they time out', async () => {
    const { models, open } = await provider();
    const { run, timeline, log, clock, store } = await openTestRuntime({ models });
    const id = await run({ ...asking({ timeout: '5s' }), token_budget: { total_tokens: 100_000 } });
    await eventually(() => open.length === 1);
    clock.advance(5_000);
    await eventually(async () => (await timeline(id)).includes('node_failed ask'));
    const failed = (await log(id)).find(({ type }) => type === 'node_failed')?.data;
    expect(failed).toMatchObject({ error_class: 'timeout', finish_reason: 'aborted', gen_ai_model: 'gpt-4o', output_tokens: 0 });
    expect((await store.tenants.usage('default', '2026-03')).tokens).toBe(failed?.input_tokens);
  });

  /** `call` of a model beside `other`, which a first join may take instead; then `after`. */
  const race = (more: JsonObject): JsonObject => ({
    workflow_id: 'race',
    version: '1',
    nodes: {
      all: { kind: { type: 'parallel', branches: ['call', 'other'] } },
      call: { kind: model },
      other: { kind: { type: 'human_approval', description: '?' } },
      any: { kind: { type: 'join', merge_strategy: 'first' } },
      after: { kind: { type: 'wait', condition: 'external_event', correlation_key: 'go' } },
    },
    edges: ['call', 'other'].map((from) => ({ from, to: 'any' })).concat({ from: 'any', to: 'after' }),
    ...more,
  });

  it('count for the budget and the month when another branch is taken', async () => {
    const { models, open } = await provider();
    const { run, runtime, timeline, log, store } = await openTestRuntime({ models });
    const id = await run(race({ token_budget: { total_tokens: 100_000 } }));
    await eventually(() => open.length === 1);
    await runtime.approve(CALLER, id, { decision: 'approved' });
    await eventually(async () => (await timeline(id)).includes('usage_recorded call'));
    const recorded = (await log(id)).find(({ type }) => type === 'usage_recorded')?.data;
    expect(recorded).toMatchObject({
      activation: 1,
      attempt: 0,
      finish_reason: 'aborted',
      gen_ai_model: 'gpt-4o',
      output_tokens: 0,
    });
    expect(recorded?.input_tokens).toBeGreaterThan(1_000);
    expect((await store.tenants.usage('default', '2026-03')).tokens).toBe(recorded?.input_tokens);
  });

  it('may exceed the budget when another branch is taken', async () => {
    const { models, open } = await provider();
    const { run, runtime } = await openTestRuntime({ models });
    const id = await run(race({ token_budget: { total_tokens: 1_000 } }));
    await eventually(() => open.length === 1);
    await runtime.approve(CALLER, id, { decision: 'approved' });
    await eventually(async () => (await runtime.execution('default', id)).status === 'failed');
    expect((await runtime.execution('default', id)).error).toMatch(/^token budget exceeded: 10\d\d of 1000/);
  });

  it('count for the budget when their runtime stops, and again in the next one', async () => {
    const { models, open } = await provider();
    const path = databasePath();
    const first = await openTestRuntime({ path, models });
    const id = await first.run({ ...asking(), token_budget: { total_tokens: 100_000 } });
    await eventually(() => open.length === 1);
    await first.close(0);
    open.length = 0;
    const second = await openTestRuntime({ path, clock: first.clock, models });
    await eventually(() => open.length === 1);
    open.shift()?.();
    expect((await second.settled(id)).status).toBe('completed');
    const used = (await second.log(id)).filter(({ data }) => data.input_tokens !== undefined);
    expect(used.map(({ type, data }) => [type, data.attempt ?? 0])).toEqual([
      ['usage_recorded', 0],
      ['node_completed', 0],
    ]);
    const sent = Number(used[0]?.data.input_tokens);
    expect((await second.store.tenants.usage('default', '2026-03')).tokens).toBe(sent + 1_000);
  });

  it('count for the budget and the month when their runtime is killed', async () => {
    const { models, open } = await provider();
    const first = await openTestRuntime({ models });
    const id = await first.run({ ...asking(), token_budget: { total_tokens: 100_000 } });
    await eventually(() => open.length === 1);
    const second = await openTestRuntime({ path: crashCopy(first.path), clock: first.clock, models });
    await eventually(() => second.timeline(id).then((events) => events.includes('node_failed ask')));
    const lost = (await second.log(id)).find(({ type }) => type === 'node_failed')?.data;
    expect(lost).toMatchObject({ error: 'runtime lost', finish_reason: 'aborted', gen_ai_model: 'gpt-4o', output_tokens: 0 });
    expect(lost?.input_tokens).toBeGreaterThan(1_000);
    expect((await second.store.tenants.usage('default', '2026-03')).tokens).toBe(lost?.input_tokens);
  });

  it('count nothing when the provider has refused them', async () => {
    const { url } = await webServer((_request, response) => reply(response, { error: { message: 'no' } }, 400));
    const { run, settled, store } = await openTestRuntime({
      models: { providers: { openai: { apiKey: 'sk-secret-0123', baseUrl: url } } },
    });
    await settled(await run(asking()));
    expect(await store.tenants.usage('default', '2026-03')).toEqual({ tokens: 0, costUsd: 0 });
  });
});

it('what a child execution used counts for its parent, and for the month once, although its branch was left', async () => {
  const spend = (_input: unknown, { reportUsage }: ToolContext) => {
    reportUsage({ inputTokens: 60 });
    return {};
  };
  const { run, runtime, log, store } = await openTestRuntime({ tools: { spend } });
  await runtime.register(CALLER, {
    workflow_id: 'inner',
    version: '1',
    nodes: {
      spend: { kind: { type: 'tool', tool_ref: 'spend' } },
      wait: { kind: { type: 'wait', condition: 'external_event', correlation_key: 'never' } },
    },
    edges: [{ from: 'spend', to: 'wait' }],
  });
  const id = await run({
    workflow_id: 'outer',
    version: '1',
    token_budget: { total_tokens: 50 },
    nodes: {
      all: { kind: { type: 'parallel', branches: ['inner', 'other'] } },
      inner: { kind: { type: 'subgraph', workflow_ref: 'inner' } },
      other: { kind: { type: 'human_approval', description: '?' } },
      any: { kind: { type: 'join', merge_strategy: 'first' } },
      after: { kind: { type: 'wait', condition: 'external_event', correlation_key: 'go' } },
    },
    edges: ['inner', 'other'].map((from) => ({ from, to: 'any' })).concat({ from: 'any', to: 'after' }),
  });
  const used = async () => (await store.tenants.usage('default', '2026-03')).tokens;
  await eventually(async () => (await used()) === 60);
  await runtime.approve(CALLER, id, { decision: 'approved' });
  await eventually(async () => (await runtime.execution('default', id)).status === 'failed');
  expect((await log(id)).find(({ type }) => type === 'usage_recorded')).toMatchObject({
    nodeId: 'inner',
    data: { input_tokens: 60, child_execution_id: expect.stringMatching(/^exec_/) },
  });
  expect((await runtime.execution('default', id)).error).toBe('token budget exceeded: 60 of 50 total_tokens');
  expect(await used()).toBe(60);
});

describe('calls of models under a budget', () => {
  it('begin one by one where their most is not within it: at most one goes beyond', async () => {
    const { models, requests, open } = await provider();
    const { run, runtime, log, store } = await openTestRuntime({ models });
    const id = await run(fanOut(30, { token_budget: { total_tokens: 1_000 } }));
    const isOver = async () => (await runtime.execution('default', id)).status === 'failed';
    expect(await answerAll({ open }, isOver)).toBe(1);
    expect(requests).toHaveLength(2);
    expect((await log(id)).filter(({ type }) => type === 'token_budget_exceeded')).toMatchObject([
      { data: { kind: 'total_tokens', limit: 1_000, current: 2_000 } },
    ]);
    expect(await store.tenants.usage('default', '2026-03')).toMatchObject({ tokens: 2_000 });
  });

  it('begin together as far as their most is within it', async () => {
    const { models, requests, open } = await provider();
    const { run, settled } = await openTestRuntime({ models });
    // The most of each is its request in bytes, an overhead of 1,000 tokens, and its answer.
    const id = await run(fanOut(6, { token_budget: { total_tokens: 10_000 } }, { max_tokens: 1_000 }));
    await eventually(() => open.length === 4);
    for (const answer of open.splice(0)) answer();
    await eventually(() => open.length === 2);
    for (const answer of open.splice(0)) answer();
    expect((await settled(id)).status).toBe('completed');
    expect(requests).toHaveLength(6);
  });

  it('begin together under a cost that even their longest answers do not reach, and one by one under a lower one', async () => {
    for (const [cost, together] of [
      [10, 5],
      [0.01, 1],
    ] as const) {
      const { models, open } = await provider();
      const { run, runtime } = await openTestRuntime({ models });
      const id = await run(fanOut(5, { cost_budget_usd: cost }));
      await eventually(() => open.length === together);
      const isOver = async () => (await runtime.execution('default', id)).status !== 'running';
      expect(await answerAll({ open }, isOver)).toBe(together);
    }
  });

  it('all begin without a budget', async () => {
    const { models, open } = await provider();
    const { run } = await openTestRuntime({ models });
    await run(fanOut(30, {}));
    await eventually(() => open.length === 30);
  });

  it('wait while the budget has paused the execution, and go on when it is resumed', async () => {
    const { models, requests, open } = await provider();
    const { run, runtime, settled } = await openTestRuntime({ models });
    const id = await run(fanOut(4, { token_budget: { total_tokens: 500 }, on_budget_exceeded: 'pause' }));
    const isPaused = async () => (await runtime.execution('default', id)).status === 'paused';
    await answerAll({ open }, isPaused);
    expect(requests).toHaveLength(1);
    await runtime.resume(CALLER, id, { tokenBudget: { totalTokens: 100_000 } });
    await answerAll({ open }, async () => (await runtime.execution('default', id)).status === 'completed');
    expect((await settled(id)).status).toBe('completed');
    expect(requests).toHaveLength(4);
  });

  it('wait while the execution is paused, and go on when it is resumed', async () => {
    const { models, requests, open } = await provider();
    const { run, runtime, log, settled } = await openTestRuntime({ models });
    const id = await run(fanOut(3, { token_budget: { total_tokens: 5_000 } }));
    await eventually(() => open.length === 1);
    await runtime.pause(CALLER, id);
    open.shift()?.();
    await eventually(async () => (await log(id)).some(({ type }) => type === 'node_completed'));
    expect(requests).toHaveLength(1);
    await runtime.resume(CALLER, id);
    await answerAll({ open }, async () => (await runtime.execution('default', id)).status !== 'running');
    expect((await settled(id)).status).toBe('completed');
    expect(requests).toHaveLength(3);
  });

  it('make way for the next although the result of one cannot be committed at first', async () => {
    const { models, open } = await provider();
    const { run, store, clock, runtime, settled } = await openTestRuntime({ models });
    const id = await run(fanOut(2, { token_budget: { total_tokens: 5_000 } }));
    await eventually(() => open.length === 1);
    const commit = store.commit.bind(store);
    store.commit = () => {
      store.commit = commit;
      return Promise.reject(new StoreError('store_unavailable', 'for a moment'));
    };
    await answerAll({ open }, async () => {
      clock.advance(10);
      return (await runtime.execution('default', id)).status === 'completed';
    });
    expect((await settled(id)).status).toBe('completed');
  });

  it('make way for the next when one fails or its branch is abandoned', async () => {
    const { url, requests } = await webServer((_request, response) => {
      const isFirst = requests.length === 1;
      reply(response, isFirst ? { error: { message: 'no' } } : chatAnswer({ content: 'hello' }), isFirst ? 400 : 200);
    });
    const models = { providers: { openai: { apiKey: 'sk-secret-0123', baseUrl: url } } };
    const { run, runtime } = await openTestRuntime({ models });
    const id = await run(fanOut(3, { token_budget: { total_tokens: 5_000 } }));
    await eventually(async () => (await runtime.execution('default', id)).status !== 'running');
    expect(requests.length).toBeGreaterThan(1);
  });

  it('begin after a restart, of which nothing is reserved', async () => {
    const { models, open } = await provider();
    const path = databasePath();
    const first = await openTestRuntime({ path, models });
    const id = await first.run(fanOut(3, { token_budget: { total_tokens: 5_000 } }));
    await eventually(() => open.length === 1);
    open.length = 0;
    await first.close(0);
    const second = await openTestRuntime({ path, clock: first.clock, models });
    await answerAll({ open }, async () => (await second.runtime.execution('default', id)).status !== 'running');
    expect((await second.runtime.execution('default', id)).status).toBe('completed');
  });
});

describe('calls of remote agents under a budget', () => {
  /** An agent without a card, whose answers have cost 1 USD each. */
  async function agent() {
    const open: (() => void)[] = [];
    const { url } = await webServer((request, response) => {
      if (request.method === 'GET') return void response.writeHead(404).end();
      open.push(() => reply(response, { output: 'done', cost_usd: 1 }));
    });
    return { url, open };
  }

  it.each([
    ['a most that is not known', {}, 1],
    ['a most that is granted', { budget: { max_cost_usd: 0.2 } }, 5],
  ])('of %s begin as far as the budget allows', async (_which, more, together) => {
    const { url, open } = await agent();
    const { run, runtime } = await openTestRuntime({ allowPrivateAddresses: true });
    const id = await run(fanOut(8, { cost_budget_usd: 1 }, { type: 'agent_tool', agent: url, ...more }));
    await eventually(() => open.length === together);
    // Beyond a granted budget, the call fails, and has used what it has.
    const isOver = async () => (await runtime.execution('default', id)).status === 'failed';
    const begun = new Set<unknown>();
    await eventually(async () => {
      for (const answer of open) begun.add(answer);
      open.shift()?.();
      return isOver();
    });
    expect(begun.size).toBeLessThanOrEqual(together + 1);
  });
});

describe('calls of models beside a tool', () => {
  it('are held back by what the tool has reported so far', async () => {
    const { models, open } = await provider();
    let begun = (): void => {};
    const isBusy = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const busy = (_input: unknown, { reportUsage }: ToolContext) => {
      reportUsage({ inputTokens: 4_000 });
      begun();
      return new Promise(() => {});
    };
    const { run, runtime } = await openTestRuntime({ models, tools: { busy } });
    const calls = fanOut(3, {}, { max_tokens: 500 }) as { readonly nodes: JsonObject; readonly edges: JsonObject[] };
    const id = await run({
      ...calls,
      start_node: 'begin',
      token_budget: { total_tokens: 6_000 },
      nodes: {
        begin: { kind: { type: 'parallel', branches: ['tool', 'gate'] } },
        tool: { kind: { type: 'tool', tool_ref: 'busy' } },
        gate: { kind: { type: 'human_approval', description: '?' } },
        ...calls.nodes,
      },
      edges: [...calls.edges, { from: 'gate', to: 'all' }],
    } as never);
    await isBusy;
    await runtime.approve(CALLER, id, { decision: 'approved' });
    await eventually(() => open.length > 0);
    const isRunning = async () => (await runtime.execution('default', id)).status === 'running';
    for (let reads = 0; reads < 20; reads += 1) expect([await isRunning(), open.length]).toEqual([true, 1]);
  });
});

describe('a reservation for a call whose end is known from the store', () => {
  it('is held until the answer to the commit of the end, and then the next call begins', async () => {
    const model = { type: 'model', model_ref: 'gpt-4o', prompt_ref: 'Say hello' };
    const nodes = ['one', 'two', 'three'].map((id) => ({ id, kind: model, retry_policy: 'once' }));
    const all = { id: 'all', kind: { type: 'parallel', branches: ['two', 'three'] } };
    const budget = { token_budget: { total_tokens: 1_000_000 } };
    const driver = new Driver(workflow([...nodes, all], [['one', 'all']], { start_node: 'one', ...budget }));
    const errors: unknown[] = [];
    const onError = (error: unknown) => void errors.push(error);
    const slices = new TimeSlices({ nowMs: () => 0 });
    const tasks = new TaskRegistry();
    const reservations = new BudgetReservations({ slices, onError, models: {}, tasks, limitsOf: () => ({}) });
    const task = (node: string): ActivityTask => {
      const { activation, attempt } = driver.visit(node);
      const is = (visit: Visit) => visit.node === node && visit.activation === activation && visit.attempt === attempt;
      const loaded = { program: driver.program, vars: {} };
      return {
        node,
        executionId: 'exec_1',
        tenantId: 'default',
        loaded,
        thread: null,
        dropped: false,
        is,
      } as unknown as ActivityTask;
    };
    const first = task('one');
    reservations.occupy(first, driver.run);
    driver.done('one', 'hello');
    const begun: string[] = [];
    for (const node of ['two', 'three']) reservations.enter(task(node), driver.run, () => begun.push(node));
    await setImmediate();
    expect([begun, errors]).toEqual([[], []]);
    reservations.leave(first, driver.run);
    await setImmediate();
    expect([begun, errors]).toEqual([['two', 'three'], []]);
  });
});
