import type { Workflow } from '../ir/workflow.ts';

/**
 * What an exceeded budget does to an execution: it fails, is paused until an operator resumes it with new totals, or (`guard`) goes on,
 * because its own conditions ask for `__cost_exceeded__`.
 */
export type BudgetAction = 'fail' | 'pause' | 'guard';

/** The key of the state by which conditions ask whether a budget is exceeded. */
export const COST_EXCEEDED = '__cost_exceeded__';

/** `isGuarded`: the workflow has a condition that asks for `COST_EXCEEDED`. */
export function budgetActionOf({ on_budget_exceeded: given }: Workflow, isGuarded: boolean): BudgetAction {
  if (given === 'fail' || given === 'pause') return given;
  return isGuarded ? 'guard' : 'fail';
}
