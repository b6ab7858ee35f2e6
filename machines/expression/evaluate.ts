import type { Json } from '../json.ts';
import { type Budget, OPERATION_COST, PART_COST } from './budget.ts';
import { ExpressionError } from './error.ts';
import { FILTERS, FUNCTIONS, METHODS, type Operations } from './functions.ts';
import type { Fact, SyntaxTree } from './syntax-tree.ts';
import { compare, contains, equal, finite, member, numberArgument, own, truthy, typeName } from './values.ts';

/** The values that an expression can read. */
export interface Scope {
  readonly state: Json;
  /** The node's input; in conditions of its out-edges, its output. */
  readonly output: Json;
  /** The state key that the output was written to, too: `output.<key>` is the output unless it has a field of that name. Default: none. */
  readonly outputKey?: string | null;
  readonly input: Json;
  readonly env: Readonly<Record<string, string>>;
  /** Values by names of their own, which come before the fields of the output and of the state. Default: none. */
  readonly names?: Readonly<Record<string, Json>>;
  /** Missing facts evaluate to null. */
  readonly facts?: { readonly [F in Fact]?: string };
}

/** Throws `ExpressionError`. */
export function evaluateTree(tree: SyntaxTree, scope: Scope, budget: Budget): Json {
  budget.spend(OPERATION_COST);
  const value = (part: SyntaxTree): Json => evaluateTree(part, scope, budget);
  switch (tree.type) {
    case 'literal':
      return tree.value;
    case 'list':
      return budget.chargeResult(tree.items.map(value));
    case 'object':
      return budget.chargeResult(Object.fromEntries(tree.entries.map(([key, part]) => [key, value(part)])));
    case 'root':
      return scope[tree.root];
    case 'fact':
      return scope.facts?.[tree.fact] ?? null;
    case 'name':
      return bareName(tree.name, scope);
    case 'member':
      return isOutput(tree.of)
        ? outputMember(scope.output, value(tree.key), scope.outputKey ?? null)
        : member(value(tree.of), value(tree.key));
    case 'not':
      return !truthy(value(tree.of));
    case 'negate':
      return 0 - numberArgument('-', value(tree.of));
    case 'call':
      return apply('function', FUNCTIONS, tree.name, tree.args.map(value), budget);
    case 'method':
      return apply('method', METHODS, tree.name, [value(tree.of), ...tree.args.map(value)], budget);
    case 'filter':
      return apply('filter', FILTERS, tree.name, [value(tree.of), ...tree.args.map(value)], budget);
    case 'binary':
      return binary(tree, value, budget);
    case 'choice':
      return truthy(value(tree.test)) ? value(tree.then) : value(tree.otherwise);
  }
}

function isOutput(tree: SyntaxTree): boolean {
  return tree.type === 'root' && tree.root === 'output';
}

function outputMember(output: Json, key: Json, outputKey: string | null): Json {
  return outputKey !== null && key === outputKey && own(output, outputKey) === undefined ? output : member(output, key);
}

/** A bare name: a key of the output, else of the state. A null in the output counts as present. */
function bareName(name: string, { names, output, state }: Scope): Json {
  if (names !== undefined && Object.hasOwn(names, name)) return names[name] ?? null;
  const found = own(output, name);
  return (found === undefined ? own(state, name) : found) ?? null;
}

function apply(what: string, operations: Operations, name: string, args: readonly Json[], budget: Budget): Json {
  const operation = operations.get(name);
  if (operation === undefined) throw new ExpressionError(`unknown ${what} "${name}"`);
  const { min, max } = operation;
  if (args.length < min || args.length > max)
    throw new ExpressionError(`${what} "${name}" is called with the wrong number of arguments`);
  return operation.run(args, budget);
}

function binary(tree: Extract<SyntaxTree, { type: 'binary' }>, value: (part: SyntaxTree) => Json, budget: Budget): Json {
  const { operator } = tree;
  const left = value(tree.left);
  if (operator === 'and') return truthy(left) ? value(tree.right) : left;
  if (operator === 'or') return truthy(left) ? left : value(tree.right);
  const right = value(tree.right);
  switch (operator) {
    case '==':
      return equal(left, right, budget);
    case '!=':
      return !equal(left, right, budget);
    case 'in':
      return contains(right, left, budget);
    case '<':
      return compare(operator, left, right, budget) < 0;
    case '<=':
      return compare(operator, left, right, budget) <= 0;
    case '>':
      return compare(operator, left, right, budget) > 0;
    case '>=':
      return compare(operator, left, right, budget) >= 0;
    case '+':
      return plus(left, right, budget);
    case '-':
      return finite(operator, numberArgument(operator, left) - numberArgument(operator, right));
    case '*':
      return finite(operator, numberArgument(operator, left) * numberArgument(operator, right));
    case '/':
      return finite(operator, numberArgument(operator, left) / numberArgument(operator, right));
    case '%':
      return modulo(numberArgument(operator, left), numberArgument(operator, right));
  }
}

/** Adds numbers, concatenates texts or lists. */
function plus(left: Json, right: Json, budget: Budget): Json {
  if (typeof left === 'number' && typeof right === 'number') return finite('+', left + right);
  if (typeof left === 'string' && typeof right === 'string') {
    budget.reserve(left.length + right.length);
    return left + right;
  }
  if (Array.isArray(left) && Array.isArray(right)) {
    budget.reserve(left.length + right.length);
    budget.spend((left.length + right.length) * PART_COST);
    return budget.chargeResult([...left, ...right]);
  }
  throw new ExpressionError(`+ adds two numbers, two texts or two lists, not ${typeName(left)} and ${typeName(right)}`);
}

/** The result has the divisor's sign, as in Python. */
function modulo(left: number, right: number): number {
  return finite('%', ((left % right) + right) % right);
}
