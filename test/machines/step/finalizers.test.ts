import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalise } from '../../../machines/ir/normalise.ts';
import type { JsonObject } from '../../../machines/json.ts';
import { isEnding, resettableFailures, save, usageOf, workOf } from '../../../machines/step/index.ts';
import { actorStepper } from '../../support/actor-stepper.ts';
import { analyse } from '../../support/analyse.ts';
import { Driver } from '../../support/driver.ts';
import { hasEnded, randomMove } from '../../support/lockstep.ts';
import { oftenIn, sampleOf } from '../../support/properties.ts';
import { replay } from '../../support/replay.ts';
import { documents, parallel, retried, wait, workflow } from '../../support/workflows.ts';

const REPLAY_ENV = { executionId: 'exec_1', stepLimit: 10_000, runtimeId: 'runtime-1' };

function expectReplays(driver: Driver): void {
  for (const { seq, text } of driver.saves)
    expect(save(replay(driver.program, null, driver.log.slice(0, seq), REPLAY_ENV))).toBe(text);
}

const once = (id: string, more: JsonObject = {}) => retried(id, 'once', { tool_ref: `t.${id}`, ...more });
const finalizer = (id: string, kind: JsonObject = {}, more: JsonObject = {}) => ({
  id,
  kind: { type: 'finalizer', tool_ref: `t.${id}`, ...kind },
  retry_policy: 'once',
  ...more,
});

