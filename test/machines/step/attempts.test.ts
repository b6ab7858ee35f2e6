import { describe, expect, it } from 'vitest';
import type { RetryPolicy } from '../../../machines/ir/workflow.ts';
import type { JsonObject } from '../../../machines/json.ts';
import { activeOf, completedPatch, save, workOf } from '../../../machines/step/index.ts';
import { backoffMs } from '../../../machines/step/work/backoff.ts';
import { Driver } from '../../support/driver.ts';
import { replay } from '../../support/replay.ts';
import { join, parallel, retried, subgraph, tool, workflow } from '../../support/workflows.ts';

describe('work', () => {
  it('is scheduled and started in one step in process, and started by a worker when it is claimed', () => {
    const made = workflow([parallel('s', ['a', 'b']), tool('a'), tool('b')]);
    const driver = new Driver(made, { env: { isLocal: (node) => node === 'a' } });
    expect(driver.last.events.slice(2).map(({ type, node_id, data }) => [type, node_id, data])).toEqual([
      ['node_scheduled', 'a', { queue_type: 'tool', attempt: 0, in_process: true, activation: 1 }],
      ['node_started', 'a', { worker_id: 'runtime-1', attempt: 0, activation: 1, input: {} }],
      ['node_scheduled', 'b', { queue_type: 'tool', attempt: 0, activation: 1 }],
    ]);
    expect(driver.run.localWork).toBe(1);
    driver.send({ type: 'claimed', ...driver.visit('b'), workerId: 'worker-7' });
    expect(driver.last.events.map(({ type, data }) => [type, data])).toEqual([
      ['node_started', { worker_id: 'worker-7', attempt: 0, activation: 1, input: {} }],
    ]);
    expect(driver.try({ type: 'claimed', ...driver.visit('b'), workerId: 'worker-8' })).toMatchObject({ refused: 'stale' });
    expect(driver.active.map(({ phase, local }) => [phase, local])).toEqual([
      ['running', true],
      ['running', false],
    ]);
  });

  it('gets its rendered mapping or the whole state as input', () => {
    const made = workflow(
      [
        tool('a'),
        tool('b', {
          input_mapping: { id: 'state.order.id', text: 'n° {{ output.n }}', who: '{{ env.USER }}', run: '{{ execution.id }}' },
        }),
      ],
      [['a', 'b']],
    );
    const driver = new Driver(made, { input: { order: { id: 7 } } });
    expect(workOf(driver.program, driver.run, { node: 'a' }, { executionId: 'exec_1', vars: {} })).toMatchObject({
      input: { order: { id: 7 } },
      attempt: 0,
      maxAttempts: 1,
      timeoutSecs: 300,
    });
    driver.done('a', { n: 3 }, { patch: {} });
    const work = workOf(driver.program, driver.run, { node: 'b' }, { executionId: 'exec_1', vars: { USER: 'ann' } });
    expect(work.input).toEqual({ id: 7, text: 'n° 3', who: 'ann', run: 'exec_1' });
    expect(work.payload).toMatchObject({
      workflow_id: 'w',
      workflow_version: '1',
      node_id: 'b',
      tool_ref: 't.b',
      input: work.input,
      state: { order: { id: 7 } },
      kind: { type: 'tool' },
    });
  });

  it('changes the state by its own patch or one derived from the output', () => {
    const patched = (node: ReturnType<typeof tool>, output: never, more = {}) => {
      const driver = new Driver(workflow([node]), { input: { old: { a: 1, b: 2 } } });
      driver.done(node.id, output, more);
      const data: JsonObject = driver.all('node_completed')[0]?.data ?? {};
      return [driver.state, data.patch_from, completedPatch(data, node.id)];
    };
    const old = { a: 1, b: 2 };
    expect(patched(tool('t'), { old: { a: null, c: 3 } } as never)).toEqual([
      { old: { b: 2, c: 3 } },
      'output',
      { old: { a: null, c: 3 } },
    ]);
    expect(patched(tool('t'), 'text' as never)).toEqual([{ old, t: 'text' }, 'node_id', { t: 'text' }]);
    expect(patched(tool('t', { output_key: 'k' }), { x: 1 } as never)).toEqual([
      { old, k: { x: 1 } },
      'output_key',
      { k: { x: 1 } },
    ]);
    expect(patched(tool('t'), { x: 1 } as never, { patch: { y: 1 } })).toEqual([{ old, y: 1 }, undefined, { y: 1 }]);
    expect(patched(tool('t'), { x: 1 } as never, { patch: 5 })).toEqual([{ old }, undefined, 5]);
    const http = { id: 'h', kind: { type: 'http', url: 'http://localhost' }, retry_policy: 'once' };
    expect(patched(http, { x: 1 } as never)).toEqual([{ old, h: { x: 1 } }, 'node_id', { h: { x: 1 } }]);
  });

  it('does not store an output twice, nor in the snapshot unless a node reads it', () => {
    const large = 'x'.repeat(10_000);
    const driver = new Driver(workflow([tool('a'), tool('b')], [['a', 'b']]));
    driver.done('a', { large }, { patch: { small: 1 } });
    expect(driver.saves.at(-1)?.text.length).toBeLessThan(300);
    expect(JSON.stringify(driver.last.events).split(large).length - 1).toBe(1);
  });

  it('logs the reported usage', () => {
    const driver = new Driver(workflow([tool('a')]));
    driver.done('a', {}, { usage: { gen_ai_model: 'm', input_tokens: 10, output_tokens: 5, cost_usd: 0.01 } });
    expect(driver.all('node_completed')[0]?.data).toMatchObject({
      gen_ai_model: 'm',
      input_tokens: 10,
      output_tokens: 5,
      cost_usd: 0.01,
      duration_ms: 7,
    });
  });
});

