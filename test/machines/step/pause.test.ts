import { describe, expect, it } from 'vitest';
import { approvalsOf, load, save, suspensionOf } from '../../../machines/step/index.ts';
import { Driver } from '../../support/driver.ts';
import { replay } from '../../support/replay.ts';
import { approval, first, parallel, retried, subgraph, tool, wait, workflow } from '../../support/workflows.ts';

const chain = workflow([tool('a'), tool('b')], [['a', 'b']]);

describe('a budget with on_budget_exceeded: pause', () => {
  const budgeted = workflow([parallel('s', ['a', 'c', 'd']), tool('a'), tool('b'), tool('c'), tool('d')], [['a', 'b']], {
    token_budget: { total_tokens: 10 },
    cost_budget_usd: 1,
    on_budget_exceeded: 'pause',
  });
  const over = (): Driver => {
    const driver = new Driver(budgeted);
    for (const node of ['a', 'c']) driver.send({ type: 'claimed', ...driver.visit(node), workerId: 'w' });
    driver.done('a', { n: 1 }, { usage: { input_tokens: 7, output_tokens: 5 } });
    return driver;
  };
  const replayed = ({ program, log }: Driver): string =>
    save(replay(program, null, log, { executionId: 'exec_1', stepLimit: 10_000, runtimeId: 'r' }));

  it('keeps what is done, and begins nothing more', () => {
    const driver = over();
    expect(driver.events).toEqual(['tool_call_completed:a', 'node_completed:a', 'token_budget_exceeded:a', 'workflow_paused']);
    expect([driver.run.status, suspensionOf(driver.run)]).toEqual([
      'paused',
      { reason: 'token budget exceeded: 12 of 10 total_tokens' },
    ]);
    // Unclaimed work is withdrawn; attempts in progress go on.
    expect(driver.last.effects).toEqual([{ type: 'abandon', node: 'd', activation: 1, local: false }]);
    driver.done('c', {}, { usage: { input_tokens: 1 } });
    expect(driver.events).toEqual(['tool_call_completed:c', 'node_completed:c', 'token_budget_exceeded:c']);
    expect([driver.run.status, driver.state, driver.activeNodes]).toEqual(['paused', { n: 1 }, ['d']]);
    expect(replayed(driver)).toBe(save(driver.run));
  });

  it('continues with new totals, not before', () => {
    const driver = over();
    for (const budgets of [
      undefined,
      { token_budget: { total_tokens: 11 }, cost_budget_usd: null },
      { token_budget: { input_tokens: 100 }, cost_budget_usd: 9 },
    ])
      expect(driver.try({ type: 'resume', ...(budgets === undefined ? {} : { budgets }) })).toMatchObject({
        refused: 'over_budget',
      });
    driver.send({ type: 'resume', budgets: { token_budget: { total_tokens: 20 }, cost_budget_usd: null } });
    expect(driver.events).toEqual(['workflow_resumed', 'node_scheduled:b', 'node_scheduled:d']);
    expect(driver.log.findLast(({ type }) => type === 'workflow_resumed')?.data).toEqual({ token_budget: { total_tokens: 20 } });
    driver.done('b', {}, { usage: { output_tokens: 8 } });
    expect(driver.run.status).toBe('running');
    driver.done('d', {}, { usage: { output_tokens: 1 } });
    expect(suspensionOf(driver.run)).toEqual({ reason: 'token budget exceeded: 21 of 20 total_tokens' });
    driver.send({ type: 'resume', budgets: { token_budget: { total_tokens: 30 }, cost_budget_usd: null } });
    driver.done('c', {}, { usage: { cost_usd: 5 } });
    expect(driver.run.status).toBe('completed');
    expect(replayed(driver)).toBe(save(driver.run));
  });

  it('is stored in the snapshot', () => {
    const driver = over();
    driver.send({ type: 'resume', budgets: { token_budget: { total_tokens: 20 }, cost_budget_usd: 2 } });
    const { seq, input } = driver.run;
    const loaded = load(driver.program, save(driver.run), { seq, input });
    expect(save(loaded)).toBe(save(driver.run));
    expect(save(loaded)).toContain('"budgets":{"token_budget":{"total_tokens":20},"cost_budget_usd":2}');
  });

  it('of a suspended execution is checked at resume', () => {
    const driver = new Driver(
      workflow([tool('a'), tool('b')], [['a', 'b']], { cost_budget_usd: 1, on_budget_exceeded: 'pause' }),
    );
    driver.send({ type: 'claimed', ...driver.visit('a'), workerId: 'w' });
    driver.pause('a look first');
    driver.done('a', {}, { usage: { cost_usd: 1.5 } });
    expect(driver.events).toEqual(['tool_call_completed:a', 'node_completed:a', 'cost_budget_exceeded:a']);
    expect(driver.try({ type: 'resume' })).toMatchObject({ refused: 'over_budget' });
    driver.send({ type: 'resume', budgets: { token_budget: null, cost_budget_usd: 2 } });
    expect(driver.run.status).toBe('running');
    expect(replayed(driver)).toBe(save(driver.run));
  });
});