describe('finalizers', () => {
  it('run one after the other before an execution completes', () => {
    const driver = new Driver(
      workflow([
        once('a'),
        finalizer('unlock'),
        finalizer('report', { run_on: 'success' }),
        finalizer('alarm', { run_on: 'failure' }),
      ]),
    );
    driver.done('a', { x: 1 });
    expect(driver.events).toEqual(['tool_call_completed:a', 'node_completed:a', 'workflow_finalizing', 'node_scheduled:unlock']);
    expect(driver.last.events[2]?.data).toEqual({ status: 'completed' });
    expect([driver.run.status, isEnding(driver.run)]).toEqual(['running', true]);
    driver.done('unlock', { y: 2 });
    expect(driver.events.slice(-1)).toEqual(['node_scheduled:report']);
    driver.done('report', 'sent');
    expect(driver.events.slice(-2)).toEqual(['node_completed:report', 'workflow_completed']);
    expect(driver.run.status).toBe('completed');
    expect(driver.state).toEqual({ x: 1 });
    expectReplays(driver);
  });

  it('change the state only with an output_key, and read how the execution ends', () => {
    const driver = new Driver(
      workflow([
        once('a'),
        finalizer('note', { output_key: 'note', input_mapping: { how: '{{ output.status }}', why: '{{ output.error }}' } }),
      ]),
    );
    driver.fail('a', { retryable: false });
    expect(driver.all('workflow_finalizing')[0]?.data).toEqual({
      status: 'failed',
      error: 'node(s) failed terminally: a',
    });
    const { input, timeoutSecs } = workOf(driver.program, driver.run, { node: 'note' }, { executionId: 'exec_1', vars: {} });
    expect([input, timeoutSecs]).toEqual([{ how: 'failed', why: 'node(s) failed terminally: a' }, 30]);
    driver.done('note', { ok: true });
    expect(driver.run).toMatchObject({ status: 'failed', error: 'node(s) failed terminally: a' });
    expect(driver.state).toEqual({ note: { ok: true } });
    expectReplays(driver);
  });

  it('that fail change nothing about the end', () => {
    const driver = new Driver(workflow([once('a'), finalizer('unlock'), finalizer('report')]));
    driver.done('a');
    driver.fail('unlock', { retryable: false });
    expect(driver.all('node_failed')[0]?.data).toMatchObject({ error: 'boom', retryable: false });
    driver.done('report');
    expect(driver.run).toMatchObject({ status: 'completed', error: null });
    expectReplays(driver);
  });

  it('run on a cancel if they always run, after what was in progress is cancelled', () => {
    const driver = new Driver(
      workflow([parallel('p', ['a', 'b']), once('a'), wait('b'), finalizer('unlock'), finalizer('alarm', { run_on: 'failure' })]),
    );
    const { effects } = driver.send({ type: 'cancel', reason: 'enough' });
    expect(driver.events).toEqual(['workflow_finalizing', 'node_cancelled:a', 'node_cancelled:b', 'node_scheduled:unlock']);
    expect(effects.map(({ type }) => type)).toEqual(['abandon', 'work', 'set_timer']);
    expect(driver.last.events[0]?.data).toEqual({ status: 'cancelled', reason: 'enough' });
    driver.reload();
    driver.done('unlock');
    expect(driver.events.at(-1)).toBe('workflow_cancelled');
    expect(driver.last.events.at(-1)?.data).toEqual({ reason: 'enough' });
    expect(driver.run).toMatchObject({ status: 'cancelled', error: 'enough' });
    expectReplays(driver);
  });

  it('do not run on a cancel otherwise', () => {
    const driver = new Driver(workflow([once('a'), finalizer('alarm', { run_on: 'failure' })]));
    driver.send({ type: 'cancel', reason: 'enough' });
    expect(driver.events).toEqual(['node_cancelled:a', 'workflow_cancelled']);
    expectReplays(driver);
  });

  it('are given up by a second cancel; the execution ends as it was about to', () => {
    const driver = new Driver(workflow([once('a'), finalizer('unlock'), finalizer('report')]));
    driver.done('a');
    driver.send({ type: 'cancel', reason: 'now' });
    expect(driver.events).toEqual(['node_cancelled:unlock', 'workflow_completed']);
    expectReplays(driver);
    const cancelled = new Driver(workflow([once('a'), finalizer('unlock')]));
    cancelled.send({ type: 'cancel', reason: 'first' });
    cancelled.send({ type: 'cancel', reason: 'second' });
    expect(cancelled.run).toMatchObject({ status: 'cancelled', error: 'first' });
    expectReplays(cancelled);
  });

  it('run when a limit is reached: of steps, of a budget, of a strategy', () => {
    const steps = new Driver(workflow([once('a'), finalizer('unlock')]), { env: { stepLimit: 1 } });
    steps.done('a');
    expect(steps.events.slice(-2)).toEqual(['workflow_finalizing', 'node_scheduled:unlock']);
    steps.done('unlock');
    expect(steps.run).toMatchObject({ status: 'failed', error: 'step limit of 1 node completions reached' });
    expectReplays(steps);

    const budget = new Driver(workflow([once('a'), finalizer('unlock')], [], { token_budget: { total_tokens: 5 } } as never));
    budget.done('a', {}, { usage: { input_tokens: 9 } });
    budget.done('unlock', {}, { usage: { input_tokens: 9 } });
    expect(budget.run).toMatchObject({ status: 'failed', error: expect.stringContaining('token budget exceeded: 9 of 5') });
    expectReplays(budget);

    const limit = new Driver(
      workflow(
        [
          once('a'),
          { id: 'c', kind: { type: 'condition', branches: [{ condition: null, target: 'limit' }] } },
          { id: 'limit', kind: { type: 'limit_exceeded' } },
          finalizer('alarm', { run_on: 'failure' }),
        ],
        [['a', 'c']],
      ),
    );
    limit.done('a');
    expect(limit.last.events.find(({ type }) => type === 'workflow_finalizing')?.data).toEqual({ status: 'limit_exceeded' });
    limit.done('alarm');
    expect(limit.run.status).toBe('limit_exceeded');
    expect(limit.events.at(-1)).toBe('strategy_limit_hit');
    expectReplays(limit);
  });

  it('neither run nor are paused when an execution over its budget continues as another, or would be paused', () => {
    const budget = { token_budget: { total_tokens: 5 } };
    const next = new Driver(workflow([once('a'), finalizer('unlock')], [], { ...budget, continue_as_new: true } as never));
    next.done('a', {}, { usage: { input_tokens: 9 } });
    expect(next.all('workflow_finalizing')).toEqual([]);
    expect(next.run.status).toBe('limit_exceeded');
    expectReplays(next);
    const paused = new Driver(
      workflow([once('a'), finalizer('unlock')], [], { ...budget, on_budget_exceeded: 'pause' } as never),
    );
    paused.send({ type: 'cancel', reason: 'enough' });
    paused.done('unlock', {}, { usage: { input_tokens: 9 } });
    expect(paused.run.status).toBe('cancelled');
    expectReplays(paused);
  });

  it('are tried again by their retry policy, but not when their time is over', () => {
    const driver = new Driver(workflow([once('a'), finalizer('unlock', {}, { retry_policy: 'twice' })]));
    driver.done('a');
    driver.fail('unlock');
    expect(driver.active).toMatchObject([{ node: 'unlock', attempt: 1, phase: 'backoff' }]);
    driver.fire('unlock');
    driver.fail('unlock', { errorClass: 'timeout' });
    expect(driver.run.status).toBe('completed');
    expectReplays(driver);
  });

  it('that no worker does in time fail, and their work item is withdrawn', () => {
    const driver = new Driver(workflow([once('a'), finalizer('unlock', {}, { node_timeout_secs: 5 })]));
    driver.done('a');
    expect([...driver.timers.values()]).toMatchObject([{ node: 'unlock', kind: 'attempt', atMs: driver.env.nowMs + 5_000 }]);
    const { effects } = driver.fire('unlock');
    expect(driver.events).toEqual(['timer_fired:unlock', 'node_failed:unlock', 'workflow_completed']);
    expect(effects).toMatchObject([{ type: 'abandon', node: 'unlock', local: false }]);
    expectReplays(driver);
  });

  it('in process are timed by their runtime', () => {
    const driver = new Driver(workflow([once('a'), finalizer('unlock')]), { env: { isLocal: () => true } });
    driver.done('a');
    const [timer] = driver.timers.values();
    expect(driver.try({ type: 'timer', id: timer?.id ?? '' })).toMatchObject({ refused: 'stale' });
    driver.fail('unlock', { errorClass: 'lost' });
    expect(driver.run.status).toBe('completed');
  });

  it('are deferred while an operator suspends the execution', () => {
    const driver = new Driver(workflow([once('a'), finalizer('unlock')]));
    driver.pause();
    driver.resume();
    driver.done('a');
    driver.pause();
    expect(driver.active).toMatchObject([{ node: 'unlock', phase: 'deferred' }]);
    driver.resume();
    driver.done('unlock');
    expect(driver.run.status).toBe('completed');
    expectReplays(driver);
  });

  it('leave no room for events and detached work', () => {
    const driver = new Driver(workflow([once('a'), finalizer('unlock')]));
    driver.done('a');
    expect(driver.try({ type: 'event', key: 'x', payload: 1 })).toMatchObject({ refused: 'ending' });
    expect(driver.try({ type: 'enqueue', node: 'a', queue: 'tool' })).toMatchObject({ refused: 'ending' });
  });

  it('of a failed execution run again when its retry ends, as a visit of their own', () => {
    const driver = new Driver(workflow([once('a'), once('b'), finalizer('unlock')], [['a', 'b']]));
    driver.done('a', { x: 1 });
    driver.fail('b', { retryable: false });
    driver.done('unlock');
    expect(driver.run.status).toBe('failed');
    driver.retry();
    expect(driver.events).toEqual(['workflow_retried', 'node_scheduled:b']);
    driver.done('b', {});
    expect(driver.active).toMatchObject([{ node: 'unlock', activation: 2 }]);
    driver.done('unlock');
    expect(driver.run.status).toBe('completed');
    expect(save(replay(driver.program, null, driver.log, REPLAY_ENV))).toBe(save(driver.run));
  });

  it('of a failed execution leave to its retry what others have sent in the meantime', () => {
    const detached = { node: 'd', activation: 0, attempt: 0 };
    const driver = new Driver(
      workflow([once('a'), once('d'), finalizer('unlock', { output_key: 'unlocked' })], [['a', 'd']], { cost_budget_usd: 4 }),
    );
    for (const _ of [1, 2]) driver.send({ type: 'enqueue', node: 'd', queue: 'general' });
    driver.fail('a', { retryable: false, usage: { cost_usd: 1 } });
    driver.send({ type: 'done', ...detached, output: {}, patch: { x: 1 }, durationMs: 1, usage: { cost_usd: 2 } });
    driver.send({ type: 'fail', ...detached, error: 'no', retryable: false, usage: { cost_usd: 3 } });
    driver.pause();
    driver.send({ type: 'resume', budgets: { token_budget: null, cost_budget_usd: 20 } });
    driver.done('unlock', 'ok', { usage: { cost_usd: 4 } });
    expect(driver.run.status).toBe('failed');
    driver.retry();
    expect(driver.state).toEqual({ x: 1 });
    expect(driver.run.steps).toBe(1);
    expect(usageOf(driver.run)).toMatchObject({ cost_usd: 10 });
    driver.done('a', {}, { usage: { cost_usd: 9 } });
    driver.done('d');
    driver.done('unlock', 'again');
    expect([driver.run.status, driver.state]).toEqual(['completed', { x: 1, unlocked: 'again' }]);
    expect(save(replay(driver.program, null, driver.log, REPLAY_ENV))).toBe(save(driver.run));
  });

  it('may use up what a retry would need', () => {
    const driver = new Driver(workflow([once('a'), finalizer('unlock')], [], { cost_budget_usd: 4 }));
    driver.fail('a', { retryable: false });
    driver.done('unlock', {}, { usage: { cost_usd: 5 } });
    expect(driver.run.error).toBe('node(s) failed terminally: a');
    expect(driver.try({ type: 'retry' })).toEqual({ refused: 'over_budget', nodes: [] });
  });

  it.each([false, true])('end with an internal error without another attempt, and without a timer; in process: %s', (isLocal) => {
    const driver = new Driver(workflow([once('a'), finalizer('unlock')]), { env: { isLocal: () => isLocal } });
    driver.done('a');
    expect(driver.timers.size).toBe(1);
    driver.send({ type: 'abort', error: 'internal error: it broke' });
    expect(driver.timers.size).toBe(0);
    expect(driver.run).toMatchObject({ status: 'failed', error: 'internal error: it broke' });
    expectReplays(driver);
  });
});