describe('attempts', () => {
  it('are retried as the retry policy says, after its delay', () => {
    const driver = new Driver(workflow([retried('a', 'twice')]));
    const { effects } = driver.fail('a', { error: 'no luck' });
    expect(driver.last.events.map(({ type, data }) => [type, data])).toEqual([
      ['node_failed', { error: 'no luck', attempt: 0, retryable: true, activation: 1 }],
      ['retry_scheduled', { attempt: 1, delay_ms: 5_000, activation: 1 }],
    ]);
    expect(effects).toEqual([
      { type: 'set_timer', id: 'xstate.after.backoff.retry:a', node: 'a', activation: 1, atMs: 1_006_000, kind: 'retry' },
    ]);
    expect(driver.run.status).toBe('running');
    driver.fire('a');
    expect(driver.last.events.map(({ type, data }) => [type, data.attempt])).toEqual([['node_scheduled', 1]]);
    driver.fail('a', { error: 'no luck again' });
    expect(driver.all('node_failed')[1]?.data).toEqual({ error: 'no luck again', attempt: 1, retryable: false, activation: 1 });
    expect(driver.run.status).toBe('failed');
  });

  it.each([
    [0, 60],
    [5, 0],
  ])('follow without a delay if the policy has none: %i s, at most %i s', (initial_delay, max_delay) => {
    const none = { max_attempts: 3, backoff: 'fixed', initial_delay, max_delay, jitter: false, retryable_on: [] };
    const driver = new Driver(workflow([retried('a', 'none')], [], { retry_policies: { none } }));
    driver.fail('a');
    expect(driver.events).toEqual(['node_failed:a', 'retry_scheduled:a', 'node_scheduled:a']);
    expect(driver.timers.size).toBe(0);
  });

  it('end with an error that is not retryable', () => {
    const final = new Driver(workflow([retried('a', 'twice')]));
    final.fail('a', { retryable: false });
    expect(final.run.status).toBe('failed');
    const classes = {
      only_io: { max_attempts: 3, backoff: 'fixed', initial_delay: 1, max_delay: 1, jitter: false, retryable_on: ['io_error'] },
    };
    const io = new Driver(workflow([retried('a', 'only_io')], [], { retry_policies: classes }));
    io.fail('a', { errorClass: 'io_error' });
    expect(io.active).toMatchObject([{ phase: 'backoff' }]);
    io.fire('a');
    io.fail('a', { errorClass: 'other' });
    expect(io.run.status).toBe('failed');
  });

  it.each([
    ['a status that is listed', [503], { errorClass: 'server_error', httpStatus: 503 }, 'queued'],
    ['another one of its class', [503], { errorClass: 'server_error', httpStatus: 500 }, undefined],
    [
      'a status that nothing else would retry',
      [404],
      { errorClass: 'client_error', httpStatus: 404, retryable: false },
      'queued',
    ],
    ['what only the worker says is final', [404], { httpStatus: 404, retryable: false }, undefined],
    ['a synonym', ['rate_limited'], { errorClass: 'rate_limit' }, 'queued'],
    ['a documented list', ['model_overloaded', 'rate_limited', 'timeout'], { errorClass: 'server_error' }, 'queued'],
    ['a class whose status is not known', [429], { errorClass: 'rate_limit' }, 'queued'],
    ['a failure of which nothing is known', [503], {}, 'queued'],
  ] as const)('are made for %s, and replayed so', (_what, retry_on, failure, phase) => {
    const retry = { max_attempts: 3, initial_delay: 0, retry_on };
    const driver = new Driver(workflow([{ ...tool('a'), retry }]));
    driver.fail('a', failure);
    expect(driver.active[0]?.phase).toBe(phase);
    const { program, log } = driver;
    expect(save(replay(program, null, log, { executionId: 'exec_1', stepLimit: 10_000, runtimeId: 'r' }))).toBe(save(driver.run));
  });

  it('that have ended are stale', () => {
    const driver = new Driver(workflow([retried('a', 'at_once')]));
    const visit = driver.visit('a');
    driver.fail('a');
    expect(driver.try({ type: 'done', ...visit, output: 1, durationMs: 1 })).toEqual({ refused: 'stale', nodes: [] });
    expect(driver.try({ type: 'fail', ...visit, error: 'late', retryable: true })).toEqual({ refused: 'stale', nodes: [] });
    expect(driver.try({ type: 'done', ...driver.visit('a'), node: 'unknown', output: 1, durationMs: 1 })).toEqual({
      refused: 'stale',
      nodes: [],
    });
  });

  it('with a handled failure lead to the fallback alone, with the error as output', () => {
    const driver = new Driver(
      workflow(
        [tool('a', { fallback_node: 'rescue' }), tool('next'), tool('rescue', { input_mapping: { why: '{{ output }}' } })],
        [['a', 'next']],
      ),
    );
    driver.fail('a');
    expect(driver.activeNodes).toEqual(['rescue']);
    expect(workOf(driver.program, driver.run, { node: 'rescue' }, { executionId: 'e', vars: {} }).input).toEqual({
      why: { error: 'boom', node_id: 'a', attempt: 0 },
    });
    driver.done('rescue');
    expect(driver.run.status).toBe('completed');
  });

  it('handed back by a stop begin again with the same number, unless only one is allowed', () => {
    const local = { env: { isLocal: () => true } };
    const again = new Driver(workflow([retried('a', 'twice')]), local);
    again.send({ type: 'requeue', ...again.visit('a') });
    expect(again.last.events.map(({ type, data }) => [type, data.attempt])).toEqual([
      ['node_scheduled', 0],
      ['node_started', 0],
    ]);
    expect(again.last.effects).toEqual([{ type: 'work', node: 'a', activation: 1, attempt: 0, local: true, queue: 'tool' }]);
    const once = new Driver(workflow([tool('a')]), local);
    once.send({ type: 'requeue', ...once.visit('a') });
    expect(once.run.status).toBe('failed');
  });

  it('that have not begun may be queued again even if only one is allowed, in process or not', () => {
    const driver = new Driver(workflow([tool('a')]), { env: { isLocal: () => true } });
    driver.send({ type: 'requeue', ...driver.visit('a'), unbegun: true });
    expect(driver.run).toMatchObject({ status: 'running', localWork: 1 });
    driver.env = { ...driver.env, isLocal: () => false };
    driver.send({ type: 'requeue', ...driver.visit('a'), unbegun: true });
    expect(driver.run).toMatchObject({ status: 'running', localWork: 0 });
    expect(driver.active).toMatchObject([{ node: 'a', phase: 'queued', attempt: 0 }]);
    const { program, log } = driver;
    expect(save(replay(program, null, log, { executionId: 'exec_1', stepLimit: 10_000, runtimeId: 'r' }))).toBe(save(driver.run));
  });

  it('are taken from the queue only while they are queued', () => {
    const driver = new Driver(workflow([retried('a', 'twice')]), { env: { isLocal: () => true } });
    expect(driver.try({ type: 'requeue', ...driver.visit('a'), queued: true })).toMatchObject({ refused: 'stale' });
  });

  it('without a delay follow each other at once, but the 10th is delayed by 100 ms and the 100th by a second', () => {
    const node = { ...tool('a'), retry: { max_attempts: 1_000_000_000, backoff: 'fixed', initial_delay: 0, max_delay: 0 } };
    const driver = new Driver(workflow([node]));
    const waited: number[] = [];
    for (let attempt = 1; attempt <= 101; attempt += 1) {
      driver.fail('a');
      waited.push(Number(driver.log.findLast(({ type }) => type === 'retry_scheduled')?.data.delay_ms));
      const { phase } = driver.active[0] ?? {};
      expect(phase).toBe(waited.at(-1) === 0 ? 'queued' : 'backoff');
      if (phase === 'backoff') driver.fire('a');
    }
    expect(waited).toEqual([...Array(8).fill(0), ...Array(90).fill(100), ...Array(3).fill(1_000)]);
    const { program, log } = driver;
    expect(save(replay(program, null, log, { executionId: 'exec_1', stepLimit: 10_000, runtimeId: 'r' }))).toBe(save(driver.run));
  });

  it('of a policy with shorter delays are delayed as well', () => {
    const policy: RetryPolicy = {
      max_attempts: 200,
      backoff: 'fixed',
      initial_delay: 0.01,
      max_delay: 1,
      jitter: true,
      retryable_on: [],
    };
    expect(backoffMs(policy, 8, '')).toBeLessThanOrEqual(10);
    expect([9, 98, 99, 150].map((attempt) => backoffMs(policy, attempt, ''))).toEqual([100, 100, 1_000, 1_000]);
    expect(backoffMs({ ...policy, initial_delay: 5, max_delay: 5, jitter: false }, 150, '')).toBe(5_000);
  });

  it('are delayed with jitter by half to all of the delay, always equally for the same attempt', () => {
    const policy = {
      max_attempts: 9,
      backoff: 'exponential',
      initial_delay: 1,
      max_delay: 8,
      jitter: true,
      retryable_on: [],
    } as const;
    const delays = Array.from({ length: 200 }, (_, i) => backoffMs({ ...policy, retryable_on: [] }, 2, `execution ${i}`));
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(1_000);
    expect(Math.max(...delays)).toBeLessThanOrEqual(2_000);
    expect(new Set(delays).size).toBeGreaterThan(100);
    expect(backoffMs({ ...policy, retryable_on: [] }, 2, 'execution 1')).toBe(delays[1]);
    const plain = { ...policy, jitter: false, retryable_on: [] };
    expect([1, 2, 3, 4, 5, 900].map((attempt) => backoffMs(plain, attempt, ''))).toEqual([
      1_000, 2_000, 4_000, 8_000, 8_000, 8_000,
    ]);
    expect([1, 2, 3].map((attempt) => backoffMs({ ...plain, backoff: 'linear' }, attempt, ''))).toEqual([1_000, 2_000, 3_000]);
  });
});

