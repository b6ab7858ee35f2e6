import type { StrategyGraph } from './graph.ts';

/** What a key of `strategy_config` holds: a model, a score between 0 and 1, or a number of rounds or answers. */
export type ConfigValue = 'model' | 'score' | 'count';

/** An agent as its strategy compiles it. */
export interface StrategyAgent {
  readonly goal: string;
  readonly model: string;
  /** Names of tools, for the prompts. */
  readonly tools: readonly string[];
  readonly maxIterations: number;
  /** The keys of `strategy_config` that the strategy has. */
  readonly config: StrategyConfig;
}

interface StrategyConfig {
  readonly models: Readonly<Record<string, string>>;
  readonly numbers: Readonly<Record<string, number>>;
}

/** A way to reach a goal with a language model, as a graph without loops. */
export interface Strategy {
  /** The keys that `strategy_config` may have. */
  readonly config: Readonly<Record<string, ConfigValue>>;
  compile(agent: StrategyAgent): StrategyGraph;
}

/** Rounds of a strategy that revises: `max_rounds`, default 3, and at most the iterations that the limits allow. */
export function roundsOf({ config, maxIterations }: StrategyAgent): number {
  return Math.min(config.numbers.max_rounds ?? 3, maxIterations);
}

/** The score from which an answer passes. */
export function passThreshold({ config }: StrategyAgent): number {
  return config.numbers.pass_threshold ?? 0.8;
}

export function toolList({ tools }: StrategyAgent): string {
  return tools.length === 0 ? 'none' : tools.join(', ');
}
