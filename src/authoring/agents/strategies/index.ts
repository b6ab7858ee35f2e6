import { consensus } from './consensus.ts';
import { critic } from './critic.ts';
import { debate } from './debate.ts';
import { planAndExecute } from './plan-and-execute.ts';
import { react } from './react.ts';
import { reflection } from './reflection.ts';
import type { Strategy } from './strategy.ts';

/** The strategies of agents, by name. */
export const STRATEGIES: Readonly<Record<string, Strategy>> = {
  'plan-and-execute': planAndExecute,
  react,
  critic,
  reflection,
  consensus,
  debate,
};
