import { describe, expect, it } from 'vitest';
import { compile } from '../../../machines/compile/index.ts';
import { InvalidWorkflow } from '../../../machines/diagnostics.ts';
import type { Workflow } from '../../../machines/ir/workflow.ts';
import type { JsonObject } from '../../../machines/json.ts';
import { budgetLeft, continuedAs, load, save, spendsBudget, workOf } from '../../../machines/step/index.ts';
import { validate } from '../../../machines/validate/index.ts';
import { Driver } from '../../support/driver.ts';
import { replay } from '../../support/replay.ts';
import {
  approval,
  condition,
  document,
  join,
  limitExceeded,
  parallel,
  retried,
  subgraph,
  tool,
  wait,
  workflow,
} from '../../support/workflows.ts';

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
});

describe('a budget with on_budget_exceeded: a node', () => {
  const over = { usage: { cost_usd: 2 } };
  const routed = (nodes: Parameters<typeof workflow>[0], edges: Parameters<typeof workflow>[1], more = {}): Workflow =>
    workflow(nodes, edges, { cost_budget_usd: 1, on_budget_exceeded: 'sum', ...more });
  const chain = (more = {}): Workflow =>
    routed(
      [tool('a'), tool('b'), tool('sum'), tool('c')],
      [
        ['a', 'b'],
        ['b', 'end'],
        ['sum', 'c'],
      ],
      more,
    );

  it('continues there, after the work that is paid for, and may use more', () => {
    const driver = new Driver(chain());
    driver.done('a', { n: 1 }, over);
    expect(driver.events).toEqual([
      'tool_call_completed:a',
      'node_completed:a',
      'cost_budget_exceeded:a',
      'node_skipped:b',
      'node_scheduled:sum',
    ]);
    expect(driver.all('node_completed')[0]?.data).toMatchObject({ taken: ['sum'] });
    expect(driver.all('node_skipped')[0]?.data).toEqual({ reason: 'budget exceeded', activation: 1 });
    expect(driver.state).toEqual({ n: 1 });
    driver.reload();
    driver.done('sum', { s: 1 }, over);
    driver.done('c', {}, over);
    expect(driver.run).toMatchObject({ status: 'completed', error: null });
    expect(driver.all('cost_budget_exceeded')).toHaveLength(1);
    expect(replayed(driver)).toBe(save(driver.run));
  });

  it('never runs as long as no budget is exceeded, and is not skipped either', () => {
    const driver = new Driver(chain());
    driver.done('a');
    driver.done('b');
    expect(driver.run.status).toBe('completed');
    expect(driver.all('node_skipped')).toEqual([]);
  });

  it('may lead to a node that was skipped, whose visit has a number of its own', () => {
    const driver = new Driver(
      routed(
        [tool('a'), condition('choice', ['state.n == 1', 'b'], [null, 'other']), tool('b'), tool('other'), tool('sum')],
        [
          ['a', 'choice'],
          ['b', 'end'],
          ['other', 'end'],
          ['sum', 'other'],
        ],
      ),
    );
    driver.done('a', { n: 1 });
    expect(driver.all('node_skipped')).toMatchObject([{ node_id: 'other', data: { activation: 1 } }]);
    driver.done('b', {}, over);
    driver.done('sum');
    driver.reload();
    expect(driver.visit('other')).toEqual({ node: 'other', activation: 2, attempt: 0 });
    driver.done('other');
    expect(driver.run.status).toBe('completed');
    expect(replayed(driver)).toBe(save(driver.run));
  });

  it('is reached by a last node, too', () => {
    const driver = new Driver(chain());
    driver.done('a');
    driver.done('b', {}, over);
    expect(driver.activeNodes).toEqual(['sum']);
    expect(driver.all('node_completed')[1]?.data).toMatchObject({ taken: ['sum'] });
    expect(replayed(driver)).toBe(save(driver.run));
  });

  it('knows why it is reached', () => {
    const made = chain({});
    const reads = workflow(
      [tool('a'), tool('sum', { input_mapping: { why: 'output.error', who: 'output.node_id' } })],
      [['a', 'end']],
      { cost_budget_usd: 1, on_budget_exceeded: 'sum' },
    );
    expect(made.on_budget_exceeded).toBe('sum');
    const driver = new Driver(reads);
    driver.done('a', { n: 1 }, over);
    expect(workOf(driver.program, driver.run, { node: 'sum' }, { executionId: 'exec_1', vars: {} }).input).toEqual({
      why: 'cost budget exceeded: 2 of 1 USD',
      who: 'a',
    });
  });

  it('is also the usual way on: an execution that is there already goes on', () => {
    const made = routed(
      [tool('a'), condition('more', ['state.more', 'a'], [null, 'sum']), tool('sum'), tool('c')],
      [
        ['a', 'more'],
        ['sum', 'c'],
      ],
    );
    const looping = new Driver(made);
    looping.done('a', { more: true });
    looping.done('a', { more: true }, over);
    expect(looping.events.slice(2)).toEqual(['cost_budget_exceeded:a', 'node_skipped:more', 'node_scheduled:sum']);
    looping.done('sum');
    looping.done('c');
    expect(looping.run.status).toBe('completed');
    expect(replayed(looping)).toBe(save(looping.run));
    const late = new Driver(made);
    late.done('a', {});
    late.done('sum', {}, over);
    expect(late.activeNodes).toEqual(['c']);
    late.done('c');
    expect(late.run.status).toBe('completed');
    expect(replayed(late)).toBe(save(late.run));
  });

  it('cancels everything else that is in progress, in forks, with its timers and children', () => {
    const made = routed(
      [
        parallel('s', ['a', 'b', 'w', 'x']),
        tool('a'),
        subgraph('b'),
        wait('w', { timeout_secs: 9, fallback_node: 'y' }),
        retried('x', 'twice'),
        tool('y'),
        join('j', { wait_for: ['a', 'b', 'w', 'x'] }),
        tool('sum'),
      ],
      [
        ['a', 'j'],
        ['b', 'j'],
        ['w', 'j'],
        ['x', 'j'],
        ['y', 'j'],
      ],
    );
    const driver = new Driver(made);
    driver.send({
      type: 'child',
      ...driver.visit('b'),
      childId: 'exec_c',
      childWorkflowId: 'inner',
      change: { status: 'started' },
    });
    driver.fail('x');
    driver.done('a', { n: 1 }, over);
    expect(driver.events).toEqual([
      'tool_call_completed:a',
      'node_completed:a',
      'cost_budget_exceeded:a',
      'node_cancelled:b',
      'node_cancelled:w',
      'node_cancelled:x',
      'node_skipped:y',
      'node_skipped:j',
      'node_scheduled:sum',
    ]);
    expect(driver.last.effects).toMatchObject([
      { type: 'cancel_child', node: 'b' },
      { type: 'work', node: 'sum' },
      { type: 'clear_timer' },
      { type: 'clear_timer' },
    ]);
    driver.reload();
    driver.done('sum');
    expect(driver.run.status).toBe('completed');
    expect(replayed(driver)).toBe(save(driver.run));
  });

  it('leaves subgraphs of lanes', () => {
    const nodes = [parallel('s', ['a', 'b']), tool('a'), tool('b'), tool('p'), tool('q'), join('j'), tool('after'), tool('sum')];
    const edges = [
      ['a', 'p'],
      ['a', 'q'],
      ['b', 'q'],
      ['p', 'j'],
      ['q', 'j'],
      ['j', 'after'],
      ['sum', 'after'],
    ] as const;
    const driver = new Driver(routed(nodes, edges));
    driver.done('a');
    driver.done('p', {}, over);
    expect(driver.events.slice(2)).toEqual([
      'cost_budget_exceeded:p',
      'node_cancelled:b',
      'node_skipped:q',
      'node_skipped:j',
      'node_scheduled:sum',
    ]);
    driver.reload();
    driver.done('sum');
    driver.done('after');
    expect(driver.run.status).toBe('completed');
    expect(replayed(driver)).toBe(save(driver.run));
  });

  it('waits for the operator who has paused the execution', () => {
    const driver = new Driver(chain());
    driver.send({ type: 'claimed', ...driver.visit('a'), workerId: 'w' });
    driver.pause();
    driver.done('a', {}, over);
    expect(driver.events).toEqual(['tool_call_completed:a', 'node_completed:a', 'cost_budget_exceeded:a']);
    driver.resume();
    expect(driver.events).toEqual(['workflow_resumed', 'node_skipped:b', 'node_scheduled:sum']);
    expect(driver.activeNodes).toEqual(['sum']);
    expect(replayed(driver)).toBe(save(driver.run));
  });

  it('goes on as before if the operator resumes it with more', () => {
    const driver = new Driver(chain());
    driver.send({ type: 'claimed', ...driver.visit('a'), workerId: 'w' });
    driver.pause();
    driver.done('a', {}, over);
    driver.send({ type: 'resume', budgets: { token_budget: null, cost_budget_usd: 5 } });
    expect(driver.activeNodes).toEqual(['b']);
    driver.done('b', {}, { usage: { cost_usd: 4 } });
    expect(driver.activeNodes).toEqual(['sum']);
    expect(replayed(driver)).toBe(save(driver.run));
  });

  it('is reached by a failed attempt, whose retry is cancelled', () => {
    const driver = new Driver(routed([retried('a', 'twice'), tool('sum')], []));
    driver.fail('a', over);
    expect(driver.events).toEqual([
      'node_failed:a',
      'retry_scheduled:a',
      'cost_budget_exceeded:a',
      'node_cancelled:a',
      'node_scheduled:sum',
    ]);
    driver.done('sum');
    expect(driver.run.status).toBe('completed');
    expect(replayed(driver)).toBe(save(driver.run));
  });

  it('is reached by a node that fails for good, whose failure still counts', () => {
    const driver = new Driver(routed([tool('a'), tool('sum')], []));
    driver.fail('a', over);
    expect(driver.all('node_failed')[0]?.data).toMatchObject({ taken: ['sum'], retryable: false });
    driver.done('sum');
    expect(driver.run).toMatchObject({ status: 'failed', error: 'node(s) failed terminally: a' });
  });

  it.each([
    ['a condition', condition('sum', ['state.n == 1', 'c'], [null, 'end'])],
    ['an approval', approval('sum')],
    ['the end by a limit', limitExceeded('sum')],
  ])('may be %s', (_, target) => {
    const driver = new Driver(routed([tool('a'), target, tool('c')], [['a', 'end']]));
    driver.done('a', { n: 1 }, over);
    if (driver.activeNodes.includes('sum')) driver.decide('sum', 'approved');
    if (driver.activeNodes.includes('c')) driver.done('c');
    expect(['completed', 'limit_exceeded']).toContain(driver.run.status);
    expect(driver.all('node_completed').map(({ node_id }) => node_id)).toContain('sum');
    expect(replayed(driver)).toBe(save(driver.run));
  });
});

