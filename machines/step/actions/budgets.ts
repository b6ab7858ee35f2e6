import type { EventType } from '../../events/index.ts';
import type { JsonObject } from '../../json.ts';
import type { Budgets, Usage } from '../../messages.ts';
import { type BudgetAction, COST_EXCEEDED } from '../../program/budget-action.ts';
import type { Context } from '../context/context.ts';
import type { StepContext } from '../context/step-context.ts';
import type { MachineEvent } from '../machine-event.ts';
import { MAX_SEGMENTS, nextSegmentId } from '../segments.ts';

interface Exceeded {
  readonly event: EventType;
  readonly data: JsonObject;
  readonly error: string;
}

const TOKENS = ['total_tokens', 'input_tokens', 'output_tokens'] as const;

/**
 * Adds what an attempt or a child execution has used, whether it completed or failed, to the totals that budgets limit. Exceeding one is
 * logged, and the workflow says what follows. Work that is done stays done.
 */
export function meter(step: StepContext, node: string, event: MachineEvent): void {
  const usage = usageIn(event);
  // A completion is checked whatever it reports: a retried execution may be over its budget already.
  if (event.type === 'done' || isMetered(usage)) addUsage(step, node, usage, node);
}

/** The same for a usage that is no attempt's. `at`: the node that the execution is at because of it; null = none. */
export function meterUsage(step: StepContext, node: string, usage: Usage | undefined, at: string | null = node): void {
  if (isMetered(usage)) addUsage(step, node, usage, at);
}

function addUsage(step: StepContext, node: string, usage: Usage | undefined, at: string | null): void {
  const { workflow } = step.tables;
  const action = step.tables.budgetAction;
  const wasExceeded = GOES_ON.has(action) && exceededBudget(step.now, workflow) !== null;
  step.addUsage(usage);
  if (step.halt !== null || step.now.ending !== null || wasExceeded) return;
  const exceeded = exceededBudget(step.now, workflow);
  if (exceeded === null) return;
  step.addEvent(exceeded.event, node, exceeded.data);
  if (action === 'fail') step.haltWith({ status: 'failed', error: exceeded.error });
  else if (step.now.suspension === null) continueElsewhere(step, at, exceeded.error);
}

/** Actions after which an execution may use more than its budget. */
const GOES_ON: ReadonlySet<BudgetAction> = new Set(['guard', 'route', 'continue']);

/**
 * Halts an execution that is over its budget and continues elsewhere: at the node for that, unless it is there already, or in another
 * execution. A suspended one does so when it is resumed. `node`: what exceeded the budget; null = an operator resumes the execution.
 */
export function continueElsewhere(step: StepContext, node: string | null, error: string): void {
  if (step.now.ending !== null) return;
  const { budgetAction: action, budgetRoute: route } = step.tables;
  if (action === 'route' && route !== null) {
    const { suspension, active } = step.now;
    const at = [...(node === null ? [] : [node]), ...active.nodes(), ...(suspension?.deferred ?? [])];
    if (!at.some((one) => route.nodes.has(step.indexOf(one)))) step.haltWith({ status: 'rerouted', error, node });
  } else if (action === 'continue') {
    const segment = step.now.segment ?? 0;
    const { executionId = '', nowMs = 0 } = step.env ?? {};
    step.haltWith(
      segment + 1 < MAX_SEGMENTS
        ? { status: 'limit_exceeded', error, continuedAs: nextSegmentId(executionId, segment, nowMs) }
        : { status: 'failed', error: `${error}; its chain has ${MAX_SEGMENTS} executions, the maximum` },
    );
  }
}

export function usageIn(event: MachineEvent): Usage | undefined {
  if (event.type === 'done' || event.type === 'fail') return event.usage;
  return event.type === 'child' && event.change.status === 'completed' ? event.change.usage : undefined;
}

function isMetered({ input_tokens = 0, output_tokens = 0, cost_usd = 0 }: Usage = {}): boolean {
  return input_tokens > 0 || output_tokens > 0 || cost_usd > 0;
}

/** The state as conditions see it: in a workflow whose conditions ask for it, with `__cost_exceeded__`. */
export function guardedState(step: StepContext, state: JsonObject): JsonObject {
  if (step.tables.budgetAction !== 'guard') return state;
  const isExceeded = exceededBudget(step.now, step.tables.workflow) !== null;
  return isExceeded || state[COST_EXCEEDED] === undefined ? { ...state, [COST_EXCEEDED]: isExceeded } : state;
}

/** Data of `strategy_limit_hit`: the budget that is exceeded, if any. */
export function limitEventData({ now, tables }: StepContext): JsonObject {
  const exceeded = exceededBudget(now, tables.workflow);
  if (exceeded === null) return { limit_type: 'limit_exceeded', limit_value: null, actual_value: null };
  const { limit, current, limit_usd, current_usd } = exceeded.data;
  return exceeded.event === 'cost_budget_exceeded'
    ? { limit_type: 'cost_budget', limit_value: limit_usd ?? null, actual_value: current_usd ?? null }
    : { limit_type: 'token_budget', limit_value: limit ?? null, actual_value: current ?? null };
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

/** What may still be used; infinite without a limit. */
export type BudgetLeft = Readonly<Record<(typeof TOKENS)[number] | 'cost_usd', number>>;

/** Null = there is no budget, or one is exceeded. */
export function leftOfBudgets(context: Context, workflow: Budgets): BudgetLeft | null {
  const { budgets, usage } = context;
  const { input_tokens = 0, output_tokens = 0, cost_usd = 0 } = usage ?? {};
  const limit = (kind: (typeof TOKENS)[number]): number =>
    budgets?.token_budget?.[kind] ?? workflow.token_budget?.[kind] ?? Number.POSITIVE_INFINITY;
  const left = {
    total_tokens: limit('total_tokens') - input_tokens - output_tokens,
    input_tokens: limit('input_tokens') - input_tokens,
    output_tokens: limit('output_tokens') - output_tokens,
    cost_usd: (budgets?.cost_budget_usd ?? workflow.cost_budget_usd ?? Number.POSITIVE_INFINITY) - cost_usd,
  };
  const amounts = Object.values(left);
  return amounts.some((amount) => amount < 0) || amounts.every((amount) => amount === Number.POSITIVE_INFINITY) ? null : left;
}

/** Data of `workflow_resumed`. */
export function budgetEventData({ token_budget, cost_budget_usd }: Budgets): JsonObject {
  // New shape: a person resumes an execution.
  return {
    ...(token_budget === null ? {} : { token_budget: { ...token_budget } }),
    ...(cost_budget_usd === null ? {} : { cost_budget_usd }),
  };
}
