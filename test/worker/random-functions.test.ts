import { describe, expect, it } from 'vitest';
import { durable } from '../../src/index.ts';
import { called, model, perform, plain, randomProgram } from '../runtime/durable/random-programs.ts';
import { Random } from '../support/random.ts';
import { replayAll } from '../support/replay-all.ts';
import { eventually } from '../support/runtimes.ts';
import { mortal, serving } from './functions.ts';

/** Leases are renewed every ten seconds: a clock that goes faster than requests would let them expire. */
const TICK_MS = 1_000;

async function play(seed: number): Promise<void> {
  const random = new Random(seed);
  const program = randomProgram(random, 3, { next: 0 });
  const calls = new Map<number, number>();
  const definition = durable({ id: 'f', calls: [called], run: async (ctx) => ({ result: await perform(program, ctx, calls) }) });
  const server = await serving([called, definition]);
  const liveFunctions = random.pick([0, 1, 1_000]);
  const start = (id: string) => {
    const { fetch, kill } = mortal();
    server.work(id, { fetch, liveFunctions });
    return kill;
  };
  const id = await server.run(definition.document);
  let kill = start('w0');
  let kills = 0;
  const isOver = async (): Promise<boolean> => {
    const { status } = await server.runtime.execution('default', id);
    return status === 'completed' || status === 'failed';
  };
  for (let turn = 0; !(await isOver()) && turn < 100; turn += 1) {
    for (let wait = random.between(0, 20); wait > 0; wait -= 1) await new Promise((resolve) => setImmediate(resolve));
    if (random.chance(0.3)) server.clock.advance(TICK_MS);
    if (kills < 3 && random.chance(0.1)) {
      kill();
      kills += 1;
      kill = start(`w${kills}`);
    }
  }
  await eventually(async () => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    server.clock.advance(TICK_MS);
    return isOver();
  });
  const { status, state, error } = await server.runtime.execution('default', id);
  expect({ seed, error, status }).toEqual({ seed, error: null, status: 'completed' });
  expect({ seed, result: plain((state as { result?: unknown }).result) }).toEqual({ seed, result: plain(model(program)) });
  expect(server.errors).toEqual([]);
  const log = await server.log(id);
  const begun = log.filter(({ type, data }) => type === 'step_started' && data.attempt === 0).map(({ data }) => data.operation);
  const settled = log.filter(({ type }) => type === 'step_completed').map(({ data }) => data.operation);
  for (const operations of [begun, settled])
    expect({ seed, operations: new Set(operations).size }).toEqual({ seed, operations: operations.length });
  await server.close();
  expect(await replayAll(server.path)).toMatchObject({ differing: [] });
}

describe('random durable functions in workers', () => {
  it.each(Array.from({ length: 12 }, (_, seed) => seed + 1))(
    'give what they say, through workers that are killed (seed %i)',
    (seed) => play(seed),
  );
});
