import ts from 'typescript';

/** How a mutant differs from the source: `text` in the place of a node. */
export interface Change {
  readonly mutator: string;
  readonly node: ts.Node;
  readonly text: string;
}

const COMPARISONS = new Map<ts.SyntaxKind, readonly string[]>([
  [ts.SyntaxKind.LessThanToken, ['<=', '>=']],
  [ts.SyntaxKind.LessThanEqualsToken, ['<', '>']],
  [ts.SyntaxKind.GreaterThanToken, ['>=', '<=']],
  [ts.SyntaxKind.GreaterThanEqualsToken, ['>', '<']],
  [ts.SyntaxKind.EqualsEqualsEqualsToken, ['!==']],
  [ts.SyntaxKind.ExclamationEqualsEqualsToken, ['===']],
  [ts.SyntaxKind.AmpersandAmpersandToken, ['||']],
  [ts.SyntaxKind.BarBarToken, ['&&']],
]);

const ARITHMETIC = new Map<ts.SyntaxKind, string>([
  [ts.SyntaxKind.PlusToken, '-'],
  [ts.SyntaxKind.MinusToken, '+'],
  [ts.SyntaxKind.AsteriskToken, '/'],
  [ts.SyntaxKind.SlashToken, '*'],
  [ts.SyntaxKind.PercentToken, '*'],
  [ts.SyntaxKind.PlusEqualsToken, '-='],
  [ts.SyntaxKind.MinusEqualsToken, '+='],
]);

/** Methods with a counterpart of the same signature. */
const COUNTERPARTS = new Map([
  ['min', 'max'],
  ['max', 'min'],
  ['some', 'every'],
  ['every', 'some'],
]);

/** The changes of one node; those of its children are theirs. */
export function changesOf(node: ts.Node): readonly Change[] {
  const change = (mutator: string, text: string, changed = node): Change => ({ mutator, node: changed, text });
  if (ts.isBinaryExpression(node)) return binaryChanges(node, change);
  if (ts.isPrefixUnaryExpression(node)) return unaryChanges(node, change);
  if (ts.isPostfixUnaryExpression(node)) {
    return [change('arithmetic', node.operand.getText() + (node.operator === ts.SyntaxKind.PlusPlusToken ? '--' : '++'))];
  }
  if (ts.isNumericLiteral(node)) return [change('number', String(Number(node.getText().replaceAll('_', '')) + 1))];
  if (node.kind === ts.SyntaxKind.TrueKeyword) return [change('boolean', 'false')];
  if (node.kind === ts.SyntaxKind.FalseKeyword) return [change('boolean', 'true')];
  if (ts.isConditionalExpression(node)) return negated(node.condition, change);
  if (ts.isIfStatement(node)) return [...negated(node.expression, change), ...removedGuard(node, change)];
  if (ts.isWhileStatement(node)) return negated(node.expression, change);
  if (ts.isExpressionStatement(node)) {
    return ts.isCallExpression(node.expression) && node.expression.expression.kind === ts.SyntaxKind.SuperKeyword
      ? []
      : [change('statement', '')];
  }
  if (ts.isBreakStatement(node) && !ts.isCaseOrDefaultClause(node.parent)) return [change('statement', '')];
  if (ts.isContinueStatement(node)) return [change('statement', '')];
  if (ts.isReturnStatement(node)) return returnChanges(node, change);
  const optional = isOptionalLink(node) ? [change('optional', withoutQuestionDot(node), chainRoot(node))] : [];
  return ts.isCallExpression(node) ? [...optional, ...callChanges(node, change)] : optional;
}

type ChangeMaker = (mutator: string, text: string, changed?: ts.Node) => Change;

