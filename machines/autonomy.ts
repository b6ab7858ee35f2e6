import type { Static } from 'typebox';
import { Type } from './type.ts';

/** How freely an agent acts, as upstream's agent cards have it. */
export const AUTONOMY_LEVELS = ['deterministic', 'guided', 'bounded_autonomous', 'fully_autonomous'] as const;
export type AutonomyLevel = (typeof AUTONOMY_LEVELS)[number];

const limit = (description: string) => Type.Optional(Type.Integer({ minimum: 1, description }));
const globs = (description: string) => Type.Optional(Type.Array(Type.String(), { description }));

/** Limits of an agent. Reaching one does not fail it: a person is asked whether it may go on. */
export const AutonomyConstraints = Type.Object(
  {
    max_iterations: limit('Visits of the node, or turns of the agent, without asking a person.'),
    max_tool_calls: limit('Calls of tools without asking a person.'),
    token_budget: limit('Tokens that it may use without asking a person.'),
    cost_budget_usd: Type.Optional(
      Type.Number({ exclusiveMinimum: 0, description: 'US dollars that it may cost without asking a person.' }),
    ),
    time_budget_secs: Type.Optional(
      Type.Number({ exclusiveMinimum: 0, description: 'Seconds from its first attempt after which a person is asked.' }),
    ),
    allowed_tools: globs('Globs of the only tools that it may call.'),
    blocked_tools: globs('Globs of tools that it must not call.'),
    require_approval_for: globs('Globs of tools whose calls a person must approve.'),
  },
  { description: 'Limits of an agent, or of a node. A person decides whether it may go on beyond them.' },
);
export type AutonomyConstraints = Static<typeof AutonomyConstraints>;

/** As a document has it. */
export const AutonomySetting = Type.Object(
  {
    level: Type.Optional(
      Type.Enum([...AUTONOMY_LEVELS], {
        description: '`guided`: a person approves every call of a tool. Other levels are for readers.',
      }),
    ),
    constraints: Type.Optional(AutonomyConstraints),
  },
  { description: 'How far an agent, or a node, may go without a person.' },
);

/** Of a node, in normal form. */
export interface Autonomy {
  /** The node whose counts it shares: itself, or the agent for which it calls a tool. */
  readonly agent: string;
  readonly level: AutonomyLevel | null;
  readonly constraints: AutonomyConstraints;
  /** Consecutive failed attempts after which a person is asked; null = not limited. */
  readonly circuit_breaker_threshold: number | null;
}

/** What an agent has done since it began, or since a person last let it go on. */
export interface AutonomyCounts {
  /** Time of its first attempt, in milliseconds since 1970. */
  readonly sinceMs: number;
  readonly iterations: number;
  readonly toolCalls: number;
  readonly tokens: number;
  readonly costUsd: number;
  /** Failed attempts since the last one that succeeded. */
  readonly errors: number;
  /** The failure of the agent, once a person has refused a call of it that a limit held. */
  readonly refused?: string;
}

export interface ReachedLimit {
  readonly limit_type: 'max_iterations' | 'max_tool_calls' | 'token_budget' | 'cost_budget' | 'time_budget';
  readonly limit_value: number;
  readonly actual_value: number;
}

/** What an attempt is: a turn of a model, a call for an agent, or the work of a node on its own, which counts as both. */
export type AttemptRole = 'turn' | 'call' | 'work';

/** The first limit that has been reached when another attempt is about to begin; null = none. */
export function reachedLimit(
  { constraints }: Autonomy,
  { sinceMs, iterations, toolCalls, tokens, costUsd }: AutonomyCounts,
  nowMs: number,
  role: AttemptRole,
): ReachedLimit | null {
  const { max_iterations, max_tool_calls, token_budget, cost_budget_usd, time_budget_secs } = constraints;
  const limits: readonly (readonly [ReachedLimit['limit_type'], number | undefined, number])[] = [
    ['max_iterations', role === 'call' ? undefined : max_iterations, iterations],
    ['max_tool_calls', role === 'turn' ? undefined : max_tool_calls, toolCalls],
    ['token_budget', token_budget, tokens],
    ['cost_budget', cost_budget_usd, costUsd],
    ['time_budget', time_budget_secs, (nowMs - sinceMs) / 1000],
  ];
  for (const [limit_type, limit_value, actual_value] of limits)
    if (limit_value !== undefined && actual_value >= limit_value) return { limit_type, limit_value, actual_value };
  return null;
}
