import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../../machines/json.ts';
import { workOf } from '../../../machines/step/index.ts';
import { Driver } from '../../support/driver.ts';
import { condition, evaluation, first, type NodeSpec, parallel, tool, workflow } from '../../support/workflows.ts';

const writer = (more = {}): NodeSpec => tool('write', { output_key: 'review', ...more });
const reader = tool('read', { input_mapping: { text: '{{ output.review }}', whole: '{{ output }}' } });
const inputOf = (driver: Driver, node = 'read') =>
  workOf(driver.program, driver.run, { node }, { executionId: 'exec_1', vars: {} }).input;

describe('output.<key> after a node with that output_key', () => {
  it.each<[string, Json, Json]>([
    ['is its text', 'fine', 'fine'],
    ['is its list', [1, 2], [1, 2]],
    ['is its object', { score: 4 }, { score: 4 }],
    ['is the field of that name, if it has one', { review: 'inside', score: 4 }, 'inside'],
    ['is the field of that name, also if that is null', { review: null }, null],
  ])('%s', (_title, output, expected) => {
    const driver = new Driver(workflow([writer(), reader], [['write', 'read']]));
    driver.done('write', output);
    expect(inputOf(driver)).toMatchObject({ text: expected });
    driver.reload();
    expect(inputOf(driver)).toMatchObject({ text: expected });
  });

  it('is read by the conditions of its edges, and of a condition node behind it', () => {
    const edges = [
      ['write', 'read', 'len(output.review) > 3'],
      ['write', 'other'],
    ] as const;
    const made = new Driver(workflow([writer(), reader, tool('other')], edges));
    made.done('write', 'long text');
    expect(made.activeNodes).toEqual(['read']);
    const branches = condition('choose', ["output.review == 'good'", 'read'], [null, 'other']);
    const chosen = new Driver(workflow([writer(), branches, reader, tool('other')], [['write', 'choose']]));
    chosen.done('write', 'good');
    expect(chosen.activeNodes).toEqual(['read']);
    expect(inputOf(chosen)).toEqual({ text: 'good', whole: 'good' });
  });

  it('passes through a join that takes the first', () => {
    const nodes = [parallel('both', ['write', 'late']), writer(), tool('late'), first('one'), reader];
    const driver = new Driver(
      workflow(nodes, [
        ['write', 'one'],
        ['late', 'one'],
        ['one', 'read'],
      ]),
    );
    driver.done('write', 'first text');
    expect(inputOf(driver)).toMatchObject({ text: 'first text' });
  });

  it.each<[string, (driver: Driver) => void]>([
    ['its failure', (driver) => driver.fail('write')],
    ['an output that it has not written there', (driver) => driver.done('write', 'text', { patch: { other: 1 } })],
  ])('is not %s', (_title, ends) => {
    const driver = new Driver(workflow([writer({ fallback_node: 'read' }), reader], [['write', 'read', 'state.other == 1']]));
    ends(driver);
    expect(inputOf(driver)).toMatchObject({ text: null });
    driver.reload();
    expect(inputOf(driver)).toMatchObject({ text: null });
  });

  it('is what it has written there by a patch of its own', () => {
    const driver = new Driver(workflow([writer(), reader], [['write', 'read']]));
    driver.done('write', 'text', { patch: { review: 'text', last_model_output: 'text' } });
    expect(inputOf(driver)).toMatchObject({ text: 'text' });
  });

  it('is told to a node that scores it', () => {
    const keyOf = (more = {}) => {
      const driver = new Driver(workflow([writer(), evaluation('e', more)], [['write', 'e']]));
      driver.done('write', 'text');
      return workOf(driver.program, driver.run, { node: 'e' }, { executionId: 'exec_1', vars: {} }).payload.preceding_output_key;
    };
    expect(keyOf()).toBe('review');
  });
});

describe('output_to_state', () => {
  const stateWith = (output_to_state: JsonObject, output: Json): Json => {
    const driver = new Driver(workflow([tool('a', { output_to_state })]));
    driver.done('a', output);
    return driver.state;
  };

  it('gives each key the field of the output that it names', () => {
    expect(stateWith({ sum: 'total', by: 'who' }, { sum: 3, by: 'ann', more: 1 })).toEqual({ total: 3, who: 'ann' });
  });

  it('gives the only key an output without the field as a whole', () => {
    expect(stateWith({ sum: 'total' }, 'three')).toEqual({ total: 'three' });
    expect(stateWith({ sum: 'total' }, { n: 3 })).toEqual({ total: { n: 3 } });
    expect(stateWith({ sum: 'total', result: 'all' }, 'three')).toEqual({ all: 'three' });
  });
});
