import { describe, expect, it } from 'vitest';
import type { Workflow } from '../../../machines/ir/workflow.ts';
import type { JsonObject } from '../../../machines/json.ts';
import { approvalsOf, load, save } from '../../../machines/step/index.ts';
import { validate } from '../../../machines/validate/index.ts';
import { Driver } from '../../support/driver.ts';
import { replay } from '../../support/replay.ts';
import { condition, document, retried, tool, workflow } from '../../support/workflows.ts';

const replayed = ({ program, log }: Driver): string =>
  save(replay(program, null, log, { executionId: 'exec_1', stepLimit: 10_000, runtimeId: 'r' }));

const bounded = (constraints: JsonObject): JsonObject => ({ autonomy: { level: 'bounded_autonomous', constraints } });

/** A loop of one node, which goes on as long as its output says `more`. */
const looping = (more: JsonObject): Workflow =>
  workflow([{ ...retried('a', 'at_once'), ...more }, condition('again', ['state.more', 'a'], [null, 'end'])], [['a', 'again']]);

const holdEvents = ['autonomy_limit_reached:a', 'escalation_required:a', 'tool_approval_required:a'];

describe('a limit of autonomy', () => {
  it('holds the node until a person lets it go on, and counts anew', () => {
    const driver = new Driver(looping(bounded({ max_iterations: 2 })));
    driver.done('a', { more: true });
    driver.done('a', { more: true });
    expect(driver.events.slice(-3)).toEqual(holdEvents);
    expect(driver.all('autonomy_limit_reached')[0]?.data).toEqual({
      agent_ref: 'a',
      limit_type: 'max_iterations',
      limit_value: 2,
      actual_value: 2,
      activation: 3,
    });
    expect(driver.all('escalation_required')[0]?.data).toEqual({
      agent_ref: 'a',
      reason: 'max_iterations: 2 of 2',
      escalation_target: 'human_approval',
      activation: 3,
    });
    expect(driver.run.status).toBe('running');
    expect(approvalsOf(driver.program, driver.run)).toMatchObject([
      {
        node_id: 'a',
        kind: 'tool',
        tool_name: 't.a',
        context: { node_id: 'a', limit: { limit_type: 'max_iterations', limit_value: 2, actual_value: 2 } },
      },
    ]);
    driver.reload();
    driver.decide('a', 'approved');
    expect(driver.events).toEqual(['approval_received:a', 'node_scheduled:a']);
    driver.done('a', { more: true });
    driver.done('a', { more: true });
    expect(driver.events.slice(-3)).toEqual(holdEvents);
    expect(replayed(driver)).toBe(save(driver.run));
    expect(save(load(driver.program, save(driver.run), { seq: driver.run.seq, input: driver.run.input }))).toBe(save(driver.run));
  });

  it('does not hold an attempt that a runtime takes from the queue', () => {
    let hasTool = false;
    const driver = new Driver(looping(bounded({ time_budget_secs: 1 })), { env: { isLocal: () => hasTool } });
    hasTool = true;
    driver.send({ type: 'requeue', ...driver.visit('a'), queued: true });
    expect(driver.events).toEqual(['node_scheduled:a', 'node_started:a']);
    expect(replayed(driver)).toBe(save(driver.run));
    driver.done('a', { more: true });
    expect(driver.events.slice(-3)).toEqual(holdEvents);
  });

  it('fails the node if the person refuses', () => {
    const driver = new Driver(looping(bounded({ max_iterations: 1 })));
    driver.done('a', { more: true });
    driver.decide('a', 'rejected');
    expect(driver.run).toMatchObject({ status: 'failed', error: 'node(s) failed terminally: a' });
    expect(driver.all('node_failed')[0]?.data).toMatchObject({ error: 'approval rejected by ann' });
    expect(replayed(driver)).toBe(save(driver.run));
  });

  it.each<[JsonObject, JsonObject, string]>([
    [{ token_budget: 10 }, { usage: { input_tokens: 6, output_tokens: 4 } }, 'token_budget'],
    [{ cost_budget_usd: 0.5 }, { usage: { cost_usd: 0.5 } }, 'cost_budget'],
    [{ max_tool_calls: 1 }, {}, 'max_tool_calls'],
    // Each message of the driver is a second later.
    [{ time_budget_secs: 1 }, {}, 'time_budget'],
  ])('may be %j', (constraints, more, limit_type) => {
    const driver = new Driver(looping(bounded(constraints)));
    driver.done('a', { more: true }, more);
    expect(driver.all('autonomy_limit_reached')[0]?.data).toMatchObject({ limit_type });
    expect(replayed(driver)).toBe(save(driver.run));
  });

  it('counts what failed attempts have used, and holds a retry', () => {
    const driver = new Driver(looping(bounded({ token_budget: 10 })));
    driver.fail('a', { usage: { input_tokens: 10 } });
    expect(driver.events.slice(-3)).toEqual(holdEvents);
    driver.decide('a', 'approved');
    driver.done('a', {});
    expect(driver.run.status).toBe('completed');
    expect(replayed(driver)).toBe(save(driver.run));
  });

  it('holds a retry after its delay', () => {
    const driver = new Driver(workflow([{ ...retried('a', 'twice'), ...bounded({ token_budget: 10 }) }]));
    driver.fail('a', { usage: { input_tokens: 10 } });
    driver.fire('a');
    expect(driver.events).toEqual(holdEvents);
    expect(replayed(driver)).toBe(save(driver.run));
  });

  it('also holds a node that a policy has held before', () => {
    const policy = { require_approval_for: ['*'] };
    const made = workflow([{ ...retried('a', 'at_once'), ...bounded({ token_budget: 10 }), policy }]);
    const driver = new Driver(made);
    driver.decide('a', 'approved');
    driver.fail('a', { usage: { input_tokens: 10 } });
    expect(driver.events.slice(-3)).toEqual(holdEvents);
    driver.decide('a', 'approved');
    driver.done('a');
    expect(driver.run.status).toBe('completed');
    expect(replayed(driver)).toBe(save(driver.run));
  });
});