describe('on_budget_exceeded', () => {
  const codesOf = (nodes: Parameters<typeof document>[0], edges: Parameters<typeof document>[1], more = {}) => {
    const { workflow: made, diagnostics } = validate(
      document(nodes, edges, { cost_budget_usd: 1, on_budget_exceeded: 'sum', ...more }),
    );
    if (made === null) return diagnostics.filter(({ severity }) => severity === 'error').map(({ code }) => code);
    try {
      compile(made, 'r');
      return diagnostics.map(({ code }) => code);
    } catch (error) {
      if (!(error instanceof InvalidWorkflow)) throw error;
      return error.diagnostics.map(({ code }) => code);
    }
  };

  it('names a node that exists, is in no loop, and does not lead back to the start', () => {
    expect(codesOf([tool('a')], [])).toEqual(['unknown_target']);
    expect(codesOf([tool('sum'), tool('b')], [['sum', 'b']])).toEqual(['bad_budget_node']);
    expect(
      codesOf(
        [tool('a'), tool('sum')],
        [
          ['a', 'end'],
          ['sum', 'a'],
        ],
      ),
    ).toEqual(['bad_budget_node']);
    expect(
      codesOf(
        [tool('a'), tool('sum'), condition('c', ['state.x', 'sum'], [null, 'end'])],
        [
          ['a', 'sum'],
          ['sum', 'c'],
        ],
      ),
    ).toEqual(['bad_budget_node']);
  });

  it('names no node in a parallel branch, nor one that leads into one', () => {
    const nodes = [parallel('s', ['a', 'b']), tool('a'), tool('b'), join('j', { wait_for: ['a', 'b'] }), tool('sum')];
    const edges = [
      ['a', 'j'],
      ['b', 'j'],
    ] as const;
    expect(codesOf(nodes, edges, { on_budget_exceeded: 'a' })).toEqual(expect.arrayContaining(['budget_node_in_parallel']));
    expect(codesOf(nodes, [...edges, ['sum', 'a']])).toEqual(['budget_node_in_parallel']);
    expect(codesOf(nodes, [...edges, ['j', 'sum']])).toEqual([]);
  });

  it('has an effect only with a budget', () => {
    expect(codesOf([tool('a'), tool('sum')], [['a', 'end']], { cost_budget_usd: null })).toEqual(['no_budget']);
  });

  it('makes its node reachable', () => {
    expect(codesOf([tool('a'), tool('sum')], [['a', 'end']])).toEqual([]);
    expect(codesOf([tool('a'), tool('sum')], [['a', 'end']], { on_budget_exceeded: 'fail' })).toEqual(['unreachable_node']);
  });
});

