import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalise } from '../../../machines/ir/normalise.ts';
import type { Json } from '../../../machines/json.ts';
import { failuresOf, save, workOf } from '../../../machines/step/index.ts';
import { analyse } from '../../support/analyse.ts';
import { Driver } from '../../support/driver.ts';
import { oftenIn, sampleOf } from '../../support/properties.ts';
import { replay } from '../../support/replay.ts';
import {
  approval,
  condition,
  documents,
  evaluation,
  join,
  parallel,
  subgraph,
  tool,
  wait,
  workflow,
} from '../../support/workflows.ts';

/** Evaluating it on `heavy` takes a fifth of a step's budget. */
const heavyCondition = (i: number) => `len(state.s.split('a')) == ${i}`;
const heavy = { s: `b${'a'.repeat(299_000)}` };
/** Conditions that together exceed the evaluation budget of one step. */
const heavyBranches = (target: string) => Array.from({ length: 20 }, (_, i) => [heavyCondition(i), target] as const);
const env = { executionId: 'exec_1', stepLimit: 10_000, runtimeId: 'runtime-1' };

/** The log replays to the stored snapshot, at every step. */
function expectReplay(driver: Driver): void {
  for (const { seq, text } of driver.saves) {
    expect(save(replay(driver.program, null, driver.log.slice(0, seq), { ...env, ...workIn(driver) }))).toBe(text);
  }
}

const workIn = ({ env: { work } }: Driver): { readonly work?: number } => (work === undefined ? {} : { work });
/** Failures without `evaluated`, which is long and tested with the transitions. */
const failures = (driver: Driver): Json[] =>
  driver.all('node_failed').map(({ node_id, data: { evaluated: _evaluated, ...data } }) => ({ node: node_id, ...data }));
const exceeded = (node: string, more: Record<string, Json> = {}): Json => ({
  node,
  error: expect.stringMatching(/^expression_budget_exceeded: .*: len\(state\.s\.split\('a'\)\) == \d+$/) as unknown as Json,
  attempt: 0,
  retryable: false,
  error_class: 'expression_budget_exceeded',
  activation: 1,
  taken: [],
  ...more,
});

