import { compileExpression, unknownOperations } from '../../machines/expression/index.ts';

export { judgeBy } from './judge.ts';

/** Why a check can never hold; null = it can be evaluated. */
export function assertionProblem(check: string): string | null {
  const expression = compileExpression(check);
  if (expression.error !== null) return `cannot be read: ${expression.error}`;
  const [unknown] = unknownOperations(expression);
  return unknown === undefined ? null : `uses the ${unknown.what} "${unknown.name}", which does not exist`;
}