describe('a workflow with continue_as_new', () => {
  const made = workflow([tool('a'), parallel('s', ['b', 'c']), tool('b'), tool('c')], [['a', 's']], {
    token_budget: { total_tokens: 10 },
    continue_as_new: true,
  });

  it('ends at its budget and asks for the next segment, with its state', () => {
    const driver = new Driver(made, { input: { n: 0 } });
    driver.done('a', { n: 1 });
    driver.done('b', { m: 2 }, { usage: { input_tokens: 11 } });
    expect(driver.events).toEqual([
      'tool_call_completed:b',
      'node_completed:b',
      'token_budget_exceeded:b',
      'node_cancelled:c',
      'segment_boundary',
    ]);
    const next = continuedAs(driver.run);
    expect(next).toMatch(/^exec_[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}$/);
    expect(driver.log.at(-1)?.data).toEqual({
      segment_number: 0,
      next_execution_id: next,
      reason: 'token budget exceeded: 11 of 10 total_tokens',
    });
    expect(driver.last.effects).toContainEqual({
      type: 'continue_as_new',
      executionId: next,
      segment: 1,
      state: { n: 1, m: 2 },
    });
    expect(driver.run).toMatchObject({ status: 'limit_exceeded', error: null });
    expect(replayed(driver)).toBe(save(driver.run));
    const loaded = load(driver.program, save(driver.run), { seq: driver.run.seq, input: {} });
    expect(continuedAs(loaded)).toBe(next);
  });

  it.each([[[]], [[limitExceeded('b')]]])('ends at its budget with a failed attempt, whatever its node leads to: %j', (nodes) => {
    const fallback = nodes.length === 0 ? {} : { fallback_node: 'b' };
    const driver = new Driver(
      workflow([tool('a', fallback), ...nodes], [], { token_budget: { total_tokens: 10 }, continue_as_new: true }),
    );
    driver.fail('a', { error: 'no luck', usage: { input_tokens: 11 } });
    expect(driver.events).toEqual(['node_failed:a', 'token_budget_exceeded:a', 'segment_boundary']);
    expect(driver.last.effects).toContainEqual(
      expect.objectContaining({ type: 'continue_as_new', executionId: continuedAs(driver.run) }),
    );
    expect(replayed(driver)).toBe(save(driver.run));
  });

  it('has its place in the chain in the log, and starts with a new budget', () => {
    const continues = { segment: 3, previousId: 'exec_0' };
    const driver = new Driver(made, { env: { continues } });
    expect(driver.log[0]?.data).toMatchObject({ segment_number: 3, continued_from: 'exec_0' });
    driver.done('a', {}, { usage: { input_tokens: 10 } });
    expect(driver.run.status).toBe('running');
    driver.done('b', {}, { usage: { input_tokens: 1 } });
    expect(driver.log.at(-1)?.data).toMatchObject({ segment_number: 3 });
    expect(replayed(driver)).toBe(save(driver.run));
  });

  it('fails at the end of a chain of a thousand', () => {
    const driver = new Driver(made, { env: { continues: { segment: 999, previousId: 'exec_0' } } });
    driver.done('a', {}, { usage: { input_tokens: 11 } });
    expect(driver.run).toMatchObject({
      status: 'failed',
      error: 'token budget exceeded: 11 of 10 total_tokens; its chain has 1000 executions, the maximum',
    });
  });

  it('continues only when it is resumed, if an operator has paused it', () => {
    const driver = new Driver(made);
    driver.send({ type: 'claimed', ...driver.visit('a'), workerId: 'w' });
    driver.pause();
    driver.done('a', {}, { usage: { input_tokens: 11 } });
    expect(driver.run.status).toBe('paused');
    driver.resume();
    expect(driver.events).toEqual(['workflow_resumed', 'segment_boundary']);
    expect(replayed(driver)).toBe(save(driver.run));
  });
});

