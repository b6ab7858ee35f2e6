import type { JsonObject } from '../../machines/json.ts';
import { parseWorkflow } from '../support/parse-workflow.ts';
import type { Random } from '../support/random.ts';

const PROBABILITY = 0.06;
const STRATEGIES: Readonly<Record<string, (random: Random) => JsonObject>> = {
  'plan-and-execute': (random) => (random.chance(0.5) ? { verifier_model: 'gpt-4o' } : {}),
  react: () => ({}),
  critic: (random) => ({ critic_model: 'gpt-4o', max_rounds: random.between(1, 3) }),
  reflection: (random) => ({ max_rounds: random.between(1, 3) }),
  consensus: (random) => ({ num_agents: random.between(1, 3) }),
  debate: (random) => ({ max_rounds: random.between(1, 3) }),
};

/** An agent with a strategy, as its file is compiled; null = the workflow is another one. */
export function generateAgent(random: Random, id: string): JsonObject | null {
  if (!random.chance(PROBABILITY)) return null;
  const strategy = random.pick(Object.keys(STRATEGIES));
  const agent = {
    id,
    strategy,
    strategy_config: STRATEGIES[strategy]?.(random) ?? {},
    goal: 'pursue {{ state.mark }}',
    model: 'gpt-4o',
    limits: {
      max_iterations: random.between(1, 4),
      max_cost_usd: random.pick([0.5, 2, 50]),
      timeout_seconds: random.pick([5, 300]),
    },
  };
  const { document, diagnostics } = parseWorkflow(JSON.stringify({ agent }), `${id}.yaml`);
  if (document === null) throw new Error(`the agent ${id} is not valid: ${JSON.stringify(diagnostics)}`);
  return { ...document, nodes: Object.values(document.nodes as JsonObject) };
}
