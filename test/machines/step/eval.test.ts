import { describe, expect, it } from 'vitest';
import type { Workflow } from '../../../machines/ir/workflow.ts';
import type { JsonObject } from '../../../machines/json.ts';
import { approvalsOf, save, workOf } from '../../../machines/step/index.ts';
import { analyse } from '../../support/analyse.ts';
import { Driver } from '../../support/driver.ts';
import { replay } from '../../support/replay.ts';
import {
  approval,
  condition,
  evaluation,
  join,
  type NodeSpec,
  parallel,
  retried,
  subgraph,
  tool,
  wait,
  workflow,
} from '../../support/workflows.ts';

const again = (id: string, more: JsonObject = {}): NodeSpec =>
  evaluation(id, { on_fail: 'retry_with_feedback', max_retries: 1, ...more });
const BAD = { passed: false, scorers: [], feedback: 'no' };
const GOOD = { passed: true, scorers: [] };

function expectReplays(driver: Driver): void {
  const env = { executionId: 'exec_1', stepLimit: 10_000, runtimeId: 'runtime-1' };
  expect(save(replay(driver.program, null, driver.log, env))).toBe(save(driver.run));
}

/** The targets of the edges with which nodes send work back. */
function sentBack(made: Workflow): (readonly [string, string])[] {
  const { graph } = analyse(made);
  if (graph === null)
    throw new Error(
      analyse(made)
        .diagnostics.map(({ message }) => message)
        .join('\n'),
    );
  return graph.edges
    .filter(({ role }) => role === 'retry_node')
    .map(({ from, to }) => [graph.idOf(from), graph.idOf(to)] as const);
}

