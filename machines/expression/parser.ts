import type { Json } from '../json.ts';
import { ExpressionError, TooLarge } from './error.ts';
import { type Token, tokensOf } from './lexer.ts';
import { type BinaryOperator, childrenOf, FACTS, ROOTS, type SyntaxTree } from './syntax-tree.ts';
import { finite } from './values.ts';

const MAX_NESTING = 60;
/** Longer chains (`a + b + c …`) make trees too deep for recursive evaluation. */
const MAX_DEPTH = 1_000;
const LITERALS: ReadonlyMap<string, Json> = new Map<string, Json>([
  ['true', true],
  ['True', true],
  ['false', false],
  ['False', false],
  ['null', null],
  ['None', null],
]);

/** Binary operators by precedence, lowest first; all are left-associative. `not` binds tighter than `and` and looser than comparisons, as in Python. */
const OR: readonly BinaryOperator[] = ['or'];
const AND: readonly BinaryOperator[] = ['and'];
const COMPARISON: readonly BinaryOperator[] = ['==', '!=', '<', '<=', '>', '>=', 'in'];
const SUM: readonly BinaryOperator[] = ['+', '-'];
const PRODUCT: readonly BinaryOperator[] = ['*', '/', '%'];

/** Throws `ExpressionError`. */
export function parse(text: string): SyntaxTree {
  const tree = new Parser(tokensOf(text)).parseAll();
  if (depthOf(tree) > MAX_DEPTH) throw new TooLarge(`more than ${MAX_DEPTH} operations in a row`);
  return tree;
}

function depthOf(tree: SyntaxTree): number {
  let depth = 0;
  for (let level: readonly SyntaxTree[] = [tree]; level.length > 0; level = level.flatMap(childrenOf)) depth += 1;
  return depth;
}

/**
 * Recursive descent over
 *
 *     expression = piped [ "if" piped "else" expression ]
 *     piped      = or { "|" name [ "(" args ")" ] }
 *     or         = and { "or" and }               and     = not { "and" not }
 *     not        = "not" not | comparison         comparison = sum { ( "==" … "in" | "not" "in" ) sum }
 *     sum        = product { ("+"|"-") product }  product = unary { ("*"|"/"|"%") unary }
 *     unary      = "-" unary | postfix            postfix = primary { "." name [ args ] | "[" expression "]" }
 *     primary    = number | text | name [ args ] | "(" expression ")" | "[" args "]" | "{" key ":" expression … "}"
 */
class Parser {
  readonly #tokens: readonly Token[];
  #next = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  parseAll(): SyntaxTree {
    const tree = this.#expression();
    if (this.#token.type !== 'end') throw this.#unexpected();
    return tree;
  }