function binaryChanges(node: ts.BinaryExpression, change: ChangeMaker): readonly Change[] {
  const { kind } = node.operatorToken;
  const [left, right] = [node.left.getText(), node.right.getText()];
  const comparisons = COMPARISONS.get(kind);
  if (comparisons !== undefined) return comparisons.map((operator) => change('comparison', `(${left}) ${operator} (${right})`));
  if (kind === ts.SyntaxKind.QuestionQuestionToken) return [change('nullish', left), change('nullish', right)];
  const arithmetic = ARITHMETIC.get(kind);
  if (arithmetic === undefined || ts.isStringLiteralLike(node.left) || ts.isStringLiteralLike(node.right)) return [];
  if (ts.isTemplateExpression(node.left) || ts.isTemplateExpression(node.right)) return [];
  return [
    change('arithmetic', arithmetic.endsWith('=') ? `${left} ${arithmetic} ${right}` : `(${left}) ${arithmetic} (${right})`),
  ];
}

function unaryChanges(node: ts.PrefixUnaryExpression, change: ChangeMaker): readonly Change[] {
  const operand = node.operand.getText();
  if (node.operator === ts.SyntaxKind.ExclamationToken) return [change('negation', operand)];
  if (node.operator === ts.SyntaxKind.MinusToken) return [change('arithmetic', operand)];
  if (node.operator === ts.SyntaxKind.PlusPlusToken) return [change('arithmetic', `--${operand}`)];
  return node.operator === ts.SyntaxKind.MinusMinusToken ? [change('arithmetic', `++${operand}`)] : [];
}

/** A condition negated as a whole; comparisons and negations have changes of their own. */
function negated(condition: ts.Expression, change: ChangeMaker): readonly Change[] {
  if (ts.isBinaryExpression(condition) && COMPARISONS.has(condition.operatorToken.kind)) return [];
  if (ts.isPrefixUnaryExpression(condition)) return [];
  return [change('negation', `!(${condition.getText()})`, condition)];
}

/** An `if` without `else` that leaves the block, or does one thing, removed. */
function removedGuard(node: ts.IfStatement, change: ChangeMaker): readonly Change[] {
  return node.elseStatement === undefined ? [change('statement', '')] : [];
}

function returnChanges(node: ts.ReturnStatement, change: ChangeMaker): readonly Change[] {
  const { expression } = node;
  if (expression === undefined) return [change('statement', '')];
  const constant =
    ['null', 'undefined', 'true', 'false'].includes(expression.getText()) ||
    ts.isNumericLiteral(expression) ||
    ts.isStringLiteral(expression);
  return constant ? [] : [change('return', 'undefined', expression)];
}

function callChanges(node: ts.CallExpression, change: ChangeMaker): readonly Change[] {
  const { expression: method } = node;
  if (!ts.isPropertyAccessExpression(method)) return [];
  const name = method.name.text;
  const counterpart = COUNTERPARTS.get(name);
  const inChain = (node.flags & ts.NodeFlags.OptionalChain) !== 0;
  const text = node.getText();
  const nameAt = method.name.getStart() - node.getStart();
  if (counterpart !== undefined && !inChain) {
    return [change('method', text.slice(0, nameAt) + counterpart + text.slice(nameAt + name.length))];
  }
  return name === 'filter' && !inChain && node.arguments.length === 1 ? [change('method', method.expression.getText())] : [];
}

type OptionalLink = (ts.PropertyAccessChain | ts.ElementAccessChain | ts.CallChain) & {
  readonly questionDotToken: ts.QuestionDotToken;
};

function isOptionalLink(node: ts.Node): node is OptionalLink {
  return ts.isOptionalChain(node) && !ts.isNonNullExpression(node) && node.questionDotToken !== undefined;
}

/** The whole chain: a part of it cannot be replaced without changing what the rest skips. */
function chainRoot(node: ts.Node): ts.Node {
  const { parent } = node;
  const continued =
    (ts.isPropertyAccessExpression(parent) ||
      ts.isElementAccessExpression(parent) ||
      ts.isCallExpression(parent) ||
      ts.isNonNullExpression(parent)) &&
    parent.expression === node;
  return continued ? chainRoot(parent) : node;
}

function withoutQuestionDot(node: OptionalLink): string {
  const root = chainRoot(node);
  const text = root.getText();
  const at = node.questionDotToken.getStart() - root.getStart();
  return text.slice(0, at) + (ts.isPropertyAccessExpression(node) ? '.' : '') + text.slice(at + 2);
}
