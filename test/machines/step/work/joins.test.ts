import { describe, expect, it } from 'vitest';
import { workOf } from '../../../../machines/step/index.ts';
import { Driver } from '../../../support/driver.ts';
import {
  approval,
  condition,
  first,
  join,
  parallel,
  retried,
  subgraph,
  tool,
  wait,
  workflow,
} from '../../../support/workflows.ts';

const output = (driver: Driver, node: string) =>
  driver.log.findLast((event) => event.type === 'node_completed' && event.node_id === node)?.data;

describe('a join that collects', () => {
  const made = workflow(
    [parallel('s', ['a', 'b', 'c']), tool('a'), tool('b'), tool('c'), join('j', { wait_for: ['c'], output_key: 'all' })],
    [
      ['a', 'j'],
      ['b', 'j'],
      ['c', 'j'],
    ],
  );

  it('waits for every branch and gives their outputs in the order of its sources', () => {
    const driver = new Driver(made);
    driver.done('a', { a: 1 });
    driver.done('c', 3);
    expect(driver.activeNodes).toEqual(['b']);
    driver.done('b', 'two');
    expect(output(driver, 'j')?.output).toEqual({ outputs: [3, { a: 1 }, 'two'], by_source: { c: 3, a: { a: 1 }, b: 'two' } });
    expect(driver.state.all).toEqual(output(driver, 'j')?.output);
  });

  it('never runs if a branch fails, and the execution fails after the others have ended', () => {
    const driver = new Driver(made);
    driver.fail('a');
    driver.done('b');
    expect(driver.run.status).toBe('running');
    driver.done('c');
    expect(driver.run.status).toBe('failed');
    expect(output(driver, 'j')).toBeUndefined();
    expect(driver.all('node_skipped')).toEqual([]);
  });

  it('is skipped if all its in-edges are dead', () => {
    const split = workflow(
      [parallel('s', ['a', 'b']), tool('a'), tool('b'), join('j'), tool('z')],
      [
        ['a', 'j', 'state.no'],
        ['b', 'j', 'state.no'],
        ['j', 'z'],
      ],
    );
    const driver = new Driver(split);
    driver.done('a');
    driver.done('b');
    expect(driver.events).toEqual([
      'tool_call_completed:b',
      'node_completed:b',
      'node_skipped:j',
      'node_skipped:z',
      'workflow_completed',
    ]);
  });

  it('counts the edge of a handled failure as dead', () => {
    const rescued = workflow(
      [parallel('s', ['a', 'b']), tool('a', { fallback_node: 'rescue' }), tool('b'), tool('rescue'), join('j')],
      [
        ['a', 'j'],
        ['b', 'j'],
      ],
    );
    const driver = new Driver(rescued);
    driver.fail('a');
    driver.done('b', 2);
    expect(output(driver, 'j')?.output).toEqual({ outputs: [null, 2], by_source: { a: null, b: 2 } });
    expect(driver.activeNodes).toEqual(['rescue']);
  });

  it('counts the output of control nodes as null', () => {
    const through = workflow([parallel('s', ['a', 'gate']), tool('a'), condition('gate', [null, 'j']), join('j')], [['a', 'j']]);
    const driver = new Driver(through);
    driver.done('a', 1);
    expect(output(driver, 'j')?.output).toEqual({ outputs: [1, null], by_source: { a: 1, gate: null } });
  });

  it('waits for a node in wait_for without an edge to it, wherever the node leads', () => {
    const named = workflow(
      [parallel('s', ['a', 'b']), tool('a'), tool('b'), tool('elsewhere'), join('j', { wait_for: ['a'] })],
      [
        ['a', 'elsewhere'],
        ['b', 'j'],
      ],
    );
    const driver = new Driver(named);
    driver.done('b', 'b');
    expect(driver.activeNodes).toEqual(['a']);
    driver.done('a', 'a');
    expect(output(driver, 'j')?.output).toEqual({ outputs: ['a', 'b'], by_source: { a: 'a', b: 'b' } });
    expect(driver.activeNodes).toEqual(['elsewhere']);
  });

  it('runs once per round of a loop around it', () => {
    const made = workflow(
      [tool('head'), parallel('s', ['a', 'b']), tool('a'), tool('b'), join('j'), condition('more', ['state.n < 3', 'head'])],
      [
        ['head', 's'],
        ['a', 'j'],
        ['b', 'j'],
        ['j', 'more'],
      ],
    );
    const driver = new Driver(made);
    for (const n of [1, 2, 3]) {
      driver.done('head');
      driver.done('a', { n });
      driver.done('b', { m: n });
    }
    expect(driver.run.status).toBe('completed');
    const runs = driver.all('node_completed').filter((event) => event.node_id === 'j');
    expect(runs.map((event) => [event.data.activation, event.data.output])).toEqual(
      [1, 2, 3].map((n) => [n, { outputs: [{ n }, { m: n }], by_source: { a: { n }, b: { m: n } } }]),
    );
  });
});

