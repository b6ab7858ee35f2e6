import type { EventType } from '../events.ts';
import type { JsonObject } from '../json.ts';
import type { Budgets } from '../messages.ts';
import type { Context } from './context.ts';
import type { StepContext } from './step-context.ts';

interface Exceeded {
  readonly event: EventType;
  readonly data: JsonObject;
  readonly error: string;
}

const TOKENS = ['total_tokens', 'input_tokens', 'output_tokens'] as const;

/** Logs that the work done so far has used more than is allowed, and halts the run unless it is to be paused. What was done stays done. */
export function checkBudgets(context: StepContext, node: string): void {
  if (context.now.halt !== null) return;
  const exceeded = exceededBudget(context.now, context.statics.workflow);
  if (exceeded === null) return;
  context.addEvent(exceeded.event, node, exceeded.data);
  if (context.statics.workflow.on_budget_exceeded === 'fail') context.set({ halt: { status: 'failed', error: exceeded.error } });
}

/** The totals that `resume` has set come before the workflow's own. */
export function exceededBudget({ used, budgets }: Context, workflow: Budgets): Exceeded | null {
  if (used === null) return null;
  const spent = {
    input_tokens: used.input_tokens,
    output_tokens: used.output_tokens,
    total_tokens: used.input_tokens + used.output_tokens,
  };
  for (const kind of TOKENS) {
    const limit = budgets?.token_budget?.[kind] ?? workflow.token_budget?.[kind];
    if (limit === undefined || spent[kind] <= limit) continue;
    const error = `token budget exceeded: ${spent[kind]} of ${limit} ${kind}`;
    return { event: 'token_budget_exceeded', data: { kind, limit, current: spent[kind] }, error };
  }
  const limit = budgets?.cost_budget_usd ?? workflow.cost_budget_usd;
  if (limit === null || used.cost_usd <= limit) return null;
  return {
    event: 'cost_budget_exceeded',
    data: { limit_usd: limit, current_usd: used.cost_usd },
    error: `cost budget exceeded: ${used.cost_usd} of ${limit} USD`,
  };
}

/** New totals in place of those of the same name. */
export function mergeBudgets(before: Budgets | undefined, { token_budget, cost_budget_usd }: Budgets): Budgets {
  return {
    token_budget: token_budget === null ? (before?.token_budget ?? null) : { ...before?.token_budget, ...token_budget },
    cost_budget_usd: cost_budget_usd ?? before?.cost_budget_usd ?? null,
  };
}

/** As `workflow_resumed` tells them. */
export function budgetEventData({ token_budget, cost_budget_usd }: Budgets): JsonObject {
  return {
    ...(token_budget === null ? {} : { token_budget: { ...token_budget } }),
    ...(cost_budget_usd === null ? {} : { cost_budget_usd }),
  };
}