describe('a parent whose child continues as another execution', () => {
  const parent = workflow([subgraph('sub'), tool('b')], [['sub', 'b']], { token_budget: { total_tokens: 10 } });
  const child = (driver: Driver, childId: string, change: object) =>
    driver.send({ type: 'child', ...driver.visit('sub'), childId, childWorkflowId: 'inner', change: change as never });

  it('waits for that one, and counts what both have used', () => {
    const driver = new Driver(parent);
    child(driver, 'exec_c', { status: 'started' });
    child(driver, 'exec_c', { status: 'paused' });
    child(driver, 'exec_c', {
      status: 'continued',
      nextId: 'exec_d',
      usage: { input_tokens: 6, output_tokens: 0, cost_usd: 0 },
    });
    expect(driver.events).toEqual(['child_workflow_started:sub', 'child_workflow_resumed:sub']);
    expect(driver.all('child_workflow_started').at(-1)?.data).toMatchObject({
      child_execution_id: 'exec_d',
      continues: 'exec_c',
      input_tokens: 6,
    });
    expect(driver.run.status).toBe('running');
    expect(driver.active).toMatchObject([{ childId: 'exec_d' }]);
    expect(
      driver.try({
        type: 'child',
        ...driver.visit('sub'),
        childId: 'exec_c',
        childWorkflowId: 'inner',
        change: { status: 'running' },
      }),
    ).toMatchObject({
      refused: 'stale',
    });
    child(driver, 'exec_d', { status: 'completed', result: {}, usage: { input_tokens: 5, output_tokens: 0, cost_usd: 0 } });
    expect(driver.run.error).toBe('token budget exceeded: 11 of 10 total_tokens');
    expect(replayed(driver)).toBe(save(driver.run));
  });

  it('cancels that one if it is over its own budget', () => {
    const driver = new Driver(parent);
    child(driver, 'exec_c', { status: 'started' });
    child(driver, 'exec_c', {
      status: 'continued',
      nextId: 'exec_d',
      usage: { input_tokens: 11, output_tokens: 0, cost_usd: 0 },
    });
    expect(driver.run.status).toBe('failed');
    expect(driver.last.effects).toEqual([{ type: 'cancel_child', node: 'sub', activation: 1, childId: 'exec_d' }]);
    expect(replayed(driver)).toBe(save(driver.run));
  });
});

