import type { Json } from '../json.ts';
import { Budget, EVALUATION_COST } from './budget.ts';
import { BudgetExceeded, ExpressionError, TooLarge } from './error.ts';
import { evaluateTree, type Scope } from './evaluate.ts';
import { parse } from './parser.ts';
import { type Reference, referencesIn, type UnknownOperation, unknownOperationsIn } from './references.ts';
import { FIRST_LANGUAGE, LANGUAGE, type SyntaxTree } from './syntax-tree.ts';
import { truthy } from './values.ts';

export type { Scope } from './evaluate.ts';
export type { Reference } from './references.ts';

const MAX_LENGTH = 10_000;

/** A condition or the inside of `{{ … }}`, read once. One that cannot be read has an error and no tree, and is always null. */
export interface Expression {
  readonly text: string;
  readonly tree: SyntaxTree | null;
  readonly error: string | null;
  /** The error is its size. */
  readonly tooLarge: boolean;
  /** The same text in the language before this one, where it means something else there. */
  readonly older?: Expression;
}

export interface EvaluationResult {
  readonly value: Json;
  /** Why there is no value; the value is null then. */
  readonly error?: string;
  /** The error is the budget, and not the expression's alone. */
  readonly exceeded?: true;
}

/** Never throws. `{{ … }}` around the whole text is allowed and means nothing. */
export function compileExpression(text: string): Expression {
  const trimmed = text.trim();
  const inner = trimmed.startsWith('{{') && trimmed.endsWith('}}') ? trimmed.slice(2, -2) : text;
  const read = (language: number): Expression =>
    attempt<Expression>(
      () => {
        if (text.length > MAX_LENGTH) throw new TooLarge(`longer than ${MAX_LENGTH} characters`);
        const parsed = parse(inner, language);
        const older = parsed.language > FIRST_LANGUAGE ? { older: read(FIRST_LANGUAGE) } : {};
        return { text, tree: parsed.tree, error: null, tooLarge: false, ...older };
      },
      (error) => ({ text, tree: null, error: error.message, tooLarge: error instanceof TooLarge }),
    );
  return read(LANGUAGE);
}

/**
 * Total and safe: reads own keys of JSON values only, bounded in work and size, never throws. `budget` is shared by all that is evaluated
 * together, such as the conditions and mappings of a step.
 */
export function evaluate(expression: Expression, scope: Scope, budget: Budget = new Budget()): EvaluationResult {
  const { tree, error } = (scope.language ?? LANGUAGE) < LANGUAGE ? (expression.older ?? expression) : expression;
  if (tree === null) return { value: null, error: error ?? 'not an expression' };
  return attempt<EvaluationResult>(
    () => {
      budget.spend(EVALUATION_COST);
      return { value: evaluateTree(tree, scope, budget) };
    },
    (error) => ({ value: null, error: error.message, ...(error instanceof BudgetExceeded ? { exceeded: true as const } : {}) }),
  );
}

/** A condition: what cannot be evaluated is false. */
export function isTrue(expression: Expression, scope: Scope): boolean {
  const { value, error } = evaluate(expression, scope);
  return error === undefined && truthy(value);
}

export function references(expression: Expression): readonly Reference[] {
  return expression.tree === null ? [] : referencesIn(expression.tree);
}

/** Functions, methods and filters it uses and nobody has defined: calling one is an error. */
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
