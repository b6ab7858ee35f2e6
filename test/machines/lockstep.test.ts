import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalise } from '../../machines/ir/normalise.ts';
import type { Workflow } from '../../machines/ir/workflow.ts';
import { load, save } from '../../machines/step/index.ts';
import { actorStepper } from '../support/actor-stepper.ts';
import { analyse } from '../support/analyse.ts';
import { Driver } from '../support/driver.ts';
import { hasEnded, randomMove, visits } from '../support/lockstep.ts';
import { EndlessLoop, Model } from '../support/model.ts';
import { sampleOf } from '../support/properties.ts';
import { replay } from '../support/replay.ts';
import { documents } from '../support/workflows.ts';

/** Numbers that decide which messages are sent. */
const tape = fc.array(fc.nat(999), { minLength: 1, maxLength: 40 });
const valid = (json: unknown): Workflow => {
  const { workflow } = normalise(json);
  fc.pre(analyse(workflow).graph !== null);
  return workflow;
};

/** More than a run of a tape's length completes. */
const MANY_STEPS = 2_000;

/** What ends only by the step limit is another test's. */
function ended<T>(attempt: () => T): T {
  try {
    return attempt();
  } catch (error) {
    fc.pre(!(error instanceof EndlessLoop));
    throw error;
  }
}

const play = (driver: Driver, rolls: readonly number[], also?: Model): void => {
  for (const roll of rolls) if (!hasEnded(driver)) randomMove(driver, roll, also);
};

describe('a compiled machine', () => {
  it.each([
    ['with forks', { forks: true }],
    ['with sections only', { forks: false }],
  ])('%s runs as the rules say, step by step', (_, compile) => {
    fc.assert(
      fc.property(documents(9), tape, (json, rolls) => {
        const workflow = valid(json);
        const model = ended(() => new Model(workflow, {}));
        const driver = new Driver(workflow, { compile, env: { stepLimit: MANY_STEPS } });
        const check = (): void => {
          expect(driver.run.status).toBe(model.status);
          expect(driver.state).toEqual(model.state);
          expect(driver.run.steps).toBe(model.steps);
          expect(
            driver.active.map(({ node, activation, attempt, phase }) => `${node}:${activation}:${attempt}:${phase}`).sort(),
          ).toEqual(model.active.sort());
          const modelled = model.log.filter((line) => !(model.status === 'limit_exceeded' && line.startsWith('cancelled')));
          const logged = visits(driver).filter(
            (line) => !(hasEnded(driver) && model.status === 'limit_exceeded' && line.startsWith('cancelled')),
          );
          expect(logged.sort()).toEqual(modelled.sort());
        };
        check();
        for (const roll of rolls) {
          if (hasEnded(driver)) break;
          ended(() => randomMove(driver, roll, model));
          check();
        }
      }),
      { numRuns: sampleOf(150) },
    );
  });

  it('always compiles from a valid graph, to plain JSON in which every state has its own id', () => {
    fc.assert(
      fc.property(documents(12), (json) => {
        const { config } = new Driver(valid(json)).program;
        expect(JSON.parse(JSON.stringify(config))).toEqual(config);
        const ids = [...JSON.stringify(config).matchAll(/"id":("(?:[^"\\]|\\.)*")/g)].map((match) => match[1]);
        expect(new Set(ids).size).toBe(ids.length);
      }),
      { numRuns: sampleOf(150) },
    );
  });

  it('runs the same nodes to the same outcome with forks and with subgraphs', () => {
    fc.assert(
      fc.property(documents(10), tape, (json, rolls) => {
        const workflow = valid(json);
        const forks = new Driver(workflow, { compile: { forks: true } });
        const sections = new Driver(workflow, { compile: { forks: false } });
        play(forks, rolls);
        play(sections, rolls);
        expect(sections.run.status).toBe(forks.run.status);
        expect(sections.state).toEqual(forks.state);
        expect(visits(sections).sort()).toEqual(visits(forks).sort());
      }),
      { numRuns: sampleOf(150) },
    );
  });

  it("is stepped exactly as by XState's actor", () => {
    fc.assert(
      fc.property(documents(9), tape, (json, rolls) => {
        const workflow = valid(json);
        const ours = new Driver(workflow);
        const theirs = new Driver(workflow, { stepper: actorStepper });
        const compare = (): void => {
          expect(theirs.last.events).toEqual(ours.last.events);
          expect(theirs.last.effects).toEqual(ours.last.effects);
          expect(save(theirs.run)).toBe(save(ours.run));
        };
        compare();
        for (const roll of rolls) {
          if (hasEnded(ours)) break;
          randomMove(ours, roll);
          randomMove(theirs, roll);
          compare();
        }
      }),
      { numRuns: sampleOf(600) },
    );
  });
});

describe('replaying a log', () => {
  it('gives byte-equal snapshots at every step, from the start and from any checkpoint', () => {
    fc.assert(
      fc.property(documents(9), tape, fc.nat(), (json, rolls, choice) => {
        const driver = new Driver(valid(json));
        play(driver, rolls);
        const env = { executionId: 'exec_1', stepLimit: 10_000, runtimeId: 'runtime-1' };
        for (const { seq, text } of driver.saves) {
          expect(save(replay(driver.program, null, driver.log.slice(0, seq), env))).toBe(text);
        }
        const from = driver.saves[choice % driver.saves.length];
        const checkpoint = load(driver.program, from?.text ?? '', { seq: from?.seq ?? 0, input: {} });
        if (from !== undefined && from.seq < driver.run.seq) {
          expect(save(replay(driver.program, checkpoint, driver.log.slice(from.seq), env))).toBe(save(driver.run));
        }
        expect(save(checkpoint)).toBe(from?.text);
      }),
      { numRuns: sampleOf(100) },
    );
  });

  it('a run that is stored and loaded after every step has the same outcome', () => {
    fc.assert(
      fc.property(documents(9), tape, (json, rolls) => {
        const workflow = valid(json);
        const hot = new Driver(workflow);
        const cold = new Driver(workflow);
        for (const roll of rolls) {
          if (hasEnded(hot)) break;
          randomMove(hot, roll);
          cold.reload();
          randomMove(cold, roll);
          expect(save(cold.run)).toBe(save(hot.run));
        }
      }),
      { numRuns: sampleOf(100) },
    );
  });
});