describe('limits', () => {
  it('on steps fail the execution, even if that completion would have ended it', () => {
    const driver = new Driver(workflow([tool('a'), tool('b')], [['a', 'b']]), { env: { stepLimit: 2 } });
    driver.done('a');
    driver.done('b');
    expect(driver.run).toMatchObject({ status: 'failed', error: 'step limit of 2 node completions reached', steps: 2 });
  });

  it('on steps end a loop, and cancel what is in progress', () => {
    const made = workflow([parallel('s', ['a', 'b']), tool('a'), tool('b')], [['a', 'a', 'state.again']]);
    const driver = new Driver(made, { input: { again: true }, env: { stepLimit: 5 } });
    while (driver.run.status === 'running') driver.done('a');
    expect(driver.run.steps).toBe(5);
    expect(driver.events).toEqual(['tool_call_completed:a', 'node_completed:a', 'node_cancelled:b', 'workflow_failed']);
  });

  it('count handled failures, so that a fallback to itself ends', () => {
    const driver = new Driver(workflow([tool('a', { fallback_node: 'a' })]), { env: { stepLimit: 3 } });
    for (let i = 0; i < 3; i++) driver.fail('a');
    expect(driver.run.error).toBe('step limit of 3 node completions reached');
  });

  it.each([
    ['total_tokens', { token_budget: { total_tokens: 10 } }, 'token budget exceeded: 12 of 10 total_tokens'],
    ['output_tokens', { token_budget: { output_tokens: 4 } }, 'token budget exceeded: 5 of 4 output_tokens'],
    ['cost', { cost_budget_usd: 0.1 }, 'cost budget exceeded: 0.5 of 0.1 USD'],
  ])('on %s fail the execution after the work that used them is done', (_, budget, error) => {
    const driver = new Driver(workflow([tool('a'), tool('b')], [['a', 'b']], budget));
    driver.done('a', { x: 1 }, { usage: { input_tokens: 7, output_tokens: 5, cost_usd: 0.5 } });
    expect(driver.run).toMatchObject({ status: 'failed', error });
    expect(driver.state).toEqual({ x: 1 });
    expect(driver.events.slice(1)).toEqual(['node_completed:a', expect.stringMatching(/_budget_exceeded:a$/), 'workflow_failed']);
  });

  it('on tokens may be used up', () => {
    const driver = new Driver(workflow([tool('a'), tool('b')], [['a', 'b']], { token_budget: { total_tokens: 10 } }));
    driver.done('a', {}, { usage: { input_tokens: 5, output_tokens: 5 } });
    expect(driver.activeNodes).toEqual(['b']);
  });
});