describe('an eval node that sends work back', () => {
  it.each<[string, Workflow, string]>([
    [
      'the node before it',
      workflow(
        [tool('a'), tool('b'), again('e')],
        [
          ['a', 'b'],
          ['b', 'e'],
        ],
      ),
      'b',
    ],
    ['an approval before it', workflow([approval('a'), again('e')], [['a', 'e']]), 'a'],
    [
      'the node before a condition',
      workflow([tool('a'), condition('c', ['state.x', 'e'], [null, 'z']), again('e'), tool('z')], [['a', 'c']]),
      'a',
    ],
    [
      'a fan-out before it, with all its branches',
      workflow(
        [tool('a'), parallel('p', ['b', 'c']), tool('b'), tool('c'), join('j'), again('e')],
        [
          ['a', 'p'],
          ['b', 'j'],
          ['c', 'j'],
          ['j', 'e'],
        ],
      ),
      'p',
    ],
    [
      'a choice before it, with the branch that it takes then',
      workflow(
        [tool('a'), condition('c', ['state.x', 'b'], [null, 'd']), tool('b'), tool('d'), again('e')],
        [
          ['a', 'c'],
          ['b', 'e'],
          ['d', 'e'],
        ],
      ),
      'c',
    ],
    [
      'the node that it names',
      workflow(
        [tool('a'), tool('b'), again('e', { retry_node: 'a' })],
        [
          ['a', 'b'],
          ['b', 'e'],
        ],
      ),
      'a',
    ],
    [
      'a node in its own branch',
      workflow(
        [parallel('p', ['a', 'b']), tool('a'), tool('b'), again('e'), join('j')],
        [
          ['a', 'e'],
          ['e', 'j'],
          ['b', 'j'],
        ],
      ),
      'a',
    ],
  ])('goes back to %s', (_what, made, target) => {
    expect(sentBack(made)).toEqual([['e', target]]);
  });

  it.each<[string, Workflow, string]>([
    ['comes first', workflow([again('e'), tool('a')], [['e', 'a']]), 'nothing_to_retry'],
    [
      'names a node that is not always before it',
      workflow([condition('c', ['state.x', 'a'], [null, 'e']), tool('a'), again('e', { retry_node: 'a' })], [['a', 'e']]),
      'retry_not_before',
    ],
    ['names a node that does not exist', workflow([tool('a'), again('e', { retry_node: 'b' })], [['a', 'e']]), 'unknown_target'],
    ['names the end', workflow([tool('a'), again('e', { retry_node: 'end' })], [['a', 'e']]), 'retry_not_before'],
    [
      'would leave a fan-out',
      workflow(
        [tool('a'), parallel('p', ['e', 'b']), again('e'), tool('b'), join('j')],
        [
          ['a', 'p'],
          ['e', 'j'],
          ['b', 'j'],
        ],
      ),
      'loop_leaves_parallel',
    ],
  ])('is refused when it %s', (_what, made, code) => {
    expect(analyse(made).diagnostics.map((diagnostic) => diagnostic.code)).toContain(code);
  });

  it('counts anew when an outer loop reaches its work again', () => {
    const made = workflow(
      [tool('a'), tool('b'), again('e'), tool('c')],
      [
        ['a', 'b'],
        ['b', 'e'],
        ['e', 'c'],
        ['c', 'a', 'state.more'],
      ],
    );
    const driver = new Driver(made);
    for (const more of [true, false]) {
      driver.done('a');
      driver.done('b');
      driver.done('e', BAD);
      expect(driver.state).toMatchObject({ eval_action: 'retry_with_feedback', eval_feedback: 'no' });
      expect(driver.activeNodes).toEqual(['b']);
      driver.done('b');
      driver.done('e', GOOD);
      driver.reload();
      driver.done('c', { more });
    }
    expect(driver.run.status).toBe('completed');
    expectReplays(driver);
  });

  it('counts anew when the work is reached again past it', () => {
    const made = workflow(
      [tool('a'), condition('c', ['state.skip', 'd'], [null, 'e']), again('e'), tool('d')],
      [
        ['a', 'c'],
        ['e', 'd'],
        ['d', 'a', 'state.more'],
      ],
    );
    const driver = new Driver(made);
    driver.done('a');
    driver.done('e', BAD);
    driver.done('a', { skip: true });
    driver.done('d', { more: true, skip: false });
    driver.done('a');
    driver.done('e', BAD);
    expect(driver.activeNodes).toEqual(['a']);
    driver.done('a');
    driver.done('e', BAD);
    expect(driver.run).toMatchObject({ status: 'failed' });
    expectReplays(driver);
  });

  describe('to which only an exceeded budget leads', () => {
    const over = (...edges: [string, string][]) =>
      workflow([tool('a'), tool('over'), tool('b'), again('e')], edges, { cost_budget_usd: 1, on_budget_exceeded: 'over' });

    it('runs the work behind the node of the budget again', () => {
      const driver = new Driver(over(['over', 'b'], ['b', 'e']));
      driver.done('a', {}, { usage: { cost_usd: 2 } });
      driver.done('over');
      driver.done('b');
      driver.done('e', BAD);
      expect(driver.activeNodes).toEqual(['b']);
      driver.done('b');
      driver.done('e', BAD);
      expect(driver.run).toMatchObject({ status: 'failed' });
      expectReplays(driver);
    });

    it('is refused if it would run the node of the budget again', () => {
      const { diagnostics } = analyse(over(['over', 'e']));
      expect(diagnostics.map(({ code }) => code)).toEqual(['bad_budget_node']);
    });
  });

  it('leaves nothing of an earlier round in the state', () => {
    const driver = new Driver(workflow([tool('a'), again('e')], [['a', 'e']]));
    driver.done('a');
    driver.done('e', BAD);
    expect(driver.state.e).toEqual({ passed: false, action: 'retry_with_feedback', scorers: [], feedback: 'no' });
    driver.done('a');
    driver.done('e', GOOD);
    expect(driver.state).toMatchObject({ eval_passed: true, e: { passed: true, action: 'continue', scorers: [] } });
    expect(JSON.stringify(driver.state)).not.toContain('feedback');
    expectReplays(driver);
  });

  it('does not begin its work anew while the execution is suspended', () => {
    const driver = new Driver(workflow([tool('a'), again('e')], [['a', 'e']]));
    driver.done('a');
    driver.pause();
    driver.resume();
    driver.pause();
    expect(driver.run.status).toBe('paused');
    driver.resume();
    driver.done('e', BAD);
    expect(driver.activeNodes).toEqual(['a']);
    expectReplays(driver);
  });
});

