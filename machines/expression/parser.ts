import type { Json } from '../json.ts';
import { ExpressionError, TooLarge } from './error.ts';
import { type Token, tokensOf } from './lexer.ts';
import { type BinaryOperator, childrenOf, FACTS, FIRST_LANGUAGE, LANGUAGE, NEW_FACTS, ROOTS, type Tree } from './tree.ts';
import { finite } from './values.ts';

const MAX_NESTING = 60;
/** Longer chains (`a + b + c …`) make trees too deep to walk safely. */
const MAX_DEPTH = 1_000;
const LITERALS: ReadonlyMap<string, Json> = new Map<string, Json>([
  ['true', true],
  ['True', true],
  ['false', false],
  ['False', false],
  ['null', null],
  ['None', null],
]);

/** Loosest first. All group to the left. `not` stands between `and` and the comparisons, as in Python. */
const OR: readonly BinaryOperator[] = ['or'];
const AND: readonly BinaryOperator[] = ['and'];
const COMPARISON: readonly BinaryOperator[] = ['==', '!=', '<', '<=', '>', '>=', 'in'];
const SUM: readonly BinaryOperator[] = ['+', '-'];
const PRODUCT: readonly BinaryOperator[] = ['*', '/', '%'];

export interface Parsed {
  readonly tree: Tree;
  /** The oldest language in which the text means this. */
  readonly language: number;
}

/** Throws `ExpressionError`. */
export function parse(text: string, language = LANGUAGE): Parsed {
  const parser = new Parser(tokensOf(text), language);
  const tree = parser.whole();
  if (depthOf(tree) > MAX_DEPTH) throw new TooLarge(`more than ${MAX_DEPTH} operations in a row`);
  return { tree, language: parser.needs };
}