describe('a subgraph', () => {
  const parent = (more = {}) =>
    workflow([subgraph('sub', { input_mapping: { n: 'state.n' }, ...more }), tool('next')], [['sub', 'next']]);
  const started = (driver: Driver, childId = 'exec_child') =>
    driver.send({ type: 'child', ...driver.visit('sub'), childId, childWorkflowId: 'inner', change: { status: 'started' } });
  const news = (driver: Driver, change: never, childId = 'exec_child') =>
    ({ type: 'child', ...driver.visit('sub'), childId, childWorkflowId: 'inner', change }) as const;

  it('starts a child, and counts as in-process work until the child has started', () => {
    const driver = new Driver(parent(), { input: { n: 4 } });
    expect(driver.last.effects).toEqual([{ type: 'spawn', node: 'sub', activation: 1, attempt: 0 }]);
    expect(driver.run).toMatchObject({ status: 'running', localWork: 1 });
    expect(workOf(driver.program, driver.run, { node: 'sub' }, { executionId: 'e', vars: {} }).input).toEqual({ n: 4 });
    started(driver);
    expect(driver.run.localWork).toBe(0);
    expect(activeOf(driver.program, driver.run)).toMatchObject([{ phase: 'child', childId: 'exec_child' }]);
  });

  it('is busy while its child runs, and parked while the child is paused', () => {
    const driver = new Driver(parent());
    started(driver);
    driver.send(news(driver, { status: 'paused' } as never));
    expect(driver.run.status).toBe('paused');
    expect(driver.try(news(driver, { status: 'paused' } as never))).toMatchObject({ refused: 'stale' });
    driver.send(news(driver, { status: 'running' } as never));
    expect(driver.run.status).toBe('running');
    driver.send(news(driver, { status: 'paused' } as never));
    driver.send(news(driver, { status: 'completed', result: { r: 1 } } as never));
    expect(driver.activeNodes).toEqual(['next']);
  });

  it("puts the child's final state under its id, or where the mapping says", () => {
    const whole = new Driver(parent());
    started(whole);
    whole.send(news(whole, { status: 'completed', result: { order: { id: 3 } } } as never));
    expect(whole.state).toEqual({ sub: { order: { id: 3 } } });
    expect(whole.events.slice(0, 2)).toEqual(['child_workflow_completed:sub', 'node_completed:sub']);
    const mapped = new Driver(parent({ output_mapping: { id: 'state.order.id' } }));
    started(mapped);
    mapped.send(news(mapped, { status: 'completed', result: { order: { id: 3 } } } as never));
    expect(mapped.state).toEqual({ id: 3 });
  });

  it('retries with a new child if the child fails; messages about the old one are stale', () => {
    const driver = new Driver(parent());
    started(driver);
    driver.send(news(driver, { status: 'failed', error: 'inner trouble' } as never));
    expect(driver.events).toEqual(['child_workflow_failed:sub', 'node_failed:sub', 'retry_scheduled:sub']);
    driver.fire('sub');
    expect(driver.last.effects).toEqual([{ type: 'spawn', node: 'sub', activation: 1, attempt: 1 }]);
    expect(
      driver.try({
        type: 'child',
        node: 'sub',
        activation: 1,
        attempt: 0,
        childId: 'exec_child',
        childWorkflowId: 'inner',
        change: { status: 'completed', result: {} },
      }),
    ).toMatchObject({ refused: 'stale' });
    started(driver, 'exec_second');
    driver.send(news(driver, { status: 'failed', error: 'again' } as never, 'exec_second'));
    expect(driver.run).toMatchObject({ status: 'failed', error: 'node(s) failed terminally: sub' });
  });

  it('fails if its child cannot be started', () => {
    const driver = new Driver(parent());
    driver.fail('sub', { error: 'workflow inner is not registered', retryable: false });
    expect(driver.run.status).toBe('failed');
  });

  it('cancels its child when the execution is cancelled', () => {
    const driver = new Driver(parent());
    started(driver);
    expect(driver.send({ type: 'cancel', reason: 'r' }).effects).toEqual([
      { type: 'cancel_child', node: 'sub', activation: 1, childId: 'exec_child' },
    ]);
  });
});

