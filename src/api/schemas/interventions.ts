import { type Static, Type } from 'typebox';
import { TokenBudget } from '../../../machines/ir/workflow.ts';
import type { Status } from '../../../machines/run.ts';
import { STATUSES } from './executions.ts';
import { optional } from './fields.ts';

/** The body may be missing altogether. */
export const PauseExecution = Type.Object({ reason: optional(Type.String({ maxLength: 1024 })) });
export type PauseExecution = Static<typeof PauseExecution>;

export const PausedExecution = Type.Object({
  execution_id: Type.String(),
  status: Type.Literal('paused'),
  held: Type.Literal(true),
});
export type PausedExecution = Static<typeof PausedExecution>;

/** The body may be missing altogether. */
export const ResumeExecution = Type.Object({
  /** New totals of tokens; those that are not named stay. */
  token_budget: optional(TokenBudget),
  cost_budget_usd: optional(Type.Number({ minimum: 0 })),
});
export type ResumeExecution = Static<typeof ResumeExecution>;

export const ResumedExecution = Type.Object({
  execution_id: Type.String(),
  /** `paused` when all that is under way waits for a person, an event or a time. */
  status: Type.Unsafe<Status>({ type: 'string', enum: STATUSES }),
  held: Type.Literal(false),
});
export type ResumedExecution = Static<typeof ResumedExecution>;

export const RetriedExecution = Type.Object({
  ...ResumedExecution.properties,
  /** Those that run again. */
  nodes: Type.Array(Type.String()),
});
export type RetriedExecution = Static<typeof RetriedExecution>;
