import { describe, expect, it } from 'vitest';
import { generatePlan } from './generate-plan.ts';
import { minimise, partsOf, planOf } from './minimise.ts';
import { simulate } from './simulate.ts';

describe('a simulation', () => {
  it('is a function of its seed: the same trace, byte for byte', async () => {
    const digests = new Set<string>();
    for (const seed of [1, 2, 5, 8, 13, 21]) {
      const once = await simulate(generatePlan(seed), true);
      const again = await simulate(generatePlan(seed), true);
      expect(again.trace).toEqual(once.trace);
      expect(again.digest).toBe(once.digest);
      digests.add(once.digest);
    }
    expect(digests.size).toBe(6);
  });

  it('differs if a fault is omitted', async () => {
    const seed = [1, 2, 3, 4, 5, 6, 7, 8, 9].find((each) => generatePlan(each).faults.some(({ kind }) => kind === 'crash')) ?? 1;
    const crash = generatePlan(seed).faults.find(({ kind }) => kind === 'crash')?.id ?? '';
    const without = await simulate(generatePlan(seed, new Set([crash])));
    expect(without.digest).not.toBe((await simulate(generatePlan(seed))).digest);
  });
});

describe('minimising', () => {
  it('keeps the parts that a failure needs, and no others', async () => {
    const seed = 3;
    const [one, another] = [generatePlan(seed).operations[0]?.id ?? '', generatePlan(seed).faults.at(-1)?.id ?? ''];
    const kept = await minimise(
      seed,
      async ({ operations, faults }) =>
        operations.some(({ id }) => id === one) && (another === '' || faults.some(({ id }) => id === another)),
    );
    const needed = [one, another].filter((id) => id !== '');
    // Some nodes remain, because a workflow requires at least one.
    expect(kept.filter((part) => !/^w\d\.n\d$/.test(part)).sort()).toEqual(needed.sort());
    expect(kept.length).toBeLessThan(partsOf(seed).length);
    expect(planOf(seed, kept)?.operations.map(({ id }) => id)).toEqual([one]);
  });
});
