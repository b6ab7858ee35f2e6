import { describe, expect, it } from 'vitest';
import { describeFailure, replaySeed } from './report.ts';

const { SIM_SEED, SIM_KEEP, SIM_SEEDS, SIM_FROM } = process.env;
const SEEDS = Number(SIM_SEEDS ?? 16);
const FROM = Number(SIM_FROM ?? 1);
const AT_ONCE = 40;

/** Prints the trace of one seed. */
describe.runIf(SIM_SEED !== undefined)(`simulation ${SIM_SEED}`, () => {
  it('passes', async () => {
    const { violations, trace } = await replaySeed(Number(SIM_SEED), SIM_KEEP?.split(',') ?? null);
    console.log(trace.join('\n'));
    expect(violations).toEqual([]);
  });
});

describe.runIf(SIM_SEED === undefined)('the runtime on simulated processes, clocks and stores', () => {
  it.each(
    Array.from(
      { length: Math.ceil(SEEDS / AT_ONCE) },
      (_, i) => [FROM + i * AT_ONCE, FROM - 1 + Math.min(SEEDS, (i + 1) * AT_ONCE)] as const,
    ),
  )('has no violations under faults: seeds %i to %i', async (from, to) => {
    for (let seed = from; seed <= to; seed += 1) expect(await describeFailure(seed)).toBeNull();
  });
});
