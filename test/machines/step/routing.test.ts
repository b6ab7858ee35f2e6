import { describe, expect, it } from 'vitest';
import { Driver } from '../../support/driver.ts';
import { approval, condition, first, join, parallel, tool, wait, workflow } from '../../support/workflows.ts';

const skipped = (driver: Driver): (string | null)[] => driver.all('node_skipped').map((event) => event.node_id);

describe('routing', () => {
  const fork = workflow(
    [tool('a'), tool('big'), tool('small'), tool('rest'), tool('audit')],
    [
      ['a', 'big', 'output.n > 10'],
      ['a', 'small', 'output.n > 1'],
      ['a', 'rest'],
      ['a', 'audit'],
    ],
  );

  it('takes only the first conditional edge that holds', () => {
    const driver = new Driver(fork);
    driver.done('a', { n: 50 });
    expect(driver.activeNodes).toEqual(['big']);
    expect(skipped(driver)).toEqual(['small', 'rest', 'audit']);
  });

  it('takes all unconditional edges when no condition holds', () => {
    const driver = new Driver(fork);
    driver.done('a', { n: 0 });
    expect(driver.activeNodes).toEqual(['rest', 'audit']);
    expect(skipped(driver)).toEqual(['big', 'small']);
  });

  it('evaluates conditions on the state after the patch, and on the output that reached a condition node', () => {
    const made = workflow(
      [tool('a'), condition('gate', ['state.sum == 3 and output.part == 1', 'yes'], [null, 'no']), tool('yes'), tool('no')],
      [['a', 'gate']],
    );
    const driver = new Driver(made);
    driver.done('a', { part: 1 }, { patch: { sum: 3 } });
    expect(driver.activeNodes).toEqual(['yes']);
  });

  it('takes the default branch only if no other matches, wherever it is written', () => {
    const made = workflow([condition('gate', [null, 'otherwise'], ['state.vip', 'vip']), tool('otherwise'), tool('vip')]);
    expect(new Driver(made, { input: { vip: true } }).activeNodes).toEqual(['vip']);
    expect(new Driver(made, { input: {} }).activeNodes).toEqual(['otherwise']);
  });

  it('completes if nothing matches and there is no default', () => {
    const driver = new Driver(workflow([condition('gate', ['state.vip', 'vip']), tool('vip')]));
    expect(driver.run.status).toBe('completed');
    expect(skipped(driver)).toEqual(['vip']);
  });

  it('reports problems only of conditions that it evaluated itself', () => {
    const made = workflow([condition('gate', ['state.n > 5', 'big'], [null, 'small']), tool('big'), tool('small')]);
    expect(new Driver(made, { input: { n: 6 } }).last.diagnostics).toEqual([]);
  });

  it('counts a condition that cannot be evaluated as false, with a diagnostic', () => {
    const driver = new Driver(workflow([tool('a'), tool('b')], [['a', 'b', 'state.x +']]));
    const { diagnostics } = driver.done('a');
    expect(driver.run.status).toBe('completed');
    expect(diagnostics).toEqual([expect.stringContaining('condition "state.x +" of node "a"')]);
  });

  it('evaluates conditions on the environment as it was at the start', () => {
    const made = workflow(
      [tool('a'), tool('b'), tool('c')],
      [
        ['a', 'b', "env.REGION == 'eu'"],
        ['a', 'c'],
      ],
    );
    const driver = new Driver(made, { env: { vars: { REGION: 'eu', SECRET: 's' } } });
    expect(driver.log[0]?.data.env).toEqual({ REGION: 'eu' });
    driver.env = { ...driver.env, vars: { REGION: 'us' } };
    driver.done('a');
    expect(driver.activeNodes).toEqual(['b']);
  });

  it('uses an edge to the target of an outcome for that outcome alone', () => {
    const made = workflow(
      [tool('a', { fallback_node: 'rescue' }), tool('next'), tool('rescue')],
      [
        ['a', 'next'],
        ['a', 'rescue'],
      ],
    );
    const driver = new Driver(made);
    driver.done('a');
    expect(driver.activeNodes).toEqual(['next']);
  });

  it("keeps the fallback's edge an ordinary one if it is the only one", () => {
    const driver = new Driver(workflow([tool('a', { fallback_node: 'next' }), tool('next')], [['a', 'next']]));
    driver.done('a');
    expect(driver.activeNodes).toEqual(['next']);
  });
});