describe('conditions that exceed the evaluation budget', () => {
  it('fail a condition node, and nothing takes its default', () => {
    const made = workflow([condition('gate', ...heavyBranches('yes'), [null, 'no']), tool('yes'), tool('no')]);
    const driver = new Driver(made, { input: heavy });
    expect(driver.run.status).toBe('failed');
    expect(driver.run.error).toBe('node(s) failed terminally: gate');
    expect(failures(driver)).toEqual([exceeded('gate')]);
    expect(driver.events).toEqual(['workflow_started', 'node_failed:gate', 'workflow_failed']);
    expectReplay(driver);
  });

  it('do not stop other branches', () => {
    const made = workflow(
      [
        parallel('s', ['gate', 'other']),
        condition('gate', ...heavyBranches('yes'), [null, 'no']),
        tool('yes'),
        tool('no'),
        tool('other'),
      ],
      [],
    );
    const driver = new Driver(made, { input: heavy });
    expect(driver.activeNodes).toEqual(['other']);
    driver.done('other');
    expect(driver.run.status).toBe('failed');
    expectReplay(driver);
  });

  it('fail a node that would have completed, and its output changes nothing', () => {
    const edges = heavyBranches('b').map(([text]) => ['a', 'b', text] as const);
    const driver = new Driver(workflow([tool('a'), tool('b'), tool('c')], [...edges, ['a', 'c']]), { input: heavy });
    driver.done('a', { paid: true });
    expect(driver.events).toEqual(['node_failed:a', 'workflow_failed']);
    expect(failures(driver)).toEqual([exceeded('a')]);
    expect(driver.state).toEqual(heavy);
    expectReplay(driver);
  });

  describe.each([
    ['without a fallback', {}, ['a']],
    ['with a fallback', { fallback_node: 'c' }, []],
  ])('fail a node %s', (_, fallback, failed) => {
    const edges = heavyBranches('b').map(([text]) => ['a', 'b', text] as const);
    const spends = { usage: { cost_usd: 2 } };
    const failing = (more: object, node: object = {}) => {
      const a = { ...tool('a', fallback), autonomy: { constraints: { cost_budget_usd: 9 } }, ...node };
      return new Driver(
        workflow([a, tool('b'), tool('c'), tool('over')], [...edges, ['a', 'c'], ['over', 'end']], more as never),
        {
          input: heavy,
        },
      );
    };

    it('that counts for the limits of its agent', () => {
      const driver = failing({}, { circuit_breaker_threshold: 1 });
      driver.done('a', {}, spends);
      expect(JSON.parse(save(driver.run)).autonomy.a).toMatchObject({ costUsd: 2, iterations: 1, errors: 1 });
      expectReplay(driver);
    });

    it('that exceeds a budget with it: the failure counts, too', () => {
      const ended = failing({ cost_budget_usd: 1 });
      ended.done('a', {}, spends);
      expect([ended.run.error, failuresOf(ended.run)]).toEqual(['cost budget exceeded: 2 of 1 USD', failed]);
      expectReplay(ended);
      const routed = failing({ cost_budget_usd: 1, on_budget_exceeded: 'over' });
      routed.done('a', {}, spends);
      expect(routed.activeNodes).toEqual(['over']);
      routed.done('over');
      expect(routed.run.status).toBe(failed.length > 0 ? 'failed' : 'completed');
      expectReplay(routed);
    });
  });

  it('leave nothing of the budget for the nodes behind the fallback', () => {
    const edges = heavyBranches('b').map(([text]) => ['a', 'b', text] as const);
    const nodes = [tool('a', { fallback_node: 'g' }), tool('b'), tool('c'), condition('g', ['state.x', 'b'], [null, 'c'])];
    const driver = new Driver(workflow(nodes, [...edges, ['a', 'c']]), { input: heavy });
    driver.done('a');
    expect(driver.events).toEqual(['node_failed:a', 'node_failed:g', 'workflow_failed']);
    expectReplay(driver);
  });

  it('forget the scores of the node that they fail', () => {
    const made = workflow(
      [tool('w'), evaluation('e', { on_fail: 'retry_with_feedback', max_retries: 3, retry_node: 'w' }), tool('b'), tool('c')],
      [['w', 'e'], ...heavyBranches('b').map(([text]) => ['e', 'b', text] as const), ['e', 'c']],
    );
    const driver = new Driver(made, { input: heavy });
    driver.done('w');
    driver.done('e', { passed: false, scorers: [] });
    driver.done('w');
    driver.done('e', { passed: true, scorers: [] });
    expect(driver.run.error).toBe('node(s) failed terminally: e');
    expectReplay(driver);
  });

  it('activate the fallback of that node', () => {
    const edges = heavyBranches('b').map(([text]) => ['a', 'b', text] as const);
    const nodes = [tool('a', { fallback_node: 'rescue' }), tool('b'), tool('rescue')];
    const driver = new Driver(workflow(nodes, [...edges, ['a', 'end']]), { input: heavy });
    driver.done('a', { paid: true });
    expect(driver.activeNodes).toEqual(['rescue']);
    driver.done('rescue');
    expect(driver.run.status).toBe('completed');
    expectReplay(driver);
  });

  it.each([
    ['an approval', approval('n'), (driver: Driver) => driver.decide('n', 'approved', { note: 1 }), ['approval_received:n']],
    ['a timer', wait('n', { condition: 'timer', timeout_secs: 60 }), (driver: Driver) => driver.fire('n'), ['timer_fired:n']],
    [
      'an event',
      wait('n', { correlation_key: 'k' }),
      (driver: Driver) => driver.event('k', { x: 1 }),
      ['external_event_received'],
    ],
  ])('fail %s in the same way', (_what, node, act, first) => {
    const edges = heavyBranches('b').map(([text]) => ['n', 'b', text] as const);
    const driver = new Driver(workflow([node, tool('b'), tool('c')], [...edges, ['n', 'c']]), { input: heavy });
    act(driver);
    expect(driver.events).toEqual([...first, 'node_failed:n', 'workflow_failed']);
    expect(failures(driver)).toEqual([exceeded('n')]);
    expectReplay(driver);
  });

  it('fail a join whose out-edges they belong to', () => {
    const edges = heavyBranches('b').map(([text]) => ['j', 'b', text] as const);
    const made = workflow(
      [parallel('s', ['x', 'y']), tool('x'), tool('y'), join('j'), tool('b'), tool('c')],
      [['x', 'j'], ['y', 'j'], ...edges, ['j', 'c']],
    );
    const driver = new Driver(made, { input: heavy });
    driver.done('x');
    driver.done('y');
    expect(driver.events).toEqual(['tool_call_completed:y', 'node_completed:y', 'node_failed:j', 'workflow_failed']);
    expect(failures(driver)).toEqual([exceeded('j')]);
    expectReplay(driver);
  });
});

