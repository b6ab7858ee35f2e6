import { describe, expect, it } from 'vitest';
import { Driver } from '../../support/driver.ts';
import { approval, condition, first, join, limitExceeded, parallel, tool, workflow } from '../../support/workflows.ts';

const both = [
  ['with forks', { forks: true }],
  ['with sections only', { forks: false }],
] as const;
const custom = { merge_strategy: { custom: { function_ref: 'm:f' } } };

describe.each(both)('a node behind a first-wins join (%s)', (_, compile) => {
  const behind = workflow(
    [
      tool('s'),
      tool('fast'),
      tool('slow'),
      parallel('p', ['w']),
      tool('w'),
      first('j', { wait_for: ['fast'] }),
      join('all', { wait_for: ['w'] }),
      condition('c', ['state.x', 'y'], [null, 'z']),
      tool('y'),
      tool('z'),
    ],
    [
      ['s', 'fast'],
      ['s', 'slow'],
      ['slow', 'p'],
      ['p', 'end'],
      ['w', 'j'],
      ['j', 'c'],
      ['all', 'c'],
    ],
  );

  it('begins while another branch of the fan-out still works', () => {
    const driver = new Driver(behind, { compile });
    driver.done('s');
    driver.done('fast');
    expect(driver.events).toContain('node_scheduled:z');
    expect(driver.activeNodes).toEqual(['slow', 'z']);
    driver.done('slow');
    driver.done('z');
    expect(driver.run.status).toBe('completed');
  });

  it('is replayed from the log if the snapshot is of other lanes', () => {
    const driver = new Driver(behind, { compile });
    driver.done('s');
    driver.reload();
    driver.done('fast');
    expect(driver.activeNodes).toEqual(['slow', 'z']);
  });
});

describe.each(both)('an exit of a loop that was never taken (%s)', (_, compile) => {
  it('is skipped once the loop is over, even if a join that waits for one of its nodes goes on', () => {
    const made = workflow(
      [
        approval('ask'),
        join('after', { wait_for: ['work'], ...custom }),
        tool('out'),
        tool('work', { fallback_node: 'again' }),
        tool('again'),
      ],
      [
        ['ask', 'out', 'output.n > 1'],
        ['ask', 'work'],
        ['again', 'ask'],
      ],
    );
    const driver = new Driver(made, { compile });
    driver.decide('ask', 'approved');
    driver.done('work');
    expect(driver.events).toEqual(expect.arrayContaining(['node_skipped:again', 'node_skipped:out', 'node_scheduled:after']));
    driver.done('after');
    expect(driver.all('node_skipped').map(({ node_id }) => node_id)).toEqual(['again', 'out']);
    expect(driver.run.status).toBe('completed');
  });

  it('is skipped once the loop is over, even if a fan-out in the loop goes on', () => {
    const made = workflow(
      [
        tool('head'),
        tool('one', { fallback_node: 'plan_b' }),
        tool('plan_b'),
        tool('two', { fallback_node: 'split' }),
        tool('split'),
        tool('end_of_two'),
        tool('beside'),
      ],
      [
        ['split', 'beside'],
        ['one', 'two'],
        ['two', 'end_of_two'],
        ['split', 'end_of_two'],
        ['split', 'head', 'state.again'],
        ['head', 'one'],
      ],
    );
    const driver = new Driver(made, { compile });
    for (const node of ['head', 'one', 'two']) driver.done(node);
    expect(
      driver
        .all('node_skipped')
        .map(({ node_id }) => node_id)
        .sort(),
    ).toEqual(['beside', 'plan_b', 'split']);
    expect(driver.activeNodes).toEqual(['end_of_two']);
    driver.done('end_of_two');
    expect(driver.all('node_skipped')).toHaveLength(3);
  });
});

describe('the step limit', () => {
  it('fails the execution even if the next node would have ended it as limit_exceeded', () => {
    const driver = new Driver(workflow([tool('a'), limitExceeded('stop')], [['a', 'stop']]), { env: { stepLimit: 1 } });
    driver.done('a');
    expect(driver.run).toMatchObject({ status: 'failed', error: 'step limit of 1 node completions reached' });
    expect(driver.events.at(-1)).toBe('workflow_failed');
  });
});

describe('control nodes of a subgraph that become ready at once', () => {
  it('are passed in the order in which they were written', () => {
    const nodes = [tool('s'), condition('c1', [null, 'x']), condition('c2', [null, 'y']), tool('x'), tool('y')];
    const edges = [
      ['s', 'c2'],
      ['s', 'c1'],
    ] as const;
    const driver = new Driver(workflow(nodes, edges), { compile: { forks: false } });
    driver.done('s');
    expect(driver.events.filter((event) => event.startsWith('node_completed'))).toEqual([
      'node_completed:s',
      'node_completed:c1',
      'node_completed:c2',
    ]);
  });
});
