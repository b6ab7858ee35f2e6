import { describe, expect, it } from 'vitest';
import type { Workflow } from '../../../machines/ir/workflow.ts';
import { replay } from '../../../machines/replay/index.ts';
import { save } from '../../../machines/step/index.ts';
import { Driver } from '../../support/driver.ts';
import { condition, limitExceeded, retried, subgraph, tool, workflow } from '../../support/workflows.ts';

const replayed = ({ program, log }: Driver): string =>
  save(replay(program, null, log, { executionId: 'exec_1', stepLimit: 10_000, runtimeId: 'r' }));

describe('what a failed attempt has used', () => {
  const chain = (more = {}): Workflow =>
    workflow([retried('a', 'at_once'), tool('b')], [['a', 'b']], { token_budget: { total_tokens: 100 }, ...more });

  it('stands in its node_failed and counts', () => {
    const driver = new Driver(chain());
    driver.fail('a', { usage: { gen_ai_model: 'm', input_tokens: 60, output_tokens: 20 } });
    expect(driver.all('node_failed')[0]?.data).toEqual({
      error: 'boom',
      attempt: 0,
      retryable: true,
      gen_ai_model: 'm',
      input_tokens: 60,
      output_tokens: 20,
      activation: 1,
    });
    driver.done('a', {}, { usage: { input_tokens: 21 } });
    expect(driver.run).toMatchObject({ status: 'failed', error: 'token budget exceeded: 101 of 100 total_tokens' });
    expect(replayed(driver)).toBe(save(driver.run));
  });

  it('may exceed the budget: no further attempt is made', () => {
    const driver = new Driver(chain());
    driver.fail('a', { usage: { input_tokens: 101 } });
    expect(driver.events).toEqual([
      'node_failed:a',
      'retry_scheduled:a',
      'token_budget_exceeded:a',
      'node_cancelled:a',
      'workflow_failed',
    ]);
    expect(replayed(driver)).toBe(save(driver.run));
  });

  it('pauses the execution if its workflow says so, and the retry waits for the new totals', () => {
    const driver = new Driver(chain({ on_budget_exceeded: 'pause' }));
    driver.fail('a', { usage: { input_tokens: 101 } });
    expect([driver.run.status, driver.activeNodes]).toEqual(['paused', ['a']]);
    driver.send({ type: 'resume', budgets: { token_budget: { total_tokens: 200 }, cost_budget_usd: null } });
    driver.done('a');
    driver.done('b');
    expect(driver.run.status).toBe('completed');
    expect(replayed(driver)).toBe(save(driver.run));
  });

  it('counts also when the failure is handled', () => {
    const driver = new Driver(workflow([tool('a', { fallback_node: 'b' }), tool('b')], [], { cost_budget_usd: 1 }));
    driver.fail('a', { usage: { cost_usd: 2 } });
    expect(driver.run).toMatchObject({ status: 'failed', error: 'cost budget exceeded: 2 of 1 USD' });
  });
});

describe('what a child execution has used', () => {
  const parent = workflow([subgraph('sub'), tool('b')], [['sub', 'b']], { token_budget: { total_tokens: 10 } });
  const child = (driver: Driver, change: object) =>
    driver.send({ type: 'child', ...driver.visit('sub'), childId: 'exec_c', childWorkflowId: 'inner', change: change as never });

  it('counts for its parent when it completes', () => {
    const driver = new Driver(parent);
    child(driver, { status: 'started' });
    child(driver, { status: 'completed', result: {}, usage: { input_tokens: 8, output_tokens: 3, cost_usd: 0 } });
    expect(driver.run).toMatchObject({ status: 'failed', error: 'token budget exceeded: 11 of 10 total_tokens' });
    expect(driver.all('child_workflow_completed')[0]?.data).toMatchObject({ input_tokens: 8, output_tokens: 3 });
    expect(driver.all('node_completed')[0]?.data).not.toHaveProperty('input_tokens');
    expect(replayed(driver)).toBe(save(driver.run));
  });

  it('counts for its parent when it fails', () => {
    const driver = new Driver(parent);
    child(driver, { status: 'started' });
    child(driver, { status: 'failed', error: 'no', usage: { input_tokens: 8, output_tokens: 0, cost_usd: 0 } });
    expect(driver.all('child_workflow_failed')[0]?.data).toMatchObject({ input_tokens: 8 });
    driver.fire('sub');
    child(driver, { status: 'started' });
    child(driver, { status: 'completed', result: {}, usage: { input_tokens: 3, output_tokens: 0, cost_usd: 0 } });
    expect(driver.run.error).toBe('token budget exceeded: 11 of 10 total_tokens');
    expect(replayed(driver)).toBe(save(driver.run));
  });
});