function depthOf(tree: Tree): number {
  let depth = 0;
  for (let level: readonly Tree[] = [tree]; level.length > 0; level = level.flatMap(childrenOf)) depth += 1;
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
  readonly #language: number;
  #next = 0;
  #depth = 0;
  #needs = FIRST_LANGUAGE;

  constructor(tokens: readonly Token[], language: number) {
    this.#tokens = tokens;
    this.#language = language;
  }

  /** The oldest language that has all that was read. */
  get needs(): number {
    return this.#needs;
  }

  whole(): Tree {
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

  #eat(operator: string): boolean {
    const found = this.#is(operator);
    if (found) this.#next += 1;
    return found;
  }

  #expect(operator: string): void {
    if (!this.#eat(operator))
      throw new ExpressionError(`expected "${operator}" but found ${quoted(this.#token)} at ${this.#token.at}`);
  }

  #unexpected(): ExpressionError {
    return new ExpressionError(
      this.#token.type === 'end' ? 'the expression ends too early' : `unexpected ${quoted(this.#token)} at ${this.#token.at}`,
    );
  }

  /** Guards the recursion: without it a long run of "(" or "-" would overflow the stack. */
  #deeper<T>(parse: () => T): T {
    if (this.#depth >= MAX_NESTING) throw new TooLarge(`nested more than ${MAX_NESTING} levels deep`);
    this.#depth += 1;
    const result = parse();
    this.#depth -= 1;
    return result;
  }

  /** `if` and `else` are words only where a name cannot stand: a state may have keys of these names. */
  #eatWord(word: 'if' | 'else'): boolean {
    const { type, value } = this.#token;
    const found = type === 'name' && value === word;
    if (found) this.#next += 1;
    return found;
  }

  #expression(): Tree {
    return this.#deeper(() => {
      const then = this.#piped();
      if (this.#language < LANGUAGE || !this.#eatWord('if')) return then;
      const test = this.#piped();
      if (!this.#eatWord('else')) throw new ExpressionError(`an "if" without its "else" at ${this.#token.at}`);
      this.#needs = LANGUAGE;
      return { type: 'choice', test, then, otherwise: this.#expression() };
    });
  }

  #piped(): Tree {
    let tree = this.#or();
    while (this.#eat('|')) {
      const name = this.#take();
      if (name.type !== 'name') throw new ExpressionError(`the name of a filter is missing after "|" at ${name.at}`);
      tree = { type: 'filter', name: name.value, of: tree, args: this.#eat('(') ? this.#args(')') : [] };
    }
    return tree;
  }

  #left(operand: () => Tree, operators: readonly BinaryOperator[], first = operand()): Tree {
    let tree = first;
    for (;;) {
      const operator = operators.find((candidate) => this.#is(candidate));
      if (operator === undefined) return tree;
      this.#next += 1;
      tree = { type: 'binary', operator, left: tree, right: operand() };
    }
  }

  readonly #or = (): Tree => this.#left(this.#and, OR);
  readonly #and = (): Tree => this.#left(this.#not, AND);
  readonly #sum = (): Tree => this.#left(this.#product, SUM);
  readonly #product = (): Tree => this.#left(this.#unary, PRODUCT);

  readonly #not = (): Tree => (this.#eat('not') ? this.#deeper(() => ({ type: 'not', of: this.#not() })) : this.#comparison());

  #comparison(): Tree {
    let tree = this.#left(this.#sum, COMPARISON);
    while (this.#is('not') && this.#is('in', 1)) {
      this.#next += 2;
      tree = { type: 'not', of: { type: 'binary', operator: 'in', left: tree, right: this.#sum() } };
      tree = this.#left(this.#sum, COMPARISON, tree);
    }
    return tree;
  }

  readonly #unary = (): Tree => (this.#eat('-') ? this.#deeper(() => ({ type: 'negate', of: this.#unary() })) : this.#postfix());

  #postfix(): Tree {
    let tree = this.#primary();
    for (;;) {
      if (this.#eat('.')) {
        const member = this.#take();
        if (member.type !== 'member') throw new ExpressionError('the expression ends with a "."');
        tree = this.#eat('(')
          ? { type: 'method', name: member.value, of: tree, args: this.#args(')') }
          : this.#memberOf(tree, member.value);
      } else if (this.#eat('[')) {
        tree = { type: 'member', of: tree, key: this.#expression() };
        this.#expect(']');
      } else return tree;
    }
  }

  #primary(): Tree {
    const token = this.#token;
    if (token.type === 'end') throw this.#unexpected();
    if (token.type !== 'operator') {
      this.#next += 1;
      if (token.type === 'number') return { type: 'literal', value: finite(token.value, Number(token.value)) };
      if (token.type === 'text') return { type: 'literal', value: token.value };
      return this.#named(token.value);
    }
    if (this.#eat('[')) return { type: 'list', items: this.#args(']') };
    if (this.#eat('{')) return this.#object();
    if (!this.#eat('(')) throw this.#unexpected();
    const tree = this.#expression();
    this.#expect(')');
    return tree;
  }

  #memberOf(tree: Tree, name: string): Tree {
    const fact = tree.type === 'name' ? FACTS.find((candidate) => candidate === `${tree.name}.${name}`) : undefined;
    const isNew = fact !== undefined && NEW_FACTS.has(fact);
    if (fact === undefined || (isNew && this.#language < LANGUAGE))
      return { type: 'member', of: tree, key: { type: 'literal', value: name } };
    if (isNew) this.#needs = LANGUAGE;
    return { type: 'fact', fact };
  }

  #named(name: string): Tree {
    const literal = LITERALS.get(name);
    if (literal !== undefined) return { type: 'literal', value: literal };
    if (this.#eat('(')) return { type: 'call', name, args: this.#args(')') };
    const root = ROOTS.find((candidate) => candidate === name);
    return root === undefined ? { type: 'name', name } : { type: 'root', root };
  }

  #args(close: string): Tree[] {
    const args: Tree[] = [];
    if (this.#eat(close)) return args;
    do args.push(this.#expression());
    while (this.#eat(','));
    this.#expect(close);
    return args;
  }

  #object(): Tree {
    const entries: [string, Tree][] = [];
    if (this.#eat('}')) return { type: 'object', entries };
    do {
      const key = this.#take();
      if (key.type !== 'text' && key.type !== 'name')
        throw new ExpressionError(`a key was expected at ${key.at}, not ${quoted(key)}`);
      this.#expect(':');
      entries.push([key.value, this.#expression()]);
    } while (this.#eat(','));
    this.#expect('}');
    return { type: 'object', entries };
  }
}

const quoted = (token: Token) => (token.type === 'end' ? token.value : JSON.stringify(token.value));