  get #token(): Token {
    const token = this.#tokens[this.#next];
    if (token === undefined) throw new ExpressionError('unexpected end');
    return token;
  }

  #take(): Token {
    const token = this.#token;
    this.#next += 1;
    return token;
  }

  #is(operator: string, ahead = 0): boolean {
    const token = this.#tokens[this.#next + ahead];
    return token?.type === 'operator' && token.value === operator;
  }

  #accept(operator: string): boolean {
    const found = this.#is(operator);
    if (found) this.#next += 1;
    return found;
  }

  #expect(operator: string): void {
    if (!this.#accept(operator))
      throw new ExpressionError(`expected "${operator}" but found ${quoted(this.#token)} at ${this.#token.at}`);
  }

  #unexpected(): ExpressionError {
    return new ExpressionError(
      this.#token.type === 'end' ? 'the expression ends too early' : `unexpected ${quoted(this.#token)} at ${this.#token.at}`,
    );
  }

  /** Limits the recursion, so that a long run of "(" or "-" cannot overflow the stack. */
  #nested<T>(parse: () => T): T {
    if (this.#depth >= MAX_NESTING) throw new TooLarge(`nested more than ${MAX_NESTING} levels deep`);
    this.#depth += 1;
    const result = parse();
    this.#depth -= 1;
    return result;
  }

  /** `if` and `else` are keywords only where no name can stand, because a state may have keys of these names. */
  #acceptWord(word: 'if' | 'else'): boolean {
    const { type, value } = this.#token;
    const found = type === 'name' && value === word;
    if (found) this.#next += 1;
    return found;
  }

  #expression(): SyntaxTree {
    return this.#nested(() => {
      const then = this.#piped();
      if (!this.#acceptWord('if')) return then;
      const test = this.#piped();
      if (!this.#acceptWord('else')) throw new ExpressionError(`an "if" without its "else" at ${this.#token.at}`);
      return { type: 'choice', test, then, otherwise: this.#expression() };
    });
  }

  #piped(): SyntaxTree {
    let tree = this.#or();
    while (this.#accept('|')) {
      const name = this.#take();
      if (name.type !== 'name') throw new ExpressionError(`the name of a filter is missing after "|" at ${name.at}`);
      tree = { type: 'filter', name: name.value, of: tree, args: this.#accept('(') ? this.#args(')') : [] };
    }
    return tree;
  }

  #leftAssociative(operand: () => SyntaxTree, operators: readonly BinaryOperator[], first = operand()): SyntaxTree {
    let tree = first;
    for (;;) {
      const operator = operators.find((candidate) => this.#is(candidate));
      if (operator === undefined) return tree;
      this.#next += 1;
      tree = { type: 'binary', operator, left: tree, right: operand() };
    }
  }

  readonly #or = (): SyntaxTree => this.#leftAssociative(this.#and, OR);
  readonly #and = (): SyntaxTree => this.#leftAssociative(this.#not, AND);
  readonly #sum = (): SyntaxTree => this.#leftAssociative(this.#product, SUM);
  readonly #product = (): SyntaxTree => this.#leftAssociative(this.#unary, PRODUCT);

  readonly #not = (): SyntaxTree =>
    this.#accept('not') ? this.#nested(() => ({ type: 'not', of: this.#not() })) : this.#comparison();

  #comparison(): SyntaxTree {
    let tree = this.#leftAssociative(this.#sum, COMPARISON);
    while (this.#is('not') && this.#is('in', 1)) {
      this.#next += 2;
      tree = { type: 'not', of: { type: 'binary', operator: 'in', left: tree, right: this.#sum() } };
      tree = this.#leftAssociative(this.#sum, COMPARISON, tree);
    }
    return tree;
  }

  readonly #unary = (): SyntaxTree =>
    this.#accept('-') ? this.#nested(() => ({ type: 'negate', of: this.#unary() })) : this.#postfix();

  #postfix(): SyntaxTree {
    let tree = this.#primary();
    for (;;) {
      if (this.#accept('.')) {
        const member = this.#take();
        if (member.type !== 'member') throw new ExpressionError('the expression ends with a "."');
        tree = this.#accept('(')
          ? { type: 'method', name: member.value, of: tree, args: this.#args(')') }
          : this.#memberOf(tree, member.value);
      } else if (this.#accept('[')) {
        tree = { type: 'member', of: tree, key: this.#expression() };
        this.#expect(']');
      } else return tree;
    }
  }

  #primary(): SyntaxTree {
    const token = this.#token;
    if (token.type === 'end') throw this.#unexpected();
    if (token.type !== 'operator') {
      this.#next += 1;
      if (token.type === 'number') return { type: 'literal', value: finite(token.value, Number(token.value)) };
      if (token.type === 'text') return { type: 'literal', value: token.value };
      return this.#nameOrCall(token.value);
    }
    if (this.#accept('[')) return { type: 'list', items: this.#args(']') };
    if (this.#accept('{')) return this.#object();
    if (!this.#accept('(')) throw this.#unexpected();
    const tree = this.#expression();
    this.#expect(')');
    return tree;
  }

  #memberOf(tree: SyntaxTree, name: string): SyntaxTree {
    const fact = tree.type === 'name' ? FACTS.find((candidate) => candidate === `${tree.name}.${name}`) : undefined;
    if (fact === undefined) return { type: 'member', of: tree, key: { type: 'literal', value: name } };
    return { type: 'fact', fact };
  }

  #nameOrCall(name: string): SyntaxTree {
    const literal = LITERALS.get(name);
    if (literal !== undefined) return { type: 'literal', value: literal };
    if (this.#accept('(')) return { type: 'call', name, args: this.#args(')') };
    const root = ROOTS.find((candidate) => candidate === name);
    return root === undefined ? { type: 'name', name } : { type: 'root', root };
  }

  #args(close: string): SyntaxTree[] {
    const args: SyntaxTree[] = [];
    if (this.#accept(close)) return args;
    do args.push(this.#expression());
    while (this.#accept(','));
    this.#expect(close);
    return args;
  }

  #object(): SyntaxTree {
    const entries: [string, SyntaxTree][] = [];
    if (this.#accept('}')) return { type: 'object', entries };
    do {
      const key = this.#take();
      if (key.type !== 'text' && key.type !== 'name')
        throw new ExpressionError(`a key was expected at ${key.at}, not ${quoted(key)}`);
      this.#expect(':');
      entries.push([key.value, this.#expression()]);
    } while (this.#accept(','));
    this.#expect('}');
    return { type: 'object', entries };
  }
}

const quoted = (token: Token) => (token.type === 'end' ? token.value : JSON.stringify(token.value));
