import { describe, expect, it } from 'vitest';
import type { Workflow } from '../../../machines/ir/workflow.ts';
import type { Json, JsonObject } from '../../../machines/json.ts';
import { approvalsOf, save } from '../../../machines/step/index.ts';
import { Driver } from '../../support/driver.ts';
import { replay } from '../../support/replay.ts';
import { approval, condition, type EdgeSpec, join, parallel, retried, tool, wait, workflow } from '../../support/workflows.ts';

describe('an approval', () => {
  const review = workflow(
    [approval('review', { description: 'release {{ state.version }}?' }), tool('ship'), tool('revert')],
    [
      ['review', 'ship', "decision == 'approved'"],
      ['review', 'revert', 'state.review.approved == false'],
    ],
  );

  it('parks the execution and lists the decision to make', () => {
    const driver = new Driver(review, { input: { version: 'v2' } });
    expect(driver.run.status).toBe('paused');
    expect(driver.events).toEqual(['workflow_started', 'node_started:review', 'interrupt_raised:review']);
    expect(driver.last.events[2]?.data).toMatchObject({ reason: 'human_approval', state_for_review: { version: 'v2' } });
    expect(approvalsOf(driver.program, driver.run)).toEqual([
      {
        node_id: 'review',
        activation: 1,
        kind: 'human_approval',
        tool_name: 'human_approval',
        approver: 'human',
        context: { description: 'release v2?' },
        sequence: 3,
        requested_at_ms: 1_000_000,
      },
    ]);
  });

  it('routes by the decision, applies the patch first, then the decision under its id', () => {
    const driver = new Driver(review);
    driver.decide('review', 'rejected', { version: 'v3', review: { note: 'no' } });
    expect(driver.activeNodes).toEqual(['revert']);
    expect(driver.state).toEqual({
      version: 'v3',
      review: { note: 'no', decision: 'rejected', approved: false, user_id: 'ann' },
    });
    expect(driver.events.slice(0, 2)).toEqual(['approval_received:review', 'node_completed:review']);
  });

  it('fails the execution if it is rejected without a route', () => {
    const driver = new Driver(workflow([approval('review'), tool('ship')], [['review', 'ship']]));
    driver.decide('review', 'rejected', { noted: true });
    expect(driver.run).toMatchObject({ status: 'failed', error: 'node(s) failed terminally: review' });
    expect(driver.state).toEqual({ noted: true });
    expect(driver.all('node_failed')[0]?.data).toMatchObject({ error: 'approval rejected by ann', attempt: 0, retryable: false });
  });

  it('follows on_approved and on_rejected alone', () => {
    const made = workflow(
      [approval('review', { on_approved: 'ship', on_rejected: 'revert' }), tool('ship'), tool('revert'), tool('always')],
      [['review', 'always']],
    );
    const yes = new Driver(made);
    yes.decide('review', 'approved');
    expect(yes.activeNodes).toEqual(['ship']);
    const no = new Driver(made);
    no.decide('review', 'rejected');
    expect(no.activeNodes).toEqual(['revert']);
  });

  it('routes a rejection to a condition node that follows', () => {
    const driver = new Driver(
      workflow(
        [
          approval('review'),
          condition('gate', ['state.review.approved', 'ship'], [null, 'revert']),
          tool('ship'),
          tool('revert'),
        ],
        [['review', 'gate']],
      ),
    );
    driver.decide('review', 'rejected');
    expect(driver.activeNodes).toEqual(['revert']);
  });

  it('that times out takes on_timeout, or its fallback, or fails', () => {
    const timeout = (more: Record<string, string>) => {
      const driver = new Driver(
        workflow([approval('review', { timeout_secs: 30, ...more }), tool('late'), tool('ship')], [['review', 'ship']]),
      );
      expect(driver.timers.get('xstate.after.30000.review')).toMatchObject({ atMs: 1_030_000, kind: 'approval' });
      driver.fire('review');
      return driver;
    };
    expect(timeout({ on_timeout: 'late' }).activeNodes).toEqual(['late']);
    expect(timeout({ fallback_node: 'late' }).activeNodes).toEqual(['late']);
    expect(timeout({ on_timeout: 'late' }).all('node_completed')[0]?.data.output).toEqual({ timed_out: true });
    const failed = timeout({});
    expect(failed.run.error).toBe('node(s) failed terminally: review');
    expect(failed.events).toEqual(['timer_fired:review', 'node_failed:review', 'workflow_failed']);
  });

  it('has the approval timeout of the workflow if it has none of its own', () => {
    const driver = new Driver(workflow([approval('review')], [], { timeouts: { approval_timeout: 60 } }));
    expect([...driver.timers.values()].map((timer) => timer.atMs)).toEqual([1_060_000]);
    expect(approvalsOf(driver.program, driver.run)[0]?.context.timeout_at).toBe('1970-01-01T00:17:40.000Z');
  });

  it('asks again in every iteration of a loop', () => {
    const driver = new Driver(
      workflow(
        [approval('review'), tool('work')],
        [
          ['review', 'work'],
          ['work', 'review', 'state.again'],
        ],
      ),
    );
    driver.decide('review', 'approved');
    driver.done('work', { again: true });
    expect(approvalsOf(driver.program, driver.run)).toMatchObject([{ activation: 2 }]);
    expect(driver.all('interrupt_raised').length).toBe(2);
  });

  it('needs no node id if it is the only one, and is refused without one among several', () => {
    const two = workflow([parallel('s', ['b', 'a']), approval('a'), approval('b')]);
    const driver = new Driver(two);
    const decide = { type: 'decide', decision: 'approved', userId: 'u', comment: null, patch: null } as const;
    expect(driver.try(decide)).toEqual({ refused: 'several_pending_approvals', nodes: ['a', 'b'] });
    expect(driver.try({ ...decide, node: 'unknown' })).toEqual({ refused: 'no_pending_approval_on_node', nodes: [] });
    expect(driver.try({ ...decide, decision: 'maybe' as never })).toEqual({ refused: 'unknown_decision', nodes: [] });
    driver.decide('a', 'approved');
    expect(driver.send(decide).node).toBe('b');
    expect(new Driver(workflow([tool('a')])).try(decide)).toEqual({ refused: 'no_pending_approval', nodes: [] });
  });

  it('leaves the execution running while another branch works', () => {
    const driver = new Driver(workflow([parallel('s', ['review', 'work']), approval('review'), tool('work')]));
    expect(driver.run.status).toBe('running');
    driver.done('work');
    expect(driver.run.status).toBe('paused');
  });
});