describe('an eval node whose scores a person reviews', () => {
  const reviewed = (more: JsonObject = {}) =>
    workflow(
      [tool('a'), evaluation('e', { on_fail: 'escalate', ...more }), tool('z')],
      [
        ['a', 'e'],
        ['e', 'z'],
      ],
    );

  it('times out, and takes the edge for that', () => {
    const driver = new Driver(reviewed({ review_timeout: '1h', on_timeout: 'z' }));
    driver.done('a');
    driver.done('e', BAD);
    expect(driver.run.status).toBe('paused');
    const [pending] = approvalsOf(driver.program, driver.run);
    expect(pending?.context.timeout_at).toBe(new Date(driver.env.nowMs + 3_600_000).toISOString());
    driver.reload();
    driver.fire('e');
    expect(driver.activeNodes).toEqual(['z']);
    expectReplays(driver);
  });

  it('takes the approval timeout of the workflow', () => {
    const made = workflow([tool('a'), evaluation('e', { on_fail: 'escalate' })], [['a', 'e']], {
      timeouts: { approval_timeout: 60 },
    });
    const driver = new Driver(made);
    driver.done('a');
    driver.done('e', BAD);
    driver.fire('e');
    expect(driver.run).toMatchObject({ status: 'failed' });
  });

  it('is cancelled with its execution, and leaves no timer', () => {
    const driver = new Driver(reviewed({ review_timeout: 60 }));
    driver.done('a');
    driver.done('e', BAD);
    driver.send({ type: 'cancel', reason: 'enough' });
    expect([driver.run.status, driver.timers.size]).toEqual(['cancelled', 0]);
    expectReplays(driver);
  });

  it('has its review timer set anew in a fork', () => {
    const driver = new Driver(reviewed({ review_timeout: 60 }));
    driver.done('a');
    driver.done('e', BAD);
    driver.timers.clear();
    driver.send({ type: 'fork', origin: { executionId: 'exec_1', sequence: driver.run.seq }, patch: { n: 1 }, decisions: [] });
    expect([...driver.timers.values()]).toMatchObject([{ node: 'e', atMs: driver.env.nowMs + 60_000, kind: 'approval' }]);
    expect(driver.log.at(-1)).toMatchObject({ type: 'interrupt_raised', data: { reason: 'eval', state_for_review: { n: 1 } } });
    driver.decide('e', 'approved');
    expect(driver.activeNodes).toEqual(['z']);
    expectReplays(driver);
  });

  it('scores again when its rejection is retried', () => {
    const driver = new Driver(workflow([tool('a'), evaluation('e', { on_fail: 'escalate' })], [['a', 'e']]));
    driver.done('a');
    driver.done('e', BAD);
    driver.decide('e', 'rejected');
    expect(driver.run.status).toBe('failed');
    driver.retry();
    expect(driver.active).toMatchObject([{ node: 'e', phase: 'queued' }]);
    driver.done('e', GOOD);
    expect(driver.run.status).toBe('completed');
    expectReplays(driver);
  });
});

describe('what an eval node is told of the work before it', () => {
  const measured = (driver: Driver) => {
    const { payload } = workOf(driver.program, driver.run, { node: 'e' }, { executionId: 'exec_1', vars: {} });
    return [payload.preceding_duration_ms, payload.preceding_cost_usd];
  };
  const done = (driver: Driver, node: string, durationMs: number, cost_usd?: number) =>
    driver.send({
      type: 'done',
      ...driver.visit(node),
      output: {},
      durationMs,
      ...(cost_usd === undefined ? {} : { usage: { cost_usd } }),
    });

  it('is the time of the slowest and the cost of all that led to it', () => {
    const made = workflow(
      [parallel('p', ['a', 'b']), tool('a'), tool('b'), join('j'), again('e')],
      [
        ['a', 'j'],
        ['b', 'j'],
        ['j', 'e'],
      ],
    );
    const driver = new Driver(made);
    done(driver, 'a', 30, 0.25);
    done(driver, 'b', 20, 0.5);
    driver.reload();
    expect(measured(driver)).toEqual([30, 0.75]);
    driver.done('e', BAD);
    done(driver, 'a', 10);
    done(driver, 'b', 5);
    expect(measured(driver)).toEqual([10, 0]);
    expectReplays(driver);
  });

  it('is not known of work without a price, of a child execution, or of nothing', () => {
    const unpriced = new Driver(workflow([tool('a'), evaluation('e')], [['a', 'e']]));
    unpriced.done('a', {}, { usage: { input_tokens: 5 } });
    expect(measured(unpriced)).toEqual([7, null]);
    expect(measured(new Driver(workflow([evaluation('e')])))).toEqual([null, null]);
    const waited = new Driver(workflow([wait('w', { correlation_key: 'k' }), evaluation('e')], [['w', 'e']]));
    waited.event('k');
    expect(measured(waited)).toEqual([null, null]);
    const parent = new Driver(workflow([subgraph('s'), evaluation('e')], [['s', 'e']]));
    const child = { type: 'child', ...parent.visit('s'), childId: 'c', childWorkflowId: 'inner' } as const;
    parent.send({ ...child, change: { status: 'started' } });
    parent.send({ ...child, change: { status: 'completed', result: {} } });
    expect(measured(parent)).toEqual([null, null]);
  });

  it('is that of the last attempt', () => {
    const driver = new Driver(workflow([retried('a', 'at_once'), evaluation('e')], [['a', 'e']]));
    driver.fail('a');
    done(driver, 'a', 4);
    expect(measured(driver)).toEqual([4, 0]);
  });
});
