import { Budget } from '../../expression/budget.ts';
import { type EvaluationResult, type Expression, evaluate, type Scope } from '../../expression/index.ts';
import type { Json, JsonObject } from '../../json.ts';
import { charsUpTo } from '../../json-size.ts';
import { LazyMap } from '../../lazy-map.ts';
import { shortened } from '../../shortened.ts';

/** The error class of a node whose expressions, with all that the step had evaluated before, exceed the evaluation budget of the step. */
export const BUDGET_EXCEEDED = 'expression_budget_exceeded';

/** The expressions of one step: what they have cost, and their results. */
export class Evaluation {
  /** The budget that everything evaluated or rendered in the step shares. */
  readonly budget: Budget;
  /** Problems of this step's expressions, e.g. a condition that cannot be evaluated: reported, but not part of the log. */
  readonly diagnostics: string[] = [];
  /** Per node, the expression at which the budget was exceeded. */
  readonly #exceeded = new LazyMap<string, string>();
  readonly #choices = new LazyMap<string, { readonly condition: string | null; readonly evaluated: readonly JsonObject[] }>();

  /** `work`: the budget in units; absent = the usual one. */
  constructor(work?: number) {
    this.budget = new Budget(work);
  }

  /** A condition of a node. Once the budget has been exceeded at a node, none of its conditions holds. */
  condition(node: string, expression: Expression, scope: Scope): EvaluationResult {
    if (this.#exceeded.has(node)) return { value: null };
    const evaluated = evaluate(expression, scope, this.budget);
    if (evaluated.exceeded === true) this.noteExceeded(node, expression.text);
    else if (evaluated.error !== undefined)
      this.diagnostics.push(`condition "${shortened(expression.text, 200)}" of node "${node}": ${evaluated.error}`);
    return evaluated;
  }

  noteExceeded(node: string, expression: string): void {
    if (!this.#exceeded.has(node)) this.#exceeded.set(node, expression);
  }

  hasExceeded(node: string): boolean {
    return this.#exceeded.has(node);
  }

  /** `condition`: the one that holds; null = none. `evaluated`: the conditions tried, as the log names them. */
  choose(node: string, condition: string | null, evaluated: readonly JsonObject[]): void {
    this.#choices.set(node, { condition, evaluated });
  }

  /** The condition that holds at a node that has chosen; null = none, undefined = it has not chosen. */
  chosen(node: string): string | null | undefined {
    return this.#choices.get(node)?.condition;
  }

  evaluated(node: string): readonly JsonObject[] {
    return this.#choices.get(node)?.evaluated ?? [];
  }

  /** The node has been left: its next visit chooses anew. */
  forgetChoice(node: string): void {
    this.#choices.delete(node);
  }

  /** The failure of a node whose expressions exceed the budget. */
  failureOf(node: string): { readonly error: string; readonly errorClass: string } {
    const expression = this.#exceeded.get(node) ?? '';
    return { error: budgetExceededMessage(expression), errorClass: BUDGET_EXCEEDED };
  }
}

export function budgetExceededMessage(expression: string): string {
  const shown = expression.length > 200 ? `${expression.slice(0, 200)}…` : expression;
  return `${BUDGET_EXCEEDED}: the conditions and mappings of one step need more work than a step may do; it ended at: ${shown}`;
}

const MAX_INPUT_CHARS = 8 * 1024 * 1024;

/** What all inputs that one step records may cost together: evaluation, and size. */
export class InputAllowance {
  readonly #work: number | undefined;
  #budget: Budget | null = null;
  #chars = 0;

  constructor(work: number | undefined) {
    this.#work = work;
  }

  get budget(): Budget {
    this.#budget ??= new Budget(this.#work);
    return this.#budget;
  }

  /** Takes the size of an input; false = it does not fit. `size`: its characters, if they are known. */
  take(input: Json, size = charsUpTo(input, MAX_INPUT_CHARS - this.#chars)): boolean {
    const chars = this.#chars + size;
    if (chars > MAX_INPUT_CHARS) return false;
    this.#chars = chars;
    return true;
  }
}