describe('a policy', () => {
  const pay = (policy: Record<string, string[]>, more: Record<string, unknown> = {}) =>
    workflow(
      [{ ...retried('pay', 'twice', { tool_ref: 'payments.submit', fallback_node: 'ask' }), policy }, tool('next'), tool('ask')],
      [['pay', 'next']],
      more as never,
    );

  it('requires an approval before a tool runs; the execution stays running', () => {
    const driver = new Driver(pay({ require_approval_for: ['payments.*'] }));
    expect(driver.events).toEqual(['workflow_started', 'tool_approval_required:pay']);
    expect(driver.run.status).toBe('running');
    expect(approvalsOf(driver.program, driver.run)).toMatchObject([
      { node_id: 'pay', kind: 'tool', tool_name: 'payments.submit', context: { node_id: 'pay' }, sequence: 2 },
    ]);
    const { effects } = driver.decide('pay', 'approved', { limit: 5 });
    expect(driver.events).toEqual(['approval_received:pay', 'node_scheduled:pay']);
    expect(effects).toEqual([{ type: 'work', node: 'pay', activation: 1, attempt: 0, local: false, queue: 'tool' }]);
    driver.done('pay', { paid: true });
    expect(driver.state).toEqual({ limit: 5, paid: true });
  });

  it('asks again for the next visit, not for a retry', () => {
    const driver = new Driver(
      workflow([{ ...retried('pay', 'at_once'), policy: { require_approval_for: ['*'] } }], [['pay', 'pay', 'state.again']]),
    );
    driver.decide('pay', 'approved');
    driver.fail('pay');
    expect(driver.active).toMatchObject([{ phase: 'queued', attempt: 1 }]);
    driver.done('pay', { again: true });
    expect(driver.active).toMatchObject([{ phase: 'awaiting_approval', activation: 2 }]);
  });

  it('fails a rejected tool, and its fallback applies', () => {
    const driver = new Driver(pay({ require_approval_for: ['payments.*'] }));
    driver.decide('pay', 'rejected');
    expect(driver.activeNodes).toEqual(['ask']);
    expect(driver.all('node_failed')[0]?.data).toMatchObject({ error: 'approval rejected by ann', retryable: false });
  });

  it('blocks a tool at once and for good', () => {
    const driver = new Driver(pay({ blocked_tools: ['*.submit'] }));
    expect(driver.events.slice(1, 3)).toEqual(['policy_violation:pay', 'node_failed:pay']);
    expect(driver.all('policy_violation')[0]?.data).toMatchObject({
      rule: 'payments.submit',
      decision: 'blocked',
      policy_scope: 'node',
    });
    expect(driver.activeNodes).toEqual(['ask']);
  });

  it("of the node takes precedence over the workflow's", () => {
    const driver = new Driver(pay({ require_approval_for: ['payments.submit'] }, { policy: { blocked_tools: ['payments.*'] } }));
    expect(driver.active).toMatchObject([{ phase: 'awaiting_approval' }]);
  });
});