describe('work beside the workflow', () => {
  const detached = { node: 'b', activation: 0, attempt: 0 };
  const spends = (more: JsonObject, done = true) => {
    const driver = new Driver(
      workflow([parallel('s', ['a', 'b']), tool('a'), tool('b'), tool('sum')], [], { cost_budget_usd: 1, ...more }),
    );
    driver.send({ type: 'enqueue', node: 'b', queue: 'general' });
    const usage = { cost_usd: 2 };
    if (done) driver.send({ type: 'done', ...detached, output: {}, patch: { n: 1 }, durationMs: 1, usage });
    else driver.send({ type: 'fail', ...detached, error: 'no', retryable: false, usage });
    expect(driver.events.slice(0, 2)).toEqual([done ? 'node_completed:b' : 'node_failed:b', 'cost_budget_exceeded:b']);
    expect(replayed(driver)).toBe(save(driver.run));
    return driver;
  };

  it.each([true, false])('counts towards the budgets of its execution; completed: %s', (done) => {
    expect(spends({}, done).run).toMatchObject({ status: 'failed', error: 'cost budget exceeded: 2 of 1 USD' });
    expect(spends({ on_budget_exceeded: 'pause' }, done).run.status).toBe('paused');
    expect(spends({ continue_as_new: true }, done).run.status).toBe('limit_exceeded');
    const routed = spends({ on_budget_exceeded: 'sum' }, done);
    expect(routed.activeNodes).toEqual(['sum']);
    routed.done('sum', {}, { usage: { cost_usd: 2 } });
    expect(routed.run.status).toBe('completed');
  });

  it('leaves an execution where it is, if it is at the node for budgets already', () => {
    const driver = new Driver(
      workflow([tool('a'), tool('sum')], [['a', 'sum']], { cost_budget_usd: 1, on_budget_exceeded: 'sum' }),
    );
    driver.done('a');
    driver.send({ type: 'enqueue', node: 'a', queue: 'general' });
    driver.send({ type: 'done', node: 'a', activation: 0, attempt: 0, output: {}, durationMs: 1, usage: { cost_usd: 2 } });
    expect(driver.activeNodes).toEqual(['sum']);
    expect(driver.visit('sum').activation).toBe(1);
  });
});

