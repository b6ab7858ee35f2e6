import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../../machines/json.ts';
import { LogMismatch, type TimedEvent } from '../../../machines/replay/index.ts';
import { save } from '../../../machines/step/index.ts';
import { Driver } from '../../support/driver.ts';
import { replay } from '../../support/replay.ts';
import { approval, condition, join, limitExceeded, parallel, retried, tool, wait, workflow } from '../../support/workflows.ts';

const ENV = { executionId: 'exec_1', stepLimit: 10_000, runtimeId: 'runtime-1' };

/** What the ends of all visits say about the transition that followed. */
const transitions = (driver: Driver): Json[] =>
  driver.log
    .filter(({ type }) => type === 'node_completed' || type === 'node_failed')
    .map(({ node_id, data: { taken, evaluated } }) => [node_id, taken ?? null, ...(evaluated === undefined ? [] : [evaluated])]);

describe('a route that a result asks for', () => {
  it('is ignored if the node has none of that name', () => {
    const plain = new Driver(workflow([tool('a'), tool('b')], [['a', 'b']]));
    const asking = new Driver(workflow([tool('a'), tool('b')], [['a', 'b']]));
    plain.done('a', { n: 1 });
    asking.send({ type: 'done', ...asking.visit('a'), output: { n: 1 }, durationMs: 7, route: 'on_input_required' });
    expect(asking.log).toEqual(plain.log);
    expect(save(asking.run)).toBe(save(plain.run));
  });
});

describe('the transition taken is logged', () => {
  it('with the conditions up to the one that held', () => {
    const made = workflow([
      condition('gate', ['state.n > 5', 'big'], ['state.n > 1', 'some'], [null, 'none']),
      tool('big'),
      tool('some'),
      tool('none'),
    ]);
    const driver = new Driver(made, { input: { n: 3 } });
    driver.done('some');
    const evaluated = [
      { target: 'big', condition: 'state.n > 5', value: false },
      { target: 'some', condition: 'state.n > 1', value: true },
    ];
    expect(transitions(driver)).toEqual([
      ['gate', ['some'], evaluated],
      ['some', null],
    ]);
  });

  it('with the problem of a condition that cannot be evaluated, and without a target if nothing matches', () => {
    const driver = new Driver(workflow([condition('gate', ['state.n.x > 5', 'a'], ['state.name', 'a']), tool('a')]), {
      input: { n: 3, name: '' },
    });
    expect(transitions(driver)).toEqual([
      [
        'gate',
        [],
        [
          { target: 'a', condition: 'state.n.x > 5', problem: expect.any(String) },
          { target: 'a', condition: 'state.name', value: '' },
        ],
      ],
    ]);
  });

  it('as true or false where a condition gives a large value', () => {
    const driver = new Driver(workflow([condition('gate', ['state.list', 'a'], [null, 'end']), tool('a')]), {
      input: { list: [1, 2] },
    });
    expect(transitions(driver)).toEqual([['gate', ['a'], [{ target: 'a', condition: 'state.list', value: true }]]]);
  });

  it('of a node with conditional edges, by its own output', () => {
    const driver = new Driver(
      workflow(
        [tool('a'), tool('b')],
        [
          ['a', 'b', 'output.ok'],
          ['a', 'end'],
        ],
      ),
    );
    driver.done('a', { ok: false });
    expect(transitions(driver)).toEqual([['a', ['end'], [{ target: 'b', condition: 'output.ok', value: false }]]]);
  });

  it('of a fan-out and its join, in forks and in subgraphs alike', () => {
    const nodes = [parallel('s', ['a', 'b']), tool('a'), tool('b'), join('j'), tool('c')];
    const edges = [
      ['a', 'j'],
      ['b', 'j'],
      ['j', 'c'],
    ] as const;
    for (const forks of [true, false]) {
      const driver = new Driver(workflow(nodes, edges), { compile: { forks } });
      for (const node of ['a', 'b', 'c']) driver.done(node);
      expect(transitions(driver)).toEqual([
        ['s', ['a', 'b']],
        ['a', ['j']],
        ['b', ['j']],
        ['j', ['c']],
        ['c', null],
      ]);
    }
  });

  it('of every outcome', () => {
    const ask = approval('ask', { on_approved: 'yes', on_rejected: 'no', on_timeout: 'late', timeout_secs: 60 });
    const made = workflow([ask, tool('yes'), tool('no'), tool('late')]);
    for (const [act, target] of [
      [(driver: Driver) => driver.decide('ask', 'approved'), 'yes'],
      [(driver: Driver) => driver.decide('ask', 'rejected'), 'no'],
      [(driver: Driver) => driver.fire('ask'), 'late'],
    ] as const) {
      const driver = new Driver(made);
      act(driver);
      expect(transitions(driver)).toEqual([['ask', [target]]]);
    }
    const timer = new Driver(workflow([wait('w', { condition: 'timer', timeout_secs: 1 }), tool('a')], [['w', 'a']]));
    timer.fire('w');
    expect(transitions(timer)).toEqual([['w', ['a']]]);
  });

  it('of failures: the fallback, nothing without one, and not before the last attempt', () => {
    const made = workflow(
      [retried('a', 'at_once', { fallback_node: 'b' }), tool('b'), tool('c')],
      [
        ['a', 'c'],
        ['b', 'c'],
      ],
    );
    const driver = new Driver(made);
    for (const node of ['a', 'a', 'a', 'b']) driver.fail(node);
    expect(transitions(driver)).toEqual([
      ['a', null],
      ['a', null],
      ['a', ['b']],
      ['b', []],
    ]);
  });

  it('back to the head of a loop, and out of it', () => {
    const driver = new Driver(
      workflow(
        [tool('a'), tool('b')],
        [
          ['a', 'a', 'output.again'],
          ['a', 'b'],
        ],
      ),
    );
    driver.done('a', { again: true });
    driver.done('a', { again: false });
    expect(transitions(driver).map((row) => (row as Json[])[1])).toEqual([['a'], ['b']]);
  });

  it('as none where the step limit ends the execution', () => {
    const driver = new Driver(workflow([tool('a'), tool('b')], [['a', 'b']]), { env: { stepLimit: 1 } });
    driver.done('a');
    expect(driver.run.status).toBe('failed');
    expect(transitions(driver)).toEqual([['a', []]]);
  });

  it('by no node that ends the execution itself', () => {
    const driver = new Driver(workflow([tool('a'), limitExceeded('stop')], [['a', 'stop']]));
    driver.done('a');
    expect(transitions(driver)).toEqual([
      ['a', ['stop']],
      ['stop', null],
    ]);
  });
});

