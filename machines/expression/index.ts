import type { Json } from '../json.ts';
import { Budget, EVALUATION_COST } from './budget.ts';
import { BudgetExceeded, ExpressionError, TooLarge } from './error.ts';
import { evaluateTree, type Scope } from './evaluate.ts';
import { parse } from './parser.ts';
import { type Reference, referencesIn, type UnknownOperation, unknownOperationsIn } from './references.ts';
import type { SyntaxTree } from './syntax-tree.ts';
import { truthy } from './values.ts';

export type { Scope } from './evaluate.ts';
export type { Reference } from './references.ts';

const MAX_LENGTH = 10_000;

/** A parsed condition or inside of `{{ … }}`. One that cannot be parsed has an error and no tree, and evaluates to null. */
export interface Expression {
  readonly text: string;
  readonly tree: SyntaxTree | null;
  readonly error: string | null;
  /** The error is that it is too large. */
  readonly tooLarge: boolean;
}

export interface EvaluationResult {
  readonly value: Json;
  /** Why there is no value; `value` is null then. */
  readonly error?: string;
  /** The error is that the shared budget is used up. */
  readonly exceeded?: true;
}

/** Parses an expression. Never throws. `{{ … }}` around the whole text is allowed and ignored. */
export function compileExpression(text: string): Expression {
  const trimmed = text.trim();
  const inner = trimmed.startsWith('{{') && trimmed.endsWith('}}') ? trimmed.slice(2, -2) : text;
  return attempt<Expression>(
    () => {
      if (text.length > MAX_LENGTH) throw new TooLarge(`longer than ${MAX_LENGTH} characters`);
      return { text, tree: parse(inner), error: null, tooLarge: false };
    },
    (error) => ({ text, tree: null, error: error.message, tooLarge: error instanceof TooLarge }),
  );
}

/**
 * Evaluates an expression. Total and safe: reads only own keys of JSON values, is bounded in work and size, and never throws. Expressions that are
 * evaluated together, such as the conditions and mappings of a step, share one `budget`.
 */
export function evaluate(expression: Expression, scope: Scope, budget: Budget = new Budget()): EvaluationResult {
  const { tree, error } = expression;
  if (tree === null) return { value: null, error: error ?? 'not an expression' };
  return attempt<EvaluationResult>(
    () => {
      budget.spend(EVALUATION_COST);
      return { value: evaluateTree(tree, scope, budget) };
    },
    (error) => ({ value: null, error: error.message, ...(error instanceof BudgetExceeded ? { exceeded: true as const } : {}) }),
  );
}

/** The value of a condition: false when it cannot be evaluated. */
export function isTrue(expression: Expression, scope: Scope): boolean {
  const { value, error } = evaluate(expression, scope);
  return error === undefined && truthy(value);
}

export function references(expression: Expression): readonly Reference[] {
  return expression.tree === null ? [] : referencesIn(expression.tree);
}

/** The undefined functions, methods and filters that an expression uses. Calling one is an error. */
export function unknownOperations(expression: Expression): readonly UnknownOperation[] {
  return expression.tree === null ? [] : unknownOperationsIn(expression.tree);
}

function attempt<T>(run: () => T, failed: (error: ExpressionError) => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof ExpressionError) return failed(error);
    throw error;
  }
}
