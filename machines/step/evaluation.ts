import { Budget } from '../expression/budget.ts';
import { type EvaluationResult, type Expression, evaluate, type Scope } from '../expression/index.ts';

/** The error class of a node whose expressions, with all that the step had evaluated before, exceed the evaluation budget of the step. */
export const BUDGET_EXCEEDED = 'expression_budget_exceeded';

/** The expressions of one step: what they have cost, and their results. */
export class Evaluation {
  /** The budget that everything evaluated or rendered in the step shares. */
  readonly budget: Budget;
  /** Problems of this step's expressions, e.g. a condition that cannot be evaluated: reported, but not part of the log. */
  readonly diagnostics: string[] = [];
  /** Per node, the expression at which the budget was exceeded. */
  readonly #exceeded = new Map<string, string>();
  /** Per node that has completed, the condition that held; null = none. */
  readonly #chosen = new Map<string, string | null>();

  /** `work`: the budget in units; absent = the usual one. */
  constructor(work?: number) {
    this.budget = new Budget(work);
  }

  /** Has the budget been exceeded at any node? */
  get isExceeded(): boolean {
    return this.#exceeded.size > 0;
  }

  /** A condition of a node. Once the budget has been exceeded at a node, none of its conditions holds. */
  condition(node: string, expression: Expression, scope: Scope): EvaluationResult {
    if (this.#exceeded.has(node)) return { value: null };
    const evaluated = evaluate(expression, scope, this.budget);
    if (evaluated.exceeded === true) this.noteExceeded(node, expression.text);
    else if (evaluated.error !== undefined)
      this.diagnostics.push(`condition "${expression.text.slice(0, 200)}" of node "${node}": ${evaluated.error}`);
    return evaluated;
  }

  noteExceeded(node: string, expression: string): void {
    if (!this.#exceeded.has(node)) this.#exceeded.set(node, expression);
  }

  hasExceeded(node: string): boolean {
    return this.#exceeded.has(node);
  }

  choose(node: string, condition: string | null): void {
    this.#chosen.set(node, condition);
  }

  /** The condition that held when the node completed, null = none did; undefined = the node is not among those that choose when they complete. */
  chosen(node: string): string | null | undefined {
    return this.#chosen.get(node);
  }

  /** What a node fails with whose expressions the budget of the step did not suffice for. */
  failureOf(node: string): { readonly error: string; readonly errorClass: string } {
    const expression = this.#exceeded.get(node) ?? '';
    return { error: budgetExceededMessage(expression), errorClass: BUDGET_EXCEEDED };
  }
}

export function budgetExceededMessage(expression: string): string {
  const shown = expression.length > 200 ? `${expression.slice(0, 200)}…` : expression;
  return `${BUDGET_EXCEEDED}: the conditions and mappings of one step need more work than a step may do; it ended at: ${shown}`;
}