describe('circuit_breaker_threshold', () => {
  it('holds a node that has failed so often in a row', () => {
    const driver = new Driver(looping({ circuit_breaker_threshold: 2 }));
    driver.fail('a');
    driver.done('a', { more: true });
    driver.fail('a');
    driver.fail('a');
    expect(driver.events.slice(-3)).toEqual(['circuit_breaker_tripped:a', 'escalation_required:a', 'tool_approval_required:a']);
    expect(driver.all('circuit_breaker_tripped')[0]?.data).toEqual({
      agent_ref: 'a',
      consecutive_errors: 2,
      threshold: 2,
      activation: 2,
    });
    driver.decide('a', 'approved');
    driver.done('a', { more: false });
    expect(driver.run.status).toBe('completed');
    expect(replayed(driver)).toBe(save(driver.run));
  });

  it('fails the node for good if the person refuses', () => {
    const driver = new Driver(looping({ circuit_breaker_threshold: 1 }));
    driver.fail('a');
    driver.decide('a', 'rejected');
    expect(driver.run.status).toBe('failed');
    expect(replayed(driver)).toBe(save(driver.run));
  });
});

describe('an agent with tools', () => {
  const agent = (more: JsonObject): Workflow =>
    workflow([
      {
        id: 'helper',
        kind: {
          type: 'agent',
          model_ref: 'm',
          prompt: 'go',
          tools: [
            { name: 'look', tool_ref: 'look' },
            { name: 'pay', tool_ref: 'pay' },
          ],
        },
        ...more,
      },
    ]);
  const asks = (name: string, calls = 1): JsonObject => ({
    helper_conversation: { messages: [], calls: [{ id: '1', name, arguments: {} }], waiting: [], turns: 1, tool_calls: calls },
  });

  it('counts their calls as its own, and may answer when it may not call', () => {
    const driver = new Driver(agent(bounded({ max_tool_calls: 1 })));
    driver.done('helper', 'asks', { patch: asks('look') });
    expect(driver.activeNodes).toEqual(['helper.look']);
    driver.done('helper.look', {});
    expect(driver.activeNodes).toEqual(['helper']);
    const limit = { limit_type: 'max_tool_calls', limit_value: 1, actual_value: 1 };
    driver.done('helper', 'asks', { patch: asks('pay') });
    expect(driver.all('autonomy_limit_reached')).toMatchObject([
      { node_id: 'helper.pay', data: { ...limit, agent_ref: 'helper' } },
    ]);
    driver.decide('helper.pay', 'approved');
    expect(driver.activeNodes).toEqual(['helper.pay']);
    driver.done('helper.pay', {});
    driver.done('helper', 'answer', { patch: { helper_conversation: { calls: [] } } });
    expect(driver.run.status).toBe('completed');
    expect(replayed(driver)).toBe(save(driver.run));
  });

  it('fails when a person refuses a call beyond its limit, and counts anew when it is retried', () => {
    const driver = new Driver(agent(bounded({ token_budget: 10 })));
    driver.done('helper', 'asks', { patch: asks('pay'), usage: { input_tokens: 10 } });
    expect(driver.events.slice(-1)).toEqual(['tool_approval_required:helper.pay']);
    driver.reload();
    driver.decide('helper.pay', 'rejected');
    expect(driver.all('node_failed')).toMatchObject([
      { node_id: 'helper.pay', data: { error: 'approval rejected by ann' } },
      { node_id: 'helper', data: { error: 'approval rejected by ann' } },
    ]);
    expect(driver.run.status).toBe('failed');
    expect(replayed(driver)).toBe(save(driver.run));
    driver.retry();
    expect(driver.run.status).toBe('running');
    expect(driver.activeNodes).toEqual(['helper']);
    driver.done('helper', 'answer', { patch: { helper_conversation: { calls: [] } } });
    expect(driver.run.status).toBe('completed');
    expect(replayed(driver)).toBe(save(driver.run));
  });

  it('is held at its calls if it is guided, and never for its turns', () => {
    const driver = new Driver(agent({ autonomy: 'guided' }));
    expect(driver.events).toContain('node_scheduled:helper');
    driver.done('helper', 'asks', { patch: asks('pay') });
    expect(driver.all('tool_approval_required')).toMatchObject([{ node_id: 'helper.pay', data: { tool_name: 'pay' } }]);
  });

  it('shows each call beyond its limit; one that is refused ends it when all have ended', () => {
    const tools = [{ name: 'pay', tool: 'bank.pay' }];
    const kind = { type: 'agent', model_ref: 'm', prompt: 'go', tools, parallel_tool_calls: 2 };
    const driver = new Driver(workflow([{ id: 'helper', kind, ...bounded({ max_tool_calls: 1 }) }]));
    const calls = [1, 2, 3].map((sum) => ({ id: `c${sum}`, name: 'pay', arguments: { sum } }));
    const turn = (from: number, to: number) => ({
      helper_conversation: { messages: [], calls: calls.slice(from, to), waiting: [], turns: 1, tool_calls: 3 },
    });
    driver.done('helper', 'asks', { patch: turn(0, 1) });
    driver.done('helper.pay1', {});
    driver.done('helper', 'asks', { patch: turn(1, 3) });
    const shown = approvalsOf(driver.program, driver.run);
    expect(shown).toMatchObject([
      {
        node_id: 'helper.pay1',
        tool_name: 'bank.pay',
        context: { limit: { limit_type: 'max_tool_calls' }, calls: [{ name: 'pay', arguments: { sum: 2 } }] },
      },
      { node_id: 'helper.pay2', context: { calls: [{ name: 'pay', arguments: { sum: 3 } }] } },
    ]);
    driver.decide('helper.pay1', 'rejected');
    expect(driver.run.status).toBe('running');
    driver.decide('helper.pay2', 'approved');
    driver.done('helper.pay2', {});
    expect(driver.run).toMatchObject({ status: 'failed', error: 'node(s) failed terminally: helper' });
    expect(replayed(driver)).toBe(save(driver.run));
  });

  it('calls only tools that it may call', () => {
    const allowed = new Driver(agent(bounded({ allowed_tools: ['look*'] })));
    allowed.done('helper', 'asks', { patch: asks('pay') });
    expect(allowed.all('policy_violation')).toMatchObject([{ node_id: 'helper.pay', data: { rule: 'pay' } }]);
    const blocked = new Driver(agent(bounded({ blocked_tools: ['pay'] })));
    blocked.done('helper', 'asks', { patch: asks('look') });
    expect(blocked.activeNodes).toEqual(['helper.look']);
    const asked = new Driver(agent(bounded({ require_approval_for: ['look'] })));
    asked.done('helper', 'asks', { patch: asks('look') });
    expect(asked.all('tool_approval_required')).toHaveLength(1);
  });
});

