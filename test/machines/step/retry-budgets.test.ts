import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../machines/json.ts';
import { resettableFailures, save, usageOf } from '../../../machines/step/index.ts';
import { Driver } from '../../support/driver.ts';
import { replay } from '../../support/replay.ts';
import { condition, evaluation, type NodeSpec, parallel, subgraph, tool, workflow } from '../../support/workflows.ts';

const over = { usage: { cost_usd: 2 } };
const finally_ = { retryable: false };
const budget = { token_budget: null, cost_budget_usd: 9 };

const routed = (nodes: readonly NodeSpec[], more: JsonObject = {}) =>
  new Driver(workflow(nodes, [], { cost_budget_usd: 1, on_budget_exceeded: 'over', ...more }));

function expectReplays({ program, log, run }: Driver): void {
  expect(save(replay(program, null, log, { executionId: 'exec_1', stepLimit: 10_000, runtimeId: 'r' }))).toBe(save(run));
}

describe('a retry behind the node for budgets', () => {
  it('runs that node again, if it failed, and not the one that exceeded the budget', () => {
    const driver = routed([tool('a'), tool('over')]);
    driver.fail('a', { ...finally_, ...over });
    driver.fail('over', finally_);
    expect(driver.run.error).toBe('node(s) failed terminally: a, over');
    driver.retry();
    expect(driver.events).toEqual(['workflow_retried', 'node_scheduled:over']);
    expectReplays(driver);
    driver.done('over', {}, over);
    expect(driver.run).toMatchObject({ status: 'failed', error: 'node(s) failed terminally: a' });
    expect(usageOf(driver.run)).toMatchObject({ cost_usd: 4 });
    expectReplays(driver);
  });

  it('runs that node again, if it failed after a node that completed had exceeded the budget', () => {
    const driver = routed([tool('a'), tool('over')]);
    driver.done('a', {}, over);
    expect(driver.events).toContain('cost_budget_exceeded:a');
    driver.fail('over', finally_);
    expect(driver.run.error).toBe('node(s) failed terminally: over');
    driver.retry();
    expect(driver.events).toEqual(['workflow_retried', 'node_scheduled:over']);
    expect(usageOf(driver.run)).toMatchObject({ cost_usd: 2 });
    driver.done('over', {}, over);
    expect(driver.run.status).toBe('completed');
    expectReplays(driver);
  });

  it('leaves cancelled what the budget has cancelled', () => {
    const driver = routed([parallel('s', ['a', 'b']), tool('a'), tool('b'), tool('over')]);
    driver.fail('a', { ...finally_, ...over });
    expect(driver.events).toContain('node_cancelled:b');
    driver.fail('over', finally_);
    driver.retry();
    expect(driver.activeNodes).toEqual(['over']);
    expectReplays(driver);
  });

  it('leaves failed what had failed before', () => {
    const driver = routed([parallel('s', ['a', 'b']), tool('a'), tool('b'), tool('over')]);
    driver.fail('a', finally_);
    driver.done('b', {}, over);
    driver.fail('over', finally_);
    driver.retry();
    expect(driver.events).toEqual(['workflow_retried', 'node_scheduled:over']);
    driver.done('over');
    expect(driver.run).toMatchObject({ status: 'failed', error: 'node(s) failed terminally: a' });
    expectReplays(driver);
  });

  it('is refused if nothing behind it failed', () => {
    const driver = routed([tool('a'), tool('over')]);
    driver.fail('a', { ...finally_, ...over });
    driver.done('over');
    expect(driver.run).toMatchObject({ status: 'failed', error: 'node(s) failed terminally: a' });
    expect(resettableFailures(driver.run)).toEqual([]);
    expect(driver.try({ type: 'retry' })).toEqual({ refused: 'terminal', nodes: [] });
  });

  it('runs what failed before the budget was exceeded, as long as it is not', () => {
    const driver = routed([tool('a'), tool('over')]);
    driver.fail('a', finally_);
    driver.retry();
    driver.done('a', {}, over);
    expect(driver.activeNodes).toEqual(['over']);
    driver.done('over');
    expect(driver.run.status).toBe('completed');
    expectReplays(driver);
  });
});

