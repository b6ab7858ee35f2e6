import { isObject, type Json } from '../json.ts';
import type { Fields } from '../reading/fields.ts';

/** The strategy of an agent that was compiled into the workflow. */
export interface Strategy {
  readonly name: string;
  readonly config: Json;
  /** Null = not limited. */
  readonly maxCostUsd: number | null;
}

/** Label of the node at which a strategy ends that has used up a limit. Some strategies have no way to it. */
const LIMIT_LABEL = 'jamjet.strategy.limit';

/** Reads `strategy_metadata`, which compilers of agents write: `{strategy_name, strategy_config, limits, agent_id}`. Null = no agent's workflow. */
export function strategyOf(fields: Fields): Strategy | null {
  const metadata = fields.object('strategy_metadata');
  if (metadata === undefined) return null;
  const { strategy_name: name, strategy_config: config = {}, limits } = metadata;
  if (typeof name !== 'string' || name === '') return null;
  const maxCost = isObject(limits) ? limits.max_cost_usd : null;
  return { name, config, maxCostUsd: typeof maxCost === 'number' && maxCost > 0 ? maxCost : null };
}

export function isStrategyLimit(labels: Readonly<Record<string, string>>): boolean {
  return labels[LIMIT_LABEL] === 'true';
}
