import { describe, expect, it } from 'vitest';
import { Driver } from '../../../support/driver.ts';
import { approval, condition, evaluation, tool, workflow } from '../../../support/workflows.ts';

const context = (driver: Driver) => driver.run.snapshot.context as Record<string, unknown>;

describe('what a snapshot holds', () => {
  it('is no input that its node has read, in a loop either', () => {
    const made = workflow(
      [tool('head', { input_mapping: { n: '{{ output.n }}' } }), approval('gate'), condition('more', ['state.n < 3', 'head'])],
      [
        ['head', 'gate'],
        ['gate', 'more'],
      ],
    );
    const driver = new Driver(made, { input: { n: 0 } });
    driver.done('head', { n: 1 });
    driver.decide('gate', 'approved');
    expect(context(driver).pendingInputs).toHaveProperty('head');
    driver.done('head', { n: 2 });
    expect(context(driver).pendingInputs).not.toHaveProperty('head');
  });

  it('is no count of work sent back of a node that has let the work pass', () => {
    const made = workflow(
      [tool('a'), evaluation('e', { on_fail: 'retry_with_feedback', max_retries: 2 }), tool('b')],
      [
        ['a', 'e'],
        ['e', 'b'],
      ],
    );
    const driver = new Driver(made);
    driver.done('a');
    driver.done('e', { passed: false, scorers: [], feedback: 'no' });
    expect(context(driver).evalRetries).toEqual({ e: 1 });
    driver.done('a');
    driver.done('e', { passed: true, scorers: [] });
    expect(context(driver).evalRetries ?? {}).toEqual({});
  });
});