describe('a first-wins join', () => {
  const race = workflow(
    [
      parallel('s', ['a', 'b', 'c', 'd', 'e']),
      tool('a'),
      retried('b', 'twice'),
      approval('c', { timeout_secs: 60 }),
      wait('d', { correlation_key: 'go' }),
      subgraph('e'),
      first('j', { output_key: 'won' }),
      tool('z'),
    ],
    [
      ['a', 'j'],
      ['b', 'j'],
      ['c', 'j'],
      ['d', 'j'],
      ['e', 'j'],
      ['j', 'z'],
    ],
  );

  it('cancels the other branches, whatever they wait for', () => {
    const driver = new Driver(race);
    driver.fail('b');
    driver.send({
      type: 'child',
      ...driver.visit('e'),
      childId: 'exec_child',
      childWorkflowId: 'inner',
      change: { status: 'started' },
    });
    const { effects } = driver.done('a', { a: 1 });
    expect(driver.events.filter((event) => event.startsWith('node_cancelled'))).toEqual(
      ['b', 'c', 'd', 'e'].map((id) => `node_cancelled:${id}`),
    );
    expect(output(driver, 'j')).toMatchObject({ output: { a: 1 }, source: 'a' });
    expect(driver.state.won).toEqual({ a: 1 });
    expect(driver.activeNodes).toEqual(['z']);
    expect(effects).toEqual(
      expect.arrayContaining([
        { type: 'cancel_child', node: 'e', activation: 1, childId: 'exec_child' },
        { type: 'clear_timer', id: 'xstate.after.60000.c' },
        { type: 'clear_timer', id: 'xstate.after.backoff.retry:b' },
      ]),
    );
    expect(driver.timers.size).toBe(0);
  });

  it('refuses late messages', () => {
    const driver = new Driver(race);
    const late = driver.visit('b');
    driver.done('a');
    expect(driver.try({ type: 'done', ...late, output: 1, durationMs: 1 })).toEqual({ refused: 'stale', nodes: [] });
    expect(
      driver.try({ type: 'decide', node: 'c', decision: 'approved', userId: 'u', comment: null, patch: null }),
    ).toMatchObject({ refused: 'no_pending_approval_on_node' });
    expect(driver.event('go').node).toBe(null);
  });

  it('contains the failures of the losing branches', () => {
    const driver = new Driver(
      workflow(
        [parallel('s', ['a', 'b']), tool('a'), tool('b'), first('j')],
        [
          ['a', 'j'],
          ['b', 'j'],
        ],
      ),
    );
    driver.fail('a');
    driver.done('b');
    expect(driver.run.status).toBe('completed');
    expect(driver.all('node_failed').length).toBe(1);
  });

  it('never runs if all branches fail', () => {
    const driver = new Driver(
      workflow(
        [parallel('s', ['a', 'b']), tool('a'), tool('b'), first('j')],
        [
          ['a', 'j'],
          ['b', 'j'],
        ],
      ),
    );
    driver.fail('a');
    driver.fail('b');
    expect(driver.run).toMatchObject({ status: 'failed', error: 'node(s) failed terminally: a, b' });
  });

  it('does not cancel work that also leads elsewhere', () => {
    const made = workflow(
      [parallel('s', ['a', 'b']), tool('a'), tool('b'), first('j'), tool('aside'), tool('z')],
      [
        ['a', 'j'],
        ['b', 'j', 'output.join'],
        ['b', 'aside'],
        ['j', 'z'],
      ],
    );
    const driver = new Driver(made);
    driver.done('a');
    expect(driver.activeNodes).toEqual(['b', 'z']);
    driver.done('z');
    expect(driver.run.status).toBe('running');
    driver.done('b', { join: false });
    expect(driver.activeNodes).toEqual(['aside']);
  });
});

