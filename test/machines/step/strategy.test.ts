import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { normalise } from '../../../machines/ir/normalise.ts';
import type { JsonObject } from '../../../machines/json.ts';
import { save } from '../../../machines/step/index.ts';
import { checkWorkflow } from '../../../src/authoring/check.ts';
import { Driver } from '../../support/driver.ts';
import { replay } from '../../support/replay.ts';

/** An agent's workflow, with its driver. */
function agent(strategy: string, finalizers: JsonObject = {}): Driver {
  const text = `agent: { id: a, strategy: ${strategy}, goal: g, model: m, limits: { max_iterations: 2, max_cost_usd: 5, timeout_seconds: 60 } }`;
  const { document } = checkWorkflow(text, 'agent.yaml');
  if (document === null) throw new Error('the agent is not valid');
  const nodes = { ...(document.nodes as JsonObject), ...finalizers };
  return new Driver(normalise({ ...document, nodes }).workflow);
}

const ofStrategy = (driver: Driver): string[] => driver.events.filter((event) => !/^(?:node|workflow|tool|cost)_/.test(event));

describe('the events of a strategy', () => {
  it('say where its iterations begin and end', () => {
    const driver = agent('react');
    for (const node of ['__think_0__', '__observe_0__', '__think_1__', '__finalize__']) driver.done(node, {});
    expect(driver.run.status).toBe('completed');
    expect(
      driver.log.flatMap(({ type, data }) => (/^(?:strategy|iteration)_/.test(type) ? [[type, data.iteration]] : [])),
    ).toEqual([
      ['strategy_started', undefined],
      ['iteration_started', 0],
      ['iteration_completed', 0],
      ['iteration_started', 1],
      ['iteration_completed', 1],
      ['strategy_completed', undefined],
    ]);
    expect(driver.log.at(-2)).toMatchObject({ type: 'strategy_completed', data: { iterations: 2 } });
  });

  it('have a verdict only of an answer that is one', () => {
    const driver = agent('debate');
    driver.done('__propose__', 'p');
    driver.done('__counter_0__', 'c');
    driver.done('__judge_0__', { settled: true, score: 0.9, ruling: 'agreed' });
    expect(driver.all('critic_verdict')).toMatchObject([
      { node_id: '__judge_0__', data: { passed: true, score: 0.9, feedback: 'agreed' } },
    ]);
    const vague = agent('critic');
    vague.done('__draft__', 'd');
    vague.done('__critic_0__', 'it is fine');
    expect(vague.all('critic_verdict')).toEqual([]);
  });

  it('are written by workflows of strategies only', () => {
    const { document } = JSON.parse(readFileSync('test/golden/strategy-plan.json', 'utf8')) as { document: JsonObject };
    const { strategy_metadata: _, ...plain } = document;
    const driver = new Driver(normalise(plain).workflow);
    driver.done('__plan__', { steps: ['one'] });
    expect(ofStrategy(driver)).toEqual([]);
  });

  it.each([
    ['ends', false, ['node_cancelled', 'strategy_completed', 'workflow_completed']],
    ['leaves out, since the execution is paused,', true, ['workflow_finalizing', 'strategy_completed', 'workflow_completed']],
  ])('follow the finalizer that a cancel %s and replay', (_, isPaused, last) => {
    const driver = agent('react', { unlock: { kind: { type: 'finalizer', tool_ref: 'unlock' } } });
    for (const node of ['__think_0__', '__observe_0__', '__think_1__']) driver.done(node, {});
    driver.send({ type: 'claimed', ...driver.visit('__finalize__'), workerId: 'worker-1' });
    if (isPaused) driver.pause();
    driver.done('__finalize__', {});
    driver.send({ type: 'cancel', reason: 'enough' });
    expect(driver.log.slice(-3).map(({ type }) => type)).toEqual(last);
    const env = { executionId: 'exec_1', stepLimit: 10_000, runtimeId: 'runtime-1' };
    expect(save(replay(driver.program, null, driver.log, env))).toBe(save(driver.run));
  });
});