describe('mappings that exceed the evaluation budget', () => {
  const mapping = Object.fromEntries(heavyBranches('').map(([text], i) => [`k${i}`, `{{ ${text} }}`]));

  it('fail an approval whose message they render', () => {
    const made = workflow([approval('ask', { description: `${Object.values(mapping).join(' ')}` }), tool('b')], [['ask', 'b']]);
    const driver = new Driver(made, { input: heavy });
    expect(driver.run.status).toBe('failed');
    expect(failures(driver)).toEqual([exceeded('ask')]);
    expectReplay(driver);
  });

  it('fail an open approval that a fork asks again, but no other branch', () => {
    const ask = approval('ask', { description: `${Object.values(mapping).join(' ')}` });
    const driver = new Driver(workflow([parallel('s', ['ask', 'other']), ask, approval('other')], []), { input: {} });
    driver.send({ type: 'fork', origin: { executionId: 'exec_1', sequence: driver.run.seq }, patch: heavy, decisions: [] });
    expect(driver.events).toEqual(['workflow_forked', 'interrupt_raised:other', 'node_failed:ask']);
    expect(failures(driver)).toMatchObject([{ node: 'ask', error_class: 'expression_budget_exceeded' }]);
    expect(driver.activeNodes).toEqual(['other']);
    expectReplay(driver);
  });

  it('fail a subgraph whose output they map', () => {
    const made = workflow([subgraph('sub', { output_mapping: mapping }), tool('b')], [['sub', 'b']]);
    const driver = new Driver(made, { input: {} });
    const child = { type: 'child', ...driver.visit('sub'), childId: 'exec_c', childWorkflowId: 'inner' } as const;
    driver.send({ ...child, change: { status: 'started' } });
    driver.send({ ...child, change: { status: 'completed', result: heavy } });
    expect(driver.events).toEqual(['node_failed:sub', 'workflow_failed']);
    expect(failures(driver)).toEqual([exceeded('sub')]);
    expectReplay(driver);
  });

  it('are named in the work whose input they render', () => {
    const driver = new Driver(workflow([tool('a', { input_mapping: mapping })]), { input: heavy });
    const { inputExceeded } = workOf(driver.program, driver.run, { node: 'a' }, driver.env);
    expect(inputExceeded).toMatch(/^len/);
  });
});

describe('an evaluation budget that ends at any point', () => {
  const tape = fc.array(fc.nat(999), { minLength: 1, maxLength: 25 });

  function play(driver: Driver, rolls: readonly number[]): void {
    for (const roll of rolls) {
      const active = driver.active[roll % driver.active.length];
      if (active === undefined) return;
      const { node, phase, waitsFor } = active;
      if (phase === 'queued') driver.done(node, { n: roll % 4, ok: roll % 3 === 0 });
      else if (phase === 'awaiting_approval' || phase === 'approval')
        driver.decide(node, roll % 3 === 0 ? 'rejected' : 'approved');
      else if ([...driver.timers.values()].some((timer) => timer.node === node)) driver.fire(node);
      else if (waitsFor !== null) driver.event(waitsFor, { ok: true });
    }
  }

  it('fails the same nodes with forks and with subgraphs, and replays', () => {
    let met = 0;
    fc.assert(
      fc.property(documents(9), fc.integer({ min: 0, max: 200 }), tape, (json, work, rolls) => {
        const { workflow: made } = normalise(json);
        fc.pre(analyse(made).graph !== null);
        const forked = new Driver(made, { env: { work, stepLimit: 200 } });
        const cut = new Driver(made, { env: { work, stepLimit: 200 }, compile: { forks: false } });
        play(forked, rolls);
        play(cut, rolls);
        expect(cut.log).toEqual(forked.log);
        expectReplay(forked);
        if (failures(forked).length > 0) met += 1;
      }),
      { numRuns: sampleOf(150) },
    );
    expect(met).toBeGreaterThanOrEqual(oftenIn(5));
  });
});
