import { type Static, Type } from 'typebox';
import { count, flag, listOf, number, optional, text } from '../schemas/fields.ts';
import { ExecutionById, executionStatus } from './executions.ts';
import type { Resource } from './operation.ts';

export const PauseExecution = Type.Object(
  { reason: optional(Type.String({ maxLength: 1024 }), 'Why; kept with the execution.') },
  { description: 'Why the execution is paused. The body may be missing.' },
);
export type PauseExecution = Static<typeof PauseExecution>;

export const PausedExecution = Type.Object(
  {
    execution_id: text('Id of the execution.'),
    status: Type.Literal('paused', { description: 'Its status from now on.' }),
    held: Type.Literal(true, { description: 'Paused by an operator.' }),
  },
  { description: 'An execution was paused.' },
);
export type PausedExecution = Static<typeof PausedExecution>;

export const TokenTotals = Type.Object(
  {
    input_tokens: Type.Optional(count('Input tokens in all; absent = unchanged.')),
    output_tokens: Type.Optional(count('Output tokens in all; absent = unchanged.')),
    total_tokens: Type.Optional(count('Input and output tokens in all; absent = unchanged.')),
  },
  { description: 'How many tokens the execution may use in all.' },
);
export type TokenTotals = Static<typeof TokenTotals>;

export const ResumeExecution = Type.Object(
  {
    token_budget: optional(TokenTotals, 'New totals of tokens, greater than what the execution has used. Default: unchanged.'),
    cost_budget_usd: optional(number('Cost in USD.', { minimum: 0 }), 'New total of cost in USD. Default: unchanged.'),
  },
  { description: 'New budgets, if the execution is paused over its budget. The body may be missing.' },
);
export type ResumeExecution = Static<typeof ResumeExecution>;

export const ResumedExecution = Type.Object(
  {
    execution_id: text('Id of the execution.'),
    status: executionStatus('Its status from now on: `paused` if everything active awaits a decision, an event or a time.'),
    held: Type.Literal(false, { description: 'No longer paused by an operator.' }),
  },
  { description: 'An execution was resumed.' },
);
export type ResumedExecution = Static<typeof ResumedExecution>;

export const RetriedExecution = Type.Object(
  {
    ...ResumedExecution.properties,
    held: flag('Whether it is paused because it is over its budget (`on_budget_exceeded: pause`).'),
    nodes: listOf(Type.String(), 'Failed nodes that run again.'),
  },
  { description: 'A failed execution was retried.' },
);
export type RetriedExecution = Static<typeof RetriedExecution>;

export const INTERVENTIONS = {
  tag: 'Executions',
  operations: {
    'POST /executions/:id/pause': {
      id: 'pauseExecution',
      access: 'write',
      reducesLoad: true,
      summary: 'Pause an execution',
      description:
        'Running attempts continue, and decisions, events and timers are recorded; no node and no attempt begins until the execution is resumed. 409 if it is already paused by an operator, or has ended.',
      params: ExecutionById,
      body: PauseExecution,
      bodyMayBeMissing: true,
      reply: PausedExecution,
    },
    'POST /executions/:id/resume': {
      id: 'resumeExecution',
      access: 'write',
      summary: 'Resume a paused execution',
      description:
        'Begins what was deferred. An execution paused over its budget (`on_budget_exceeded: pause`) needs new totals, greater than what it has used. 409 if it is not paused by an operator (the error says what it is waiting for), or is still over its budget.',
      params: ExecutionById,
      body: ResumeExecution,
      bodyMayBeMissing: true,
      reply: ResumedExecution,
    },
    'POST /executions/:id/retry': {
      id: 'retryExecution',
      access: 'write',
      summary: 'Retry a failed execution',
      description:
        'Runs its failed nodes again. Completed nodes are kept; the workflow timeout starts again. What was used counts on: an execution over its budget is paused, or continues elsewhere, as `on_budget_exceeded` says. 409 if the execution has not failed, failed for another reason than its nodes, or was sent away from them by its budget.',
      params: ExecutionById,
      reply: RetriedExecution,
    },
  },
} satisfies Resource;
