import { describe, expect, it } from 'vitest';
import { stateOf, terminalFailures } from '../../../machines/step/index.ts';
import { Driver } from '../../support/driver.ts';
import { approval, first, join, parallel, retried, subgraph, tool, wait, workflow } from '../../support/workflows.ts';

const chain = workflow(
  [tool('a'), retried('b', 'twice'), tool('c')],
  [
    ['a', 'b'],
    ['b', 'c'],
  ],
);

describe('a retry', () => {
  it('runs the failed node again as a new visit, with all its attempts', () => {
    const driver = new Driver(chain);
    driver.done('a', { n: 1 });
    driver.fail('b');
    driver.fire('b');
    const late = driver.visit('b');
    driver.fail('b');
    expect(driver.run).toMatchObject({ status: 'failed', error: 'node(s) failed terminally: b' });
    driver.retry();
    expect(driver.events).toEqual(['workflow_retried', 'node_scheduled:b']);
    expect(driver.run).toMatchObject({ status: 'running', error: null, steps: 1 });
    expect(driver.visit('b')).toEqual({ node: 'b', activation: 2, attempt: 0 });
    expect(driver.try({ type: 'done', ...late, output: {}, durationMs: 1 })).toMatchObject({ refused: 'stale' });
    driver.fail('b');
    driver.fire('b');
    driver.done('b', { n: 2 });
    driver.done('c');
    expect([driver.run.status, driver.state, driver.run.steps]).toEqual(['completed', { n: 2 }, 3]);
  });

  it('can be repeated each time the execution fails, for the nodes that failed last', () => {
    const driver = new Driver(chain);
    driver.done('a');
    for (const activation of [2, 3]) {
      driver.fail('b', { retryable: false });
      driver.retry();
      expect(driver.visit('b')).toMatchObject({ activation });
    }
    driver.done('b');
    driver.fail('c');
    driver.retry();
    expect(driver.all('workflow_retried').map(({ data }) => data.nodes)).toEqual([['b'], ['b'], ['c']]);
    driver.done('c');
    expect(driver.run.status).toBe('completed');
  });

  it('runs all failed branches again, not those that completed, and then the join', () => {
    const made = workflow(
      [parallel('s', ['a', 'b', 'c']), tool('a'), tool('b'), tool('c'), join('j', { output_key: 'all' })],
      [
        ['a', 'j'],
        ['b', 'j'],
        ['c', 'j'],
      ],
    );
    for (const forks of [true, false]) {
      const driver = new Driver(made, { compile: { forks } });
      driver.fail('c');
      driver.fail('a');
      driver.done('b', { b: 1 });
      driver.retry();
      expect(driver.events).toEqual(['workflow_retried', 'node_scheduled:a', 'node_scheduled:c']);
      driver.done('a', { a: 1 });
      driver.done('c', { c: 1 });
      expect(driver.run.status).toBe('completed');
      expect(driver.state.all).toMatchObject({ by_source: { a: { a: 1 }, b: { b: 1 }, c: { c: 1 } } });
    }
  });

  it('of a node in a loop continues to count its visits', () => {
    const driver = new Driver(
      workflow(
        [tool('a'), tool('b')],
        [
          ['a', 'b'],
          ['b', 'a', 'state.again'],
        ],
      ),
    );
    driver.done('a');
    driver.done('b', { again: true });
    driver.fail('a');
    driver.retry();
    expect(driver.visit('a').activation).toBe(3);
    driver.done('a');
    expect(driver.visit('b').activation).toBe(2);
    driver.done('b', { again: true });
    expect(driver.visit('a').activation).toBe(4);
  });

  it('asks again for a rejected approval, and keeps the patch of the rejection', () => {
    const driver = new Driver(workflow([approval('review', { timeout_secs: 60 }), tool('ship')], [['review', 'ship']]));
    driver.decide('review', 'rejected', { note: 'not now' });
    driver.retry();
    expect(driver.events).toEqual(['workflow_retried', 'node_started:review', 'interrupt_raised:review']);
    expect(driver.run.status).toBe('paused');
    expect(stateOf(driver.run)).toEqual({ note: 'not now' });
    expect([...driver.timers.values()]).toMatchObject([{ node: 'review', activation: 2 }]);
    driver.fire('review');
    expect(driver.run.status).toBe('failed');
    driver.retry();
    driver.decide('review', 'approved');
    expect(driver.activeNodes).toEqual(['ship']);
  });

  it('asks again for an approval by policy that was given before the failure', () => {
    const driver = new Driver(workflow([{ ...tool('a'), policy: { require_approval_for: ['*'] } }]));
    driver.decide('a', 'approved');
    driver.fail('a');
    driver.retry();
    expect(driver.active).toMatchObject([{ node: 'a', phase: 'awaiting_approval', activation: 2 }]);
    driver.decide('a', 'approved');
    driver.done('a');
    expect(driver.run.status).toBe('completed');
  });

  it('starts a new child, also if the failed one was paused', () => {
    const driver = new Driver(workflow([{ ...subgraph('sub'), retry_policy: 'once' }]));
    const child = (childId: string, change: never) =>
      driver.send({ type: 'child', ...driver.visit('sub'), childId, childWorkflowId: 'inner', change });
    child('exec_1', { status: 'started' } as never);
    child('exec_1', { status: 'paused' } as never);
    child('exec_1', { status: 'failed', error: 'no' } as never);
    expect(driver.retry().effects).toEqual([{ type: 'spawn', node: 'sub', activation: 2, attempt: 0 }]);
    child('exec_2', { status: 'started' } as never);
    child('exec_2', { status: 'completed', result: { ok: true } } as never);
    expect(driver.run.status).toBe('completed');
  });

  it('of a wait takes an event that came after its timeout', () => {
    const driver = new Driver(workflow([parallel('s', ['w', 'b']), wait('w', { timeout_secs: 5 }), tool('b')]));
    driver.fire('w');
    driver.event('w', { late: true });
    driver.done('b');
    expect(driver.run.status).toBe('failed');
    driver.retry();
    expect([driver.run.status, driver.state]).toEqual(['completed', { late: true }]);
    expect(driver.timers.size).toBe(0);
  });

  it('does not repeat handled failures', () => {
    const driver = new Driver(
      workflow(
        [
          parallel('s', ['a', 'b', 'x']),
          tool('a'),
          tool('b'),
          tool('x'),
          first('j'),
          tool('y', { fallback_node: 'z' }),
          tool('z'),
        ],
        [
          ['a', 'j'],
          ['b', 'j'],
          ['x', 'y'],
        ],
      ),
    );
    driver.fail('a');
    driver.done('b');
    driver.done('x');
    driver.fail('y');
    driver.fail('z');
    expect(terminalFailures(driver.run)).toEqual(['z']);
    driver.retry();
    expect(driver.activeNodes).toEqual(['z']);
    driver.done('z');
    expect(driver.run.status).toBe('completed');
  });

  it('resets the failure of the node, not one of work beside the workflow that has its name', () => {
    const driver = new Driver(chain);
    driver.send({ type: 'enqueue', node: 'a', queue: 'general' });
    driver.pause();
    driver.resume();
    driver.fail('a', { retryable: false });
    expect(driver.run.status).toBe('failed');
    driver.retry();
    driver.send({ type: 'fail', node: 'a', activation: 0, attempt: 0, error: 'beside', retryable: false });
    driver.fail('a', { retryable: false });
    driver.retry();
    expect(driver.visit('a').activation).toBe(3);
  });

  it('ends the suspension during which the execution failed', () => {
    const driver = new Driver(chain);
    driver.send({ type: 'claimed', ...driver.visit('a'), workerId: 'w' });
    driver.pause();
    driver.fail('a');
    driver.retry();
    expect([driver.run.status, driver.activeNodes]).toEqual(['running', ['a']]);
  });

  it('is refused unless nodes have failed the execution', () => {
    const running = new Driver(chain);
    expect(running.try({ type: 'retry' })).toEqual({ refused: 'not_retryable', nodes: [] });
    const limited = new Driver(chain, { env: { stepLimit: 1 } });
    limited.done('a');
    expect([limited.run.status, terminalFailures(limited.run)]).toEqual(['failed', []]);
    const both = new Driver(workflow([parallel('s', ['a', 'b', 'c']), tool('a'), tool('b'), tool('c')]), {
      env: { stepLimit: 2 },
    });
    both.fail('a');
    both.done('b');
    expect([both.run.error, terminalFailures(both.run)]).toEqual(['step limit of 2 node completions reached', []]);
  });
});