describe('the snapshot of a long execution', () => {
  it('does not grow with its history', () => {
    const made = workflow(
      [tool('a'), parallel('s', ['b', 'c']), tool('b'), retried('c', 'at_once'), join('j')],
      [
        ['a', 's'],
        ['b', 'j'],
        ['c', 'j'],
        ['j', 'a', 'state.go'],
      ],
    );
    const driver = new Driver(made, { input: { go: true } });
    const sizes: number[] = [];
    for (let round = 0; round < 60; round++) {
      driver.done('a', { n: round % 10 });
      driver.fail('c');
      driver.done('c', { m: 1 });
      driver.done('b', { k: 1 });
      sizes.push(save(driver.run).length);
    }
    expect(Math.max(...sizes.slice(10)) - (sizes[10] ?? 0)).toBeLessThan(20);
  });
});

describe('what an attempt has begun elsewhere', () => {
  const begun = (driver: Driver) =>
    driver.send({ type: 'progress', ...driver.visit('a'), event: 'remote_task_started', data: { task_id: 't' } });
  const released = (driver: Driver) => driver.last.effects.filter(({ type }) => type === 'release');
  const local = { env: { isLocal: () => true } };

  it('is kept for the next attempt, and released with the class of the error when the node fails', () => {
    const driver = new Driver(workflow([retried('a', 'at_once')]), local);
    begun(driver);
    driver.fail('a', { errorClass: 'rate_limit' });
    expect(released(driver)).toEqual([]);
    driver.fail('a', { errorClass: 'server_error', retryable: false });
    expect(released(driver)).toMatchObject([{ node: 'a', activation: 1, errorClass: 'server_error' }]);
  });
});