describe('a custom join', () => {
  it('is work: it gets the outputs and the state, and its result is a patch', () => {
    const made = workflow(
      [
        parallel('s', ['a', 'b']),
        tool('a'),
        tool('b'),
        { ...join('j', { merge_strategy: { custom: { function_ref: 'merge:pick' } } }), retry_policy: 'at_once' },
      ],
      [
        ['a', 'j'],
        ['b', 'j'],
      ],
    );
    const driver = new Driver(made);
    driver.done('a', { x: 1 });
    driver.done('b', { y: 2 });
    const work = workOf(driver.program, driver.run, { node: 'j' }, { executionId: 'exec_1', vars: {} });
    expect(work.payload).toMatchObject({
      module: 'merge',
      function: 'pick',
      input: { outputs: [{ x: 1 }, { y: 2 }], by_source: { a: { x: 1 }, b: { y: 2 } }, state: { x: 1, y: 2 } },
    });
    driver.fail('j');
    expect(workOf(driver.program, driver.run, { node: 'j' }, { executionId: 'exec_1', vars: {} }).input).toEqual(work.input);
    driver.done('j', { best: 'x' });
    expect(driver.state).toEqual({ x: 1, y: 2, best: 'x' });
    expect(driver.run.status).toBe('completed');
  });
});

describe('an implicit join', () => {
  it('waits for the taken edge after a choice, and for all after a fan-out', () => {
    const chosen = new Driver(
      workflow(
        [condition('gate', ['state.x', 'a'], [null, 'b']), tool('a'), tool('b'), tool('z')],
        [
          ['a', 'z'],
          ['b', 'z'],
        ],
      ),
    );
    chosen.done('b');
    expect(chosen.activeNodes).toEqual(['z']);
    const all = new Driver(
      workflow(
        [parallel('s', ['a', 'b']), tool('a'), tool('b'), tool('z', { input_mapping: { last: '{{ output }}' } })],
        [
          ['a', 'z'],
          ['b', 'z'],
        ],
      ),
    );
    all.done('b', 'b');
    expect(all.activeNodes).toEqual(['a']);
    all.done('a', 'a');
    expect(workOf(all.program, all.run, { node: 'z' }, { executionId: 'exec_1', vars: {} }).input).toEqual({ last: 'a' });
  });

  it('decides branches that cross each other', () => {
    const made = workflow(
      [parallel('s', ['a', 'b']), tool('a'), tool('b'), tool('ab'), tool('bb')],
      [
        ['a', 'ab'],
        ['b', 'ab'],
        ['b', 'bb'],
      ],
    );
    const driver = new Driver(made);
    driver.done('b');
    expect(driver.activeNodes).toEqual(['a', 'bb']);
    driver.done('bb');
    driver.done('a');
    expect(driver.activeNodes).toEqual(['ab']);
  });
});

describe.each([true, false])('a join that a loop leads back to (forks: %s)', (forks) => {
  it('merges what its own fan-out has given, not an earlier one', () => {
    const made = workflow(
      [parallel('s', ['x', 'y']), tool('x'), tool('y'), tool('d'), tool('e'), join('j', { output_key: 'all' }), tool('z')],
      [
        ['x', 'j'],
        ['y', 'd', 'output.go'],
        ['y', 'e'],
        ['d', 'j'],
        ['e', 'j'],
        ['j', 'z'],
        ['z', 'j', 'output.inner'],
        ['z', 's', 'output.outer'],
      ],
    );
    const driver = new Driver(made, { compile: { forks } });
    driver.done('x');
    driver.done('y', { go: true });
    driver.done('d');
    driver.done('z', { outer: true });
    driver.done('x');
    driver.done('y', { go: false });
    driver.done('e', { n: 1 });
    expect(Object.keys((driver.state.all as { by_source: object }).by_source)).toEqual(['x', 'e']);
  });
});
