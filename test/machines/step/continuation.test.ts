import { describe, expect, it } from 'vitest';
import type { Continuation } from '../../../machines/ir/workflow.ts';
import type { Json } from '../../../machines/json.ts';
import type { Effect } from '../../../machines/run.ts';
import { continuedAs, save, usageOf } from '../../../machines/step/index.ts';
import { Driver } from '../../support/driver.ts';
import { replay } from '../../support/replay.ts';
import { condition, tool, wait, workflow } from '../../support/workflows.ts';

type Next = Effect & { readonly type: 'continue_as_new' };

const replayed = ({ program, log, env }: Driver): string =>
  save(replay(program, null, log, { executionId: env.executionId, stepLimit: 10_000, runtimeId: 'r' }));

/** The effect by which an execution continues as another one. */
function nextOf(driver: Driver): Next {
  const next = driver.last.effects.find((effect): effect is Next => effect.type === 'continue_as_new');
  if (next === undefined) throw new Error(`it does not continue: ${driver.events.join(', ')}`);
  return next;
}

/** Drives the execution that continues the one of the driver. */
function continued(driver: Driver): Driver {
  const { executionId, segment, state, carried } = nextOf(driver);
  const previousId = driver.env.executionId;
  const continues = { segment, previousId, ...(carried === undefined ? {} : { carried }) };
  return new Driver(driver.program.workflow, { input: state, env: { executionId, continues, nowMs: driver.env.nowMs } });
}

const limits = (given: Partial<Continuation>) => ({ continue_as_new: { at: 'poll', ...given } as unknown as Json });
const poller = (given: Partial<Continuation> = { after_steps: 4 }, more = {}) =>
  workflow(
    [tool('begin'), tool('poll'), condition('ready', ['state.ready', 'end'], [null, 'poll'])],
    [
      ['begin', 'poll'],
      ['poll', 'ready'],
    ],
    { ...limits(given), ...more },
  );

describe('an execution that continues as another one after a number of steps', () => {
  it('ends at the first visit of its node after that, which the next one begins with', () => {
    const driver = new Driver(poller());
    driver.done('begin', { since: 1 });
    driver.done('poll', { n: 1 });
    expect(driver.run).toMatchObject({ status: 'running', steps: 3 });
    driver.done('poll', { n: 2 });
    expect(driver.events).toEqual([
      'tool_call_completed:poll',
      'node_completed:poll',
      'node_completed:ready',
      'segment_boundary',
    ]);
    expect(driver.run).toMatchObject({ status: 'limit_exceeded', steps: 5, error: null });
    expect(driver.log.at(-1)?.data).toEqual({
      segment_number: 0,
      next_execution_id: continuedAs(driver.run),
      reason: '5 steps (continue_as_new after 4)',
    });
    expect(driver.activeNodes).toEqual([]);
    expect(replayed(driver)).toBe(save(driver.run));
    driver.reload();

    const next = continued(driver);
    expect(next.events).toEqual(['workflow_started', 'node_scheduled:poll']);
    expect(next.log[0]?.data).toMatchObject({ initial_input: { since: 1, n: 2 }, segment_number: 1, continued_from: 'exec_1' });
    next.done('poll', { n: 3 });
    next.done('poll', { n: 4 });
    expect(next.run.status).toBe('limit_exceeded');
    expect(replayed(next)).toBe(save(next.run));
    const last = continued(next);
    last.done('poll', { ready: true });
    expect(last.run).toMatchObject({ status: 'completed' });
    expect(last.state).toEqual({ since: 1, n: 4, ready: true });
    expect(replayed(last)).toBe(save(last.run));
  });

  it('has the same size in each of its segments', () => {
    let driver = continued(ended(new Driver(poller())));
    const sizes: number[] = [];
    for (let i = 0; i < 40; i += 1) {
      driver = ended(driver);
      sizes.push(driver.saves.at(-1)?.text.length ?? 0);
      driver = continued(driver);
    }
    expect(driver.run.status).toBe('running');
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThan(10);
  });

  it('keeps events that no node has waited for yet', () => {
    const chat = workflow(
      [wait('ask', { correlation_key: 'said' }), tool('reply')],
      [
        ['ask', 'reply'],
        ['reply', 'ask'],
      ],
      { continue_as_new: { after_steps: 2, at: 'ask' } },
    );
    const driver = new Driver(chat);
    for (const text of ['a', 'b', 'c']) driver.send({ type: 'event', key: 'said', payload: { text } });
    driver.done('reply');
    expect(driver.run.status).toBe('limit_exceeded');
    const next = continued(driver);
    expect(next.all('node_completed').map(({ data }) => data)).toMatchObject([{ output: { text: 'b' }, event_sequence: 1 }]);
    expect(next.state).toMatchObject({ text: 'b' });
    next.done('reply');
    expect(replayed(next)).toBe(save(next.run));
    const last = continued(next);
    expect(last.state).toMatchObject({ text: 'c' });
    last.done('reply');
    expect(continued(last).activeNodes).toEqual(['ask']);
  });

  it('hands on the output that the node is about to read', () => {
    const chain = workflow(
      [tool('a'), { id: 'b', kind: { type: 'tool', tool_ref: 't', input_mapping: '{{ output }}' } }],
      [
        ['a', 'b'],
        ['b', 'a'],
      ],
      { continue_as_new: { after_steps: 1, at: 'b' } },
    );
    const driver = new Driver(chain);
    driver.done('a', { big: [1, 2] });
    expect(nextOf(driver).carried?.inputs).toEqual([['a', { big: [1, 2] }]]);
    const next = continued(driver);
    expect(next.activeNodes).toEqual(['b']);
    expect(replayed(next)).toBe(save(next.run));
  });

  it('counts its budget on, and tells what each has used', () => {
    const driver = new Driver(poller({ after_steps: 2 }, { token_budget: { total_tokens: 100 } }));
    driver.done('begin', {}, { usage: { input_tokens: 40 } });
    driver.done('poll', {}, { usage: { input_tokens: 30 } });
    expect(usageOf(driver.run)?.input_tokens).toBe(70);
    const next = continued(driver);
    expect(usageOf(next.run)).toBeUndefined();
    next.done('poll', {}, { usage: { input_tokens: 31 } });
    expect(next.run).toMatchObject({ status: 'failed', error: 'token budget exceeded: 101 of 100 total_tokens' });
    expect(usageOf(next.run)).toEqual({ input_tokens: 31, output_tokens: 0, cost_usd: 0 });
    expect(replayed(next)).toBe(save(next.run));
  });

  it('waits with it while an operator has suspended it', () => {
    const driver = new Driver(poller({ after_steps: 2 }), { env: { isLocal: () => true } });
    driver.done('begin');
    driver.pause();
    driver.done('poll');
    expect(driver.run.status).toBe('paused');
    driver.resume();
    expect(driver.run.status).toBe('limit_exceeded');
    expect(continued(driver).activeNodes).toEqual(['poll']);
    expect(replayed(driver)).toBe(save(driver.run));
  });

  it('does not run its finalizers, which the last one does', () => {
    const nodes = [tool('poll'), condition('ready', ['state.ready', 'end'], [null, 'poll']), tool('clean', { run_at_end: true })];
    const driver = new Driver(workflow(nodes, [['poll', 'ready']], limits({ after_steps: 1 })));
    driver.done('poll');
    expect(driver.run.status).toBe('limit_exceeded');
    expect(continued(driver).activeNodes).toEqual(['poll']);
  });

  it('begins with the approval that a policy asks for', () => {
    const driver = new Driver(poller({ after_steps: 2 }, { policy: { require_approval_for: ['t.poll'] } }));
    driver.done('begin');
    driver.decide('poll', 'approved');
    driver.done('poll');
    const next = continued(driver);
    expect(next.active).toMatchObject([{ node: 'poll', phase: 'awaiting_approval' }]);
  });
});

