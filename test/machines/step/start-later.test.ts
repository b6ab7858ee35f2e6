import { describe, expect, it } from 'vitest';
import { START_TIMER } from '../../../machines/program/state-ids.ts';
import { isStuck, load, save, startAtOf } from '../../../machines/step/index.ts';
import { Driver } from '../../support/driver.ts';
import { replay } from '../../support/replay.ts';
import { condition, tool, wait, workflow } from '../../support/workflows.ts';

const START_AT_MS = 2_000_000;
const ENV = { executionId: 'exec_1', stepLimit: 10_000, runtimeId: 'runtime-1' };
const cleanup = { id: 'cleanup', kind: { type: 'finalizer', tool_ref: 't', when: 'always' } };
/** Its first node is done in the step that reaches it. */
const chosen = workflow([condition('c', ['input.ok', 'w'], [null, 'end']), wait('w', { correlation_key: 'k' }), cleanup]);

function later(): Driver {
  return new Driver(chosen, { input: { ok: true }, env: { startAtMs: START_AT_MS } });
}

function expectReplays(driver: Driver): void {
  const text = save(driver.run);
  expect(save(replay(driver.program, null, driver.log, ENV))).toBe(text);
  expect(save(load(driver.program, text, { seq: driver.run.seq, input: driver.run.input }))).toBe(text);
}

describe('an execution that is started for later', () => {
  it('is pending, and nothing of it runs', () => {
    const driver = later();
    expect(driver.run.status).toBe('pending');
    expect(driver.events).toEqual(['workflow_started']);
    expect(driver.last.events[0]?.data.start_at).toBe('1970-01-01T00:33:20.000Z');
    expect(driver.last.effects).toEqual([
      { type: 'set_timer', id: START_TIMER, node: '', activation: 1, atMs: START_AT_MS, kind: 'start' },
    ]);
    expect([isStuck(driver.run), startAtOf(driver.run), driver.activeNodes]).toEqual([false, START_AT_MS, []]);
    expectReplays(driver);
  });

  it('begins at its time, once', () => {
    const driver = later();
    driver.reload();
    driver.send({ type: 'timer', id: START_TIMER });
    expect(driver.run.status).toBe('paused');
    expect(driver.events).toEqual(['workflow_begun', 'node_completed:c', 'node_started:w']);
    expect(driver.last.effects).toEqual([]);
    expectReplays(driver);
    expect(driver.try({ type: 'timer', id: START_TIMER })).toMatchObject({ refused: 'stale' });
  });

  it('begins at once if its time is past', () => {
    const driver = new Driver(chosen, { input: { ok: true }, env: { startAtMs: 1_000_000 } });
    expect(driver.run.status).toBe('paused');
    expect(driver.last.events[0]?.data).not.toHaveProperty('start_at');
    expect(startAtOf(driver.run)).toBeUndefined();
  });

  it('keeps events until its waits are reached', () => {
    const driver = later();
    driver.event('k', { n: 1 });
    expect(driver.run.status).toBe('pending');
    driver.send({ type: 'timer', id: START_TIMER });
    expect(driver.state).toEqual({ ok: true, n: 1 });
    expectReplays(driver);
  });

  it('is cancelled without its finalizers, since nothing of it has run', () => {
    const driver = later();
    driver.send({ type: 'cancel', reason: 'not needed' });
    expect(driver.run).toMatchObject({ status: 'cancelled', error: 'not needed' });
    expect(driver.events).toEqual(['workflow_cancelled']);
    expect(driver.last.effects).toEqual([{ type: 'clear_timer', id: START_TIMER }]);
    expectReplays(driver);
  });

  it('can be aborted', () => {
    const driver = later();
    driver.send({ type: 'abort', error: 'broken' });
    expect(driver.run).toMatchObject({ status: 'failed', error: 'broken' });
    expect(driver.last.effects).toEqual([{ type: 'clear_timer', id: START_TIMER }]);
    expectReplays(driver);
  });

  it('can be paused, also beyond its time', () => {
    const driver = later();
    driver.pause();
    expect(driver.run.status).toBe('paused');
    driver.resume();
    expect(driver.run.status).toBe('pending');
    driver.pause();
    driver.send({ type: 'timer', id: START_TIMER });
    expect(driver.run.status).toBe('paused');
    expect(driver.events).toEqual(['workflow_begun', 'node_completed:c']);
    expectReplays(driver);
    driver.resume();
    expect(driver.activeNodes).toEqual(['w']);
    expectReplays(driver);
  });

  it('is forked with its time, and with a changed state', () => {
    const fork = later().forkAt(1, 'exec_2', { n: 2 });
    expect(fork.run.status).toBe('pending');
    expect(fork.last.effects).toEqual([expect.objectContaining({ type: 'set_timer', id: START_TIMER, atMs: START_AT_MS })]);
    fork.send({ type: 'timer', id: START_TIMER });
    expect([fork.activeNodes, fork.state]).toEqual([['w'], { ok: true, n: 2 }]);
  });

  it('runs a first node that is work', () => {
    const driver = new Driver(workflow([tool('a')]), { env: { startAtMs: START_AT_MS } });
    driver.send({ type: 'timer', id: START_TIMER });
    expect([driver.run.status, driver.activeNodes]).toEqual(['running', ['a']]);
    driver.done('a');
    expect(driver.run.status).toBe('completed');
    expectReplays(driver);
  });
});
