import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compile } from '../../../machines/compile/index.ts';
import { normalise } from '../../../machines/ir/normalise.ts';
import type { Json } from '../../../machines/json.ts';
import { historyOf, LogReplay } from '../../../machines/replay/index.ts';
import { type Run, TERMINAL } from '../../../machines/run.ts';
import { save, stateOf, terminalFailures, workOf } from '../../../machines/step/index.ts';
import { analyse } from '../../support/analyse.ts';
import { Driver } from '../../support/driver.ts';
import { GOLDEN_ENV, type Golden, goldenNames, readGolden, tenantPolicyOf } from '../../support/golden.ts';
import { oftenIn, sampleOf } from '../../support/properties.ts';
import { replay } from '../../support/replay.ts';
import { Fork, stepsOf } from '../../support/replay-steps.ts';
import { documents, tool, workflow } from '../../support/workflows.ts';

const names = goldenNames();
const golden = (name: string): Golden => readGolden(name) as Golden;
const programOf = (log: Golden) => compile(normalise(log.document).workflow, 'revision');
const OTHER = { ...GOLDEN_ENV, executionId: 'exec_other' };

describe('a log replayed while it is read', () => {
  it.each(names)('%s gives the run of every step', (name) => {
    const log = golden(name);
    const program = programOf(log);
    const logReplay = new LogReplay(program, GOLDEN_ENV, historyOf(log.events));
    const given: [number, string][] = [];
    const take = (ended: boolean): void => {
      for (let run = logReplay.next(ended); run !== null; run = logReplay.next(ended)) given.push([run.seq, save(run)]);
    };
    for (const event of log.events) {
      logReplay.push(event);
      take(false);
    }
    take(true);
    const firstComparable = log.events.findLast(({ type }) => type === 'workflow_retried')?.sequence ?? 0;
    for (const [seq, text] of given)
      if (seq >= firstComparable) expect(text).toBe(save(replay(program, null, log.events.slice(0, seq), GOLDEN_ENV)));
    expect(logReplay.run?.seq).toBe(log.events.length);
    expect(logReplay.atMs).toBe(log.events.at(-1)?.at_ms);
  });
});

describe('a fork', () => {
  it.each(names)('of %s at every step has the same outcome with the same messages', (name) => {
    const { events, ...log } = golden(name);
    const program = programOf({ events, ...log });
    const end = replay(program, null, events, GOLDEN_ENV);
    for (const { run, end: at, later } of stepsOf(program, events, GOLDEN_ENV)) {
      // A fork is not a message that was sent: an execution begins with it.
      if (TERMINAL.has(run.status) || later.some(({ message }) => message.type === 'fork')) continue;
      const fork = new Fork(
        program,
        { ...OTHER, tenantPolicy: tenantPolicyOf(log.tenant_policy ?? {}) },
        { log: events.slice(0, at), run, env: GOLDEN_ENV },
      );
      for (const heard of later) fork.send(heard);
      expect({ at, status: fork.run.status, state: stateOf(fork.run), error: fork.run.error, steps: fork.run.steps }).toEqual({
        at,
        status: end.status,
        state: stateOf(end),
        error: end.error,
        steps: end.steps,
      });
      expect(save(replay(program, null, fork.log, OTHER))).toBe(save(fork.run));
    }
  });
});

describe('a fork of an attempt that has begun something elsewhere', () => {
  it('begins it anew: what the origin began stays the own of the origin', () => {
    const driver = new Driver(workflow([tool('a')]), { env: { isLocal: () => true } });
    const data = { task_id: 'task-of-the-origin' };
    driver.send({ type: 'progress', ...driver.visit('a'), event: 'remote_task_started', data });
    const progressOf = ({ program, run, env }: Driver) => workOf(program, run, { node: 'a' }, env).progress;
    expect(progressOf(driver)).toEqual({ remote_task_started: data });
    const fork = driver.forkAt(driver.run.seq, 'exec_2');
    expect(progressOf(fork)).toEqual({});
    expect(fork.send({ type: 'cancel', reason: 'enough' }).effects.filter(({ type }) => type === 'release')).toEqual([]);
    expect(driver.send({ type: 'cancel', reason: 'enough' }).effects).toContainEqual(
      expect.objectContaining({ type: 'release', progress: { remote_task_started: data } }),
    );
  });
});

/** Sends a random message for a random node, if any can take one. */
function moveOn(driver: Driver, roll: number): void {
  const active = driver.active[roll % Math.max(1, driver.active.length)];
  if (TERMINAL.has(driver.run.status) || active === undefined) return;
  const { node, phase, activation, attempt, waitsFor } = active;
  const timer = [...driver.timers.values()].find((armed) => armed.node === node);
  if (roll % 11 === 0) driver.try({ type: 'pause', reason: null });
  else if (roll % 11 === 1) driver.try({ type: 'resume' });
  else if (phase === 'queued' && roll % 3 === 0) driver.try({ type: 'claimed', ...driver.visit(node), workerId: 'w' });
  else if (phase === 'queued' || phase === 'running') {
    if (roll % 5 === 0) driver.try({ type: 'fail', node, activation, attempt, error: 'boom', retryable: roll % 2 === 0 });
    else driver.done(node, OUTPUTS[roll % OUTPUTS.length] ?? null);
  } else if (phase === 'awaiting_approval' || phase === 'approval')
    driver.decide(node, roll % 4 === 0 ? 'rejected' : 'approved', { x: roll });
  else if (timer !== undefined && (waitsFor === null || roll % 2 === 0)) driver.send({ type: 'timer', id: timer.id });
  else if (waitsFor !== null) driver.event(waitsFor, { ok: roll % 2 === 0 });
}

const OUTPUTS: readonly Json[] = [{ n: 1, ok: true }, { n: 3, x: 1 }, { ok: false }, 'text', null];

describe('a fork of any execution', () => {
  it('has the same outcome as its origin with the same messages', () => {
    let forks = 0;
    fc.assert(
      fc.property(documents(8), fc.array(fc.nat(999), { minLength: 1, maxLength: 30 }), (json, rolls) => {
        const { workflow } = normalise(json);
        fc.pre(analyse(workflow).graph !== null);
        const driver = new Driver(workflow, { env: { executionId: GOLDEN_ENV.executionId } });
        for (const roll of rolls) {
          moveOn(driver, roll);
          if (terminalFailures(driver.run).length > 0 && roll % 2 === 0) driver.try({ type: 'retry' });
        }
        const { program, log } = driver;
        for (const { run, end: at, later } of stepsOf(program, log, GOLDEN_ENV)) {
          if (TERMINAL.has(run.status)) continue;
          const fork = new Fork(program, OTHER, { log: log.slice(0, at), run, env: GOLDEN_ENV });
          for (const heard of later) fork.send(heard);
          forks += 1;
          expect(standing(fork.run)).toEqual(standing(driver.run));
          expect(save(replay(program, null, fork.log, OTHER))).toBe(save(fork.run));
        }
      }),
      { numRuns: sampleOf(100) },
    );
    expect(forks).toBeGreaterThanOrEqual(oftenIn(100));
  });
});

/** What a suspension defers in one may be in progress in the other, so neither suspension nor phases are compared. */
function standing(run: Run): unknown {
  const { status, error, steps } = run;
  return { over: TERMINAL.has(status), error, steps, state: stateOf(run) };
}