describe('a replay', () => {
  const made = workflow([condition('gate', ['state.n > 5', 'a'], [null, 'b']), tool('a'), tool('b')]);
  const changed = (log: readonly TimedEvent[], change: (data: JsonObject) => JsonObject): readonly TimedEvent[] =>
    log.map((event) => ({ ...event, data: change(event.data) }));

  it('takes logs without the transitions and inputs', () => {
    const driver = new Driver(made, { input: { n: 9 }, env: { isLocal: () => true } });
    driver.done('a');
    const earlier = changed(driver.log, ({ taken: _taken, evaluated: _evaluated, input: _input, ...data }) => data);
    expect(save(replay(driver.program, null, earlier, ENV))).toBe(save(driver.run));
  });

  it('does not compare them: what follows from them is compared', () => {
    const driver = new Driver(made, { input: { n: 9 }, env: { isLocal: () => true } });
    driver.done('a');
    const reworded = changed(driver.log, (data) => ({
      ...data,
      ...(data.taken === undefined ? {} : { taken: ['elsewhere'], evaluated: [] }),
      ...(data.input === undefined ? {} : { input: null }),
    }));
    expect(save(replay(driver.program, null, reworded, ENV))).toBe(save(driver.run));
    const elsewhere = driver.log.map((event) => (event.node_id === 'a' ? { ...event, node_id: 'b' } : event));
    expect(() => replay(driver.program, null, elsewhere, ENV)).toThrow(LogMismatch);
  });
});