describe('an attempt that could not begin', () => {
  const failure = { type: 'fail', error: 'waited in vain', retryable: true, unbegun: true } as const;

  it('fails while it waits for a slot', () => {
    const driver = new Driver(workflow([tool('a')]), { env: { isLocal: () => true, startsAtOnce: () => false } });
    driver.send({ ...failure, ...driver.visit('a') });
    expect(driver.run.status).toBe('failed');
  });

  it('does not fail once it has started at another runtime', () => {
    const driver = new Driver(workflow([tool('a')]), { env: { isLocal: () => true, startsAtOnce: () => false } });
    driver.send({ type: 'claimed', ...driver.visit('a'), workerId: 'runtime-2', local: true });
    expect(driver.try({ ...failure, ...driver.visit('a') })).toMatchObject({ refused: 'stale' });
  });

  it('does not fail once another runtime has started its child', () => {
    const driver = new Driver(workflow([subgraph('a')]));
    const visit = driver.visit('a');
    driver.send({ type: 'child', ...visit, childId: '', childWorkflowId: '', change: { status: 'waiting' } });
    driver.send({ type: 'child', ...visit, childId: 'exec_2', childWorkflowId: 'inner', change: { status: 'started' } });
    expect(driver.try({ ...failure, ...visit })).toMatchObject({ refused: 'stale' });
  });

  it('fails while its child waits for capacity', () => {
    const driver = new Driver(workflow([subgraph('a', { retry_policy: 'once' })]));
    const visit = driver.visit('a');
    driver.send({ type: 'child', ...visit, childId: '', childWorkflowId: '', change: { status: 'waiting' } });
    driver.send({ ...failure, ...visit });
    expect(driver.last.events.map(({ type }) => type)).toEqual(['node_failed', 'retry_scheduled']);
  });
});
