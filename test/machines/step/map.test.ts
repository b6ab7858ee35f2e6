import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../../machines/json.ts';
import type { Message } from '../../../machines/messages.ts';
import type { ActiveNode } from '../../../machines/run.ts';
import { approvalsOf, save, workOf } from '../../../machines/step/index.ts';
import { Driver } from '../../support/driver.ts';
import { replay } from '../../support/replay.ts';
import { type NodeSpec, tool, workflow } from '../../support/workflows.ts';

const DO = { type: 'tool', tool_ref: 'lookup', input: { id: '{{ customer.id }}', at: '{{ index }}' } };

function map(more: JsonObject = {}, beside: JsonObject = {}): NodeSpec {
  const kind = { type: 'map', items: '{{ state.customers }}', as: 'customer', do: DO, output_key: 'scores', ...more };
  return { id: 'm', kind, retry_policy: 'once', ...beside } as NodeSpec;
}

const customers = (count: number): Json => Array.from({ length: count }, (_, id) => ({ id }));

function started(
  count: number,
  more: JsonObject = {},
  beside: JsonObject = {},
  { local = true, ...document }: JsonObject & { local?: boolean } = {},
): Driver {
  const nodes = [map(more, beside), tool('after')];
  return new Driver(workflow(nodes, [['m', 'after']], document), {
    input: { customers: customers(count) },
    env: { isLocal: () => local },
  });
}

const PAUSES_AT_10_TOKENS = { token_budget: { total_tokens: 10 }, on_budget_exceeded: 'pause' };

const items = (driver: Driver): ActiveNode[] => driver.active.filter(({ node, item }) => node === 'm' && item !== undefined);
const open = (driver: Driver): (number | undefined)[] => items(driver).map(({ item }) => item);

function visitOf(driver: Driver, item: number) {
  const active = items(driver).find((one) => one.item === item);
  if (active === undefined) throw new Error(`item ${item} is not in progress`);
  return { node: 'm', activation: active.activation, attempt: active.attempt, item };
}

const done = (driver: Driver, item: number, output: Json = { score: item }) =>
  driver.send({ type: 'done', ...visitOf(driver, item), output, durationMs: 5 });
const fail = (driver: Driver, item: number, more: Partial<Message & { type: 'fail' }> = {}) =>
  driver.send({ type: 'fail', ...visitOf(driver, item), error: 'boom', retryable: true, ...more });

function expectReplays({ program, log, run, saves, env }: Driver): void {
  expect(save(replay(program, null, log, env))).toBe(save(run));
  for (const { seq, text } of saves.slice(-4)) expect(save(replay(program, null, log.slice(0, seq), env))).toBe(text);
}