describe('what is left of the budgets', () => {
  const model = { id: 'm', kind: { type: 'model', model_ref: 'gpt-4o', prompt_ref: 'Say hi' } };
  const driverOf = (more: JsonObject) => new Driver(workflow([tool('a'), model], [['a', 'm']], more));
  const left = ({ program, run }: Driver) => budgetLeft(program, run);
  const unlimited = { input_tokens: Infinity, output_tokens: Infinity, total_tokens: Infinity, cost_usd: Infinity };

  it('is what the execution has not used, and nothing is known without a budget or beyond one', () => {
    expect(left(driverOf({}))).toBeNull();
    const driver = driverOf({ token_budget: { total_tokens: 100 }, on_budget_exceeded: 'pause' });
    expect(left(driver)).toEqual({ ...unlimited, total_tokens: 100 });
    driver.done('a', {}, { usage: { input_tokens: 30, output_tokens: 40 } });
    expect(left(driver)).toEqual({ ...unlimited, total_tokens: 30 });
    driver.done('m', {}, { usage: { input_tokens: 31 } });
    expect(left(driver)).toBeNull();
  });

  it('matters to work that calls models', () => {
    const { program, run } = driverOf({ cost_budget_usd: 1 });
    expect([spendsBudget(program, run, 'm'), spendsBudget(program, run, 'a')]).toEqual([true, false]);
    const free = driverOf({});
    expect(spendsBudget(free.program, free.run, 'm')).toBe(false);
  });
});
