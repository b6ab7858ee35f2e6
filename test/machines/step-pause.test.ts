import { describe, expect, it } from 'vitest';
import { approvalsOf, heldOf } from '../../machines/step.ts';
import { Driver } from '../support/driver.ts';
import { approval, first, parallel, retried, subgraph, tool, wait, workflow } from '../support/workflows.ts';

const chain = workflow([tool('a'), tool('b')], [['a', 'b']]);

describe('a hold', () => {
  it('keeps what is reached, and says who holds it and why', () => {
    const driver = new Driver(chain);
    driver.send({ type: 'claimed', ...driver.visit('a'), workerId: 'w' });
    driver.pause('a look first');
    expect(driver.events).toEqual(['workflow_paused']);
    expect(driver.run.status).toBe('paused');
    expect(heldOf(driver.run)).toEqual({ reason: 'a look first' });
    driver.done('a');
    expect(driver.events).toEqual(['tool_call_completed:a', 'node_completed:a']);
    expect(driver.last.effects).toEqual([]);
    expect([driver.run.status, driver.at]).toEqual(['paused', []]);
    const { effects } = driver.resume();
    expect(driver.events).toEqual(['workflow_resumed', 'node_scheduled:b']);
    expect(effects).toMatchObject([{ type: 'work', node: 'b', activation: 1, attempt: 0 }]);
    expect([driver.run.status, heldOf(driver.run)]).toEqual(['running', null]);
  });

  it('takes back work that nobody has claimed: a worker that comes too late is refused', () => {
    const driver = new Driver(chain);
    const visit = driver.visit('a');
    expect(driver.pause().effects).toEqual([{ type: 'abandon', node: 'a', activation: 1, local: false }]);
    expect(driver.active).toMatchObject([{ node: 'a', attempt: 0, phase: 'kept' }]);
    for (const message of [
      { type: 'claimed', ...visit, workerId: 'w' },
      { type: 'done', ...visit, output: {}, durationMs: 1 },
      { type: 'requeue', ...visit },
    ] as const)
      expect(driver.try(message)).toMatchObject({ refused: 'stale' });
    driver.resume();
    expect(driver.last.effects).toMatchObject([{ type: 'work', node: 'a', activation: 1, attempt: 0 }]);
  });

  it('lets an attempt under way begin again that an orderly stop handed back', () => {
    const driver = new Driver(workflow([retried('a', 'twice')]), { env: { isLocal: () => true } });
    driver.pause();
    driver.send({ type: 'requeue', ...driver.visit('a') });
    expect(driver.last.effects).toMatchObject([{ type: 'work', node: 'a', attempt: 0, local: true }]);
    driver.done('a');
    expect([driver.run.status, heldOf(driver.run)]).toEqual(['completed', null]);
  });

  it('keeps the next attempt: one without a delay at once, another when its timer fires', () => {
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

  it('takes decisions, events and times, and begins what follows later, in the order it was written', () => {
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

  it('starts the time of a wait when the wait begins', () => {
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

  it('forgets what a first-wins join has closed meanwhile', () => {
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

  it('does not keep a run from its end, nor from being cancelled', () => {
    const failing = new Driver(workflow([tool('a')]));
    failing.send({ type: 'claimed', ...failing.visit('a'), workerId: 'w' });
    failing.pause();
    failing.fail('a');
    expect([failing.run.status, heldOf(failing.run)]).toEqual(['failed', null]);
    const cancelled = new Driver(chain);
    cancelled.pause();
    cancelled.send({ type: 'cancel', reason: 'enough' });
    expect(cancelled.events).toEqual(['node_cancelled:a', 'workflow_cancelled']);
    expect([cancelled.run.status, heldOf(cancelled.run)]).toEqual(['cancelled', null]);
  });

  it('is one at a time', () => {
    const driver = new Driver(chain);
    expect(driver.try({ type: 'resume' })).toEqual({ refused: 'not_held', nodes: [] });
    driver.pause();
    expect(driver.try({ type: 'pause', reason: null })).toEqual({ refused: 'already_held', nodes: [] });
    driver.send({ type: 'cancel', reason: 'enough' });
    for (const type of ['pause', 'resume'] as const)
      expect(driver.try({ type, reason: null } as never)).toEqual({ refused: 'terminal', nodes: [] });
  });
});
