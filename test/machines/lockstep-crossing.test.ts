import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidWorkflow } from '../../machines/diagnostics.ts';
import { normalise } from '../../machines/ir/normalise.ts';
import type { UsageTotals } from '../../machines/messages.ts';
import type { Run } from '../../machines/run.ts';
import { isDeferred, load, save, usageOf } from '../../machines/step/index.ts';
import { analyse } from '../support/analyse.ts';
import { crossed, Surroundings } from '../support/crossing.ts';
import { Driver } from '../support/driver.ts';
import { hasEnded } from '../support/lockstep.ts';
import { sampleOf } from '../support/properties.ts';
import { replay } from '../support/replay.ts';
import { documents } from '../support/workflows.ts';

/** `CROSSING_RUNS=20000` runs for a quarter of an hour; `CROSSING_SEED=N` plays others. */
const RUNS = Number(process.env.CROSSING_RUNS ?? sampleOf(300));
const SEED = Number(process.env.CROSSING_SEED ?? 1);
const MS_PER_RUN = 500;

/** What the attempts in a log have used; null = nothing. Steps that end no attempt repeat no usage. */
function usedIn({ log }: Driver): UsageTotals | null {
  const total = { input_tokens: 0, output_tokens: 0, cost_usd: 0 };
  for (const { data } of log)
    for (const key of ['input_tokens', 'output_tokens', 'cost_usd'] as const) total[key] += Number(data[key] ?? 0);
  return total.input_tokens + total.output_tokens + total.cost_usd === 0 ? null : total;
}

/** Replays a driver's log step by step beside it. */
class Follower {
  #run: Run | null = null;

  follow({ program, log, run, env, saves }: Driver): void {
    const last = log[run.seq - 1];
    const isRetry = this.#run !== null && log.slice(this.#run.seq).some(({ type }) => type === 'workflow_retried');
    const from = isRetry ? null : this.#run;
    this.#run = replay(program, from, log.slice(from?.seq ?? 0), env);
    expect(save(this.#run), last?.type).toBe(saves.at(-1)?.text);
  }

  whole({ program, log, env, saves }: Driver): void {
    expect(save(replay(program, null, log, env))).toBe(saves.at(-1)?.text);
  }
}

function expectSound(driver: Driver, around: Surroundings): void {
  const { run, program, timers } = driver;
  expect(usageOf(run) ?? null).toEqual(usedIn(driver));
  expect(driver.state).toMatchObject(around.accepted);
  if (hasEnded(driver)) {
    expect(driver.active).toEqual([]);
    expect([...timers.keys()]).toEqual([]);
    expect([...around.open]).toEqual([]);
  }
  for (const { node } of timers.values()) expect(driver.activeNodes.includes(node) || isDeferred(run, node)).toBe(true);
  expect(save(load(program, save(run), { seq: run.seq, input: run.input }))).toBe(save(run));
}

describe('budgets, finalizers, forks, retries, pauses and work beside the workflow, together', () => {
  const seen: Record<string, number> = {};

  it('replay after every step, lose nothing that was accepted or used, and leave nothing behind', {
    timeout: 600_000 + RUNS * MS_PER_RUN,
  }, () => {
    const tape = fc.array(fc.nat(), { minLength: 10, maxLength: 80 });
    fc.assert(
      fc.property(documents(7), fc.nat(), tape, fc.nat(99), (json, seed, rolls, choice) => {
        const { workflow } = normalise(crossed(json, seed));
        fc.pre(analyse(workflow).graph !== null);
        const isLocal = (node: string): boolean => (node.charCodeAt(node.length - 1) + choice) % 3 === 0;
        const startsAtOnce = (): boolean => choice % 2 === 0;
        const env = { isLocal, startsAtOnce, stepLimit: choice % 7 === 0 ? 9 : 300, ...(choice % 5 === 0 ? { work: 60 } : {}) };
        let driver = compiled(() => new Driver(workflow, { env, compile: { forks: choice % 4 !== 0 } }));
        let around = new Surroundings();
        let follower = new Follower();
        let forks = 0;
        for (const roll of rolls) {
          try {
            const at = driver.saves[roll % driver.saves.length]?.seq ?? 0;
            if (roll % 31 === 0 && forks < 2 && at < driver.run.seq) {
              const fork = forkAt(driver, at, forks + 2);
              if (fork === null) continue;
              forks += 1;
              driver = fork;
              around = new Surroundings();
              around.begin(driver.last.effects);
              follower = new Follower();
            } else if (!around.move(driver, roll)) continue;
            follower.follow(driver);
            expectSound(driver, around);
            if (roll % 5 === 0) driver.reload();
          } catch (error) {
            const modelled = driver.log.map(
              ({ sequence, type, node_id, data }) => `${sequence} ${type} ${node_id ?? ''} ${data.activation ?? ''}`,
            );
            throw new Error(modelled.join('\n'), { cause: error });
          }
        }
        follower.whole(driver);
        for (const { type } of driver.log) seen[type] = (seen[type] ?? 0) + 1;
      }),
      { numRuns: RUNS, seed: SEED },
    );
    for (const type of ['workflow_retried', 'workflow_forked', 'workflow_finalizing', 'workflow_paused', 'cost_budget_exceeded'])
      expect(seen[type], type).toBeGreaterThan(RUNS / 20);
  });
});

function compiled(make: () => Driver): Driver {
  try {
    return make();
  } catch (error) {
    fc.pre(!(error instanceof InvalidWorkflow));
    throw error;
  }
}

/** Null = the execution had ended there. */
function forkAt(driver: Driver, sequence: number, n: number): Driver | null {
  const saved = driver.saves.find(({ seq }) => seq === sequence)?.text ?? '{}';
  const { at = [] } = JSON.parse(saved) as { readonly at?: readonly string[] };
  return at.some((id) => id.startsWith('end:')) ? null : driver.forkAt(sequence, `exec_${n}`);
}
