import { generatePlan } from './generate-plan.ts';
import { minimise, planOf } from './minimise.ts';
import { type SimulationResult, simulate } from './simulate.ts';

/** The test that replays one seed. */
const COMMAND = 'npx vitest run --project unit test/simulation/simulation.test.ts';

/** The kind of a violation, without ids and numbers: a smaller plan must fail with the same kind. */
function kindOf(violation: string): string {
  return violation
    .split('\n', 1)[0]
    ?.replace(/exec_[0-9a-f]{32}|[0-9a-f]{8}-[0-9a-f-]{27}/g, 'ID')
    .replace(/client .*? (?=was|is|has|:)/g, 'CLIENT ')
    .replace(/"(?:[^"\\]|\\.)*"|[\d:.]+|n\d+/g, '#')
    .slice(0, 80) as string;
}

/** Null if the seed passes. Else the violations, and the command that replays the smallest failing plan, or the complete one. */
export async function describeFailure(seed: number, minimised = true): Promise<string | null> {
  const { violations } = await simulate(generatePlan(seed));
  const [first] = violations;
  if (first === undefined) return null;
  if (!minimised) return formatFailure(seed, violations, violations, `SIM_SEED=${seed}`);
  const kind = kindOf(first);
  let smallest: SimulationResult | null = null;
  const kept = await minimise(seed, async (plan) => {
    const result = await simulate(plan);
    if (!result.violations.some((violation) => kindOf(violation) === kind)) return false;
    smallest = result;
    return true;
  });
  const shown = (smallest as SimulationResult | null)?.violations ?? violations;
  return formatFailure(seed, violations, shown, `SIM_SEED=${seed} SIM_KEEP=${kept.join(',')}`);
}

function formatFailure(seed: number, violations: readonly string[], shown: readonly string[], variables: string): string {
  return [
    `seed ${seed}: ${violations.length} violation(s)`,
    ...shown.slice(0, 5).map((violation) => `  ${violation.slice(0, 2_000)}`),
    `  replay: ${variables} ${COMMAND}`,
  ].join('\n');
}

/** Replays one seed, or some of its parts, with its complete trace. */
export async function replaySeed(seed: number, kept: readonly string[] | null): Promise<SimulationResult> {
  const plan = kept === null ? generatePlan(seed) : planOf(seed, kept);
  if (plan === null) throw new Error(`seed ${seed} has no plan of ${kept?.join(', ')}`);
  return simulate(plan, true);
}