describe('the end', () => {
  it('inside a branch ends only that branch', () => {
    const made = workflow(
      [parallel('s', ['a', 'b']), tool('a'), tool('b'), join('j'), tool('z')],
      [
        ['a', 'j', 'output.go'],
        ['b', 'j'],
        ['j', 'z'],
      ],
    );
    const driver = new Driver(made);
    driver.done('a', { go: false });
    driver.done('b', { b: 1 });
    expect(driver.log.find((event) => event.type === 'node_completed' && event.node_id === 'j')?.data.output).toEqual({
      outputs: [null, { b: 1 }],
      by_source: { a: null, b: { b: 1 } },
    });
    expect(driver.activeNodes).toEqual(['z']);
  });

  it('of an execution comes after everything in progress', () => {
    const driver = new Driver(workflow([parallel('s', ['a', 'b']), tool('a'), wait('b', { correlation_key: 'go' })]));
    driver.fail('a');
    expect(driver.run.status).toBe('paused');
    driver.event('go');
    expect(driver.run.status).toBe('failed');
    expect(driver.run.error).toBe('node(s) failed terminally: a');
    expect(driver.events.at(-1)).toBe('workflow_failed');
  });

  it('cancels what is in progress when a limit_exceeded node is reached', () => {
    const made = workflow(
      [parallel('s', ['a', 'b']), tool('a'), tool('b'), { id: 'stop', kind: { type: 'limit_exceeded' } }],
      [['a', 'stop']],
    );
    const driver = new Driver(made);
    const { effects } = driver.done('a');
    expect(driver.run.status).toBe('limit_exceeded');
    expect(driver.events).toEqual([
      'tool_call_completed:a',
      'node_completed:a',
      'node_completed:stop',
      'node_cancelled:b',
      'strategy_limit_hit',
    ]);
    expect(effects).toEqual([{ type: 'abandon', node: 'b', activation: 1, local: false }]);
  });

  it('is final: later messages are refused', () => {
    const driver = new Driver(workflow([tool('a')]));
    driver.done('a');
    for (const message of [
      { type: 'cancel', reason: 'late' },
      { type: 'event', key: 'k', payload: 1 },
      { type: 'timer', id: 't' },
    ] as const) {
      expect(driver.try(message)).toEqual({ refused: 'terminal', nodes: [] });
    }
  });
});

describe('cancelling', () => {
  it('abandons everything in progress, in one step', () => {
    const made = workflow([
      parallel('s', ['a', 'b', 'c', 'd']),
      tool('a'),
      approval('b', { timeout_secs: 9 }),
      wait('c', { timeout_secs: 9, condition: 'either' }),
      tool('d'),
    ]);
    const driver = new Driver(made, { env: { isLocal: (node) => node === 'd' } });
    const { effects } = driver.send({ type: 'cancel', reason: 'changed my mind' });
    expect(driver.run).toMatchObject({ status: 'cancelled', error: 'changed my mind', localWork: 0 });
    expect(driver.events).toEqual([
      'node_cancelled:a',
      'node_cancelled:b',
      'node_cancelled:c',
      'node_cancelled:d',
      'workflow_cancelled',
    ]);
    expect(
      effects.map((effect) => `${effect.type} ${'node' in effect ? effect.node : 'id' in effect ? effect.id : ''}`).sort(),
    ).toEqual(['abandon a', 'abandon d', 'clear_timer xstate.after.9000.b', 'clear_timer xstate.after.9000.c']);
    expect(driver.active).toEqual([]);
  });
});

