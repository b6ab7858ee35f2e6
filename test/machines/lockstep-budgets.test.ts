import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidWorkflow } from '../../machines/diagnostics.ts';
import { normalise } from '../../machines/ir/normalise.ts';
import type { Workflow } from '../../machines/ir/workflow.ts';
import type { JsonObject } from '../../machines/json.ts';
import { load, save } from '../../machines/step/index.ts';
import { actorStepper } from '../support/actor-stepper.ts';
import { analyse } from '../support/analyse.ts';
import { Driver } from '../support/driver.ts';
import { hasEnded, randomMove } from '../support/lockstep.ts';
import { oftenIn, sampleOf } from '../support/properties.ts';
import { replay } from '../support/replay.ts';
import { documents, tool } from '../support/workflows.ts';

const MANY_STEPS = 2_000;

/** A random workflow that continues at a node of its own when it exceeds its budget; that node may lead to one of the others. */
const routed = fc.tuple(documents(9), fc.option(fc.nat(8), { freq: 2 })).map(([json, to]): JsonObject => {
  const nodes = json.nodes as JsonObject[];
  const edges = json.edges as JsonObject[];
  const target = to === null ? 'end' : String(nodes[to % nodes.length]?.id);
  return {
    ...json,
    nodes: [...nodes, tool('over')],
    edges: [...edges, { from: 'over', to: target, condition: null }],
    cost_budget_usd: 1,
    on_budget_exceeded: 'over',
  };
});

const driverOf = (workflow: Workflow, more: ConstructorParameters<typeof Driver>[1] = {}): Driver => {
  try {
    return new Driver(workflow, { env: { stepLimit: MANY_STEPS }, ...more });
  } catch (error) {
    fc.pre(!(error instanceof InvalidWorkflow));
    throw error;
  }
};

const ENDS: ReadonlySet<string> = new Set(['node_completed', 'node_failed', 'node_skipped', 'node_cancelled']);

const spend = { usage: { cost_usd: 2 } };

/** The node that exceeds the budget, if any is in progress. */
function exceed(driver: Driver, roll: number): boolean {
  const queued = driver.active.filter(({ phase }) => phase === 'queued');
  const node = queued[roll % queued.length]?.node;
  if (node === undefined) return false;
  if (roll % 3 === 0) driver.fail(node, { retryable: roll % 2 === 0, ...spend });
  else driver.done(node, { n: 1 }, spend);
  return true;
}

describe('an execution over its budget', () => {
  it('continues elsewhere as an actor of XState does, once, and replays', () => {
    let rerouted = 0;
    fc.assert(
      fc.property(routed, fc.array(fc.nat(999), { minLength: 1, maxLength: 40 }), fc.nat(12), (json, rolls, after) => {
        const { workflow } = normalise(json);
        fc.pre(analyse(workflow).graph !== null);
        const ours = driverOf(workflow);
        const theirs = driverOf(workflow, { stepper: actorStepper, env: { stepLimit: MANY_STEPS } });
        let exceeded = false;
        const compare = (): void => {
          expect(theirs.log).toEqual(ours.log);
          expect(theirs.last.effects).toEqual(ours.last.effects);
          expect(save(theirs.run)).toBe(save(ours.run));
        };
        for (const [i, roll] of rolls.entries()) {
          if (hasEnded(ours)) break;
          if (!exceeded && i >= after && exceed(ours, roll)) {
            exceed(theirs, roll);
            exceeded = true;
          } else {
            randomMove(ours, roll);
            randomMove(theirs, roll);
          }
          compare();
        }
        if (ours.log.some(({ node_id }) => node_id === 'over')) rerouted += 1;
        const { program, run, log } = ours;
        const replayed = replay(program, null, log, { executionId: 'exec_1', stepLimit: MANY_STEPS, runtimeId: 'r' });
        expect(save(replayed)).toBe(save(run));
        expect(save(load(program, save(run), { seq: run.seq, input: run.input }))).toBe(save(run));
        const ends = log.filter(({ type, data }) => ENDS.has(type) && data.retryable !== true);
        const visits = ends.map(({ node_id, data }) => `${node_id} ${data.activation}`);
        expect(visits).toEqual([...new Set(visits)]);
      }),
      { numRuns: sampleOf(400, 130) },
    );
    expect(rerouted).toBeGreaterThanOrEqual(oftenIn(50));
  });
});