describe('an execution whose conditions ask for __cost_exceeded__', () => {
  const guarded = (more = {}, text = 'state.__cost_exceeded__'): Workflow =>
    workflow(
      [tool('think'), condition('guard', [text, 'limit'], [null, 'observe']), tool('observe'), limitExceeded('limit')],
      [
        ['think', 'guard'],
        ['observe', 'think'],
      ],
      { cost_budget_usd: 1, ...more },
    );

  it.each(['state.__cost_exceeded__', '__cost_exceeded__', 'state.__cost_exceeded__ == true'])(
    'goes on to its guard, which sees it as %s',
    (text) => {
      const driver = new Driver(guarded({}, text));
      driver.done('think', { thought: 1 }, { usage: { cost_usd: 0.6 } });
      driver.done('observe');
      driver.done('think', { thought: 2 }, { usage: { cost_usd: 0.6 } });
      expect(driver.events).toEqual([
        'tool_call_completed:think',
        'node_completed:think',
        'cost_budget_exceeded:think',
        'node_completed:guard',
        'node_skipped:observe',
        'node_completed:limit',
        'strategy_limit_hit',
      ]);
      expect(driver.run.status).toBe('limit_exceeded');
      expect(driver.state).toEqual({ thought: 2 });
      expect(driver.log.at(-1)?.data).toEqual({ limit_type: 'cost_budget', limit_value: 1, actual_value: 1.2 });
      expect(replayed(driver)).toBe(save(driver.run));
    },
  );

  it('sees false as long as no budget is exceeded', () => {
    const driver = new Driver(guarded({}, 'state.__cost_exceeded__ == false'));
    driver.done('think', {}, { usage: { cost_usd: 0.6 } });
    expect(driver.run.status).toBe('limit_exceeded');
    expect(driver.log.at(-1)?.data).toMatchObject({ limit_type: 'limit_exceeded' });
  });

  it('logs once that a budget is exceeded, and may use more until its guard is asked', () => {
    const chain = workflow(
      [tool('a'), tool('b'), condition('guard', ['state.__cost_exceeded__', 'limit'], [null, 'end']), limitExceeded('limit')],
      [
        ['a', 'b'],
        ['b', 'guard'],
      ],
      { token_budget: { total_tokens: 5 } },
    );
    const driver = new Driver(chain);
    driver.done('a', {}, { usage: { input_tokens: 6 } });
    driver.done('b', {}, { usage: { input_tokens: 6 } });
    expect(driver.all('token_budget_exceeded')).toHaveLength(1);
    expect(driver.log.at(-1)?.data).toEqual({ limit_type: 'token_budget', limit_value: 5, actual_value: 12 });
  });

  it('fails or pauses all the same if on_budget_exceeded says so', () => {
    const failing = new Driver(guarded({ on_budget_exceeded: 'fail' }));
    failing.done('think', {}, { usage: { cost_usd: 2 } });
    expect(failing.run.status).toBe('failed');
    const pausing = new Driver(guarded({ on_budget_exceeded: 'pause' }));
    pausing.done('think', {}, { usage: { cost_usd: 2 } });
    expect(pausing.run.status).toBe('paused');
  });

  it('fails if it started under earlier rules', () => {
    const driver = new Driver(guarded(), { env: { rules: 2 } });
    driver.done('think', {}, { usage: { cost_usd: 2 } });
    expect(driver.run).toMatchObject({ status: 'failed', error: 'cost budget exceeded: 2 of 1 USD' });
    expect(replayed(driver)).toBe(save(driver.run));
  });
});
