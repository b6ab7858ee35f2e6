import { Budget } from '../expression/budget.ts';
import { type EvaluationResult, type Expression, evaluate, type Scope } from '../expression/index.ts';

/** The class of a failure for which a node's expressions are to blame, together with all that its step had evaluated before. */
export const BUDGET_EXCEEDED = 'expression_budget_exceeded';

/**
 * What the expressions of the step at hand have cost, and what came of them. A program has one, since its steps are taken one at a time; each
 * step begins with `begin`.
 */
export class Evaluation {
  #budget = new Budget();
  /** Per node, the expression at which the budget was used up. */
  readonly #exceeded = new Map<string, string>();
  /** Per node that has completed, the condition that held; null = none. */
  readonly #chosen = new Map<string, string | null>();
  /** Problems of this step's expressions, e.g. a condition that cannot be evaluated: reported, but not part of the log. */
  readonly diagnostics: string[] = [];

  /** The budget of the step, for what is rendered in it. */
  get budget(): Budget {
    return this.#budget;
  }

  /** Has any node of this step met the end of the budget? */
  get isExceeded(): boolean {
    return this.#exceeded.size > 0;
  }

  /** Begins a step. `work`: its budget in units, when it is not the usual one. */
  begin(work?: number): void {
    this.#budget = new Budget(work);
    if (this.#exceeded.size > 0) this.#exceeded.clear();
    if (this.#chosen.size > 0) this.#chosen.clear();
    this.diagnostics.length = 0;
  }

  /** A condition of a node. Once the budget has been exceeded at a node, none of its conditions holds. */
  condition(node: string, expression: Expression, scope: Scope): EvaluationResult {
    if (this.#exceeded.has(node)) return { value: null };
    const evaluated = evaluate(expression, scope, this.#budget);
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
