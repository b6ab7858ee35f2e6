import { describe, expect, it } from 'vitest';
import { createMachine } from 'xstate';
import { runToEnd } from '../../../machines/cooperative.ts';
import { Walker } from '../../../machines/step/walker.ts';
import { Driver } from '../../support/driver.ts';
import { tool, workflow } from '../../support/workflows.ts';

const walkerOf = (config: object) => runToEnd(Walker.of(createMachine({ id: 'm', ...config } as never)));

describe('the walker', () => {
  it.each([
    ['history', { initial: 'a', states: { a: {}, h: { type: 'history' } } }],
    ['an invoked actor', { initial: 'a', states: { a: { invoke: { src: 'x' } } } }],
    ['a final state inside another', { initial: 'a', states: { a: { initial: 'b', states: { b: { type: 'final' } } } } }],
    ['an output', { initial: 'a', states: { a: { type: 'final', output: {} } } }],
    ['a wildcard', { initial: 'a', states: { a: { on: { '*': { target: 'b' } } }, b: {} } }],
    ['an action that does not exist', { initial: 'a', states: { a: { entry: { type: 'x' } } } }],
    ['an eventless transition without a target', { initial: 'a', states: { a: { always: { actions: [] } } } }],
    ['a parallel root', { type: 'parallel', states: { a: {}, b: {} } }],
  ])('refuses a machine with %s', (_, config) => {
    expect(() => walkerOf(config)).toThrow(TypeError);
  });

  it('refuses states that a machine cannot be in', () => {
    const walker = walkerOf({
      initial: 'a',
      states: { a: { id: 'a' }, p: { type: 'parallel', states: { l: { id: 'l' }, r: { id: 'r' } } } },
    });
    expect(walker.at(['r', 'l']).value).toEqual({ p: { l: {}, r: {} } });
    expect(() => walker.at(['l'])).toThrow('not the states of a machine');
    expect(() => walker.at(['a', 'l', 'r'])).toThrow('not the states of a machine');
    expect(() => walker.at(['x'])).toThrow('no states x');
    expect(() => walker.at(['l', 'x', 'r'])).toThrow('no states l, x, r');
  });

  it('takes the first of two transitions that would leave the same states', () => {
    const region = (target: string) => ({ id: `in ${target}`, on: { cancel: { target: `#${target}` } } });
    const walker = walkerOf({
      initial: 'p',
      states: {
        p: { type: 'parallel', states: { l: region('one'), r: region('two') } },
        one: { id: 'one' },
        two: { id: 'two' },
      },
    });
    const context = { step: { takeLaneRewound: () => false, takeChangedSubgraphs: () => [] } } as never;
    const moved = walker.move(walker.at(['in one', 'in two']), { type: 'cancel' } as never, context, null);
    expect(moved?.value).toBe('one');
  });

  it('takes a transition that another one has preempted right after that', () => {
    // Skipping `b` and ending the execution at `limit` are enabled at once; both would leave the lane of `b`.
    const nodes = [
      tool('a'),
      tool('b', { fallback_node: 'limit' }),
      { id: 'c', kind: { type: 'join', wait_for: ['b'], merge_strategy: { custom: { function_ref: 'm:f' } } } },
      { id: 'limit', kind: { type: 'limit_exceeded' } },
    ];
    const driver = new Driver(
      workflow(nodes, [
        ['a', 'limit'],
        ['a', 'b', 'state.x == 1'],
        ['b', 'end'],
        ['c', 'end'],
        ['limit', 'end'],
      ]),
    );
    driver.done('a', { ok: false });
    expect(driver.run.status).toBe('limit_exceeded');
  });
});