describe('a retry of an execution that is over its budget', () => {
  it('continues at the node for budgets, if an operator had paused it until it failed', () => {
    const driver = routed([parallel('s', ['a', 'b']), tool('a'), tool('b'), tool('over')]);
    driver.send({ type: 'claimed', ...driver.visit('a'), workerId: 'w' });
    driver.done('b');
    driver.pause();
    driver.fail('a', { ...finally_, ...over });
    expect(driver.events).toEqual(['node_failed:a', 'cost_budget_exceeded:a', 'workflow_failed']);
    driver.retry();
    expect(driver.events).toEqual(['workflow_retried', 'node_skipped:a', 'node_scheduled:over']);
    driver.done('over');
    expect(driver.run.status).toBe('completed');
    expectReplays(driver);
  });

  it('is paused with on_budget_exceeded: pause, until it is resumed with more', () => {
    const driver = routed([tool('a')], { on_budget_exceeded: 'pause' });
    driver.fail('a', { ...finally_, ...over });
    expect(driver.run.status).toBe('failed');
    driver.retry();
    expect(driver.events).toEqual(['workflow_retried', 'workflow_paused']);
    expect(driver.try({ type: 'resume' })).toMatchObject({ refused: 'over_budget' });
    driver.send({ type: 'resume', budgets: budget });
    driver.done('a', {}, over);
    expect(driver.run.status).toBe('completed');
    expectReplays(driver);
  });

  it('has the pause behind it that the failure caused while other nodes ran', () => {
    const driver = routed([parallel('s', ['a', 'b']), tool('a'), tool('b')], { on_budget_exceeded: 'pause' });
    driver.fail('a', { ...finally_, ...over });
    expect(driver.events).toEqual(['node_failed:a', 'cost_budget_exceeded:a', 'workflow_paused']);
    driver.send({ type: 'resume', budgets: budget });
    driver.done('b');
    expect(driver.run.status).toBe('failed');
    driver.retry();
    expect(driver.events).toEqual(['workflow_retried', 'node_scheduled:a']);
    expect(usageOf(driver.run)).toMatchObject({ cost_usd: 2 });
    driver.done('a');
    expect(driver.run.status).toBe('completed');
    expectReplays(driver);
  });

  it('goes on to the condition that asks for __cost_exceeded__', () => {
    const guarded = workflow(
      [tool('a'), condition('c', ['state.__cost_exceeded__', 'b'], [null, 'end']), tool('b')],
      [['a', 'c']],
      { cost_budget_usd: 1 },
    );
    const driver = new Driver(guarded);
    driver.fail('a', { ...finally_, ...over });
    expect(driver.events).toEqual(['node_failed:a', 'cost_budget_exceeded:a', 'workflow_failed']);
    driver.retry();
    driver.done('a');
    expect(driver.activeNodes).toEqual(['b']);
    expectReplays(driver);
  });

  it('begins its next segment, if it may continue as new', () => {
    const driver = routed([tool('a')], { on_budget_exceeded: null, continue_as_new: true });
    driver.send({ type: 'claimed', ...driver.visit('a'), workerId: 'w' });
    driver.pause();
    driver.fail('a', { ...finally_, ...over });
    expect(driver.run.status).toBe('failed');
    driver.retry();
    expect(driver.events).toEqual(['workflow_retried', 'segment_boundary']);
    expectReplays(driver);
  });

  it('is refused if its budget ends it', () => {
    const driver = routed([tool('a')], { on_budget_exceeded: null });
    driver.fail('a', { ...finally_, ...over });
    expect(resettableFailures(driver.run)).toEqual([]);
    expect(driver.try({ type: 'retry' })).toEqual({ refused: 'terminal', nodes: [] });
  });

  it('counts what a failed child and failed scores used', () => {
    const made = workflow([subgraph('a'), evaluation('e', { on_fail: 'halt' })], [['a', 'e']], {
      cost_budget_usd: 3,
      on_budget_exceeded: 'pause',
    });
    const driver = new Driver(made);
    const child = (childId: string, change: object) =>
      driver.send({ type: 'child', ...driver.visit('a'), childId, childWorkflowId: 'inner', change: change as never });
    const usage = { input_tokens: 0, output_tokens: 0, cost_usd: 1 };
    for (const attempt of ['first', 'second']) {
      child(attempt, { status: 'started' });
      child(attempt, { status: 'failed', error: 'no', usage });
      if (attempt === 'first') driver.fire('a');
    }
    driver.retry();
    expect(usageOf(driver.run)).toMatchObject({ cost_usd: 2 });
    child('third', { status: 'started' });
    child('third', { status: 'completed', result: {} });
    driver.done('e', { passed: false, scorers: [] }, over);
    expect(driver.run.status).toBe('failed');
    driver.retry();
    expect(usageOf(driver.run)).toMatchObject({ cost_usd: 4 });
    expect(driver.run.status).toBe('paused');
    expectReplays(driver);
  });
});

describe('the limits of an agent', () => {
  it('count the visit that a retry resets', () => {
    const limited = (constraints: JsonObject, more: JsonObject = {}) =>
      new Driver(workflow([{ ...tool('a'), autonomy: { constraints }, ...more }]));
    const costly = limited({ cost_budget_usd: 1 });
    costly.fail('a', { ...finally_, ...over });
    costly.retry();
    expect(costly.active).toMatchObject([{ node: 'a', activation: 2, phase: 'awaiting_approval' }]);
    expectReplays(costly);
    const broken = limited({}, { circuit_breaker_threshold: 1 });
    broken.fail('a', finally_);
    broken.retry();
    expect(broken.events).toContain('circuit_breaker_tripped:a');
    broken.decide('a', 'approved');
    broken.done('a');
    expect(broken.run.status).toBe('completed');
    expectReplays(broken);
  });
});
