import type { ModelPrice, ModelSettings } from './settings.ts';

const price = (input: number, output: number, cachedInput: number): ModelPrice => ({ input, output, cachedInput });

/** List prices. An operator's own (`JAMJET_MODEL_PRICES`) come first. */
const PRICES: Readonly<Record<string, ModelPrice>> = {
  'gpt-5': price(1.25, 10, 0.125),
  'gpt-5-mini': price(0.25, 2, 0.025),
  'gpt-5-nano': price(0.05, 0.4, 0.005),
  'gpt-4.1': price(2, 8, 0.5),
  'gpt-4.1-mini': price(0.4, 1.6, 0.1),
  'gpt-4.1-nano': price(0.1, 0.4, 0.025),
  'gpt-4o': price(2.5, 10, 1.25),
  'gpt-4o-mini': price(0.15, 0.6, 0.075),
  o3: price(2, 8, 0.5),
  'o3-mini': price(1.1, 4.4, 0.55),
  'o4-mini': price(1.1, 4.4, 0.275),
  'claude-opus-4-5': price(5, 25, 0.5),
  'claude-opus-4-1': price(15, 75, 1.5),
  'claude-opus-4': price(15, 75, 1.5),
  'claude-sonnet-4-5': price(3, 15, 0.3),
  'claude-sonnet-4': price(3, 15, 0.3),
  'claude-haiku-4-5': price(1, 5, 0.1),
  'claude-3-7-sonnet': price(3, 15, 0.3),
  'claude-3-5-sonnet': price(3, 15, 0.3),
  'claude-3-5-haiku': price(0.8, 4, 0.08),
  'claude-3-haiku': price(0.25, 1.25, 0.03),
  'gemini-2.5-pro': price(1.25, 10, 0.125),
  'gemini-2.5-flash': price(0.3, 2.5, 0.03),
  'gemini-2.5-flash-lite': price(0.1, 0.4, 0.01),
  'gemini-2.0-flash': price(0.1, 0.4, 0.025),
};

/** The release that follows a model's name: `-2024-08-06`, `-20250514`, `-latest`, `-001`. */
const RELEASE = /-(?:\d{4}-\d{2}-\d{2}|\d{8}|\d{3}|latest)$/;

export interface TokenCounts {
  readonly input: number;
  readonly output: number;
  readonly cachedInput: number;
}

/** The cost of an answer in USD; null = the model's price is not known. */
export function costOf(model: string, tokens: TokenCounts, own: ModelSettings['prices']): number | null {
  const found = priceOf(model, own ?? {}) ?? priceOf(model, PRICES);
  if (found === null) return null;
  const cached = Math.min(tokens.cachedInput, tokens.input);
  const millionths =
    (tokens.input - cached) * found.input + cached * (found.cachedInput ?? found.input) + tokens.output * found.output;
  return Number((millionths / 1e6).toFixed(9));
}

function priceOf(model: string, prices: Readonly<Record<string, ModelPrice>>): ModelPrice | null {
  for (const name of [model, model.replace(RELEASE, '')]) if (Object.hasOwn(prices, name)) return prices[name] ?? null;
  return null;
}