describe('an execution that continues as another one after bytes of its log', () => {
  it('counts what its log has grown by, in a replay too', () => {
    const driver = new Driver(poller({ after_bytes: 65_536 }));
    driver.done('begin');
    let turns = 0;
    while (driver.run.status === 'running') {
      driver.done('poll', { text: 'x'.repeat(1_000), turns });
      turns += 1;
    }
    expect(turns).toBeGreaterThan(20);
    expect(turns).toBeLessThan(65);
    expect(driver.log.at(-1)?.data.reason).toMatch(/bytes of log \(continue_as_new after 65536\)$/);
    expect(replayed(driver)).toBe(save(driver.run));
    expect(continued(driver).run.status).toBe('running');
  });
});

describe('max_steps', () => {
  it('is the limit of the execution, also above the usual one', () => {
    const driver = new Driver(poller({ after_steps: 100 }, { continue_as_new: false, max_steps: 3 }));
    driver.done('begin');
    driver.done('poll');
    expect(driver.run).toMatchObject({ status: 'failed', error: 'step limit of 3 node completions reached' });
    expect(replayed(driver)).toBe(save(driver.run));
    expect(new Driver(poller({}, { continue_as_new: false, max_steps: 1_000_000 })).log[0]?.data.step_limit).toBe(1_000_000);
  });
});

describe('the end at a limit', () => {
  const ends = (continuation: object | false, max_steps: number) => {
    const driver = ended(new Driver(poller({}, { continue_as_new: continuation, max_steps })));
    const { status, error, steps } = driver.run;
    expect(replayed(driver)).toBe(save(driver.run));
    return { status, error, steps, last: driver.log.at(-1)?.type, next: continuedAs(driver.run) !== undefined };
  };
  const failed = {
    status: 'failed',
    error: 'step limit of 5 node completions reached',
    steps: 5,
    last: 'workflow_failed',
    next: false,
  };
  const continuesAfter = (steps: number) => ({
    status: 'limit_exceeded',
    error: null,
    steps,
    last: 'segment_boundary',
    next: true,
  });
  const continuing = (after_steps: number) => ({ at: 'poll', after_steps });

  it('is a failure at the limit of steps, and no failure where it continues as another one', () => {
    expect(ends(false, 5)).toEqual(failed);
    expect(ends(continuing(5), 100)).toEqual(continuesAfter(5));
  });

  it('is that of the first limit that is reached, and of both at once a failure', () => {
    expect(ends(continuing(4), 6)).toEqual(continuesAfter(5));
    expect(ends(continuing(5), 5)).toEqual(failed);
    expect(ends(continuing(6), 5)).toEqual(failed);
  });
});

/** Polls until the execution continues as another one. */
function ended(driver: Driver): Driver {
  while (driver.run.status === 'running') driver.done(driver.activeNodes[0] ?? '', { n: 1 });
  return driver;
}