describe('a map', () => {
  it('does the work of every item, so many at a time, and gives the results in order', () => {
    const driver = started(5, { max_concurrency: 2 });
    expect(driver.events).toEqual([
      'workflow_started',
      'map_started:m',
      'node_scheduled:m',
      'node_started:m',
      'node_scheduled:m',
      'node_started:m',
    ]);
    expect(driver.all('map_started')[0]?.data).toEqual({ count: 5, activation: 1 });
    expect(driver.all('node_started')[1]?.data).toEqual({
      worker_id: 'runtime-1',
      attempt: 0,
      activation: 1,
      input: { id: 1, at: 1 },
      item: 1,
    });
    expect(driver.last.effects).toMatchObject([
      { type: 'work', node: 'm', activation: 1, attempt: 0, item: 0, local: true },
      { type: 'work', node: 'm', activation: 1, attempt: 0, item: 1, local: true },
    ]);
    expect(driver.run.localWork).toBe(2);
    done(driver, 1);
    expect(driver.events).toEqual(['tool_call_completed:m', 'node_completed:m', 'node_scheduled:m', 'node_started:m']);
    expect(open(driver)).toEqual([0, 2]);
    for (const item of [2, 3, 0, 4]) done(driver, item);
    expect(driver.events).toEqual([
      'tool_call_completed:m',
      'node_completed:m',
      'map_completed:m',
      'node_completed:m',
      'node_scheduled:after',
      'node_started:after',
    ]);
    expect(driver.all('map_completed')[0]?.data).toEqual({ succeeded: 5, failed: 0, activation: 1 });
    expect(driver.state.scores).toEqual([0, 1, 2, 3, 4].map((score) => ({ score })));
    expect(driver.run.steps).toBe(1);
    expectReplays(driver);
  });

  it('gives an item as the input where none is mapped, and keeps of each result what the output says', () => {
    const driver = started(2, { do: { type: 'tool', tool_ref: 'lookup' }, output: '{{ output.score }} of {{ customer.id }}' });
    const work = workOf(driver.program, driver.run, { node: 'm', item: 1 }, { executionId: 'exec_1', vars: {} });
    expect(work).toMatchObject({ item: 1, input: { id: 1 }, payload: { tool_ref: 'lookup', kind: { type: 'tool' } } });
    done(driver, 0, { score: 7 });
    done(driver, 1, { score: 8 });
    expect(driver.state.scores).toEqual(['7 of 0', '8 of 1']);
    expectReplays(driver);
  });

  it('completes an empty list at once', () => {
    const driver = started(0);
    expect(driver.events).toEqual([
      'workflow_started',
      'map_started:m',
      'map_completed:m',
      'node_completed:m',
      'node_scheduled:after',
      'node_started:after',
    ]);
    expect(driver.state.scores).toEqual([]);
    expectReplays(driver);
  });

  it.each([
    ['a text', 'text', 'validation', 'items must be a list, not a text'],
    ['nothing', null, 'validation', 'items must be a list, not null'],
    ['more than 10,000 items', Array(10_001).fill(1), 'too_many_items', 'the list has 10001 items, at most 10000 are possible'],
    ['more than 16 MiB', ['x'.repeat(17 * 1024 * 1024)], 'too_many_items', 'the items are larger than 16 MiB together'],
  ])('fails for %s', (_what, given, error_class, error) => {
    const driver = new Driver(workflow([map()]), { input: { customers: given } });
    expect(driver.all('node_failed')[0]?.data).toMatchObject({ error, error_class, retryable: false });
    expect(driver.run.status).toBe('failed');
    expectReplays(driver);
  });

  it('fails with the first item that fails for good, and cancels the others', () => {
    const driver = started(4, { max_concurrency: 3 });
    done(driver, 0);
    fail(driver, 2, { errorClass: 'io_error' });
    expect(driver.events).toEqual([
      'node_failed:m',
      'node_cancelled:m',
      'node_cancelled:m',
      'map_completed:m',
      'node_failed:m',
      'workflow_failed',
    ]);
    expect(driver.all('node_failed').map(({ data }) => data)).toMatchObject([
      { error: 'boom', item: 2 },
      { error: 'item 2: boom', error_class: 'io_error' },
    ]);
    expect(driver.all('map_completed')[0]?.data).toEqual({ succeeded: 1, failed: 1, cancelled: 2, activation: 1 });
    expect(driver.last.effects).toEqual([
      { type: 'abandon', node: 'm', activation: 1, item: 1, local: true },
      { type: 'abandon', node: 'm', activation: 1, item: 3, local: true },
    ]);
    expectReplays(driver);
  });

  it('collects failures in the places of their items', () => {
    const driver = started(3, { on_item_error: 'collect' });
    fail(driver, 1);
    done(driver, 2);
    fail(driver, 0, { error: 'no' });
    expect(driver.state.scores).toEqual([{ error: 'no' }, { error: 'boom' }, { score: 2 }]);
    expectReplays(driver);
  });

  it.each([
    [{ tolerate: 1 }, 2],
    [{ tolerate: '50%' }, 3],
    [{ tolerate: '10%' }, 1],
  ])('tolerates %j of four failures, and fails with failure %d', (on_item_error, fatal) => {
    const driver = started(4, { on_item_error });
    for (let item = 0; item < fatal - 1; item += 1) fail(driver, item);
    expect(driver.run.status).toBe('running');
    fail(driver, fatal - 1);
    expect(driver.run.status).toBe('failed');
    expectReplays(driver);
  });

  it('gives the first result and cancels the rest, if it is to', () => {
    const driver = started(4, { strategy: 'first' });
    fail(driver, 0);
    done(driver, 2);
    expect(driver.state.scores).toEqual({ score: 2 });
    expect(driver.all('node_cancelled').map(({ data }) => data.item)).toEqual([1, 3]);
    expectReplays(driver);
    const failing = started(2, { strategy: 'first' });
    fail(failing, 0);
    fail(failing, 1);
    expect(failing.all('node_failed').at(-1)?.data).toMatchObject({
      error: 'none of 2 items succeeded',
      error_class: 'items_failed',
    });
    expectReplays(failing);
  });

  it('retries an item by itself, after its delay or at once', () => {
    const driver = started(2, {}, { retry_policy: 'twice' });
    fail(driver, 0);
    expect(driver.events).toEqual(['node_failed:m', 'retry_scheduled:m']);
    expect([...driver.timers.keys()]).toEqual(['xstate.after.backoff.retry:m#0']);
    driver.reload();
    driver.send({ type: 'timer', id: 'xstate.after.backoff.retry:m#0' });
    expect(driver.events).toEqual(['node_scheduled:m', 'node_started:m']);
    expect(visitOf(driver, 0)).toMatchObject({ attempt: 1, activation: 1 });
    fail(driver, 0);
    expect(driver.run.status).toBe('failed');
    expectReplays(driver);
    const atOnce = started(1, {}, { retry_policy: 'at_once' });
    fail(atOnce, 0);
    expect(atOnce.events).toEqual(['node_failed:m', 'retry_scheduled:m', 'node_scheduled:m', 'node_started:m']);
    expectReplays(atOnce);
  });

  it('ends with its total time', () => {
    const driver = started(3, { timeout_total: '60s' }, { retry_policy: 'twice' });
    fail(driver, 1);
    driver.fire('m');
    expect(driver.events.slice(0, 5)).toEqual([
      'timer_fired:m',
      'node_cancelled:m',
      'node_cancelled:m',
      'node_cancelled:m',
      'map_completed:m',
    ]);
    expect(driver.all('node_failed').at(-1)?.data).toMatchObject({ error: 'timeout', error_class: 'timeout' });
    expect([...driver.timers.keys()]).toEqual([]);
    expectReplays(driver);
  });

  it('begins nothing more while it is suspended, and goes on when it is resumed', () => {
    const driver = started(5, { max_concurrency: 2 }, { retry_policy: 'twice' }, { local: false });
    driver.send({ type: 'claimed', ...visitOf(driver, 0), workerId: 'w' });
    driver.pause();
    // The item that no worker has claimed is withdrawn.
    expect(driver.last.effects).toEqual([{ type: 'abandon', node: 'm', activation: 1, item: 1, local: false }]);
    done(driver, 0);
    expect(driver.events).toEqual(['tool_call_completed:m', 'node_completed:m']);
    driver.reload();
    driver.resume();
    expect(driver.events).toEqual(['workflow_resumed', 'node_scheduled:m', 'node_scheduled:m']);
    expect(open(driver)).toEqual([1, 2]);
    fail(driver, 1);
    driver.pause();
    driver.fire('m');
    expect(driver.events).toEqual(['timer_fired:m']);
    driver.resume();
    for (const item of [1, 2, 3, 4]) done(driver, item);
    expect(driver.state.scores).toHaveLength(5);
    expectReplays(driver);
  });

  it('runs only what has not succeeded when the execution is retried', () => {
    const driver = started(4, { max_concurrency: 2, on_item_error: { tolerate: 1 } });
    fail(driver, 0);
    done(driver, 1);
    fail(driver, 2);
    expect(driver.run.status).toBe('failed');
    driver.retry();
    expect(driver.events).toEqual([
      'workflow_retried',
      'map_started:m',
      'node_scheduled:m',
      'node_started:m',
      'node_scheduled:m',
      'node_started:m',
    ]);
    expect(driver.all('map_started').at(-1)?.data).toEqual({ count: 4, kept: 1, activation: 2 });
    expect(open(driver)).toEqual([0, 2]);
    for (const item of [0, 2, 3]) done(driver, item);
    expect(driver.state.scores).toEqual([0, 1, 2, 3].map((score) => ({ score })));
    expectReplays(driver);
  });

  it('holds each item that a policy asks a person about', () => {
    const driver = started(2, {}, { policy: { require_approval_for: ['lookup'] } });
    expect(driver.events).toEqual(['workflow_started', 'map_started:m', 'tool_approval_required:m', 'tool_approval_required:m']);
    expect(approvalsOf(driver.program, driver.run)).toMatchObject([
      { node_id: 'm', item: 0, tool_name: 'lookup' },
      { node_id: 'm', item: 1, tool_name: 'lookup' },
    ]);
    const decision = { type: 'decide', node: 'm', decision: 'approved', userId: 'ann', comment: null, patch: null } as const;
    expect(driver.try(decision)).toMatchObject({ refused: 'several_pending_approvals' });
    driver.send({ ...decision, item: 1 });
    expect(driver.events).toEqual(['approval_received:m', 'node_scheduled:m', 'node_started:m']);
    done(driver, 1);
    driver.send({ ...decision, decision: 'rejected' });
    expect(driver.all('node_failed').map(({ data }) => data.error)).toEqual([
      'approval rejected by ann',
      'item 0: approval rejected by ann',
    ]);
    expectReplays(driver);
  });

  it('counts what every item uses', () => {
    const driver = started(3, {}, {}, PAUSES_AT_10_TOKENS);
    driver.send({ type: 'done', ...visitOf(driver, 0), output: 1, durationMs: 1, usage: { input_tokens: 11 } });
    expect(driver.events).toEqual(['tool_call_completed:m', 'node_completed:m', 'token_budget_exceeded:m', 'workflow_paused']);
    done(driver, 1, 1);
    driver.send({ type: 'resume', budgets: { token_budget: { total_tokens: 20 }, cost_budget_usd: null } });
    done(driver, 2, 1);
    expect(driver.state.scores).toEqual([1, 1, 1]);
    expectReplays(driver);
  });

  it('is retried when it has failed with what exceeded a budget, which pauses no execution that has ended', () => {
    const driver = started(2, {}, {}, PAUSES_AT_10_TOKENS);
    fail(driver, 0, { retryable: false, usage: { input_tokens: 11 } });
    const ends = [
      'node_failed:m',
      'token_budget_exceeded:m',
      'node_cancelled:m',
      'map_completed:m',
      'node_failed:m',
      'workflow_failed',
    ];
    expect(driver.events).toEqual(ends);
    driver.retry();
    expect(driver.events).toEqual(['workflow_retried', 'workflow_paused']);
    driver.send({ type: 'resume', budgets: { token_budget: { total_tokens: 20 }, cost_budget_usd: null } });
    expect(open(driver)).toEqual([0, 1]);
    expectReplays(driver);
  });

  it('keeps completed items in a fork, and begins the others anew', () => {
    const driver = started(4, { max_concurrency: 2 });
    done(driver, 0);
    const fork = driver.forkAt(driver.run.seq, 'exec_2');
    expect(fork.events).toEqual(['workflow_forked', 'node_scheduled:m', 'node_started:m', 'node_scheduled:m', 'node_started:m']);
    expect(open(fork)).toEqual([1, 2]);
    for (const item of [1, 2, 3]) done(fork, item);
    expect(fork.state.scores).toHaveLength(4);
  });

  it('cancels its items with the execution', () => {
    const driver = started(3);
    done(driver, 1);
    driver.send({ type: 'cancel', reason: 'enough' });
    expect(driver.events).toEqual(['node_cancelled:m', 'node_cancelled:m', 'node_cancelled:m', 'workflow_cancelled']);
    expect(driver.all('node_cancelled').map(({ data }) => data.item)).toEqual([0, 2, undefined]);
    expectReplays(driver);
  });

  it('runs one child execution for each item', () => {
    const driver = started(2, { do: undefined as never, workflow: 'inner', input: { id: '{{ customer.id }}' } });
    expect(driver.last.effects).toMatchObject([
      { type: 'spawn', node: 'm', item: 0 },
      { type: 'spawn', node: 'm', item: 1 },
    ]);
    for (const item of [0, 1]) {
      const child = { childId: `exec_c${item}`, childWorkflowId: 'inner' };
      driver.send({ type: 'child', ...visitOf(driver, item), ...child, change: { status: 'started' } });
      driver.send({ type: 'child', ...visitOf(driver, item), ...child, change: { status: 'completed', result: { n: item } } });
      expect(driver.events.slice(0, 2)).toEqual(['child_workflow_completed:m', 'node_completed:m']);
    }
    expect(driver.state.scores).toEqual([{ n: 0 }, { n: 1 }]);
    expectReplays(driver);
  });

  it('refuses messages about items that are not in progress', () => {
    const driver = started(3, { max_concurrency: 1 });
    const visit = { node: 'm', activation: 1, attempt: 0 };
    for (const item of [1, 7, undefined])
      expect(driver.try({ type: 'done', ...visit, item, output: 1, durationMs: 1 })).toMatchObject({ refused: 'stale' });
    expect(driver.try({ type: 'timer', id: 'xstate.after.backoff.retry:m#0' })).toMatchObject({ refused: 'stale' });
  });
});