describe('skipping', () => {
  it('skips each node once when choices follow each other in one step', () => {
    const made = workflow([
      condition('first', ['state.no', 'a'], [null, 'second']),
      tool('a'),
      condition('second', ['state.no', 'b'], [null, 'c']),
      tool('b'),
      tool('c'),
    ]);
    const driver = new Driver(made);
    expect(driver.all('node_skipped').map(({ node_id }) => node_id)).toEqual(['a', 'b']);
  });

  it('skips all nodes that can no longer run, and no others', () => {
    const made = workflow(
      [condition('gate', ['state.x', 'a'], [null, 'b']), tool('a'), tool('b'), tool('b2'), tool('after')],
      [
        ['a', 'after'],
        ['b', 'b2'],
        ['b2', 'after'],
      ],
    );
    const driver = new Driver(made, { input: { x: true } });
    expect(skipped(driver)).toEqual(['b', 'b2']);
    driver.done('a');
    expect(driver.activeNodes).toEqual(['after']);
  });

  it('counts as a visit', () => {
    const made = workflow(
      [tool('a'), tool('b'), condition('more', ['state.go', 'a'])],
      [
        ['a', 'b', 'output.use'],
        ['a', 'more'],
        ['b', 'more'],
      ],
    );
    const driver = new Driver(made, { input: { go: true } });
    driver.done('a', { use: false });
    driver.done('a', { use: true });
    expect(driver.all('node_skipped').map((event) => event.data.activation)).toEqual([1]);
    expect(driver.visit('b').activation).toBe(2);
  });

  it('skips no node of a loop that iterates again', () => {
    const made = workflow(
      [tool('a'), tool('b', { fallback_node: 'rescue' }), first('j'), tool('rescue')],
      [
        ['a', 'b'],
        ['b', 'j'],
        ['rescue', 'j'],
        ['rescue', 'end', 'state.enough'],
        ['j', 'a', 'state.again'],
      ],
    );
    const driver = new Driver(made, { input: { again: true } });
    driver.done('a');
    driver.done('b');
    expect(skipped(driver)).toEqual([]);
    driver.done('a');
    driver.done('b', { again: false });
    expect(driver.all('node_skipped').map(({ node_id, data }) => [node_id, data.activation])).toEqual([['rescue', 1]]);
  });

  it('skips nodes behind a loop when it is left for branches that cross', () => {
    const made = workflow(
      [tool('a', { fallback_node: 'b' }), tool('b'), tool('beyond'), tool('x'), tool('y'), tool('xy'), tool('yy')],
      [
        ['a', 'beyond'],
        ['b', 'a', 'state.again'],
        ['b', 'x'],
        ['b', 'y'],
        ['x', 'xy'],
        ['y', 'xy'],
        ['y', 'yy'],
      ],
    );
    const driver = new Driver(made);
    driver.fail('a');
    expect(skipped(driver)).toEqual([]);
    driver.done('b');
    expect(skipped(driver)).toEqual(['beyond']);
    expect(driver.activeNodes).toEqual(['x', 'y']);
  });

  it('logs no skip in a branch that a first-wins join closes', () => {
    const made = workflow(
      [parallel('s', ['fast', 'gate']), tool('fast'), tool('gate'), tool('later'), first('j')],
      [
        ['fast', 'j'],
        ['gate', 'later'],
        ['later', 'j'],
      ],
    );
    const driver = new Driver(made);
    driver.done('fast');
    expect(driver.events).toEqual([
      'tool_call_completed:fast',
      'node_completed:fast',
      'node_cancelled:gate',
      'node_completed:j',
      'workflow_completed',
    ]);
  });
});

describe('a result that asks for a route', () => {
  it('takes the usual edges of a node that has no such route', () => {
    const driver = new Driver(workflow([tool('a'), tool('b')], [['a', 'b']]));
    driver.send({ type: 'done', ...driver.visit('a'), output: { n: 1 }, durationMs: 7, route: 'on_input_required' });
    expect(driver.activeNodes).toEqual(['b']);
    expect(driver.state).toEqual({ n: 1 });
  });
});
