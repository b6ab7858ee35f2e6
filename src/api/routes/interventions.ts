import type { Budgets } from '../../runtime/types/executions.ts';
import { type Decoded, present } from '../operations/codec.ts';
import { INTERVENTIONS, type ResumeExecution } from '../operations/interventions.ts';
import { executionId } from '../requests/ids.ts';
import { implement } from './implement.ts';

/** Pause, resume and retry of executions. */
export const interventionRoutes = implement(INTERVENTIONS, {
  'POST /executions/:id/pause': async ({ params, body, caller }, { runtime }) => {
    const id = executionId(params.id);
    await runtime.pause(caller, id, body.reason ?? undefined);
    return { executionId: id, status: 'paused' as const, held: true as const };
  },

  'POST /executions/:id/resume': async ({ params, body, caller }, { runtime }) => {
    const id = executionId(params.id);
    await runtime.resume(caller, id, budgetsOf(body));
    const { status } = await runtime.execution(caller.tenantId, id);
    return { executionId: id, status, held: false as const };
  },

  'POST /executions/:id/retry': async ({ params, caller }, { runtime }) => {
    const id = executionId(params.id);
    const { nodes } = await runtime.retry(caller, id);
    const { status, suspended } = await runtime.execution(caller.tenantId, id);
    return { executionId: id, status, held: suspended !== null, nodes };
  },
});

/** Undefined if the body names no budget. */
function budgetsOf({ tokenBudget = null, costBudgetUsd = null }: Decoded<ResumeExecution>): Budgets | undefined {
  const budgets = present({ tokenBudget, costBudgetUsd });
  return Object.keys(budgets).length === 0 ? undefined : budgets;
}