describe('the end of any workflow with finalizers', () => {
  it('replays from the log, moves the machine as XState does, and is undone by a retry', () => {
    const tape = fc.array(fc.nat(999), { minLength: 1, maxLength: 60 });
    const runsOn = fc.array(fc.constantFrom('always', 'success', 'failure'), { minLength: 1, maxLength: 3 });
    const ended: Record<string, number> = {};
    let retries = 0;
    fc.assert(
      fc.property(documents(8), runsOn, tape, (json, kinds, rolls) => {
        const { nodes, ...rest } = json as { nodes: JsonObject[] };
        const made = normalise({
          ...rest,
          nodes: [
            ...nodes,
            ...kinds.map((run_on, i) => finalizer(`f${i}`, { run_on }, { retry_policy: i === 0 ? 'at_once' : 'once' })),
          ],
        }).workflow;
        fc.pre(analyse(made).graph !== null);
        const env = { stepLimit: rolls.length % 4 === 0 ? 8 : 500 };
        const ours = new Driver(made, { env });
        const theirs = new Driver(made, { env, stepper: actorStepper });
        for (const roll of rolls) {
          for (const driver of [ours, theirs]) {
            if (!hasEnded(driver)) {
              if (roll % 23 === 0) driver.send({ type: 'cancel', reason: 'enough' });
              else if (roll % 11 !== 0 || !isEnding(driver.run)) randomMove(driver, roll);
            } else if (resettableFailures(driver.run).length > 0 && roll % 2 === 0) {
              driver.retry();
              if (driver === ours) retries += 1;
            }
          }
          expect(theirs.last.events).toEqual(ours.last.events);
          expect(theirs.last.effects).toEqual(ours.last.effects);
          expect(save(theirs.run)).toBe(save(ours.run));
          if (roll % 5 === 0) ours.reload();
        }
        if (ours.all('workflow_finalizing').length > 0) ended[ours.run.status] = (ended[ours.run.status] ?? 0) + 1;
        const whole = ours.all('workflow_retried').length > 0 ? ours.saves.slice(-1) : ours.saves;
        for (const { seq, text } of whole)
          expect(save(replay(ours.program, null, ours.log.slice(0, seq), REPLAY_ENV))).toBe(text);
      }),
      { numRuns: sampleOf(300, 100) },
    );
    expect(retries).toBeGreaterThanOrEqual(oftenIn(10));
    expect(Math.min(ended.completed ?? 0, ended.failed ?? 0, ended.cancelled ?? 0)).toBeGreaterThanOrEqual(oftenIn(3));
  });
});
