import type { Budgets } from '../../runtime/types/executions.ts';
import { executionId } from '../requests/ids.ts';
import { ExecutionById } from '../schemas/executions.ts';
import { defined } from '../schemas/fields.ts';
import {
  PausedExecution,
  PauseExecution,
  ResumedExecution,
  ResumeExecution,
  RetriedExecution,
} from '../schemas/interventions.ts';
import { type Api, callerOf, type Services } from '../services.ts';

/** Pause, resume and retry of executions. */
export function interventionRoutes(app: Api, { runtime }: Services): void {
  app.post(
    '/executions/:id/pause',
    {
      config: { access: 'write', reducesLoad: () => true },
      schema: {
        summary: 'Pause an execution',
        description:
          'Running attempts continue, and decisions, events and timers are recorded; no node and no attempt begins until the execution is resumed. 409 if it is already paused by an operator, or has ended.',
        tags: ['Executions'],
        operationId: 'pauseExecution',
        params: ExecutionById,
        body: PauseExecution,
        response: { 200: PausedExecution },
      },
      preValidation: async (request) => {
        request.body ??= {};
      },
    },
    async (request) => {
      const id = executionId(request.params.id);
      await runtime.pause(callerOf(request), id, request.body.reason ?? undefined);
      return { execution_id: id, status: 'paused' as const, held: true as const };
    },
  );

  app.post(
    '/executions/:id/resume',
    {
      config: { access: 'write' },
      schema: {
        summary: 'Resume a paused execution',
        description:
          'Begins what was deferred. An execution paused over its budget (`on_budget_exceeded: pause`) needs new totals, greater than what it has used. 409 if it is not paused by an operator (the error says what it is waiting for), or is still over its budget.',
        tags: ['Executions'],
        operationId: 'resumeExecution',
        params: ExecutionById,
        body: ResumeExecution,
        response: { 200: ResumedExecution },
      },
      preValidation: async (request) => {
        request.body ??= {};
      },
    },
    async (request) => {
      const caller = callerOf(request);
      const id = executionId(request.params.id);
      await runtime.resume(caller, id, budgetsOf(request.body));
      const { status } = await runtime.execution(caller.tenantId, id);
      return { execution_id: id, status, held: false as const };
    },
  );

  app.post(
    '/executions/:id/retry',
    {
      config: { access: 'write' },
      schema: {
        summary: 'Retry a failed execution',
        description:
          'Runs its failed nodes again. Completed nodes are kept; the workflow timeout starts again. What was used counts on: an execution over its budget is paused, or continues elsewhere, as `on_budget_exceeded` says. 409 if the execution has not failed, failed for another reason than its nodes, or was sent away from them by its budget.',
        tags: ['Executions'],
        operationId: 'retryExecution',
        params: ExecutionById,
        response: { 200: RetriedExecution },
      },
    },
    async (request) => {
      const caller = callerOf(request);
      const id = executionId(request.params.id);
      const { nodes } = await runtime.retry(caller, id);
      const { status, suspended } = await runtime.execution(caller.tenantId, id);
      return { execution_id: id, status, held: suspended !== null, nodes: [...nodes] };
    },
  );
}

/** Undefined if the body names no budget. Drops unknown fields, which must not get into the log. */
function budgetsOf({ token_budget, cost_budget_usd }: ResumeExecution): Budgets | undefined {
  if (token_budget == null && cost_budget_usd == null) return undefined;
  const { total_tokens, input_tokens, output_tokens } = token_budget ?? {};
  const tokenBudget = {
    ...defined('totalTokens', total_tokens),
    ...defined('inputTokens', input_tokens),
    ...defined('outputTokens', output_tokens),
  };
  return {
    ...(token_budget == null ? {} : { tokenBudget }),
    ...defined('costBudgetUsd', cost_budget_usd),
  };
}
