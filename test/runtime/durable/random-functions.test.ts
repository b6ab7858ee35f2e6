import { describe, expect, it } from 'vitest';
import { CallError, type DurableContext, durable, Type } from '../../../src/index.ts';
import { Random } from '../../support/random.ts';
import { replayAll } from '../../support/replay-all.ts';
import { CALLER, crashCopy, eventually, openTestRuntime, type TestRuntime } from '../../support/runtimes.ts';

/** A program: operations one after the other, side by side, or of which the first one counts. */
type Program =
  | { readonly does: 'step' | 'slow step' | 'sleep' | 'uuid' | 'call'; readonly id: number }
  | { readonly does: 'all' | 'sequence' | 'race'; readonly of: readonly Program[] };

function randomProgram(random: Random, depth: number, ids: { next: number }): Program {
  const leaf = (): Program => {
    ids.next += 1;
    return { does: random.pick(['step', 'step', 'slow step', 'sleep', 'uuid', 'call']), id: ids.next };
  };
  if (depth === 0 || random.chance(0.3)) return leaf();
  const of = Array.from({ length: random.between(1, 4) }, () => randomProgram(random, depth - 1, ids));
  return { does: random.pick(['all', 'sequence', 'race']), of };
}

const called = durable({
  id: 'called',
  input: Type.Object({ n: Type.Number() }),
  run: async (ctx, { n }) => {
    if (n % 3 === 0) await ctx.sleep(1);
    return ctx.step('n', () => ({ n }));
  },
});

/** A crash before the first operation of the called function counts as an attempt at it, so that it may fail. */
async function callUntilBegun(ctx: DurableContext, id: number): Promise<number> {
  for (;;) {
    try {
      return (await ctx.call(called, { n: id })).n;
    } catch (error) {
      if (!(error instanceof CallError && error.message.includes('runtime lost'))) throw error;
    }
  }
}

/** Runs the program by its context. What each step gives depends on how often it was called, so that a second call shows. */
async function perform(program: Program, ctx: DurableContext, calls: Map<number, number>): Promise<unknown> {
  const countedCall = (id: number): string => {
    calls.set(id, (calls.get(id) ?? 0) + 1);
    return `${id}#${calls.get(id)}`;
  };
  switch (program.does) {
    case 'step':
      return ctx.step(`s${program.id}`, () => countedCall(program.id));
    case 'slow step':
      return ctx.step(`s${program.id}`, async () => {
        for (let turn = 0; turn < program.id % 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
        return countedCall(program.id);
      });
    case 'sleep':
      await ctx.sleep((program.id % 3) + 1);
      return program.id;
    case 'uuid':
      return typeof (await ctx.uuid());
    case 'call':
      return callUntilBegun(ctx, program.id);
    case 'all':
      return Promise.all(program.of.map((one) => perform(one, ctx, calls)));
    case 'race':
      return Promise.race(program.of.map((one) => perform(one, ctx, calls).then(() => 'raced')));
    case 'sequence': {
      const results: unknown[] = [];
      for (const one of program.of) results.push(await perform(one, ctx, calls));
      return results;
    }
  }
}

/** What the program gives if each step is called once, by itself. */
function model(program: Program): unknown {
  if (program.does === 'uuid') return 'string';
  if (program.does === 'sleep' || program.does === 'call') return program.id;
  if (!('of' in program)) return `${program.id}#1`;
  return program.does === 'race' ? 'raced' : program.of.map(model);
}

const plain = (value: unknown): string => JSON.stringify(value).replace(/#\d+/g, '#1');

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