describe('the autonomy of a node', () => {
  const diagnosticsOf = (more: JsonObject, made = tool('a')) => validate(document([{ ...made, ...more }])).diagnostics;

  it('is a level, or a level with constraints', () => {
    expect(diagnosticsOf({ autonomy: 'bounded_autonomous' })).toEqual([]);
    expect(
      diagnosticsOf({ autonomy: { constraints: { max_iterations: 3, allowed_tools: ['*'] } }, circuit_breaker_threshold: 3 }),
    ).toEqual([]);
    expect(diagnosticsOf({ autonomy: 'bounded' })).toMatchObject([{ code: 'bad_autonomy', path: 'nodes.a.autonomy' }]);
    expect(diagnosticsOf({ autonomy: { level: 'free' } })).toMatchObject([
      { code: 'bad_autonomy', path: 'nodes.a.autonomy.level' },
    ]);
  });

  it('has warnings for what does nothing, and errors for limits that are none', () => {
    expect(diagnosticsOf({ autonomy: { constraints: { max_iteration: 3 } } })).toMatchObject([
      { severity: 'warning', path: 'nodes.a.autonomy.constraints.max_iteration', hint: 'did you mean "max_iterations"?' },
    ]);
    for (const constraints of [{ max_iterations: 0 }, { cost_budget_usd: 0 }, { token_budget: 'many' }])
      expect(diagnosticsOf({ autonomy: { constraints } })).toMatchObject([{ severity: 'error' }]);
    expect(diagnosticsOf({ circuit_breaker_threshold: 1 }, condition('a', [null, 'end']))).toMatchObject([
      { code: 'ignored_key' },
    ]);
  });
});
