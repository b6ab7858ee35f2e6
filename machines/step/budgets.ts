import type { Draft } from './draft.ts';

/** Halts the run when the work done so far has used more than the workflow allows. What was done stays done. */
export function overBudget(draft: Draft, node: string): void {
  const { used, halt } = draft.now;
  const { token_budget, cost_budget_usd } = draft.statics.workflow;
  if (used === null || halt !== null) return;
  const spent = {
    input_tokens: used.input_tokens,
    output_tokens: used.output_tokens,
    total_tokens: used.input_tokens + used.output_tokens,
  };
  for (const kind of ['total_tokens', 'input_tokens', 'output_tokens'] as const) {
    const limit = token_budget?.[kind];
    if (limit === undefined || spent[kind] <= limit) continue;
    draft.fact('token_budget_exceeded', node, { kind, limit, current: spent[kind] });
    draft.set({ halt: { status: 'failed', error: `token budget exceeded: ${spent[kind]} of ${limit} ${kind}` } });
    return;
  }
  if (cost_budget_usd === null || used.cost_usd <= cost_budget_usd) return;
  draft.fact('cost_budget_exceeded', node, { limit_usd: cost_budget_usd, current_usd: used.cost_usd });
  draft.set({ halt: { status: 'failed', error: `cost budget exceeded: ${used.cost_usd} of ${cost_budget_usd} USD` } });
}
