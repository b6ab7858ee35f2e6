import type { Usage } from '../../../machines/messages.ts';
import { costOf } from '../../executors/model/prices.ts';
import type { ModelSettings } from '../../executors/model/settings.ts';
import type { TenantLimits } from './limits.ts';

/** What one attempt may report, unless the tenant has limits of its own. */
export const DEFAULT_CALL_LIMITS = { max_cost_per_call_usd: 100, max_tokens_per_call: 10_000_000 } as const;

/** Prices are rounded, and so are the sums of those who report. */
const TOLERANCE = 1.000001;

export interface UsageBoundsOptions {
  /** A promise only if the store has to be read. */
  readonly limitsOf: (tenantId: string) => TenantLimits | Promise<TenantLimits>;
  readonly prices: ModelSettings['prices'];
}

/** Bounds what attempts report of themselves: remote agents, sidecars, workers and tools may say anything. */
export class UsageBounds {
  readonly #options: UsageBoundsOptions;

  constructor(options: UsageBoundsOptions) {
    this.#options = options;
  }

  /** The usage as it counts, with what was refused of it. A promise only if the store has to be read. */
  counted(tenantId: string, usage: Usage): Usage | Promise<Usage> {
    const { prices } = this.#options;
    const limits = this.#options.limitsOf(tenantId);
    return limits instanceof Promise
      ? limits.then((read) => countedUsage(usage, read, prices))
      : countedUsage(usage, limits, prices);
  }

  countedByDefault(usage: Usage): Usage {
    return countedUsage(usage, {}, this.#options.prices);
  }
}

/**
 * Tokens beyond the limit of a call count as nothing. A cost may be that of the tokens by the price list where the model is known, which then
 * counts in its place; any other may be as high as the limit of a call, beyond which it counts as nothing.
 */
export function countedUsage(usage: Usage, limits: TenantLimits, prices: ModelSettings['prices']): Usage {
  const { max_cost_per_call_usd: maxCost, max_tokens_per_call: maxTokens } = Object.assign({}, DEFAULT_CALL_LIMITS, limits);
  const { input_tokens, output_tokens, cost_usd, ...named } = usage;
  const input = within(input_tokens, maxTokens);
  const output = within(output_tokens, maxTokens);
  // What a script answers costs what it says, whatever the model.
  const model = usage.gen_ai_system === 'scripted' ? undefined : usage.gen_ai_model;
  const price = priceOf(model, input, output, prices);
  const maximum = price ?? maxCost;
  const isCostly = cost_usd !== undefined && !(cost_usd <= maximum * TOLERANCE);
  if (input === input_tokens && output === output_tokens && !isCostly) return usage;
  const cost = isCostly ? price : cost_usd;
  // New shape: usage that is not believed.
  return {
    ...named,
    ...(input === undefined ? {} : { input_tokens: input }),
    ...(output === undefined ? {} : { output_tokens: output }),
    ...(cost === undefined || cost === null ? {} : { cost_usd: cost }),
    // New shape: as above.
    usage_refused: {
      ...(input === input_tokens ? {} : { input_tokens: input_tokens ?? null }),
      ...(output === output_tokens ? {} : { output_tokens: output_tokens ?? null }),
      ...(isCostly ? { cost_usd, max_cost_usd: maximum } : {}),
      ...(input === input_tokens && output === output_tokens ? {} : { max_tokens: maxTokens }),
    },
  };
}

/** Undefined beyond the limit. */
function within(tokens: number | undefined, max: number): number | undefined {
  return tokens === undefined || tokens <= max ? tokens : undefined;
}

/** Null = the model is not known, or how many tokens it took. */
function priceOf(
  model: string | undefined,
  input: number | undefined,
  output: number | undefined,
  prices: ModelSettings['prices'],
): number | null {
  if (model === undefined || (input === undefined && output === undefined)) return null;
  return costOf(model, { input: input ?? 0, output: output ?? 0, cachedInput: 0 }, prices);
}
