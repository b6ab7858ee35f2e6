import { generatePlan } from './generate-plan.ts';
import type { Plan } from './plan.ts';

/** Maximum number of simulations for one seed. */
const MAX_ATTEMPTS = 400;

/** All parts of a seed's plan that can be excluded: operations, faults, workers, nodes and features of workflows, by id. */
export function partsOf(seed: number): readonly string[] {
  const { operations, faults, workers, workflows } = generatePlan(seed);
  const ofWorkflows = workflows.flatMap(({ parts }) => parts);
  return [...faults.map(({ id }) => id), ...operations.map(({ id }) => id), ...ofWorkflows, ...workers];
}

/** The plan of a seed with only the given parts; null if they do not include a valid workflow. */
export function planOf(seed: number, kept: readonly string[]): Plan | null {
  const keeps = new Set(kept);
  const plan = generatePlan(seed, new Set(partsOf(seed).filter((part) => !keeps.has(part))));
  return plan.workflows.length === 0 ? null : plan;
}

/**
 * Finds a small set of parts with which the seed still fails: removes halves, then quarters, and so on down to single parts (delta debugging,
 * Zeller 1999).
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
