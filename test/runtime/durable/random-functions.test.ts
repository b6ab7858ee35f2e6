import { describe, expect, it } from 'vitest';
import { durable } from '../../../src/index.ts';
import { Random } from '../../support/random.ts';
import { replayAll } from '../../support/replay-all.ts';
import { CALLER, crashCopy, eventually, openTestRuntime, type TestRuntime } from '../../support/runtimes.ts';
import { called, model, perform, plain, randomProgram } from './random-programs.ts';

async function play(seed: number): Promise<void> {
  const random = new Random(seed);
  const program = randomProgram(random, 3, { next: 0 });
  const calls = new Map<number, number>();
  const definition = durable({ id: 'f', run: async (ctx) => ({ result: await perform(program, ctx, calls) }) });
  const options = {
    tools: { ...called.tools, ...definition.tools },
    liveFunctions: random.pick([0, 1, 1_000]),
    checkpointLogBytes: random.pick([0, 4_096]),
  };
  let opened: TestRuntime = await openTestRuntime(options);
  await opened.runtime.register(CALLER, called.document);
  const id = await opened.run(definition.document);
  const { runtime } = opened;
  let crashes = 0;
  const isOver = async (): Promise<boolean> => {
    const view = await opened.runtime.execution('default', id);
    return view.status === 'completed' || view.status === 'failed';
  };
  let current = runtime;
  for (let turn = 0; !(await isOver()) && turn < 400; turn += 1) {
    for (let wait = random.between(0, 4); wait > 0; wait -= 1) await new Promise((resolve) => setImmediate(resolve));
    if (random.chance(0.3)) opened.clock.advance(1_000);
    if (crashes < 3 && random.chance(0.1)) {
      crashes += 1;
      const path = crashCopy(opened.path);
      await opened.close();
      opened = await openTestRuntime({ ...options, path });
      opened.clock.advance(60_000);
      current = opened.runtime;
    }
  }
  await eventually(async () => {
    opened.clock.advance(1_000);
    return isOver();
  });
  const { status, state, error } = await current.execution('default', id);
  expect({ seed, error }).toEqual({ seed, error: null });
  expect({ seed, status, result: plain((state as { result?: unknown }).result) }).toEqual({
    seed,
    status: 'completed',
    result: plain(model(program)),
  });
  // A step runs again only if a crash came between its work and its commit.
  for (const [step, times] of calls) expect({ seed, step, again: times - 1 <= crashes }).toEqual({ seed, step, again: true });
  expect(opened.errors).toEqual([]);
  await opened.close();
  expect(await replayAll(opened.path)).toMatchObject({ differing: [] });
}

describe('random durable functions', () => {
  it.each(Array.from({ length: 40 }, (_, seed) => seed + 1))(
    'give what they say, through crashes and evictions (seed %i)',
    (seed) => play(seed),
  );
});