describe('a wait', () => {
  it('parks until its event comes; the payload is output and patch', () => {
    const driver = new Driver(workflow([wait('paid', { correlation_key: 'payment' }), tool('ship')], [['paid', 'ship']]));
    expect(driver.run.status).toBe('paused');
    expect(driver.active).toMatchObject([{ phase: 'waiting', waitsFor: 'payment' }]);
    expect(driver.event('other').node).toBe(null);
    expect(driver.event('payment', { amount: 5 }).node).toBe('paid');
    expect(driver.state).toEqual({ amount: 5 });
    expect(driver.all('node_completed')[0]?.data).toMatchObject({ output: { amount: 5 }, event_sequence: 4 });
    expect(driver.activeNodes).toEqual(['ship']);
  });

  describe('until a time', () => {
    const AT = '2026-12-24T18:00:00.000Z';
    const until = (text: string, more: JsonObject = {}) =>
      workflow([tool('ask'), wait('w', { until: text, condition: 'timer', ...more }), tool('late')], [['ask', 'w']]);
    const at = (delayMs: number) => new Date(1_001_000 + delayMs).toISOString();

    it.each<[text: string, output: JsonObject, fireAt: string]>([
      ['{{ output.at }}', { at: AT }, AT],
      ['{{ state.at }}', { at: '2026-12-24T19:00:00+01:00' }, AT],
      ['{{ state.at }}', { at: '2026-12-24' }, '2026-12-24T00:00:00.000Z'],
      ['{{ state.days }}d', { days: 2 }, at(2 * 86_400_000)],
      ['{{ state.delay }}', { delay: '1.5m' }, at(90_000)],
      ['{{ state.delay }}', { delay: 0.25 }, at(250)],
      ['{{ state.delay }}', { delay: 0 }, at(0)],
      [AT, {}, AT],
      ['90s', {}, at(90_000)],
    ])('%s after %j: %s', (text, output, fireAt) => {
      const driver = new Driver(until(text));
      driver.done('ask', output);
      expect(driver.run.status).toBe('paused');
      expect(driver.all('timer_created')[0]?.data).toEqual({ fire_at: fireAt, activation: 1 });
      expect(driver.last.effects).toContainEqual(
        expect.objectContaining({ type: 'set_timer', node: 'w', kind: 'wait', atMs: Date.parse(fireAt) }),
      );
      driver.reload();
      driver.fire('w');
      expect(driver.events).toEqual(['timer_fired:w', 'node_completed:w', 'workflow_completed']);
    });

    it('is over at once when that is in the past', () => {
      const driver = new Driver(until('{{ state.at }}'));
      driver.done('ask', { at: '1970-01-01' });
      expect(driver.last.effects).toContainEqual(expect.objectContaining({ type: 'set_timer', atMs: 1_001_000 }));
      expect(driver.all('timer_created')[0]?.data.fire_at).toBe('1970-01-01T00:00:00.000Z');
    });

    it.each<[value: Json]>([['soon'], ['2026-02-30'], ['2026-12-24T18:00:00'], [null], [-1], [1e15], [{ a: 1 }]])(
      'fails the node when it gives %j',
      (value) => {
        const driver = new Driver(until('{{ state.at }}', { fallback_node: 'late' }));
        driver.done('ask', { at: value });
        expect(driver.all('node_failed')[0]?.data).toMatchObject({
          error: `cannot tell until when to wait: ${JSON.stringify(value)} is no time and no duration`,
          error_class: 'validation',
        });
        expect(driver.activeNodes).toEqual(['late']);
        expect(
          save(replay(driver.program, null, driver.log, { executionId: 'exec_1', stepLimit: 10_000, runtimeId: 'runtime-1' })),
        ).toBe(save(driver.run));
      },
    );

    it('limits a wait for an event', () => {
      const driver = new Driver(
        until('{{ state.limit }}', { condition: 'external_event', correlation_key: 'k', on_timeout: 'late' }),
      );
      driver.done('ask', { limit: '1h' });
      expect(driver.all('timer_created')[0]?.data).toEqual({ fire_at: at(3_600_000), correlation_key: 'k', activation: 1 });
      driver.fire('w');
      expect(driver.activeNodes).toEqual(['late']);
    });

    it('is rendered anew, from the state of the fork', () => {
      const driver = new Driver(until('{{ state.delay }}'));
      driver.done('ask', { delay: '1h' });
      const fork = driver.forkAt(driver.run.seq, 'exec_2', { delay: '2h' });
      expect(fork.all('timer_created').at(-1)?.data.fire_at).toBe(at(7_201_000));
      const failed = driver.forkAt(driver.run.seq, 'exec_3', { delay: 'soon' });
      expect(failed.run).toMatchObject({ status: 'failed', error: 'node(s) failed terminally: w' });
    });
  });

  it('stores a payload that is no object under its id', () => {
    const driver = new Driver(workflow([wait('paid')]));
    driver.event('paid', 7);
    expect(driver.state).toEqual({ paid: 7 });
  });

  it('takes buffered events, oldest first', () => {
    const driver = new Driver(
      workflow(
        [tool('a'), wait('w', { correlation_key: 'k' }), wait('v', { correlation_key: 'k' })],
        [
          ['a', 'w'],
          ['w', 'v'],
        ],
      ),
    );
    driver.event('k', { n: 1 });
    driver.event('k', { n: 2 });
    driver.done('a');
    expect(driver.events).toEqual([
      'tool_call_completed:a',
      'node_completed:a',
      'node_started:w',
      'node_completed:w',
      'node_started:v',
      'node_completed:v',
      'workflow_completed',
    ]);
    expect(
      driver
        .all('node_completed')
        .slice(1)
        .map((event) => event.data.output),
    ).toEqual([{ n: 1 }, { n: 2 }]);
  });

  it('buffers no event that no node can wait for', () => {
    const driver = new Driver(workflow([tool('a'), wait('w', { correlation_key: 'k' })], [['a', 'w']]));
    const before = driver.saves.at(-1)?.text;
    for (let i = 0; i < 100; i++) driver.event('unknown', { i });
    expect(driver.saves.at(-1)?.text).toBe(before);
  });

  it('on the same key: only the node that has waited longest gets the event', () => {
    const driver = new Driver(
      workflow(
        [
          parallel('s', ['a', 'late']),
          tool('a'),
          wait('early', { correlation_key: 'k' }),
          wait('late', { correlation_key: 'k' }),
        ],
        [['a', 'early']],
      ),
    );
    driver.done('a');
    expect(driver.event('k').node).toBe('late');
    expect(driver.event('k').node).toBe('early');
  });

  it('of kind timer continues when its timer fires', () => {
    const driver = new Driver(
      workflow([wait('pause', { condition: 'timer', timeout_secs: 5 }), tool('next')], [['pause', 'next']]),
    );
    expect(driver.all('timer_created')[0]?.data).toMatchObject({ fire_at: '1970-01-01T00:16:45.000Z' });
    driver.fire('pause');
    expect(driver.events).toEqual(['timer_fired:pause', 'node_completed:pause', 'node_scheduled:next']);
    expect(driver.all('node_completed')[0]?.data.output).toEqual({ fired: true });
    expect(driver.state).toEqual({});
  });

  it('of kind either continues without a payload after its timeout', () => {
    const driver = new Driver(
      workflow(
        [
          wait('w', { condition: 'either', timeout_secs: 5 }),
          condition('gate', ['output.timed_out', 'late'], [null, 'next']),
          tool('late'),
          tool('next'),
        ],
        [['w', 'gate']],
      ),
    );
    driver.fire('w');
    expect(driver.activeNodes).toEqual(['late']);
  });

  it('for an event fails after its timeout, unless it has a route', () => {
    const failed = new Driver(workflow([wait('w', { timeout_secs: 5 }), tool('next')], [['w', 'next']]));
    failed.fire('w');
    expect(failed.run.status).toBe('failed');
    const routed = new Driver(
      workflow([wait('w', { timeout_secs: 5, on_timeout: 'late' }), tool('next'), tool('late')], [['w', 'next']]),
    );
    routed.fire('w');
    expect(routed.activeNodes).toEqual(['late']);
  });

  describe('whose on_timeout names the join of its branch', () => {
    const limited: JsonObject = { timeout_secs: 5, on_timeout: 'j' };
    const branches = [parallel('s', ['w', 'work'], { join: 'j' }), tool('work'), join('j')];
    const edges: EdgeSpec[] = [
      ['w', 'j'],
      ['work', 'j'],
    ];

    it.each<[title: string, made: Workflow]>([
      ['by an edge', workflow([...branches, wait('w', limited)], edges)],
      ['by the join of the parallel node', workflow([...branches, wait('w', limited)])],
      ['after an event or a time', workflow([...branches, wait('w', { ...limited, condition: 'either' })], edges)],
      ['for a person', workflow([...branches, approval('w', limited)], edges)],
    ])('leads there with its result, too: %s', (_title, made) => {
      const driver = new Driver(made);
      driver.done('work', { done: true });
      if (made.nodes.at(-1)?.kind.type === 'human_approval') driver.decide('w', 'approved');
      else driver.event('w', { paid: true });
      expect(driver.run.status).toBe('completed');
      expect(driver.all('node_completed').at(-1)?.data.output).toMatchObject({
        by_source: { w: made.nodes.at(-1)?.kind.type === 'wait' ? { paid: true } : { approved: true }, work: { done: true } },
      });
      const late = new Driver(made);
      late.done('work', { done: true });
      late.fire('w');
      expect(late.all('node_completed').at(-1)?.data.output).toMatchObject({ by_source: { w: { timed_out: true } } });
    });

    it('also from a branch of work with a fallback', () => {
      const driver = new Driver(
        workflow([...branches, tool('w', { fallback_node: 'repair' }), tool('repair')], [['repair', 'j']]),
      );
      driver.done('work', {});
      driver.done('w', { ok: true });
      expect(driver.all('node_completed').at(-1)?.data.output).toMatchObject({ by_source: { w: { ok: true } } });
    });
  });

  it('refuses a timer that lost to the event', () => {
    const driver = new Driver(workflow([wait('w', { timeout_secs: 5 }), tool('next')], [['w', 'next']]));
    const { effects } = driver.event('w');
    expect(effects).toContainEqual({ type: 'clear_timer', id: 'xstate.after.5000.w' });
    expect(driver.try({ type: 'timer', id: 'xstate.after.5000.w' })).toEqual({ refused: 'stale', nodes: [] });
    expect(driver.try({ type: 'timer', id: 'no such timer' })).toEqual({ refused: 'stale', nodes: [] });
  });

  it('in a loop is a new wait in each iteration, and gets a late event', () => {
    const driver = new Driver(
      workflow(
        [wait('w', { condition: 'either', timeout_secs: 5, correlation_key: 'k' }), tool('work')],
        [
          ['w', 'work'],
          ['work', 'w', 'state.again'],
        ],
      ),
    );
    driver.fire('w');
    driver.event('k', { late: true });
    driver.done('work', { again: true });
    expect(driver.activeNodes).toEqual(['work']);
    expect(driver.state).toEqual({ again: true, late: true });
    expect(driver.timers.size).toBe(0);
  });
});
