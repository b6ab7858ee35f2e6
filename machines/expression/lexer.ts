import { ExpressionError } from './error.ts';

export interface Token {
  readonly type: 'number' | 'text' | 'name' | 'member' | 'operator' | 'end';
  /** Operators have one spelling: `&&` is `and`, `||` is `or`, `!` is `not`. */
  readonly value: string;
  /** Offset in the expression. */
  readonly at: number;
}

const SPACE = /\s*/uy;
const NUMBER = /\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/uy;
/** ASCII names, matched without the slower Unicode classes. */
const PLAIN_NAME = /[A-Za-z_$][A-Za-z0-9_$]*(?![A-Za-z0-9_$\u0080-\u{10ffff}])/uy;
const NAME = /[\p{ID_Start}_$][\p{ID_Continue}$]*/uy;
/** After a dot, a hyphen without spaces is part of the name: `state.step-1.ok`. */
const PLAIN_MEMBER = /[A-Za-z0-9_$]+(?:-[A-Za-z0-9_$]+)*(?![A-Za-z0-9_$\-\u0080-\u{10ffff}])/uy;
const MEMBER = /[\p{ID_Continue}$]+(?:-[\p{ID_Continue}$]+)*/uy;
const OPERATOR = /[=!<>]=|&&|\|\||[-+*/%<>!()[\]{},.:|]/uy;
const WORDS: ReadonlySet<string> = new Set(['and', 'or', 'not', 'in']);
const SPELLINGS: Readonly<Record<string, string>> = { '&&': 'and', '||': 'or', '!': 'not' };
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f' };

/** The tokens of an expression, with an `end` token last. */
export function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = match(SPACE, text, 0).length;
  while (at < text.length) {
    const [token, length] = tokenAt(text, at, tokens.at(-1));
    tokens.push(token);
    at += length;
    at += match(SPACE, text, at).length;
  }
  tokens.push({ type: 'end', value: 'the end', at });
  return tokens;
}

function tokenAt(text: string, at: number, before: Token | undefined): [Token, length: number] {
  if (before?.type === 'operator' && before.value === '.') {
    const member = match(PLAIN_MEMBER, text, at) || match(MEMBER, text, at);
    if (member === '') throw new ExpressionError(`a name is missing after the "." at ${before.at}`);
    return [{ type: 'member', value: member, at }, member.length];
  }
  const operator = match(OPERATOR, text, at);
  if (operator !== '') return [{ type: 'operator', value: SPELLINGS[operator] ?? operator, at }, operator.length];
  const name = match(PLAIN_NAME, text, at) || match(NAME, text, at);
  if (name !== '') return [{ type: WORDS.has(name) ? 'operator' : 'name', value: name, at }, name.length];
  const number = match(NUMBER, text, at);
  if (number !== '') return [{ type: 'number', value: number, at }, number.length];
  const quote = text[at];
  if (quote === '"' || quote === "'") return textAt(text, at, quote);
  const hint = quote === '=' ? ': compare with "=="' : '';
  throw new ExpressionError(`unexpected ${JSON.stringify(String.fromCodePoint(text.codePointAt(at) ?? 0))} at ${at}${hint}`);
}

function textAt(text: string, start: number, quote: string): [Token, length: number] {
  let value = '';
  for (let at = start + 1; at < text.length; at++) {
    const character = text[at] ?? '';
    if (character === quote) return [{ type: 'text', value, at: start }, at + 1 - start];
    if (character !== '\\') {
      value += character;
      continue;
    }
    at += 1;
    const escaped = text[at] ?? '';
    const code = escaped === 'u' ? text.slice(at + 1, at + 5) : '';
    if (/^[0-9a-fA-F]{4}$/.test(code)) {
      value += String.fromCharCode(Number.parseInt(code, 16));
      at += 4;
    } else value += ESCAPES[escaped] ?? escaped;
  }
  throw new ExpressionError(`the text that begins at ${start} has no closing ${quote}`);
}

function match(pattern: RegExp, text: string, at: number): string {
  pattern.lastIndex = at;
  return pattern.test(text) ? text.slice(at, pattern.lastIndex) : '';
}