describe('replays of maps', () => {
  const action = fc.record({
    what: fc.constantFrom('done', 'done', 'done', 'fail', 'timer', 'pause', 'resume', 'reload', 'requeue', 'lost'),
    at: fc.nat(9),
  });

  it('give what the run gave, after every event of random runs', () => {
    const runs = fc.record({
      count: fc.nat(8),
      max_concurrency: fc.integer({ min: 1, max: 4 }),
      on_item_error: fc.constantFrom('fail', 'collect', { tolerate: 2 }),
      local: fc.boolean(),
      retry: fc.constantFrom('once', 'twice', 'at_once'),
      actions: fc.array(action, { maxLength: 40 }),
    });
    fc.assert(
      fc.property(runs, ({ count, max_concurrency, on_item_error, local, retry, actions }) => {
        const driver = started(count, { max_concurrency, on_item_error }, { retry_policy: retry }, { local });
        const results = new Map<number, Json>();
        for (const { what, at } of actions) {
          const working = items(driver).filter(({ phase }) => phase === 'running' || phase === 'queued');
          const chosen = working[at % Math.max(1, working.length)];
          const visit = chosen === undefined ? null : { node: 'm', activation: 1, attempt: chosen.attempt, item: chosen.item };
          const before = driver.run;
          if (what === 'done' && visit !== null) {
            results.set(visit.item ?? -1, { at });
            driver.send({ type: 'done', ...visit, output: { at }, durationMs: 1 });
          } else if (what === 'fail' && visit !== null) {
            driver.send({ type: 'fail', ...visit, error: 'boom', retryable: true });
          } else if (what === 'timer' && driver.timers.size > 0) {
            driver.try({ type: 'timer', id: [...driver.timers.keys()][0] ?? '' });
          } else if (what === 'pause') driver.try({ type: 'pause', reason: null });
          else if (what === 'resume') driver.try({ type: 'resume' });
          else if (what === 'reload') driver.reload();
          else if (what === 'requeue' && visit !== null) driver.try({ type: 'requeue', ...visit, unbegun: true });
          else if (what === 'lost' && visit !== null)
            driver.try({ type: 'fail', ...visit, error: 'boom', retryable: true, lost: 2 });
          expect(items(driver).length).toBeLessThanOrEqual(max_concurrency);
          if (driver.run === before) continue;
        }
        for (const { seq, text } of driver.saves)
          expect(save(replay(driver.program, null, driver.log.slice(0, seq), driver.env))).toBe(text);
        const completed = driver.log.find(
          ({ type, node_id, data }) => type === 'node_completed' && node_id === 'm' && data.item === undefined,
        );
        if (completed === undefined) return;
        const expected = Array.from({ length: count }, (_, item) => results.get(item) ?? { error: 'boom' });
        expect(driver.state.scores).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });
});
