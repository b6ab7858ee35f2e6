import { describe, expect, it } from 'vitest';
import { normalise } from '../../machines/ir/normalise.ts';
import type { Workflow } from '../../machines/ir/workflow.ts';
import type { Message } from '../../machines/messages.ts';
import { save } from '../../machines/step/index.ts';
import { analyse } from '../support/analyse.ts';
import { randomBlocks } from '../support/blocks.ts';
import { Driver } from '../support/driver.ts';
import { hasEnded, randomMove, visits } from '../support/lockstep.ts';
import { EndlessLoop, Model } from '../support/model.ts';
import { Random } from '../support/random.ts';
import { replay } from '../support/replay.ts';

/** Generated workflows, many of which are refused. `LOCKSTEP_WORKFLOWS=20000` runs for hours, `LOCKSTEP_SEED=N` generates others. */
const WORKFLOWS = Number(process.env.LOCKSTEP_WORKFLOWS ?? 30);
const FIRST_SEED = Number(process.env.LOCKSTEP_SEED ?? 1);
const RUNS = 4;
const MOVES = 30;
const MS_PER_WORKFLOW = 1_000;

function agree(driver: Driver, model: Model): void {
  expect(driver.run.status).toBe(model.status);
  expect(driver.state).toEqual(model.state);
  expect(driver.run.steps).toBe(model.steps);
  const active = driver.active.map(({ node, activation, attempt, phase }) => `${node}:${activation}:${attempt}:${phase}`);
  expect(active.sort()).toEqual(model.active.sort());
  // The model does not list the nodes that an end cancels.
  const isListed = (line: string): boolean => !(hasEnded(driver) && line.startsWith('cancelled'));
  expect(visits(driver).filter(isListed).sort()).toEqual(model.log.filter(isListed).sort());
}

/** A result that arrives twice or too late changes nothing. */
function isRefused(driver: Driver, late: Message): void {
  const { seq } = driver.run;
  expect(driver.try(late)).toMatchObject({ refused: expect.any(String) });
  expect(driver.run.seq).toBe(seq);
}

function play(workflow: Workflow, random: Random): void {
  const limit = random.chance(0.2) ? random.between(2, 12) : 60;
  const model = new Model(workflow, {}, limit);
  const driver = new Driver(workflow, { compile: { forks: random.chance(0.6) }, env: { stepLimit: limit } });
  const isReloaded = random.chance(0.3);
  agree(driver, model);
  const late: Message[] = [];
  for (let moves = 0; moves < MOVES && !hasEnded(driver); moves += 1) {
    if (isReloaded) driver.reload();
    if (late.length > 0 && random.chance(0.2)) isRefused(driver, random.pick(late));
    const before = driver.active.filter(({ phase }) => phase === 'queued');
    randomMove(driver, random.between(0, 999), model);
    for (const { node, activation, attempt } of before) {
      const now = driver.active.find((active) => active.node === node);
      if (now?.activation === activation && now.attempt === attempt) continue;
      late.push({ type: 'done', node, activation, attempt, output: 'late', durationMs: 1 });
    }
    agree(driver, model);
  }
  const env = { executionId: 'exec_1', stepLimit: limit, runtimeId: 'runtime-1' };
  expect(save(replay(driver.program, null, driver.log, env))).toBe(save(driver.run));
}

describe('nested blocks', () => {
  it('run as the rules say, step by step, are never stuck, and replay', {
    timeout: 600_000 + WORKFLOWS * MS_PER_WORKFLOW,
  }, () => {
    for (let seed = FIRST_SEED; seed < FIRST_SEED + WORKFLOWS; seed += 1) {
      const random = new Random(seed);
      const { workflow } = normalise(randomBlocks(random, random.pick([6, 10, 14])));
      if (analyse(workflow).graph === null) continue;
      try {
        for (let run = 0; run < RUNS; run += 1) play(workflow, random);
      } catch (error) {
        // Runs that only the step limit ends are another test's.
        if (!(error instanceof EndlessLoop)) throw new Error(`LOCKSTEP_SEED=${seed}`, { cause: error });
      }
    }
  });
});
