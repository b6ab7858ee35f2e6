import type { EventType } from '../../events.ts';
import type { JsonObject } from '../../json.ts';
import type { Budgets } from '../../messages.ts';
import type { Context } from '../context/context.ts';
import type { StepContext } from '../context/step-context.ts';

interface Exceeded {
  readonly event: EventType;
  readonly data: JsonObject;
  readonly error: string;
}

const TOKENS = ['total_tokens', 'input_tokens', 'output_tokens'] as const;

/** Logs an exceeded budget, and halts the execution unless its workflow wants it paused. Work that is done stays done. */
export function checkBudgets(step: StepContext, node: string): void {
  if (step.halt !== null) return;
  const { workflow } = step.tables;
  const exceeded = exceededBudget(step.now, workflow);
  if (exceeded === null) return;
  step.addEvent(exceeded.event, node, exceeded.data);
  if (workflow.on_budget_exceeded === 'fail') step.haltWith({ status: 'failed', error: exceeded.error });
}

/** The budget that is exceeded, if any. Totals set by `resume` take precedence over those of the workflow. */
export function exceededBudget({ usage: used, budgets }: Context, workflow: Budgets): Exceeded | null {
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

/** Replaces the totals that are given. */
export function mergeBudgets(before: Budgets | undefined, { token_budget, cost_budget_usd }: Budgets): Budgets {
  return {
    token_budget: token_budget === null ? (before?.token_budget ?? null) : { ...before?.token_budget, ...token_budget },
    cost_budget_usd: cost_budget_usd ?? before?.cost_budget_usd ?? null,
  };
}

/** Data of `workflow_resumed`. */
export function budgetEventData({ token_budget, cost_budget_usd }: Budgets): JsonObject {
  return {
    ...(token_budget === null ? {} : { token_budget: { ...token_budget } }),
    ...(cost_budget_usd === null ? {} : { cost_budget_usd }),
  };
}
