import { generatePlan } from './generate-plan.ts';
import type { Plan } from './plan.ts';

/** A bound on how long minimising takes: each attempt is a simulation. */
const MAX_ATTEMPTS = 400;

/** Everything of a seed's plan that can be left out: operations, faults, workers and nodes, by their ids. */
export function partsOf(seed: number): readonly string[] {
  const { operations, faults, workers, workflows } = generatePlan(seed);
  const nodes = workflows.flatMap(({ id, document }) => (document.nodes as readonly unknown[]).map((_, n) => `${id}.n${n}`));
  return [...faults.map(({ id }) => id), ...operations.map(({ id }) => id), ...nodes, ...workers];
}

/** The plan of a seed with these parts alone; null = they make no plan, since a workflow that is left is not valid. */
export function planOf(seed: number, kept: readonly string[]): Plan | null {
  const keeps = new Set(kept);
  const plan = generatePlan(seed, new Set(partsOf(seed).filter((part) => !keeps.has(part))));
  return plan.workflows.length === 0 ? null : plan;
}

/**
 * The smallest set of parts it can find with which the seed still fails: leaves out halves, then quarters, and so on down to single
 * parts, for as long as that helps (delta debugging, Zeller 1999).
 */
export async function minimise(seed: number, fails: (plan: Plan) => Promise<boolean>): Promise<readonly string[]> {
  let kept = partsOf(seed);
  let attempts = 0;
  const failsWith = async (parts: readonly string[]): Promise<boolean> => {
    const plan = ++attempts > MAX_ATTEMPTS ? null : planOf(seed, parts);
    return plan !== null && fails(plan);
  };
  for (let size = Math.ceil(kept.length / 2); size >= 1; ) {
    const before = kept.length;
    for (let at = 0; at < kept.length; ) {
      const fewer = [...kept.slice(0, at), ...kept.slice(at + size)];
      if (await failsWith(fewer)) kept = fewer;
      else at += size;
    }
    if (size > 1) size = Math.ceil(size / 2);
    else if (kept.length === before) break;
  }
  return kept;
}