describe('a suspension', () => {
  it('defers nodes that are reached, and has the reason', () => {
    const driver = new Driver(chain);
    driver.send({ type: 'claimed', ...driver.visit('a'), workerId: 'w' });
    driver.pause('a look first');
    expect(driver.events).toEqual(['workflow_paused']);
    expect(driver.run.status).toBe('paused');
    expect(suspensionOf(driver.run)).toEqual({ reason: 'a look first' });
    driver.done('a');
    expect(driver.events).toEqual(['tool_call_completed:a', 'node_completed:a']);
    expect(driver.last.effects).toEqual([]);
    expect([driver.run.status, driver.activeNodes]).toEqual(['paused', []]);
    const { effects } = driver.resume();
    expect(driver.events).toEqual(['workflow_resumed', 'node_scheduled:b']);
    expect(effects).toMatchObject([{ type: 'work', node: 'b', activation: 1, attempt: 0 }]);
    expect([driver.run.status, suspensionOf(driver.run)]).toEqual(['running', null]);
  });

  it('withdraws unclaimed work: a late worker is refused', () => {
    const driver = new Driver(chain);
    const visit = driver.visit('a');
    expect(driver.pause().effects).toEqual([{ type: 'abandon', node: 'a', activation: 1, local: false }]);
    expect(driver.active).toMatchObject([{ node: 'a', attempt: 0, phase: 'deferred' }]);
    for (const message of [
      { type: 'claimed', ...visit, workerId: 'w' },
      { type: 'done', ...visit, output: {}, durationMs: 1 },
      { type: 'requeue', ...visit },
    ] as const)
      expect(driver.try(message)).toMatchObject({ refused: 'stale' });
    driver.resume();
    expect(driver.last.effects).toMatchObject([{ type: 'work', node: 'a', activation: 1, attempt: 0 }]);
  });

  it('lets an attempt begin again that a graceful stop handed back', () => {
    const driver = new Driver(workflow([retried('a', 'twice')]), { env: { isLocal: () => true } });
    driver.pause();
    driver.send({ type: 'requeue', ...driver.visit('a') });
    expect(driver.last.effects).toMatchObject([{ type: 'work', node: 'a', attempt: 0, local: true }]);
    driver.done('a');
    expect([driver.run.status, suspensionOf(driver.run)]).toEqual(['completed', null]);
  });

  it('defers the next attempt: one without a delay at once, another when its timer fires', () => {
    const driver = new Driver(workflow([parallel('s', ['now', 'later']), retried('now', 'at_once'), retried('later', 'twice')]));
    for (const node of ['now', 'later']) driver.send({ type: 'claimed', ...driver.visit(node), workerId: 'w' });
    driver.pause();
    driver.fail('now');
    expect(driver.events).toEqual(['node_failed:now', 'retry_scheduled:now']);
    driver.fail('later');
    driver.fire('later');
    expect(driver.events).toEqual(['timer_fired:later']);
    expect(driver.last.effects).toEqual([]);
    driver.resume();
    expect(driver.events).toEqual(['workflow_resumed', 'node_scheduled:now', 'node_scheduled:later']);
    expect(driver.active).toMatchObject([{ attempt: 1 }, { attempt: 1 }]);
  });

  it('takes decisions, events and timers, and begins later what follows, in document order', () => {
    const made = workflow(
      [
        parallel('s', ['review', 'paid', 'soon', 'held']),
        subgraph('child'),
        tool('ship'),
        wait('next', { condition: 'either', timeout_secs: 60 }),
        approval('review'),
        wait('paid'),
        wait('soon', { condition: 'timer', timeout_secs: 5 }),
        { ...tool('held'), policy: { require_approval_for: ['*'] } },
      ],
      [
        ['review', 'ship'],
        ['paid', 'child'],
        ['soon', 'next'],
      ],
    );
    const driver = new Driver(made);
    driver.pause();
    driver.fire('soon');
    expect(driver.timers.size).toBe(0);
    driver.event('paid');
    driver.decide('review', 'approved');
    driver.decide('held', 'approved');
    expect(approvalsOf(driver.program, driver.run)).toEqual([]);
    expect(driver.try({ type: 'decide', node: 'held', decision: 'rejected', userId: 'bob', comment: null, patch: null })).toEqual(
      { refused: 'no_pending_approval_on_node', nodes: [] },
    );
    driver.event('next', { early: true });
    driver.reload();
    driver.resume();
    expect(driver.events).toEqual([
      'workflow_resumed',
      'node_started:child',
      'node_scheduled:ship',
      'node_started:next',
      'node_completed:next',
      'node_scheduled:held',
    ]);
    expect(driver.timers.size).toBe(0);
    expect(driver.state).toMatchObject({ early: true });
  });

  it('starts the timer of a wait when the wait begins', () => {
    const driver = new Driver(workflow([approval('go'), wait('w', { condition: 'timer', timeout_secs: 60 })], [['go', 'w']]));
    driver.pause();
    driver.decide('go', 'approved');
    driver.env = { ...driver.env, nowMs: driver.env.nowMs + 500_000 };
    driver.resume();
    const { nowMs } = driver.env;
    expect([...driver.timers.values()]).toMatchObject([{ node: 'w', atMs: nowMs + 60_000 }]);
    expect(driver.all('timer_created')[0]?.data).toMatchObject({ fire_at: new Date(nowMs + 60_000).toISOString() });
    driver.fire('w');
    expect(driver.run.status).toBe('completed');
  });

  it('clears the timer of a visit when a loop reaches the node again', () => {
    const made = workflow(
      [wait('w', { condition: 'either', correlation_key: 'k', timeout_secs: 60 })],
      [
        ['w', 'w', 'output.again'],
        ['w', 'end'],
      ],
    );
    const driver = new Driver(made);
    expect(driver.timers.size).toBe(1);
    driver.pause();
    const { effects } = driver.event('k', { again: true });
    expect(effects).toMatchObject([{ type: 'clear_timer' }]);
    expect(driver.resume().effects).toMatchObject([{ type: 'set_timer', node: 'w', activation: 2 }]);
    driver.fire('w');
    expect(driver.run.status).toBe('completed');
  });

  it('drops what a first-wins join closes meanwhile', () => {
    const driver = new Driver(
      workflow(
        [parallel('s', ['fast', 'slow', 'aside']), tool('fast'), tool('slow'), tool('aside'), first('j'), tool('last')],
        [
          ['fast', 'j'],
          ['slow', 'j'],
          ['j', 'last'],
        ],
      ),
    );
    driver.send({ type: 'claimed', ...driver.visit('fast'), workerId: 'w' });
    driver.pause();
    driver.done('fast');
    expect(driver.events).toContain('node_cancelled:slow');
    driver.resume();
    expect(driver.events).toEqual(['workflow_resumed', 'node_scheduled:aside', 'node_scheduled:last']);
  });

  it('does not prevent the end of an execution, nor its cancellation', () => {
    const failing = new Driver(workflow([tool('a')]));
    failing.send({ type: 'claimed', ...failing.visit('a'), workerId: 'w' });
    failing.pause();
    failing.fail('a');
    expect([failing.run.status, suspensionOf(failing.run)]).toEqual(['failed', null]);
    const cancelled = new Driver(chain);
    cancelled.pause();
    cancelled.send({ type: 'cancel', reason: 'enough' });
    expect(cancelled.events).toEqual(['node_cancelled:a', 'workflow_cancelled']);
    expect([cancelled.run.status, suspensionOf(cancelled.run)]).toEqual(['cancelled', null]);
  });

  it('cannot be suspended twice', () => {
    const driver = new Driver(chain);
    expect(driver.try({ type: 'resume' })).toEqual({ refused: 'not_suspended', nodes: [] });
    driver.pause();
    expect(driver.try({ type: 'pause', reason: null })).toEqual({ refused: 'already_suspended', nodes: [] });
    driver.send({ type: 'cancel', reason: 'enough' });
    for (const type of ['pause', 'resume'] as const)
      expect(driver.try({ type, reason: null } as never)).toEqual({ refused: 'terminal', nodes: [] });
  });
});
